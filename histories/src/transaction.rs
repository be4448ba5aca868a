//! Transactions that several nodes commit together or not at all: their names, and what nodes show of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::node_set::NodeSet;

/// The name of a transaction: whose it is, which of that client's operations, and which attempt at it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct TransactionId {
    /// The client.
    pub client: u32,
    /// Which of its operations.
    pub sequence: u32,
    /// Which attempt at it, from 0.
    pub attempt: u32,
}

/// `c0#1`, and `c0#1.2` for the third attempt.
impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}#{}", self.client, self.sequence)?;
        match self.attempt {
            0 => Ok(()),
            attempt => write!(f, ".{attempt}"),
        }
    }
}

/// What a node shows of atomic commitment (Gray and Lamport, *Consensus on Transaction Commit*, TODS 2006), as a
/// participant and as a coordinator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitmentView<'a> {
    /// The transactions that it is prepared for, and whose outcome it does not know (`TCommit.tla`: `prepared`).
    pub in_doubt: &'a [TransactionId],
    /// What became of transactions here, in the order in which it was written down.
    pub outcomes: &'a [OutcomeView],
    /// What was decided here, in the order of the decisions.
    pub decisions: &'a [DecisionView],
}

/// What became of a transaction at one of its participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutcomeView {
    /// The transaction.
    pub transaction: TransactionId,
    /// Whether it is committed; aborted otherwise.
    pub committed: bool,
}

/// A decision about a transaction, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DecisionView {
    /// The transaction.
    pub transaction: TransactionId,
    /// Whether it is to commit.
    pub commit: bool,
    /// The nodes that take part, as far as who decided knows.
    pub participants: NodeSet,
    /// The nodes whose yes who decided had; none, if the decision was taken over from someone else.
    pub yes: NodeSet,
}
