//! raft-rs 0.6.0 and 0.7.0: they let the disk be late (`advance_append_async`).

use std::sync::Arc;

use tribunal_histories::{NodeId, PeerProgress, Role};

use super::config::{Config, Reads};
use super::core::{Core, Due, Shown, functions_of_release, methods_of_release, says, ticks, told};
use super::held::{Hard, Held, Kept, Snapshot, node_of, number_of};
use crate::wire::Wire;

/// A release: how its crate is called here, its name, and what its storage is given besides.
macro_rules! release {
    ($module:ident, $core:ident, $raft:ident, $name:literal, ($($context:ident: $context_type:ty)?), ($($to:ident)?)) => {
        mod $module {
            use super::*;
            use ::$raft::eraftpb::{ConfState, Entry, HardState};
            use ::$raft::{RaftState, RawNode, Storage, StorageError};

            /// What the library reads: our disk, with all that was written, synced or not.
            struct Store {
                held: Held,
                nodes: usize,
            }

            impl Store {
                fn members(&self) -> ConfState {
                    let mut members = ConfState::default();
                    members.set_voters(NodeId::all(self.nodes).map(number_of).collect());
                    members
                }
            }

            impl Storage for Store {
                fn initial_state(&self) -> ::$raft::Result<RaftState> {
                    let Hard { term, vote, commit } = self.held.hard;
                    let mut state = HardState::default();
                    state.set_term(term);
                    state.set_vote(vote);
                    state.set_commit(commit);
                    Ok(RaftState::new(state, self.members()))
                }

                fn entries(
                    &self,
                    low: u64,
                    high: u64,
                    max_size: impl Into<Option<u64>>,
                    $($context: $context_type,)?
                ) -> ::$raft::Result<Vec<Entry>> {
                    if low <= self.held.snapshot.index {
                        return Err(StorageError::Compacted.into());
                    }
                    let slice = self.held.slice(low, high, max_size.into().unwrap_or(u64::MAX));
                    let entry = |(index, kept): (u64, &Kept)| {
                        let mut entry = Entry::default();
                        entry.set_term(kept.term);
                        entry.set_index(index);
                        entry.set_data(kept.data.to_vec().into());
                        entry
                    };
                    Ok((low..).zip(slice).map(entry).collect())
                }

                fn term(&self, index: u64) -> ::$raft::Result<u64> {
                    if index < self.held.snapshot.index {
                        return Err(StorageError::Compacted.into());
                    }
                    self.held.term(index).ok_or_else(|| StorageError::Unavailable.into())
                }

                fn first_index(&self) -> ::$raft::Result<u64> {
                    Ok(self.held.snapshot.index + 1)
                }

                fn last_index(&self) -> ::$raft::Result<u64> {
                    Ok(self.held.last_index())
                }

                fn snapshot(&self, _request_index: u64, $($to: u64)?) -> ::$raft::Result<::$raft::eraftpb::Snapshot> {
                    let snapshot = &self.held.snapshot;
                    if snapshot.index == 0 {
                        return Err(StorageError::SnapshotTemporarilyUnavailable.into());
                    }
                    let mut sent = ::$raft::eraftpb::Snapshot::default();
                    sent.set_data(snapshot.encoded().into());
                    let metadata = sent.mut_metadata();
                    metadata.set_conf_state(self.members());
                    metadata.set_index(snapshot.index);
                    metadata.set_term(snapshot.record.term);
                    Ok(sent)
                }
            }

            /// This release.
            pub(crate) struct $core {
                node: RawNode<Store>,
                ready: Option<::$raft::Ready>,
            }

            functions_of_release!($raft);

            impl Core for $core {
                const NAME: &'static str = $name;
                const BLOCKS: bool = false;

                fn start(me: NodeId, config: &Config, held: Held) -> Self {
                    let set_up = set_up(me, config, held.snapshot.index);
                    let store = Store { held, nodes: config.nodes };
                    let silent = slog::Logger::root(slog::Discard, slog::o!());
                    let node = RawNode::new(&set_up, store, &silent)
                        .expect("the configuration is one that the library takes");
                    Self { node, ready: None }
                }

                methods_of_release!($raft);

                fn ready(&mut self) -> Option<Due> {
                    if !self.node.has_ready() {
                        return None;
                    }
                    let mut ready = self.node.ready();
                    let snapshot = ready.snapshot();
                    let snapshot = (!snapshot.get_data().is_empty()).then(|| Snapshot::decoded(snapshot.get_data()));
                    let entries = ready.entries();
                    let first = entries.first().map(|entry| entry.get_index());
                    let kept = |entry: &Entry| Kept {
                        term: entry.get_term(),
                        data: Arc::from(entry.get_data()),
                    };
                    let entries = first.map(|first| (first, entries.iter().map(kept).collect()));
                    let hard = ready.hs().map(|hard| Hard {
                        term: hard.get_term(),
                        vote: hard.get_vote(),
                        commit: hard.get_commit(),
                    });
                    let committed = ready.take_committed_entries();
                    let committed = committed.into_iter().map(|entry| (entry.get_index(), entry.get_data().to_vec()));
                    let reads = ready.take_read_states();
                    let due = Due {
                        messages: ready.take_messages().iter().map(wire).collect(),
                        persisted_messages: ready.take_persisted_messages().iter().map(wire).collect(),
                        snapshot,
                        entries,
                        hard,
                        committed: committed.collect(),
                        reads: reads.into_iter().map(|read| (read.index, read.request_ctx)).collect(),
                        must_sync: ready.must_sync(),
                    };
                    self.ready = Some(ready);
                    Some(due)
                }

                fn written(&mut self) {
                    if let Some(ready) = self.ready.take() {
                        self.node.advance_append_async(ready);
                    }
                }

                fn persisted(&mut self, dues: u64) {
                    self.node.on_persist_ready(dues);
                }

                fn applied(&mut self, index: u64) {
                    self.node.advance_apply_to(index);
                }
            }
        }
        pub(crate) use $module::$core;
    };
}

release!(v0_7, V0_7, raft, "raft-rs-0.7.0", (_context: ::raft::GetEntriesContext), (_to));
release!(v0_6, V0_6, raft_0_6_0, "raft-rs-0.6.0", (), ());
