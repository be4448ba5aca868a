//! What every node of a Paxos cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PaxosBug;
use super::bugs::BUGS;
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};
use crate::quorum::Quorum;

/// A Paxos cluster's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of nodes; each is proposer, acceptor and learner.
    pub nodes: usize,
    /// Which acceptors' promises let a ballot go on (phase 1).
    pub prepare_quorum: Quorum,
    /// Which acceptors' votes choose a value (phase 2). Every quorum of one phase must meet every one of the other.
    pub accept_quorum: Quorum,
    /// The least time that a proposer waits for a ballot to succeed before it begins the next.
    pub round_min_us: u64,
    /// The most, in the first ballot; it doubles with every further one.
    pub round_max_us: u64,
    /// The most that a proposer rests when it was refused, the first time; it doubles with every further ballot.
    pub back_off_us: u64,
    /// No wait grows longer than this.
    pub longest_us: u64,
    /// How long a learner that has heard of votes waits before it asks what is chosen.
    pub learn_us: u64,
    /// Whether an acceptor says so when it refuses, and does not just keep silent.
    pub refusals: bool,
    /// Whether an acceptor tells all learners of its vote; or the proposer alone, which then tells the others what is
    /// chosen (Paxos Made Simple §2.3, a distinguished learner).
    pub votes_to_all: bool,
    /// Whether every request is answered by a ballot that ends after it came, though the node may know the answer: many
    /// more ballots, and the same answers.
    pub fresh_ballots: bool,
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
    /// How long a proposer waits for its ballot, after so many that came to nothing.
    pub(super) fn round(&self, failures: u32) -> TimerRange {
        TimerRange {
            min_us: self.round_min_us,
            max_us: self.grown(self.round_max_us, failures),
        }
    }

    /// How long a proposer rests that was refused, after so many ballots that came to nothing.
    pub(super) fn back_off(&self, failures: u32) -> TimerRange {
        TimerRange {
            min_us: 1,
            max_us: self.grown(self.back_off_us, failures),
        }
    }

    fn grown(&self, first_us: u64, failures: u32) -> u64 {
        // A shift that would push bits out is past any limit.
        let grown_us = match failures < first_us.leading_zeros() {
            true => first_us << failures,
            false => self.longest_us,
        };
        grown_us.min(self.longest_us).max(first_us)
    }

    pub(super) fn learn(&self) -> TimerRange {
        TimerRange {
            min_us: self.learn_us,
            max_us: 2 * self.learn_us,
        }
    }

    fn has(&self, bug: PaxosBug) -> bool {
        self.bugs.contains(bug.into())
    }
}

/// By which quorums a node goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Quorums {
    pub(super) prepare: Quorum,
    pub(super) accept: Quorum,
}

impl Quorums {
    pub(super) fn of(config: &Config) -> Self {
        if config.has(PaxosBug::QuorumsThatDoNotMeet) {
            return Self {
                prepare: Quorum::Majority,
                accept: Quorum::AtLeast((config.nodes / 2).max(1)),
            };
        }
        Self {
            prepare: config.prepare_quorum.clone(),
            accept: config.accept_quorum.clone(),
        }
    }
}

impl Configuration for Config {
    /// Majorities; waits that are some times what a ballot takes.
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            prepare_quorum: Quorum::Majority,
            accept_quorum: Quorum::Majority,
            round_min_us: 100_000,
            round_max_us: 200_000,
            back_off_us: 50_000,
            longest_us: 800_000,
            learn_us: 200_000,
            refusals: true,
            votes_to_all: true,
            fresh_ballots: false,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let nodes = self.nodes;
        let votes = 1 + usize::try_from(below(nodes as u64)).unwrap_or_default();
        let (prepare_quorum, accept_quorum) = match below(4) {
            0 => (Quorum::AtLeast(nodes + 1 - votes), Quorum::AtLeast(votes)),
            1 => {
                let mut weights = vec![1; nodes];
                weights[votes - 1] = 2;
                (Quorum::Weighted(weights.clone()), Quorum::Weighted(weights))
            }
            _ => (Quorum::Majority, Quorum::Majority),
        };
        // Short waits make proposers get in each other's way, and themselves in their own: votes of minorities.
        let [round_max_us, back_off_us] = [[200_000, 50_000], [20_000, 5_000], [4_000, 1_000]]
            [usize::try_from(below(3)).unwrap_or_default()];
        Self {
            prepare_quorum,
            accept_quorum,
            round_min_us: round_max_us / 2,
            round_max_us,
            back_off_us,
            refusals: below(3) > 0,
            fresh_ballots: below(3) > 0,
            votes_to_all: below(3) > 0,
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
        self.longest_us / 2
    }

    fn objection(&self) -> Option<String> {
        let all = crate::quorum::NodeSet::all(self.nodes);
        let (prepare, accept) = (&self.prepare_quorum, &self.accept_quorum);
        if !prepare.is_reached(all, self.nodes) || !accept.is_reached(all, self.nodes) {
            return Some("all nodes together are no quorum".to_owned());
        }
        (!prepare.meets(accept, self.nodes)).then(|| {
            format!(
                "a quorum that promises ({prepare:?}) need not meet one that accepts ({accept:?})"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quorums_that_meet_are_accepted() {
        let with = |prepare, accept| Config {
            prepare_quorum: Quorum::AtLeast(prepare),
            accept_quorum: Quorum::AtLeast(accept),
            ..Config::of(5)
        };
        assert_eq!(with(4, 2).objection(), None);
        assert_eq!(with(5, 1).objection(), None);
        assert!(with(3, 2).objection().is_some());
        assert!(with(6, 2).objection().is_some());
        let weighted = Config {
            accept_quorum: Quorum::Weighted(vec![3, 1, 1]),
            ..Config::of(3)
        };
        assert!(weighted.objection().is_some());
    }

    #[test]
    fn what_the_swarm_draws_is_never_objected_to() {
        for nodes in 1..7 {
            for number in 0..200 {
                let mut numbers = number;
                let mut below = |bound: u64| {
                    numbers = numbers * 31 + 7;
                    numbers / 5 % bound
                };
                let config = Config::of(nodes).varied(&mut below);
                assert_eq!(config.objection(), None, "{config:?}");
            }
        }
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        let config = Config::of(3);
        assert_eq!(config.round(0).max_us, 200_000);
        assert_eq!(config.round(1).max_us, 400_000);
        for failures in [2, 20, 63, 64, 1_000] {
            assert_eq!(config.round(failures).max_us, 800_000, "{failures}");
        }
    }
}
