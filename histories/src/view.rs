//! Views: what one node shows of itself, and all that a cluster property may look at.
//!
//! A view borrows from the node, so that taking one costs nothing: properties are asked after every step.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::node::NodeId;

/// What a node is doing in its group.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It follows a leader or waits for one.
    #[default]
    Follower,
    /// It asks whether it could win an election, without starting one.
    PreCandidate,
    /// It asks for votes.
    Candidate,
    /// It leads.
    Leader,
}

/// A log entry as a property sees it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogRecord {
    /// The term (epoch, ballot) under which the entry was created.
    pub term: u64,
    /// A digest of this entry and all before it: equal digests mean equal prefixes.
    pub prefix: Digest,
}

/// A log: entries `start + 1 ..= start + records.len()`, what precedes them being compacted into `base`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogView<'a> {
    /// The index of the last compacted entry; 0 when nothing was compacted.
    pub start: u64,
    /// The last compacted entry.
    pub base: LogRecord,
    /// The entries after it.
    pub records: &'a [LogRecord],
}

impl LogView<'_> {
    /// The index of the last entry; 0 when the log is empty.
    pub fn last_index(&self) -> u64 {
        self.start + self.records.len() as u64
    }

    /// The last entry.
    pub fn last(&self) -> LogRecord {
        self.records.last().copied().unwrap_or(self.base)
    }

    /// The entry at an index; the compacted base counts, what lies before it is gone.
    pub fn at(&self, index: u64) -> Option<LogRecord> {
        if index == self.start {
            return Some(self.base);
        }
        let offset = index.checked_sub(self.start + 1)?;
        self.records.get(usize::try_from(offset).ok()?).copied()
    }
}

/// What a leader believes of a peer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PeerProgress {
    /// The peer's log is known to equal the leader's up to here.
    pub match_index: u64,
    /// The next entry to send to it.
    pub next_index: u64,
}

/// What a node shows of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View<'a> {
    /// What it is doing.
    pub role: Role,
    /// Its term, epoch or ballot.
    pub term: u64,
    /// For whom it voted in this term.
    pub voted_for: Option<NodeId>,
    /// Its log.
    pub log: LogView<'a>,
    /// It knows that entries up to here are committed.
    pub commit_index: u64,
    /// Its state machine has applied entries up to here.
    pub applied_index: u64,
    /// By node, what it believes of its peers; empty unless it leads.
    pub peers: &'a [PeerProgress],
}
