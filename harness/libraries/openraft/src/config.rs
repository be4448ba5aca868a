//! How an application sets up openraft, and what is around its nodes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_protocols::bugs::{Bug, Bugs, FoundBy, Hunt, by_id};
use tribunal_protocols::contract::Configuration;

/// The configuration of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The number of nodes.
    pub(crate) nodes: usize,
    /// `heartbeat_interval`, in milliseconds.
    pub(crate) heartbeat_ms: u64,
    /// `election_timeout_min` and `election_timeout_max`, in milliseconds.
    pub(crate) election_ms: (u64, u64),
    /// `max_payload_entries`.
    pub(crate) max_payload_entries: u64,
    /// A snapshot is taken after so many entries.
    pub(crate) snapshot_after: u64,
    /// So many of the entries in a snapshot are kept.
    pub(crate) entries_kept: u64,
    /// Whether entries are purged only when a snapshot that has them is on disk, however early the library asks.
    pub(crate) purges_after_snapshots: bool,
    /// Whether the storage keeps the committed index.
    pub(crate) saves_committed: bool,
    /// Whether reads ask `get_read_log_id`; otherwise they go through the log.
    pub(crate) reads_by_index: bool,
    /// The least and the most that a message takes, in microseconds.
    pub(crate) latency_us: (u64, u64),
    /// The least and the most that a write takes to reach the disk, in microseconds.
    pub(crate) sync_us: (u64, u64),
    /// The planted misuses that are on.
    #[serde(default, serialize_with = "write_bugs", deserialize_with = "read_bugs")]
    pub(crate) bugs: Bugs,
}

fn write_bugs<S: Serializer>(bugs: &Bugs, serializer: S) -> Result<S::Ok, S::Error> {
    by_id::serialize(MISUSES, *bugs, serializer)
}

fn read_bugs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bugs, D::Error> {
    by_id::deserialize(MISUSES, deserializer)
}

impl Configuration for Config {
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            heartbeat_ms: 100,
            election_ms: (300, 600),
            max_payload_entries: 300,
            snapshot_after: 1_000,
            entries_kept: 1_000,
            purges_after_snapshots: true,
            saves_committed: true,
            reads_by_index: true,
            latency_us: (0, 60_000),
            sync_us: (100, 2_000),
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let pick = |of: [u64; 3], place: u64| of[usize::try_from(place).unwrap_or_default()];
        let reads_by_index = below(2) == 0;
        Self {
            max_payload_entries: pick([1, 3, 300], below(3)),
            snapshot_after: pick([5, 20, 1_000], below(3)),
            entries_kept: pick([0, 3, 1_000], below(3)),
            // A leader that comes back without it leads on, and reads what is old.
            saves_committed: reads_by_index || below(2) == 0,
            reads_by_index,
            latency_us: (0, pick([2_000, 20_000, 60_000], below(3))),
            sync_us: (100, pick([200, 2_000, 20_000], below(3))),
            ..self
        }
    }

    fn nodes(&self) -> usize {
        self.nodes
    }

    fn bugs(&self) -> Bugs {
        self.bugs
    }

    /// An election, and then all that an entry has to wait for at most: from the client to the leader and back, from there to
    /// the others and back, and a write each of the entry there, here, and of the committed index.
    fn patience_us(&self) -> u64 {
        self.election_ms.1 * 1_000 + 4 * self.latency_us.1 + 3 * self.sync_us.1
    }
}

/// A planted misuse of the library by its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Misuse {
    /// The storage says that entries are on disk when they are not.
    FlushLies,
}

impl From<Misuse> for u8 {
    fn from(misuse: Misuse) -> Self {
        misuse as Self
    }
}

/// The planted misuses.
pub(crate) const MISUSES: &[Bug] = &[Bug {
    number: Misuse::FlushLies as u8,
    id: "OF1",
    name: "flush-lies",
    wrong: "The storage reports that writes are on disk, and they never are.",
    breaks: &["RI7"],
    minimum: "3 nodes, a write",
    source: "openraft, documentation of `RaftLogStorage::append`: the callback is to be called when entries are on disk",
    found_by: &[FoundBy::Simulation],
    hunt: Hunt::USUAL,
    explored: None,
}];
