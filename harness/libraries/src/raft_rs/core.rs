//! What the releases of raft-rs have in common, as far as an application needs it.

use std::fmt::Debug;

use tribunal_histories::{NodeId, PeerProgress, Role};

use super::config::Config;
use super::held::{Hard, Held, Kept, Snapshot};
use crate::wire::{Says, Wire};

/// What the library wants done: its `Ready`.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// To be sent at once.
    pub(super) messages: Vec<(NodeId, Wire)>,
    /// To be sent when all else of it is on disk.
    pub(super) persisted_messages: Vec<(NodeId, Wire)>,
    /// A snapshot to begin from.
    pub(super) snapshot: Option<Snapshot>,
    /// Entries to be appended, and the index of the first.
    pub(super) entries: Option<(u64, Vec<Kept>)>,
    /// The new hard state.
    pub(super) hard: Option<Hard>,
    /// Committed entries to be applied, by index.
    pub(super) committed: Vec<(u64, Vec<u8>)>,
    /// Reads that may be answered when the entry of that index is applied, by their contexts.
    pub(super) reads: Vec<(u64, Vec<u8>)>,
    /// Whether it must reach the disk before anything else happens.
    pub(super) must_sync: bool,
}

/// What a node shows of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(super) role: Role,
    pub(super) term: u64,
    pub(super) vote: Option<NodeId>,
    pub(super) leader: Option<NodeId>,
    pub(super) commit: u64,
}

/// A `RawNode` of some release.
pub(crate) trait Core: Sized + Send + Sync + 'static {
    /// The name of the library with its release.
    const NAME: &'static str;

    /// Whether nothing may be given to it between a `Ready` and the time that it is on disk.
    const BLOCKS: bool;

    /// A node with this disk.
    fn start(me: NodeId, config: &Config, held: Held) -> Self;

    /// Time passes.
    fn tick(&mut self);

    /// So many ticks ago its election timer began.
    fn elapsed(&self) -> usize;

    /// A message arrives. What the library refuses it has ignored.
    fn step(&mut self, bytes: &[u8]);

    /// Something is proposed; whether it was taken.
    fn propose(&mut self, data: Vec<u8>) -> bool;

    /// A read is asked for.
    fn read_index(&mut self, context: Vec<u8>);

    /// Replaces the election timeout, which the library draws from a generator that nobody can seed.
    fn set_election_timeout(&mut self, ticks: u64);

    /// What it wants done next, if anything.
    fn ready(&mut self) -> Option<Due>;

    /// What was [due](Core::ready) is in the storage that the library reads, if not yet on disk.
    fn written(&mut self);

    /// So many of the things that were due are on disk, counted from the first.
    fn persisted(&mut self, dues: u64);

    /// Entries up to this are applied.
    fn applied(&mut self, index: u64);

    /// What the library reads.
    fn held(&mut self) -> &mut Held;

    /// What it shows of itself.
    fn shown(&self) -> Shown;

    /// What a leader believes of its peers, by node.
    fn progress(&self, nodes: usize) -> Vec<PeerProgress>;
}

/// A message in words.
pub(super) fn told(
    kind: &str,
    term: u64,
    (log_term, index): (u64, u64),
    entries: usize,
    commit: u64,
    rejects: bool,
) -> String {
    let kind = kind.strip_prefix("Msg").unwrap_or(kind);
    let mut text = format!("{kind} t{term}");
    if (log_term, index) != (0, 0) {
        text += &format!(" at {index}@{log_term}");
    }
    if entries > 0 {
        text += &format!(" +{entries}");
    }
    if commit > 0 {
        text += &format!(" commit {commit}");
    }
    if rejects {
        text += " refused";
    }
    text
}

/// What a message binds its sender to: whether it grants a vote, is about a pre-vote, and grants one.
pub(super) fn says(votes: bool, is_pre_vote: bool, would_vote: bool) -> Says {
    match (votes, is_pre_vote, would_vote) {
        (true, ..) => Says::Vote,
        (_, _, true) => Says::WouldVote,
        (_, true, _) => Says::Asks,
        _ => Says::Nothing,
    }
}

/// A number of ticks, as the library counts them.
pub(super) fn ticks(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The functions that are the same lines for every release, each with types of its own.
macro_rules! functions_of_release {
    ($raft:ident) => {
        fn wire(message: &::$raft::eraftpb::Message) -> (NodeId, Wire) {
            use ::$raft::eraftpb::MessageType;
            use protobuf::Message as _;
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

        fn set_up(me: NodeId, config: &Config, applied: u64) -> ::$raft::Config {
            use ::$raft::ReadOnlyOption;
            ::$raft::Config {
                id: number_of(me),
                election_tick: ticks(config.election_ticks),
                heartbeat_tick: ticks(config.heartbeat_ticks),
                applied,
                max_size_per_msg: config.max_size_per_msg,
                max_inflight_msgs: config.max_inflight_msgs,
                check_quorum: config.check_quorum,
                pre_vote: config.pre_vote,
                read_only_option: match config.reads {
                    Reads::Lease => ReadOnlyOption::LeaseBased,
                    Reads::Log | Reads::Safe => ReadOnlyOption::Safe,
                },
                ..::$raft::Config::default()
            }
        }
    };
}

/// The methods of [`Core`] that are.
macro_rules! methods_of_release {
    ($raft:ident) => {
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

        fn held(&mut self) -> &mut Held {
            &mut self.node.mut_store().held
        }

        fn shown(&self) -> Shown {
            use ::$raft::StateRole;
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
    };
}

pub(super) use {functions_of_release, methods_of_release};
