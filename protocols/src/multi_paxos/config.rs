//! What every node of a Multi-Paxos cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bugs::{BUGS, MultiPaxosBug};
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};

/// How a read becomes linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// It is a command like any other, and takes a slot.
    Log,
    /// The leader asks a majority whether it still leads.
    Quorum,
    /// The leader holds a lease and asks nobody. **Safe only if clocks keep the bound**
    /// [`clock_drift_percent`](Config::clock_drift_percent), and if a node that was paused looks at its clock before
    /// it goes on: not under the nemeses `clock` and `pause`.
    Lease,
}

/// A Multi-Paxos cluster's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of nodes, each of which is proposer, acceptor and learner.
    pub nodes: usize,
    /// The least time without a leader before a node runs phase 1.
    pub election_min_us: u64,
    /// The most.
    pub election_max_us: u64,
    /// How often a leader lets itself be heard, and sends again what was not answered.
    pub heartbeat_us: u64,
    /// A leader proposes at most so many slots ahead of what it knows chosen (*Paxos Made Simple*, §3: α).
    pub pipeline: usize,
    /// The most chosen slots in one message to a node that lags behind.
    pub slots_per_message: usize,
    /// Whether a node that does not lead passes commands on to the leader, or sends the client there.
    pub forward: bool,
    /// How a read becomes linearizable.
    pub reads: Reads,
    /// By how much a clock may be faster or slower than true time, in percent. A lease is shorter than the shortest
    /// election timeout by as much as two such clocks may differ.
    pub clock_drift_percent: u64,
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

fn exactly(us: u64) -> TimerRange {
    TimerRange {
        min_us: us,
        max_us: us,
    }
}

impl Config {
    pub(super) fn election_timeout(&self) -> TimerRange {
        TimerRange {
            min_us: self.election_min_us,
            max_us: self.election_max_us,
        }
    }

    pub(super) fn heartbeat(&self) -> TimerRange {
        exactly(self.heartbeat_us)
    }

    /// A leader's slow clock must run out before the fast clock of any follower.
    pub(super) fn lease(&self) -> TimerRange {
        if self.bugs.contains(MultiPaxosBug::LeaseTooLong.into()) {
            return exactly(self.election_max_us);
        }
        let drift = self.clock_drift_percent.min(100);
        exactly(self.election_min_us * (100 - drift) / (100 + drift))
    }
}

impl Configuration for Config {
    /// The times of the Raft paper, so that the protocols compare.
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            election_min_us: 150_000,
            election_max_us: 300_000,
            heartbeat_us: 50_000,
            pipeline: 16,
            slots_per_message: 64,
            forward: true,
            reads: Reads::Quorum,
            clock_drift_percent: 5,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let mut one_of = |sizes: [usize; 3]| sizes[usize::try_from(below(3)).unwrap_or_default()];
        Self {
            pipeline: one_of([1, 4, 64]),
            slots_per_message: one_of([1, 4, 64]),
            forward: below(2) > 0,
            reads: if below(2) > 0 {
                Reads::Quorum
            } else {
                Reads::Log
            },
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

    fn objection(&self) -> Option<String> {
        (self.reads == Reads::Lease && self.lease().max_us <= self.heartbeat_us).then(|| {
            format!(
                "a lease of {} us ends before the next heartbeat, after {} us",
                self.lease().max_us,
                self.heartbeat_us
            )
        })
    }
}
