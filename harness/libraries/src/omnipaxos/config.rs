//! How an application sets up omnipaxos.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_protocols::bugs::{Bug, Bugs, FoundBy, Hunt, by_id};
use tribunal_protocols::contract::Configuration;

/// The configuration of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The number of nodes.
    pub(crate) nodes: usize,
    /// A tick, in microseconds.
    pub(crate) tick_us: u64,
    /// `election_tick_timeout`: a round of heartbeats.
    pub(crate) election_ticks: u64,
    /// `resend_message_tick_timeout`.
    pub(crate) resend_ticks: u64,
    /// `batch_size`.
    pub(crate) batch_size: usize,
    /// Whether a node proposes to its leader what it is asked; otherwise it names the leader.
    pub(crate) forwards: bool,
    /// A node whose log has so many decided entries makes a snapshot of them, for itself alone.
    pub(crate) snapshot_after: usize,
    /// Whether the application's transport throws away what arrives late or twice, as a connection does: the library
    /// assumes links that keep the order of messages.
    pub(crate) ordered_links: bool,
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
            election_ticks: 4,
            resend_ticks: 8,
            batch_size: 1,
            forwards: false,
            snapshot_after: 1_000,
            ordered_links: true,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        Self {
            batch_size: if below(3) == 0 { 3 } else { 1 },
            forwards: below(3) == 0,
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
        self.tick_us * self.election_ticks * 3
    }
}

/// A planted misuse of the library by its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Misuse {
    /// Messages go out before the storage has what they promise.
    SendsBeforePersisting,
    /// The storage keeps no promises.
    PromiseForgotten,
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
        id: "LO1",
        name: "sends-before-persisting",
        wrong: "The storage says that a write is done before it is on disk, and the application sends at once.",
        breaks: &["RI7"],
        minimum: "3 nodes, a power failure",
        source: "omnipaxos, documentation of `Storage`: what was written must be there after a crash",
        found_by: &[FoundBy::Simulation],
        hunt: Hunt::USUAL,
        explored: None,
    },
    Bug {
        number: Misuse::PromiseForgotten as u8,
        id: "LO2",
        name: "promise-forgotten",
        wrong: "The storage does not keep the promise.",
        breaks: &["RI9", "RI2"],
        minimum: "3 nodes, a crash",
        source: "omnipaxos, documentation of `Storage`: what was written must be there after a crash",
        found_by: &[FoundBy::Simulation],
        hunt: Hunt::USUAL,
        explored: None,
    },
];
