//! Snapshots: a log does not grow for ever (paper §7, dissertation ch. 5).
//!
//! A node that has applied enough entries writes its state machine down and forgets the entries behind it. A leader
//! that has forgotten what a follower lacks sends its snapshot instead. A snapshot that came from a leader is loaded
//! once it is on the disk; until then nothing behind it is applied.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, NodeId, VotersRecord};

use super::log::{Index, Term, Write};
use super::message::Message;
use super::{Cx, Raft, RaftBug, probes};
use crate::state_machine::StateMachine;

/// All that a log's entries up to an index came to (dissertation §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// The index of the last entry that is in it; 0 for the state before all entries.
    pub index: Index,
    /// That entry, and by its digest all before it.
    pub last: LogRecord,
    /// The last configuration that is in it, if there is one.
    pub voters: Option<VotersRecord>,
    /// The objects, and the clients' sessions.
    pub machine: StateMachine,
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index,
            last,
            voters,
            machine,
        } = self;
        write!(f, "{index}@{} ", last.term)?;
        if let Some(VotersRecord { index, voters }) = voters {
            write!(f, "voters {voters} of {index} ")?;
        }
        machine.fmt(f)
    }
}

impl Raft {
    /// A node that starts, from its snapshot: what the log holds behind it is applied when it is known to be
    /// committed.
    pub(super) fn restored(cx: &mut Cx<'_>) -> Self {
        let snapshot = &cx.durable().snapshot;
        let (index, machine) = (snapshot.index, snapshot.machine.clone());
        if index > 0 {
            cx.note(probes::STARTED_FROM_SNAPSHOT);
        }
        let commit = if cx.has(RaftBug::CommitForgottenInSnapshot) {
            0
        } else {
            index
        };
        Self {
            commit,
            applied: index,
            recalled: cx.durable().log.last_index(),
            machine,
            ..Self::default()
        }
    }

    /// Takes a snapshot and compacts the log, if enough was applied since the last one.
    pub(super) fn compact_when_due(&mut self, cx: &mut Cx<'_>) {
        let (after, last) = (cx.config().snapshot_after, cx.durable().snapshot.index);
        if after > 0 && self.applied.saturating_sub(last) >= after {
            self.compact(cx);
        }
    }

    fn compact(&mut self, cx: &mut Cx<'_>) {
        let index = self.applied;
        let Some(last) = cx.durable().log.view().at(index) else {
            return;
        };
        cx.note(probes::LOG_COMPACTED);
        let mut machine = self.machine.clone();
        if cx.has(RaftBug::SnapshotWithoutSessions) {
            machine.forget_sessions();
        }
        let changes = cx.durable().log.changes().iter();
        let snapshot = Snapshot {
            index,
            last,
            voters: changes.rev().find(|change| change.index <= index).copied(),
            machine,
        };
        cx.write(Write::Snapshot {
            snapshot: Arc::new(snapshot),
            start: index.saturating_sub(cx.config().entries_kept),
        });
    }

    /// Sends a follower the state, for this node has forgotten the entries that it lacks. The next message goes on
    /// behind it: if the snapshot is lost, the follower refuses that one.
    pub(super) fn send_snapshot(&mut self, to: NodeId, cx: &mut Cx<'_>) {
        let snapshot = cx.durable().snapshot.clone();
        self.leadership.peers[to.index()].next_index = snapshot.index + 1;
        let message = Message::Install {
            term: cx.durable().term,
            snapshot,
            round: self.leadership.round,
        };
        cx.send(to, message);
    }

    /// A leader's snapshot: it takes the place of a log that does not reach as far, or holds other entries (paper
    /// §7, Figure 13). What this node knows to be committed already is in it too, and it has nothing to do.
    pub(super) fn install(
        &mut self,
        from: NodeId,
        term: Term,
        snapshot: Arc<Snapshot>,
        round: u64,
        cx: &mut Cx<'_>,
    ) {
        let Snapshot { index, last, .. } = *snapshot;
        if !self.heeds(from, term, index, round, cx) {
            return;
        }
        let answer = Message::Appended {
            term,
            match_index: index,
            round,
        };
        if index > self.commit {
            let conflicts = cx.durable().log.term_at(index) != Some(last.term);
            if cx.has(RaftBug::ConflictingSnapshotRefused)
                && conflicts
                && index <= cx.durable().log.last_index()
            {
                return self.refuse(from, index, round, cx);
            }
            cx.note(probes::SNAPSHOT_INSTALLED);
            if cx.has(RaftBug::SnapshotTermTaken) {
                cx.write(Write::Forget { term: last.term });
            }
            cx.write(Write::Snapshot {
                snapshot,
                start: index,
            });
            self.commit = index;
            self.recalled = self.recalled.min(cx.durable().log.last_index());
        } else {
            cx.note(probes::SNAPSHOT_WAS_OLD);
            if cx.has(RaftBug::OldSnapshotInstalled) {
                self.machine = snapshot.machine.clone();
            }
        }
        cx.send(from, answer);
    }

    /// A snapshot that reached the disk takes the place of the state machine, and what is committed behind it can be
    /// applied.
    pub(super) fn load_snapshot(&mut self, cx: &mut Cx<'_>) {
        let snapshot = &cx.synced().snapshot;
        if snapshot.index > self.applied {
            self.machine = snapshot.machine.clone();
            self.applied = snapshot.index;
            self.commit_to(self.commit, cx);
        }
    }
}
