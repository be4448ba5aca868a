//! What every replica is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bugs::BUGS;
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};

/// A group's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of replicas.
    pub nodes: usize,
    /// Whether a majority may agree on another primary and leave out who is dead. Without, n1 is the primary and waits
    /// for all others, for ever (Alsberg and Day 1976 before the recovery of their §3): one dead backup blocks writes.
    pub view_change: bool,
    /// The least time without a primary before a backup wants to be it.
    pub view_min_us: u64,
    /// The most.
    pub view_max_us: u64,
    /// How often a primary lets the others hear from it.
    pub heartbeat_us: u64,
    /// After how many heartbeats that a backup did not answer a primary wants a view without it.
    pub silent_heartbeats_max: u32,
    /// The most operations in one message of the stream.
    pub entries_per_message: usize,
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
    pub(super) fn view_timeout(&self) -> TimerRange {
        TimerRange {
            min_us: self.view_min_us,
            max_us: self.view_max_us,
        }
    }

    pub(super) fn heartbeat(&self) -> TimerRange {
        TimerRange {
            min_us: self.heartbeat_us,
            max_us: self.heartbeat_us,
        }
    }
}

impl Configuration for Config {
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            view_change: true,
            view_min_us: 150_000,
            view_max_us: 300_000,
            heartbeat_us: 40_000,
            silent_heartbeats_max: 4,
            entries_per_message: 64,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        Self {
            view_change: below(8) > 0,
            silent_heartbeats_max: [3, 4, 8][usize::try_from(below(3)).unwrap_or_default()],
            entries_per_message: [1, 2, 64][usize::try_from(below(3)).unwrap_or_default()],
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
        self.view_max_us
    }
}
