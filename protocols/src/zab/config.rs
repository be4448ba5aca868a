//! What every node of a ZAB cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_histories::NodeId;

use super::bugs::{BUGS, ZabBug};
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};
use crate::quorum::{NodeSet, Quorum};

/// A ZAB cluster's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of nodes.
    pub nodes: usize,
    /// Which of them decide. A node without weight learns and acknowledges, but neither counts nor leads, as
    /// ZooKeeper's observers.
    pub quorum: Quorum,
    /// How often what was not answered is said again.
    pub retry_us: u64,
    /// How long a node waits for better votes when a quorum agrees (ZooKeeper: `finalizeWait`).
    pub decide_us: u64,
    /// Within how long a new leader must be established, and a follower up to date, at least (ZooKeeper: `initLimit`).
    pub init_min_us: u64,
    /// At most.
    pub init_max_us: u64,
    /// How long leader and followers wait to hear from each other, at least (ZooKeeper: `syncLimit`).
    pub sync_min_us: u64,
    /// At most.
    pub sync_max_us: u64,
    /// How often a leader lets itself be heard.
    pub ping_us: u64,
    /// The most transactions of an epoch (ZooKeeper: 2³² − 1); then a new epoch begins.
    pub counter_max: u64,
    /// So many transactions are kept behind those that are compacted; a follower that lacks older ones gets a snapshot
    /// (ZooKeeper: `committedLog`).
    pub window: u64,
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
    pub(super) fn init_limit(&self) -> TimerRange {
        TimerRange {
            min_us: self.init_min_us,
            max_us: self.init_max_us,
        }
    }

    pub(super) fn sync_limit(&self) -> TimerRange {
        TimerRange {
            min_us: self.sync_min_us,
            max_us: self.sync_max_us,
        }
    }

    /// Whether a node may lead: one without weight may not (ZooKeeper: `FastLeaderElection.totalOrderPredicate`).
    pub(super) fn is_electable(&self, node: NodeId) -> bool {
        match &self.quorum {
            Quorum::Majority | Quorum::AtLeast(_) => true,
            Quorum::Weighted(weights) | Quorum::Hierarchical { weights, .. } => {
                weights.get(node.index()).is_some_and(|weight| *weight > 0)
            }
        }
    }

    pub(super) fn is_quorum(&self, set: NodeSet) -> bool {
        if self.bugs.contains(ZabBug::HalfIsEnough.into()) {
            return set.len() >= self.nodes.div_ceil(2);
        }
        self.quorum.is_reached(set, self.nodes)
    }
}

/// Exactly so long.
pub(super) fn exactly(us: u64) -> TimerRange {
    TimerRange {
        min_us: us,
        max_us: us,
    }
}

impl Configuration for Config {
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            quorum: Quorum::Majority,
            retry_us: 40_000,
            decide_us: 30_000,
            init_min_us: 400_000,
            init_max_us: 500_000,
            sync_min_us: 150_000,
            sync_max_us: 300_000,
            ping_us: 40_000,
            counter_max: (1 << 32) - 1,
            window: 100,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let mut pick = |choices: &[u64]| {
            let place = below(choices.len() as u64);
            choices[usize::try_from(place).unwrap_or_default()]
        };
        let counter_max = pick(&[10, 40, self.counter_max, self.counter_max]);
        let window = pick(&[2, 10, self.window]);
        let nodes = self.nodes;
        // A node without weight, or groups of two, where there are enough nodes.
        let quorum = match pick(&[0, 0, 1, 2]) {
            1 if nodes >= 3 => {
                let weight = |node| u32::from(node + 1 < nodes);
                Quorum::Weighted((0..nodes).map(weight).collect())
            }
            2 if nodes >= 5 => Quorum::Hierarchical {
                groups: (0..nodes).map(|node| (node / 2) as u16).collect(),
                weights: vec![1; nodes],
            },
            _ => self.quorum.clone(),
        };
        Self {
            quorum,
            counter_max,
            window,
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
        self.init_max_us.max(self.sync_max_us)
    }

    fn objection(&self) -> Option<String> {
        let weights = match &self.quorum {
            Quorum::Majority | Quorum::AtLeast(_) => None,
            Quorum::Weighted(weights) => Some((weights.len(), self.nodes)),
            Quorum::Hierarchical { groups, weights } => Some((weights.len(), groups.len())),
        };
        if weights.is_some_and(|(weights, others)| weights != self.nodes || others != self.nodes) {
            return Some("the quorums are not of so many nodes".to_owned());
        }
        if !self.is_quorum(NodeSet::all(self.nodes)) {
            return Some("not even all nodes together are a quorum".to_owned());
        }
        if !self.quorum.meets(&self.quorum, self.nodes) {
            return Some("two quorums need not meet".to_owned());
        }
        (self.counter_max == 0).then(|| "an epoch without transactions serves nobody".to_owned())
    }
}
