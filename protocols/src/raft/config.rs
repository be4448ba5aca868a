//! What every node of a Raft cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bugs::BUGS;
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};

/// A Raft cluster's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of voting nodes.
    pub nodes: usize,
    /// The least time without a leader before a node asks for an election.
    pub election_min_us: u64,
    /// The most.
    pub election_max_us: u64,
    /// How often a leader lets its followers hear from it.
    pub heartbeat_us: u64,
    /// Whether a node asks if it could win before it starts an election (dissertation §9.6).
    pub pre_vote: bool,
    /// The most entries in one message.
    pub entries_per_message: usize,
    /// A node that has applied so many entries since its last snapshot takes another; 0: never.
    pub snapshot_after: u64,
    /// So many of the entries that are in its snapshot a node keeps, for followers that are a little behind.
    pub entries_kept: u64,
    /// Whether a leader that is refused goes back to where both logs have the same term, if it has that term itself;
    /// or, as paper §5.3 has it, to the first entry of the follower's term, though some of those may agree.
    pub exact_back_up: bool,
    /// The planted bugs that are on.
    #[serde(default, serialize_with = "write_bugs", deserialize_with = "read_bugs")]
    pub bugs: Bugs,
}

fn write_bugs<S: Serializer>(bugs: &Bugs, serializer: S) -> Result<S::Ok, S::Error> {
    by_id::serialize(BUGS, *bugs, serializer)
}

fn read_bugs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bugs, D::Error> {
    by_id::deserialize(BUGS, deserializer)
}

impl Config {
    pub(super) fn election_timeout(&self) -> TimerRange {
        TimerRange {
            min_us: self.election_min_us,
            max_us: self.election_max_us,
        }
    }

    pub(super) fn heartbeat(&self) -> TimerRange {
        TimerRange {
            min_us: self.heartbeat_us,
            max_us: self.heartbeat_us,
        }
    }

    pub(super) fn majority(&self) -> usize {
        self.nodes / 2 + 1
    }
}

impl Configuration for Config {
    /// The times of the Raft paper (§9.3: elections after 150 to 300 ms).
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            election_min_us: 150_000,
            election_max_us: 300_000,
            heartbeat_us: 50_000,
            pre_vote: true,
            entries_per_message: 64,
            snapshot_after: 1_000,
            entries_kept: 100,
            exact_back_up: true,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        Self {
            pre_vote: below(3) > 0,
            entries_per_message: [1, 2, 64][usize::try_from(below(3)).unwrap_or_default()],
            exact_back_up: below(2) > 0,
            snapshot_after: [3, 10, 30, 1_000][usize::try_from(below(4)).unwrap_or_default()],
            entries_kept: [0, 0, 2, 10][usize::try_from(below(4)).unwrap_or_default()],
            ..self
        }
    }

    fn nodes(&self) -> usize {
        self.nodes
    }

    fn bugs(&self) -> Bugs {
        self.bugs
    }

    fn patience_us(&self) -> u64 {
        self.election_max_us
    }
}
