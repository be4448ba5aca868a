//! Replication: the stream of a primary's operations, and how a backup comes into step with it.

use tribunal_histories::{NodeId, Role};

use super::log::{Entry, Index, ViewNumber, Write};
use super::message::{Message, Response, Timer};
use super::views::others;
use super::{Cx, PrimaryBackup, PrimaryBackupBug as Bug, probes};
use crate::quorum::NodeSet;
use crate::state_machine::{Action, Command, Output};

/// PB8: what a node adds to a value by itself, as a clock or a random number would.
const PECULIARITY: i64 = 1_000;

impl PrimaryBackup {
    /// Time for the backups to hear something. A member that has been silent for long is left out, which takes another
    /// view: whoever else thinks that it is primary must not count on that member.
    pub(super) fn beat(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        self.checkpoint(cx);
        for node in others(cx).filter(|node| self.reign.members.contains(*node)) {
            self.reign.silent[node.index()] += 1;
        }
        let silent =
            |node: &NodeId| self.reign.silent[node.index()] > cx.config().silent_heartbeats_max;
        let left_out: NodeSet = self.reign.members.iter().filter(silent).collect();
        if !left_out.is_empty() && cx.config().view_change {
            if !cx.has(Bug::DegradesSilently) {
                cx.note(probes::BACKUP_LEFT_OUT);
                return self.ask_for_view(cx);
            }
            self.reign.members = self.reign.members.without(left_out);
            self.advance_commit(cx);
        }
        self.stream_to_all(cx);
    }

    /// Sends every node the operations that it is not known to have.
    pub(super) fn stream_to_all(&mut self, cx: &mut Cx<'_>) {
        for node in others(cx) {
            let log = &cx.durable().log;
            let after = self.reign.matched[node.index()];
            let entries = match after {
                Some(after) => log.entries_after(after).iter(),
                None => [].iter(),
            };
            let message = Message::Replicate {
                view: self.view_number(cx),
                after: after.unwrap_or(log.last_index()),
                entries: entries
                    .take(cx.config().entries_per_message)
                    .copied()
                    .collect(),
                commit: self.commit,
                round: self.reign.round,
            };
            cx.send(node, message);
        }
    }

    /// A primary lets itself be heard.
    pub(super) fn follow_stream(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        let Message::Replicate {
            view,
            after,
            entries,
            commit,
            round,
        } = message
        else {
            return;
        };
        if self.role != Role::Follower {
            self.step_down(Some(from), cx);
        }
        self.primary = Some(from);
        if cx.config().view_change {
            cx.set_timer(Timer::View, cx.config().view_timeout());
        }
        let in_step = cx.durable().synchronised;
        // What is of an earlier view gets here only if the fence is missing.
        if in_step != view && view >= cx.durable().view {
            let ends = cx.durable().log.ends();
            return cx.send(from, Message::Join { view, ends });
        }
        if entries.is_empty() {
            self.checkpoint(cx);
        }
        let last = cx.durable().log.last_index();
        let new = self.new_operations(after, last, &entries, cx);
        if !new.is_empty() {
            append(in_step, new, cx);
        }
        let index = cx.durable().log.last_index();
        cx.send(from, Message::Accepted { view, index, round });
        self.learn_commit(commit, cx);
    }

