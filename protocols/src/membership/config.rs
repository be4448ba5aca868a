//! What every node of such a cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_histories::NodeId;

use super::bugs::BUGS;
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};
use crate::quorum::NodeSet;

/// How failures are detected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// A majority of masters agrees who is gone (Redis Cluster).
    #[default]
    Redis,
    /// Each node probes others, and suspicion spreads unless it is refuted (SWIM).
    Swim,
}

/// The configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many nodes there are, members or not.
    pub nodes: usize,
    /// How failures are detected.
    pub style: Style,
    /// So many nodes, the first, are members from the beginning; the others wait to be invited.
    pub founders: usize,
    /// So many nodes, the last, are replicas: they have no vote on who is gone.
    pub replicas: usize,
    /// How many slots there are, in the style of Redis Cluster; the first masters own them in turn.
    pub slots: u16,
    /// A message tells of so many members at least: of the tenth of all, if that is more, and of all that are
    /// suspected (Redis Cluster: 3); in the style of SWIM, of exactly so many.
    pub sections: usize,

    /// The unit in which a node in the style of Redis Cluster counts time.
    pub tick_us: u64,
    /// After so many ticks without an answer a member is suspected (`NODE_TIMEOUT`).
    pub timeout_ticks: u64,
    /// Every so many ticks one of five random members is pinged: the one that answered longest ago.
    pub ping_ticks: u64,
    /// Whether every member is pinged then, instead of one of five.
    pub ping_everyone: bool,

    /// The protocol period of SWIM: one member is probed in each.
    pub period_us: u64,
    /// After so long without an answer others are asked to ping the member.
    pub answer_us: u64,
    /// So long a suspected member has time to refute it.
    pub suspicion_us: u64,
    /// So many others are asked.
    pub helpers: usize,
    /// So often a node passes on what it has learned.
    pub copies: u32,

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
    /// Reports and verdicts count for so many ticks: twice the timeout (`CLUSTER_FAIL_REPORT_VALIDITY_MULT` and
    /// `CLUSTER_FAIL_UNDO_TIME_MULT`).
    pub(super) fn window(&self) -> u64 {
        2 * self.timeout_ticks
    }

    /// The nodes that have votes.
    pub(super) fn masters(&self) -> NodeSet {
        NodeSet::all(self.nodes - self.replicas)
    }

    pub(super) fn is_founder(&self, node: NodeId) -> bool {
        node.index() < self.founders
    }

    pub(super) const fn exactly(time_us: u64) -> TimerRange {
        TimerRange {
            min_us: time_us,
            max_us: time_us,
        }
    }

    /// About this time: nodes do not march in step.
    pub(super) const fn about(time_us: u64) -> TimerRange {
        TimerRange {
            min_us: time_us - time_us / 10,
            max_us: time_us + time_us / 10,
        }
    }
}

impl Configuration for Config {
    /// Redis Cluster's proportions (ten ticks a second, a ping every second, a timeout of 15 s) with a timeout of a
    /// fifth of a second.
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            style: Style::Redis,
            founders: nodes,
            replicas: 0,
            slots: 2,
            sections: 3,
            tick_us: 25_000,
            timeout_ticks: 8,
            ping_ticks: 4,
            ping_everyone: false,
            period_us: 120_000,
            answer_us: 85_000,
            suspicion_us: 240_000,
            helpers: 2,
            copies: 8,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let mut upto = |most: usize| usize::try_from(below(most as u64 + 1)).unwrap_or(most);
        let style = [Style::Redis, Style::Swim][upto(1)];
        Self {
            style,
            founders: self.nodes - upto(usize::from(self.nodes > 2)),
            replicas: upto(self.nodes.saturating_sub(3).min(2)),
            sections: 1 + upto(2),
            ping_everyone: upto(2) == 0,
            helpers: 1 + upto(2),
            copies: [2, 8][upto(1)],
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
        match self.style {
            Style::Redis => self.tick_us * self.timeout_ticks,
            Style::Swim => self.suspicion_us,
        }
    }

    fn objection(&self) -> Option<String> {
        let why = if self.founders == 0 {
            "without a founder nobody can be invited"
        } else if self.replicas >= self.nodes {
            "without a master nobody has a vote on who is gone"
        } else if self.sections == 0 {
            "messages that tell of no member spread nothing"
        } else if self.style == Style::Swim && self.answer_us >= self.period_us {
            "others must be asked before the period of the probe is over"
        } else if self.style == Style::Swim && self.helpers == 0 {
            "without helpers one bad link makes a member suspected"
        } else {
            return None;
        };
        Some(why.to_owned())
    }
}
