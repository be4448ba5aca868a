//! Phase 2, for several slots at once (*Paxos Made Simple*, §3).

use tribunal_histories::NodeId;

use super::message::{Message, Timer};
use super::stable::{Ballot, Proposal, Slot};
use super::{Cx, MultiPaxos, peers, probes};
use crate::quorum::{NodeSet, Quorum};

impl MultiPaxos {
    /// Puts waiting commands into slots, as far as the pipeline goes.
    pub(super) fn propose_waiting(&mut self, cx: &mut Cx<'_>) {
        let end = cx.durable().ledger.end() + cx.config().pipeline as Slot;
        let mut proposals = Vec::new();
        while self.leadership.next_slot <= end {
            let Some((client, sequence, command)) = self.leadership.waiting.pop_front() else {
                break;
            };
            let value = Proposal::Command {
                client,
                sequence,
                command,
            };
            proposals.push((self.leadership.next_slot, value));
            self.leadership.next_slot += 1;
        }
        if !self.leadership.waiting.is_empty() {
            cx.note(probes::PIPELINE_FULL);
        }
        self.propose(proposals, cx);
    }

    /// Phase 2a.
    pub(super) fn propose(&mut self, proposals: Vec<(Slot, Proposal)>, cx: &mut Cx<'_>) {
        if proposals.is_empty() {
            return;
        }
        let proposed = &mut self.leadership.proposed;
        proposed.extend(
            proposals
                .iter()
                .map(|(slot, value)| (*slot, (*value, NodeSet::EMPTY))),
        );
        if proposed.len() > 1 {
            cx.note(probes::SEVERAL_SLOTS_IN_FLIGHT);
        }
        for node in NodeId::all(cx.config().nodes) {
            self.ask_for_votes(node, proposals.clone(), cx);
        }
    }

    fn ask_for_votes(&self, node: NodeId, proposals: Vec<(Slot, Proposal)>, cx: &mut Cx<'_>) {
        let accept = Message::Accept {
            ballot: self.leadership.ballot,
            proposals,
            chosen: cx.durable().ledger.end(),
        };
        cx.send(node, accept);
    }

    /// Votes arrived. A value is chosen once a majority has voted for it, in whatever order the slots are.
    pub(super) fn count_votes(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        votes: &[(Slot, Proposal)],
        cx: &mut Cx<'_>,
    ) {
        if !self.leads_in(ballot) {
            return;
        }
        for (slot, _) in votes {
            let proposed = &mut self.leadership.proposed;
            let Some((value, voters)) = proposed.get_mut(slot) else {
                continue;
            };
            voters.insert(from);
            if Quorum::Majority.is_reached(*voters, cx.config().nodes) {
                let value = *value;
                proposed.remove(slot);
                self.learned.insert(*slot, value);
                if *slot > cx.durable().ledger.end() + 1 {
                    cx.note(probes::CHOSEN_BEHIND_A_GAP);
                }
            }
        }
        self.apply_chosen(ballot, cx);
    }

    /// The heartbeat timer fired: lets itself be heard, and asks again for the votes that it lacks.
    pub(super) fn beat(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        self.ask_everyone(cx);
        for peer in peers(cx) {
            let lacking = self.leadership.proposed.iter();
            let lacking = lacking.filter(|(_, (_, voters))| !voters.contains(peer));
            let proposals: Vec<_> = lacking.map(|(slot, (value, _))| (*slot, *value)).collect();
            if !proposals.is_empty() {
                self.ask_for_votes(peer, proposals, cx);
            }
        }
    }
}
