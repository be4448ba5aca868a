//! How an application sets up raft-rs.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_protocols::bugs::{Bug, Bugs, FoundBy, Hunt, by_id};
use tribunal_protocols::contract::Configuration;

/// How reads are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reads {
    /// They go through the log.
    Log,
    /// `ReadOnlyOption::Safe`: the leader asks a quorum whether it still leads.
    Safe,
    /// `ReadOnlyOption::LeaseBased`: the leader asks nobody.
    Lease,
}

/// The configuration of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The number of nodes.
    pub(crate) nodes: usize,
    /// A tick, in microseconds.
    pub(crate) tick_us: u64,
    /// An election timeout is at least so many ticks, and less than twice as many.
    pub(crate) election_ticks: u64,
    /// A leader lets its followers hear from it every so many ticks.
    pub(crate) heartbeat_ticks: u64,
    /// `Config::pre_vote`.
    pub(crate) pre_vote: bool,
    /// `Config::check_quorum`.
    pub(crate) check_quorum: bool,
    /// The most bytes of entries in one message; 0 is one entry.
    pub(crate) max_size_per_msg: u64,
    /// `Config::max_inflight_msgs`.
    pub(crate) max_inflight_msgs: usize,
    /// How reads are answered.
    pub(crate) reads: Reads,
    /// Whether a follower proposes to its leader what it is asked; otherwise it names the leader.
    pub(crate) forwards: bool,
    /// Whether the application trusts `Ready::must_sync`: what need not be synced is then written behind the messages.
    pub(crate) trusts_must_sync: bool,
    /// A node that has applied so many entries since its last snapshot takes another, and drops the entries in it.
    pub(crate) snapshot_after: u64,
    /// Whether the next index of a peer is shown to properties as it is. raft-rs lets it fall to the match index and below
    /// (tikv/raft-rs#555), which breaks RI12 and nothing else; otherwise it is shown as above the match index.
    pub(crate) shows_next_index: bool,
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
            tick_us: 30_000,
            election_ticks: 5,
            heartbeat_ticks: 2,
            pre_vote: true,
            check_quorum: true,
            max_size_per_msg: 1 << 20,
            max_inflight_msgs: 256,
            reads: Reads::Safe,
            forwards: false,
            trusts_must_sync: false,
            snapshot_after: 1_000,
            shows_next_index: false,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        Self {
            pre_vote: below(3) > 0,
            check_quorum: below(3) > 0,
            max_size_per_msg: if below(3) == 0 { 0 } else { 1 << 20 },
            max_inflight_msgs: if below(3) == 0 { 2 } else { 256 },
            reads: if below(2) == 0 {
                Reads::Log
            } else {
                Reads::Safe
            },
            forwards: below(3) == 0,
            trusts_must_sync: below(2) == 0,
            snapshot_after: [3, 10, 1_000][usize::try_from(below(3)).unwrap_or_default()],
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
        self.tick_us * self.election_ticks * 2
    }
}

/// A planted misuse of the library by its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Misuse {
    /// Messages go out before what they promise is on disk.
    SendsBeforePersisting,
    /// The hard state is not written.
    HardStateForgotten,
}

impl From<Misuse> for u8 {
    fn from(misuse: Misuse) -> Self {
        misuse as Self
    }
}

/// The planted misuses.
pub(crate) const MISUSES: &[Bug] = &[
    Bug {
        number: Misuse::SendsBeforePersisting as u8,
        id: "LR1",
        name: "sends-before-persisting",
        wrong: "The application sends a follower's messages before it has persisted the entries and the hard state of \
                the same Ready.",
        breaks: &["RI7", "RI2"],
        minimum: "3 nodes, a power failure",
        source: "raft-rs, documentation of the crate: messages of followers are to be sent after persisting",
        found_by: &[FoundBy::Simulation],
        hunt: Hunt::USUAL,
        explored: None,
    },
    Bug {
        number: Misuse::HardStateForgotten as u8,
        id: "LR2",
        name: "hard-state-forgotten",
        wrong: "The application persists the entries of a Ready and not its hard state.",
        breaks: &["RI2", "RI9"],
        minimum: "3 nodes, a crash",
        source: "raft-rs, documentation of the crate: the hard state must be persisted",
        found_by: &[FoundBy::Simulation],
        hunt: Hunt::USUAL,
        explored: None,
    },
];
