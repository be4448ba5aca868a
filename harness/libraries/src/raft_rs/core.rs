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
