//! What every node of the bank is started with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_histories::{NodeId, TransactionId};

use super::bugs::BUGS;
use super::request::{ACCOUNTS_MAX, Account};
use crate::bugs::{Bugs, by_id};
use crate::contract::{Configuration, TimerRange};

/// What is written down about a decision, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The coordinator writes down that it begins and what it decides, and tells it until all have acknowledged.
    #[default]
    Logged,
    /// It writes down commits only: what it does not know is aborted (Mohan, Lindsay and Obermarck, *Transaction
    /// Management in the R\* Distributed Database Management System*, TODS 1986).
    PresumedAbort,
    /// The decision is what the coordinator's backup has written down first. A participant in doubt may ask the
    /// backup, which then decides. This moves the node that everybody waits for; it does not remove it (Paxos
    /// Commit with one acceptor: Gray and Lamport 2006, §5).
    Backup,
}

/// A bank's configuration. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of nodes; each coordinates, and each takes part.
    pub nodes: usize,
    /// The number of accounts, dealt out to the nodes.
    pub accounts: u32,
    /// What every account begins with.
    pub opening_balance: i64,
    /// What is written down about a decision.
    pub scheme: Scheme,
    /// How long a coordinator waits for votes before it aborts, at least.
    pub votes_min_us: u64,
    /// At most.
    pub votes_max_us: u64,
    /// How long a participant is in doubt before it asks, and asks again.
    pub doubt_us: u64,
    /// How often a coordinator says again what was not acknowledged.
    pub resend_us: u64,
    /// After how long a read that was aborted is tried again, at least; at most twice as long.
    pub again_us: u64,
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
    pub(super) fn votes_timeout(&self) -> TimerRange {
        TimerRange {
            min_us: self.votes_min_us,
            max_us: self.votes_max_us,
        }
    }

    pub(super) fn doubt(&self) -> TimerRange {
        TimerRange {
            min_us: self.doubt_us,
            max_us: self.doubt_us,
        }
    }

    pub(super) fn resend(&self) -> TimerRange {
        TimerRange {
            min_us: self.resend_us,
            max_us: self.resend_us,
        }
    }

    pub(super) fn again(&self) -> TimerRange {
        TimerRange {
            min_us: self.again_us,
            max_us: 2 * self.again_us,
        }
    }

    /// The accounts, in order.
    pub fn all_accounts(&self) -> impl Iterator<Item = Account> + Clone {
        (0..self.accounts).map(Account)
    }

    /// The accounts that a node holds, in order.
    pub fn accounts_of(&self, node: NodeId) -> impl Iterator<Item = Account> + '_ {
        self.all_accounts()
            .filter(move |account| account.holder(self) == node)
    }

    /// The coordinator of a transaction: its client's home.
    pub fn coordinator(&self, transaction: TransactionId) -> NodeId {
        NodeId::from_index(transaction.client as usize % self.nodes)
    }

    /// The one node that can decide about a transaction: its coordinator, or that one's backup, which is the next
    /// node.
    pub fn arbiter(&self, transaction: TransactionId) -> NodeId {
        let coordinator = self.coordinator(transaction).index();
        match self.scheme {
            Scheme::Backup => NodeId::from_index((coordinator + 1) % self.nodes),
            Scheme::Logged | Scheme::PresumedAbort => NodeId::from_index(coordinator),
        }
    }
}

impl Configuration for Config {
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            accounts: 8,
            opening_balance: 100,
            scheme: Scheme::default(),
            votes_min_us: 200_000,
            votes_max_us: 300_000,
            doubt_us: 150_000,
            resend_us: 100_000,
            again_us: 40_000,
            bugs: Bugs::NONE,
        }
    }

    fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self {
        let schemes = [Scheme::Logged, Scheme::PresumedAbort, Scheme::Backup];
        Self {
            scheme: schemes[usize::try_from(below(3)).unwrap_or_default()],
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
        self.votes_max_us
    }

    fn objection(&self) -> Option<String> {
        (!(1..=ACCOUNTS_MAX).contains(&self.accounts))
            .then(|| format!("a bank has 1 to {ACCOUNTS_MAX} accounts"))
    }
}
