//! What the nodes of the bank send each other, and what they tell clients.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, TransactionId};

use super::request::{Account, Request};
use crate::quorum::NodeSet;

/// What nodes send each other (`TwoPhase.tla`; the last four are for recovery).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A coordinator asks whether its part can be done.
    Prepare {
        /// Of which transaction.
        transaction: TransactionId,
        /// Who takes part.
        participants: NodeSet,
        /// The one node that can decide.
        arbiter: NodeId,
        /// What is to be done.
        request: Request,
    },
    /// A participant can do its part, and will if it is told to.
    Yes {
        /// Of which transaction.
        transaction: TransactionId,
        /// What was read.
        balances: Vec<(Account, i64)>,
    },
    /// A participant cannot, and never will.
    No {
        /// Which transaction.
        transaction: TransactionId,
    },
    /// How it was decided.
    Outcome {
        /// Which transaction.
        transaction: TransactionId,
        /// Whether it is committed.
        commit: bool,
    },
    /// A participant has written down the outcome.
    Acknowledged {
        /// Of which transaction.
        transaction: TransactionId,
    },
    /// A participant in doubt asks how it was decided.
    Inquire {
        /// About which transaction.
        transaction: TransactionId,
    },
    /// A coordinator wants its backup to write down a decision.
    Record {
        /// About which transaction.
        transaction: TransactionId,
        /// Whether to commit it.
        commit: bool,
        /// Who takes part.
        participants: NodeSet,
        /// Who voted yes.
        yes: NodeSet,
    },
    /// What the backup has written down, be it this decision or an earlier one.
    Recorded {
        /// About which transaction.
        transaction: TransactionId,
        /// Whether it is committed.
        commit: bool,
    },
}

fn decision(commit: bool) -> &'static str {
    if commit { "commit" } else { "abort" }
}

/// Balances as `a 100, b 95`.
struct Balances<'a>(&'a [(Account, i64)]);

impl fmt::Display for Balances<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (account, balance)) in self.0.iter().enumerate() {
            let comma = if place > 0 { ", " } else { " " };
            write!(f, "{comma}{account} {balance}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare {
                transaction,
                participants,
                arbiter,
                request,
            } => write!(
                f,
                "Prepare {transaction} {request} among {participants} decided by {arbiter}"
            ),
            Self::Yes {
                transaction,
                balances,
            } => write!(f, "Yes {transaction}{}", Balances(balances)),
            Self::No { transaction } => write!(f, "No {transaction}"),
            Self::Outcome {
                transaction,
                commit,
            } => write!(f, "Outcome {transaction} {}", decision(*commit)),
            Self::Acknowledged { transaction } => write!(f, "Acknowledged {transaction}"),
            Self::Inquire { transaction } => write!(f, "Inquire {transaction}"),
            Self::Record {
                transaction,
                commit,
                participants,
                yes,
            } => write!(
                f,
                "Record {transaction} {} among {participants} yes {yes}",
                decision(*commit)
            ),
            Self::Recorded {
                transaction,
                commit,
            } => write!(f, "Recorded {transaction} {}", decision(*commit)),
        }
    }
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// As a coordinator: for the votes on a transaction.
    Votes(TransactionId),
    /// As a coordinator: to try an aborted read again.
    Again(TransactionId),
    /// As a coordinator: for acknowledgements of its decisions, and for its backup.
    Resend,
    /// As a participant: for the outcome of a transaction.
    Doubt(TransactionId),
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Votes(transaction) => write!(f, "votes {transaction}"),
            Self::Again(transaction) => write!(f, "again {transaction}"),
            Self::Resend => f.write_str("resend"),
            Self::Doubt(transaction) => write!(f, "doubt {transaction}"),
        }
    }
}

/// What came of a transaction, as its client is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// The money was moved.
    Moved,
    /// What all accounts had at one time.
    Balances(Vec<(Account, i64)>),
    /// Nothing was done, and nothing will be.
    Aborted,
}

/// What a node answers a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// What came of the transaction.
    Answer(Answer),
    /// Another node coordinates this client's transactions.
    NotHere(NodeId),
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(Answer::Moved) => f.write_str("moved"),
            Self::Answer(Answer::Balances(balances)) => {
                write!(f, "balances{}", Balances(balances))
            }
            Self::Answer(Answer::Aborted) => f.write_str("aborted"),
            Self::NotHere(node) => write!(f, "not here, try {node}"),
        }
    }
}
