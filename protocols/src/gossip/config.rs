//! What every node of a gossiping cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bugs::BUGS;
use super::peers::Topology;
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};

/// Anti-entropy: which way records go when a node compares tables with a peer (Demers et al., PODC 1987, §1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// There is none.
    Off,
    /// To the peer: the node sends all it has.
    Push,
    /// From the peer: the node sends digests, and gets what is newer.
    Pull,
    /// Both: the peer also asks for what it lacks.
    PushPull,
}

/// Rumour mongering: how long a node goes on telling what was new to it (Demers et al., §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rumours {
    /// There is none.
    Off,
    /// In the next round it tells `fan_out` peers, none of them the one that it heard it from; then never again.
    ForwardOnce,
    /// A peer a round, and after each it loses interest with probability 1 / `fan_out`.
    BlindCoin,
    /// A peer a round, `fan_out` times.
    BlindCounter,
    /// A peer a round, and after each that knew it already it loses interest with probability 1 / `fan_out`.
    FeedbackCoin,
    /// A peer a round, until `fan_out` peers knew it already.
    FeedbackCounter,
}

/// A gossiping cluster's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of nodes.
    pub nodes: usize,
    /// A round: how often a node compares tables with a peer, and tells rumours.
    pub interval_us: u64,
    /// Anti-entropy.
    pub mode: Mode,
    /// Rumour mongering.
    pub rumours: Rumours,
    /// Its `k`.
    pub fan_out: u64,
    /// Who knows whom.
    pub topology: Topology,
    /// Whether a node's clock advances by a tick a round, and not by what it writes and hears alone.
    pub ticks: bool,
    /// Whether tombstones are thrown away when all nodes hold them; in clusters of more than 64 nodes they are kept.
    pub collect: bool,
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
    /// Rounds are not quite as long as each other, so that nodes do not march in step.
    pub(super) fn round(&self) -> TimerRange {
        TimerRange {
            min_us: self.interval_us * 3 / 4,
            max_us: self.interval_us * 5 / 4,
        }
    }
}

impl Configuration for Config {
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            interval_us: 20_000,
            mode: Mode::PushPull,
            rumours: Rumours::ForwardOnce,
            fan_out: 2,
            topology: Topology::Complete,
            ticks: true,
            collect: true,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let mut pick = |count| usize::try_from(below(count)).unwrap_or_default();
        Self {
            mode: [Mode::PushPull, Mode::Push, Mode::Pull][pick(3)],
            rumours: [
                Rumours::Off,
                Rumours::ForwardOnce,
                Rumours::BlindCoin,
                Rumours::BlindCounter,
                Rumours::FeedbackCoin,
                Rumours::FeedbackCounter,
            ][pick(6)],
            fan_out: [1, 2, 3][pick(3)],
            topology: [
                Topology::Complete,
                Topology::Complete,
                Topology::Ring,
                Topology::Line,
            ][pick(4)],
            ticks: pick(2) > 0,
            collect: pick(4) > 0,
            ..self
        }
    }

    fn nodes(&self) -> usize {
        self.nodes
    }

    fn bugs(&self) -> Bugs {
        self.bugs
    }

    /// Ten rounds. A node answers its clients at once, so they need no more patience.
    fn patience_us(&self) -> u64 {
        10 * self.interval_us
    }

    fn objection(&self) -> Option<String> {
        let why = match (self.mode, self.fan_out) {
            (Mode::Off, _) => {
                "without anti-entropy (`mode`) some nodes never hear of some updates: rumours leave a residue"
            }
            (_, 0) => "a rumour is told to at least one peer (`fan_out`)",
            _ => return None,
        };
        Some(why.to_owned())
    }
}
