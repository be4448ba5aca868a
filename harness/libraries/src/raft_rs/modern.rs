//! raft-rs 0.6.0 and 0.7.0: they let the disk be late (`advance_append_async`).

use std::sync::Arc;

use tribunal_histories::{NodeId, PeerProgress, Role};

use super::config::{Config, Reads};
use super::core::{Core, Due, Shown, says, ticks, told};
use super::held::{Hard, Held, Kept, Snapshot, node_of, number_of};
use crate::wire::Wire;

/// A release: how its crate is called here, its name, and what its storage is given besides.
macro_rules! release {
    ($module:ident, $core:ident, $raft:ident, $name:literal, ($($context:ident: $context_type:ty)?), ($($to:ident)?)) => {
        mod $module {
            use super::*;
            use ::protobuf::Message as _;
            use ::$raft::eraftpb::{ConfState, Entry, HardState, Message, MessageType};
            use ::$raft::{RaftState, RawNode, ReadOnlyOption, StateRole, Storage, StorageError};

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

            fn wire(message: &Message) -> (NodeId, Wire) {
                let kind = message.get_msg_type();
                let is_vote = |vote| kind == vote && !message.get_reject();
                let text = told(
                    &format!("{kind:?}"),
                    message.get_term(),
                    (message.get_log_term(), message.get_index()),
                    message.get_entries().len(),
                    message.get_commit(),
                    message.get_reject(),
                );
                let is_pre_vote = matches!(
                    kind,
                    MessageType::MsgRequestPreVote | MessageType::MsgRequestPreVoteResponse
                );
                let wire = Wire {
                    text,
                    term: message.get_term(),
                    says: says(
                        is_vote(MessageType::MsgRequestVoteResponse),
                        is_pre_vote,
                        is_vote(MessageType::MsgRequestPreVoteResponse),
                    ),
                    place: (0, 0),
        bytes: message.write_to_bytes().expect("a message has bytes"),
                };
                let to = node_of(message.get_to()).expect("the library sends to members");
                (to, wire)
            }

            impl Core for $core {
                const NAME: &'static str = $name;
                const BLOCKS: bool = false;

                fn start(me: NodeId, config: &Config, held: Held) -> Self {
                    let set_up = ::$raft::Config {
                        id: number_of(me),
                        election_tick: ticks(config.election_ticks),
                        heartbeat_tick: ticks(config.heartbeat_ticks),
                        applied: held.snapshot.index,
                        max_size_per_msg: config.max_size_per_msg,
                        max_inflight_msgs: config.max_inflight_msgs,
                        check_quorum: config.check_quorum,
                        pre_vote: config.pre_vote,
                        read_only_option: match config.reads {
                            Reads::Lease => ReadOnlyOption::LeaseBased,
                            Reads::Log | Reads::Safe => ReadOnlyOption::Safe,
                        },
                        ..::$raft::Config::default()
                    };
                    let store = Store { held, nodes: config.nodes };
                    let silent = slog::Logger::root(slog::Discard, slog::o!());
                    let node = RawNode::new(&set_up, store, &silent)
                        .expect("the configuration is one that the library takes");
                    Self { node, ready: None }
                }

                fn tick(&mut self) {
                    self.node.tick();
                }

                fn elapsed(&self) -> usize {
                    self.node.raft.election_elapsed
                }

                fn step(&mut self, bytes: &[u8]) {
                    let message = ::protobuf::Message::parse_from_bytes(bytes)
                        .expect("the bytes are those of a message");
                    // What the library refuses is not for this node, or late.
                    let _ = self.node.step(message);
                }

                fn propose(&mut self, data: Vec<u8>) -> bool {
                    self.node.propose(Vec::new(), data).is_ok()
                }

                fn read_index(&mut self, context: Vec<u8>) {
                    self.node.read_index(context);
                }

                fn set_election_timeout(&mut self, count: u64) {
                    self.node.raft.set_randomized_election_timeout(ticks(count));
                }

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

                fn held(&mut self) -> &mut Held {
                    &mut self.node.mut_store().held
                }

                fn shown(&self) -> Shown {
                    let raft = &self.node.raft;
                    Shown {
                        role: match raft.state {
                            StateRole::Follower => Role::Follower,
                            StateRole::PreCandidate => Role::PreCandidate,
                            StateRole::Candidate => Role::Candidate,
                            StateRole::Leader => Role::Leader,
                        },
                        term: raft.term,
                        vote: node_of(raft.vote),
                        leader: node_of(raft.leader_id),
                        commit: raft.raft_log.committed,
                    }
                }

                fn progress(&self, nodes: usize) -> Vec<PeerProgress> {
                    let progress = |node| {
                        let progress = self.node.raft.prs().get(number_of(node));
                        progress.map_or_else(PeerProgress::default, |progress| PeerProgress {
                            match_index: progress.matched,
                            next_index: progress.next_idx,
                        })
                    };
                    NodeId::all(nodes).map(progress).collect()
                }
            }
        }
        pub(crate) use $module::$core;
    };
}

release!(v0_7, V0_7, raft, "raft-rs-0.7.0", (_context: ::raft::GetEntriesContext), (_to));
release!(v0_6, V0_6, raft_0_6_0, "raft-rs-0.6.0", (), ());
