//! Learning: which values are chosen, applying them in order, and bringing up who lags behind.

use tribunal_histories::{Execution, NodeId, Role};

use super::message::{Message, Response};
use super::stable::{Ballot, Proposal, Slot, Write};
use super::{Cx, MultiPaxos, MultiPaxosBug, peers, probes};
use crate::state_machine::{Output, StateMachine};

impl MultiPaxos {
    /// A leader says that all slots up to one are chosen. What this node voted for **in that leader's ballot** is what
    /// was chosen there; a vote of an older ballot may be for another value, and the leader will send what was chosen.
    pub(super) fn learn_up_to(&mut self, ballot: Ballot, chosen: Slot, cx: &mut Cx<'_>) {
        let any_ballot = cx.has(MultiPaxosBug::OldVotesTakenForChosen);
        let open = cx.durable().ledger.end() + 1;
        if open > chosen {
            return;
        }
        let mut older = false;
        for (slot, vote) in cx.durable().votes.range(open..=chosen) {
            if vote.ballot == ballot || any_ballot {
                self.learned.insert(*slot, vote.value);
            } else {
                older = true;
            }
        }
        if older {
            cx.note(probes::OLD_VOTE_NOT_TAKEN);
        }
        self.apply_chosen(ballot, cx);
    }

    /// Somebody tells what was chosen: true for ever, in whatever ballot.
    pub(super) fn learn_from(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        after: Slot,
        values: &[Proposal],
        cx: &mut Cx<'_>,
    ) {
        let end = cx.durable().ledger.end();
        for (slot, value) in (after + 1..).zip(values) {
            if slot > end {
                self.learned.insert(slot, *value);
            }
        }
        self.apply_chosen(ballot, cx);
        let chosen = cx.durable().ledger.end();
        if chosen > end {
            cx.note(probes::CAUGHT_UP);
            let answer = Message::Alive {
                ballot,
                chosen,
                round: 0,
            };
            cx.send(from, answer);
        }
    }

    /// Sends a node the next of what it lacks.
    pub(super) fn bring_up(&mut self, node: NodeId, chosen: Slot, cx: &mut Cx<'_>) {
        let count = cx.config().slots_per_message;
        let values = cx.durable().ledger.after(chosen, count).to_vec();
        if !values.is_empty() {
            let learn = Message::Learn {
                ballot: self.leadership.ballot,
                after: chosen,
                values,
            };
            cx.send(node, learn);
        }
    }

    /// Applies what is chosen without a gap, in order; a leader answers its clients and tells the others.
    pub(super) fn apply_chosen(&mut self, ballot: Ballot, cx: &mut Cx<'_>) {
        let after = cx.durable().ledger.end();
        self.learned = self.learned.split_off(&(after + 1));
        let mut values = Vec::new();
        while let Some(entry) = self.learned.first_entry() {
            let slot = after + 1 + values.len() as Slot;
            if *entry.key() != slot && !cx.has(MultiPaxosBug::AppliesPastAHole) {
                break;
            }
            let value = entry.remove();
            values.push(value);
            self.apply(slot, value, cx);
        }
        if values.is_empty() {
            return;
        }
        let chosen = after + values.len() as Slot;
        cx.write(Write::Learn {
            after,
            ballot,
            values,
        });
        if self.role == Role::Leader {
            let ballot = self.leadership.ballot;
            for peer in peers(cx) {
                cx.send(peer, Message::Chosen { ballot, chosen });
            }
            self.propose_waiting(cx);
            self.serve_reads(cx);
        }
    }

    fn apply(&mut self, slot: Slot, value: Proposal, cx: &mut Cx<'_>) {
        let Some((output, executed)) = self.execute(value, cx.has(MultiPaxosBug::NoSessions))
        else {
            return;
        };
        let Proposal::Command {
            client, sequence, ..
        } = value
        else {
            return;
        };
        if executed {
            self.executed.push(Execution {
                index: slot,
                client,
                sequence,
            });
        } else {
            cx.note(probes::CHOSEN_TWICE_APPLIED_ONCE);
        }
        if self.role == Role::Leader {
            if output == Output::Mismatch {
                cx.note(probes::CAS_MISMATCH);
            }
            cx.reply(client, sequence, Response::Answer(output));
        }
    }

    /// What a value gives, and whether it was executed for that: a command that was chosen twice is executed once.
    fn execute(&mut self, value: Proposal, always: bool) -> Option<(Output, bool)> {
        let Proposal::Command {
            client,
            sequence,
            command,
        } = value
        else {
            return None;
        };
        let answered = self.machine.answered(client, sequence).is_some();
        let (output, executed) = if always {
            (self.machine.apply_again(command), true)
        } else {
            (self.machine.apply(client, sequence, command)?, !answered)
        };
        if executed {
            let object = self.machine.read(command.key);
            self.state = self.state.then(&(command.key, object));
        }
        Some((output, executed))
    }

    /// A node that starts applies all that its ledger has: objects and sessions are in memory only.
    pub(super) fn replay_ledger(&mut self, cx: &Cx<'_>) {
        let ledger = &cx.durable().ledger;
        for (slot, value) in (1..).zip(ledger.after(0, usize::MAX)) {
            let executed = self.execute(*value, cx.has(MultiPaxosBug::NoSessions));
            if let (
                Some((_, true)),
                Proposal::Command {
                    client, sequence, ..
                },
            ) = (executed, value)
            {
                self.executed.push(Execution {
                    index: slot,
                    client: *client,
                    sequence: *sequence,
                });
            }
        }
        if cx.has(MultiPaxosBug::SessionsForgotten) {
            let mut without_sessions = StateMachine::default();
            for command in self
                .executed
                .iter()
                .filter_map(|done| match ledger.at(done.index) {
                    Some(Proposal::Command { command, .. }) => Some(command),
                    _ => None,
                })
            {
                without_sessions.apply_again(command);
            }
            self.machine = without_sessions;
        }
    }
}
