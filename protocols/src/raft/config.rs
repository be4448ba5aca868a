//! What every node of a Raft cluster is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use tribunal_histories::{NodeSet, Voters};

use super::bugs::BUGS;
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};

/// A Raft cluster's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of nodes.
    pub nodes: usize,
    /// So many of them, the first, are voters at the beginning; the others wait to be made members.
    pub members: usize,
    /// How the voters change.
    pub membership_change: MembershipChange,
    /// The least time without a leader before a node asks for an election.
    pub election_min_us: u64,
    /// The most.
    pub election_max_us: u64,
    /// How often a leader lets its followers hear from it.
    pub heartbeat_us: u64,
    /// Whether a node asks if it could win before it starts an election (dissertation §9.6).
    pub pre_vote: bool,
    /// Whether a leader that no quorum answers for an election timeout steps down, and a node that hears from a leader
    /// ignores who asks for its vote (dissertation §6.2, §4.2.3).
    pub check_quorum: bool,
    /// Whether a leader answers reads without asking anybody while it holds a lease (dissertation §6.4.1). That is safe
    /// only as long as no clock drifts further from another, or jumps further, than `lease_drift` allows.
    pub lease_reads: bool,
    /// How many times as fast one clock may run as another: a lease lasts that much less than the least election
    /// timeout.
    pub lease_drift: u64,
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

/// How a cluster goes from one set of voters to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MembershipChange {
    /// By one node at a time, and not before an entry of the leader's own term is committed (dissertation §4.1, with
    /// the correction that Ongaro gave on the raft-dev list in 2015).
    #[default]
    Single,
    /// Through a joint configuration, in which the majorities of both sets decide together (dissertation §4.3).
    Joint,
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
        exactly(self.heartbeat_us)
    }

    /// Longer than that nobody waits for a new member to catch up.
    pub(super) fn catch_up_timeout(&self) -> TimerRange {
        exactly(self.election_max_us * 4)
    }

    /// Longer than that nobody waits for another to take over the lead (dissertation §3.10).
    pub(super) fn transfer_timeout(&self) -> TimerRange {
        exactly(self.election_max_us)
    }

    /// A follower does not vote for another for the least election timeout after it heard from its leader. A lease
    /// ends before that, by any clock (dissertation §6.4.1).
    pub(super) fn lease(&self) -> TimerRange {
        exactly(self.election_min_us / self.lease_drift.max(1))
    }

    /// Whether a node that hears from a leader ignores who asks for its vote: leases stand on it.
    pub(super) fn sticks_to_leaders(&self) -> bool {
        self.check_quorum || self.lease_reads
    }

    /// The voters at the beginning.
    pub(super) fn initial_voters(&self) -> Voters {
        Voters::of(NodeSet::all(self.members.min(self.nodes)))
    }
}

fn exactly(us: u64) -> TimerRange {
    TimerRange {
        min_us: us,
        max_us: us,
    }
}

impl Configuration for Config {
    /// The times of the Raft paper (§9.3: elections after 150 to 300 ms).
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            members: nodes,
            membership_change: MembershipChange::default(),
            election_min_us: 150_000,
            election_max_us: 300_000,
            heartbeat_us: 50_000,
            pre_vote: true,
            check_quorum: false,
            lease_reads: false,
            lease_drift: 20,
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
            check_quorum: below(3) == 0,
            membership_change: match below(2) {
                0 => MembershipChange::Single,
                _ => MembershipChange::Joint,
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
        (self.members == 0).then(|| "without a member nobody can decide".to_owned())
    }
}