    /// What of the stream continues this log.
    fn new_operations<'e>(
        &self,
        after: Index,
        last: Index,
        entries: &'e [Entry],
        cx: &mut Cx<'_>,
    ) -> &'e [Entry] {
        if cx.has(Bug::StreamUnchecked) {
            return entries;
        }
        let Some(known) = last.checked_sub(after) else {
            cx.note(probes::GAP);
            return &[];
        };
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        if known > 0 && !entries.is_empty() {
            cx.note(probes::REPEATED);
        }
        &entries[known.min(entries.len())..]
    }

    /// A backup is not in step: it keeps what both logs share, and gets the rest.
    pub(super) fn bring_into_step(
        &mut self,
        from: NodeId,
        ends: &[(ViewNumber, Index)],
        cx: &mut Cx<'_>,
    ) {
        if self.role != Role::Leader {
            return;
        }
        let log = &cx.durable().log;
        let after = log.shared_with(ends);
        let message = Message::Sync {
            view: self.view_number(cx),
            after,
            follows: log.record(after).unwrap_or_default(),
            entries: log.entries_after(after).to_vec(),
            commit: self.commit,
        };
        cx.send(from, message);
    }

    /// The primary's log, in place of what differs here.
    pub(super) fn come_into_step(&mut self, message: Message, cx: &mut Cx<'_>) {
        let Message::Sync {
            view,
            after,
            follows,
            entries,
            commit,
        } = message
        else {
            return;
        };
        let store = cx.durable();
        let fits = store.log.record(after) == Some(follows);
        if self.role != Role::Follower || store.synchronised >= view || !fits {
            return;
        }
        if store.log.last_index() > after {
            cx.note(probes::SUFFIX_CUT_OFF);
        }
        cx.note(probes::SYNCHRONISED);
        cx.write(Write::Synchronise {
            view,
            after,
            follows,
            entries,
        });
        let index = cx.durable().log.last_index();
        if let Some(primary) = self.primary {
            let round = 0;
            cx.send(primary, Message::Accepted { view, index, round });
        }
        self.learn_commit(commit, cx);
    }

    /// A backup in step has operations on its disk. From now on this primary waits for it.
    pub(super) fn count_accepted(
        &mut self,
        from: NodeId,
        index: Index,
        round: u64,
        cx: &mut Cx<'_>,
    ) {
        if self.role != Role::Leader {
            return;
        }
        if self.reign.members.insert(from) {
            cx.note(probes::REJOINED);
        }
        let place = from.index();
        self.reign.silent[place] = 0;
        self.reign.answered[place] = self.reign.answered[place].max(round);
        self.reign.matched[place] = self.reign.matched[place].max(Some(index));
        self.advance_commit(cx);
        self.serve_reads(cx);
    }

    /// What all members have on disk, this node among them, is committed.
    pub(super) fn advance_commit(&mut self, cx: &mut Cx<'_>) {
        let me = cx.me();
        let own = cx
            .synced()
            .log
            .last_index()
            .min(cx.durable().log.last_index());
        let waits_for = if cx.has(Bug::AcknowledgesAlone) {
            NodeSet::of(me)
        } else {
            self.reign.members
        };
        let others = waits_for.iter().filter(|node| *node != me);
        let everywhere = others
            .map(|node| self.reign.matched[node.index()].unwrap_or(0))
            .fold(own, Index::min);
        self.learn_commit(everywhere, cx);
    }

    /// Operations up to here are committed: those that this node has are applied.
    pub(super) fn learn_commit(&mut self, commit: Index, cx: &mut Cx<'_>) {
        self.commit = commit.min(cx.durable().log.last_index()).max(self.commit);
        while self.applied < self.commit {
            let Some(entry) = cx.durable().log.entry(self.applied + 1).copied() else {
                break;
            };
            self.applied += 1;
            self.apply(entry, cx);
        }
        self.serve_reads(cx);
    }

    fn apply(&mut self, entry: Entry, cx: &mut Cx<'_>) {
        let Entry {
            client,
            sequence,
            mut command,
            ..
        } = entry;
        if cx.has(Bug::NotDeterministic) {
            command = as_this_node_would(command, cx.me());
        }
        let output = self.machine.apply(client, sequence, command);
        if self.role != Role::Leader {
            return;
        }
        if let Some(output) = output {
            if output == Output::Mismatch {
                cx.note(probes::CAS_MISMATCH);
            }
            cx.reply(client, sequence, Response::Answer(output));
        }
    }

    /// Writes down how far operations are known to be committed, now and then.
    fn checkpoint(&mut self, cx: &mut Cx<'_>) {
        let store = cx.durable();
        if self.commit > store.checkpoint
            && let Some(record) = store.log.record(self.commit)
        {
            cx.write(Write::Checkpoint {
                index: self.commit,
                record,
            });
        }
    }
}

/// Puts operations at the end of the log.
pub(super) fn append(view: ViewNumber, entries: &[Entry], cx: &mut Cx<'_>) {
    let log = &cx.durable().log;
    let (after, follows) = (log.last_index(), log.last());
    cx.write(Write::Append {
        view,
        after,
        follows,
        entries: entries.to_vec(),
    });
}

/// PB8: the operation with something of the node in it.
fn as_this_node_would(command: Command, node: NodeId) -> Command {
    let peculiar = |value: i64| value + PECULIARITY * i64::from(node.0);
    let action = match command.action {
        Action::Write(value) => Action::Write(peculiar(value)),
        Action::Append(value) => Action::Append(peculiar(value)),
        other => other,
    };
    Command { action, ..command }
}
