//! raft-rs 0.4.3: nothing may be given to it between a `Ready` and the `advance` that says that it is on disk.

use std::sync::Arc;

use raft_0_4_3::eraftpb::{ConfState, Entry, HardState};
use raft_0_4_3::{RaftState, RawNode, StateRole, Storage, StorageError};
use tribunal_histories::{NodeId, PeerProgress, Role};

use super::config::{Config, Reads};
use super::core::{Core, Due, Shown, functions_of_release, methods_of_release, says, ticks, told};
use super::held::{Hard, Held, Kept, Snapshot, node_of, number_of};
use crate::wire::Wire;

/// What the library reads: our disk, with all that was written, synced or not.
struct Store {
    held: Held,
    nodes: usize,
}

impl Store {
    fn members(&self) -> ConfState {
        let mut members = ConfState::new();
        members.set_nodes(NodeId::all(self.nodes).map(number_of).collect());
        members
    }
}

fn hard_state(hard: Hard) -> HardState {
    let mut state = HardState::new();
    state.set_term(hard.term);
    state.set_vote(hard.vote);
    state.set_commit(hard.commit);
    state
}

fn compacted<T>() -> raft_0_4_3::Result<T> {
    Err(raft_0_4_3::Error::Store(StorageError::Compacted))
}

impl Storage for Store {
    fn initial_state(&self) -> raft_0_4_3::Result<RaftState> {
        Ok(RaftState {
            hard_state: hard_state(self.held.hard),
            conf_state: self.members(),
        })
    }

    fn entries(&self, low: u64, high: u64, max_size: u64) -> raft_0_4_3::Result<Vec<Entry>> {
        if low <= self.held.snapshot.index {
            return compacted();
        }
        let entry = |(index, kept): (u64, &Kept)| {
            let mut entry = Entry::new();
            entry.set_term(kept.term);
            entry.set_index(index);
            entry.set_data(kept.data.to_vec());
            entry
        };
        let slice = self.held.slice(low, high, max_size);
        Ok((low..).zip(slice).map(entry).collect())
    }

    fn term(&self, index: u64) -> raft_0_4_3::Result<u64> {
        if index < self.held.snapshot.index {
            return compacted();
        }
        let unavailable = || raft_0_4_3::Error::Store(StorageError::Unavailable);
        self.held.term(index).ok_or_else(unavailable)
    }

    fn first_index(&self) -> raft_0_4_3::Result<u64> {
        Ok(self.held.snapshot.index + 1)
    }

    fn last_index(&self) -> raft_0_4_3::Result<u64> {
        Ok(self.held.last_index())
    }

    fn snapshot(&self) -> raft_0_4_3::Result<raft_0_4_3::eraftpb::Snapshot> {
        let held = &self.held.snapshot;
        if held.index == 0 {
            let unavailable = StorageError::SnapshotTemporarilyUnavailable;
            return Err(raft_0_4_3::Error::Store(unavailable));
        }
        let mut snapshot = raft_0_4_3::eraftpb::Snapshot::new();
        snapshot.set_data(held.encoded());
        let metadata = snapshot.mut_metadata();
        metadata.set_conf_state(self.members());
        metadata.set_index(held.index);
        metadata.set_term(held.record.term);
        Ok(snapshot)
    }
}

functions_of_release!(raft_0_4_3);

/// This release.
pub(crate) struct V0_4 {
    node: RawNode<Store>,
    ready: Option<raft_0_4_3::Ready>,
    /// How far the entries were applied that the `Ready` in hand had.
    applied: u64,
}

impl Core for V0_4 {
    const NAME: &'static str = "raft-rs-0.4.3";
    const BLOCKS: bool = true;

    fn start(me: NodeId, config: &Config, held: Held) -> Self {
        let set_up = set_up(me, config, held.snapshot.index);
        let (applied, hard) = (held.snapshot.index, held.hard);
        let nodes = config.nodes;
        let is_empty = held.last_index() == 0;
        let store = Store { held, nodes };
        let mut node = RawNode::new(&set_up, store, Vec::new())
            .expect("the configuration is one that the library takes");
        if is_empty {
            // A node whose log is empty is taken for a new one: it would begin in term 1 again, its vote forgotten.
            node.raft.load_state(&hard_state(hard));
        }
        Self {
            node,
            ready: None,
            applied,
        }
    }

    methods_of_release!(raft_0_4_3);

    fn ready(&mut self) -> Option<Due> {
        if self.ready.is_some() || !self.node.has_ready_since(Some(self.applied)) {
            return None;
        }
        let ready = self.node.ready_since(self.applied);
        let leads = self.node.raft.state == StateRole::Leader;
        let messages: Vec<_> = ready.messages.iter().map(wire).collect();
        let (now, later) = if leads {
            (messages, Vec::new())
        } else {
            (Vec::new(), messages)
        };
        let data = ready.snapshot.get_data();
        let kept = |entry: &Entry| Kept {
            term: entry.get_term(),
            data: Arc::from(entry.get_data()),
        };
        let entries = ready.entries.first().map(|entry| entry.get_index());
        let entries = entries.map(|first| (first, ready.entries.iter().map(kept).collect()));
        let committed = ready.committed_entries.iter().flatten();
        let committed = committed.map(|entry| (entry.get_index(), entry.get_data().to_vec()));
        let reads = ready.read_states.iter();
        let due = Due {
            messages: now,
            persisted_messages: later,
            snapshot: (!data.is_empty()).then(|| Snapshot::decoded(data)),
            entries,
            hard: ready.hs.as_ref().map(|hard| Hard {
                term: hard.get_term(),
                vote: hard.get_vote(),
                commit: hard.get_commit(),
            }),
            committed: committed.collect(),
            reads: reads
                .map(|read| (read.index, read.request_ctx.clone()))
                .collect(),
            must_sync: ready.must_sync,
        };
        self.ready = Some(ready);
        Some(due)
    }

    fn written(&mut self) {}

    fn persisted(&mut self, _dues: u64) {
        if let Some(ready) = self.ready.take() {
            self.node.advance_append(ready);
            self.node.advance_apply(self.applied);
        }
    }

    fn applied(&mut self, index: u64) {
        self.applied = index;
        if self.ready.is_none() {
            self.node.advance_apply(index);
        }
    }
}
