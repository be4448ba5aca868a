//! What a Paxos node keeps on disk: the ballot that its proposer used last, its promise and its vote (Paxos Made
//! Simple §2.5: "the acceptor must remember … stable storage"). What it has learned it can learn again.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogView, View};

use super::ballot::Ballot;
use crate::contract::Durable;

/// A value under a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Proposal {
    /// The ballot.
    pub ballot: Ballot,
    /// The value.
    pub value: i64,
}

/// `5 of b3`
impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of b{}", self.value, self.ballot)
    }
}

/// A Paxos node's disk.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct HardState {
    /// As a proposer: the last ballot that it used.
    pub ballot: Ballot,
    /// As an acceptor: the highest ballot that it promised in so many words.
    pub promise: Ballot,
    /// As an acceptor: its last vote.
    pub accepted: Option<Proposal>,
}

impl HardState {
    /// The ballot below which it accepts nothing: a vote is a promise too.
    pub fn promised(&self) -> Ballot {
        let voted = self.accepted.map_or(0, |accepted| accepted.ballot);
        self.promise.max(voted)
    }
}

/// A change of the disk: each a small record, written whole or not at all, and of meaning by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// The proposer is going to use a ballot.
    Use(Ballot),
    /// The acceptor promises a ballot.
    Promise(Ballot),
    /// The acceptor votes.
    Accept(Proposal),
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Use(ballot) => write!(f, "use b{ballot}"),
            Self::Promise(ballot) => write!(f, "promise b{ballot}"),
            Self::Accept(proposal) => write!(f, "accept {proposal}"),
        }
    }
}

impl Durable for HardState {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Use(ballot) => self.ballot = *ballot,
            Write::Promise(ballot) => self.promise = *ballot,
            Write::Accept(proposal) => self.accepted = Some(*proposal),
        }
    }

    fn torn(_write: &Write) -> Option<Write> {
        None
    }

    fn log(&self) -> LogView<'_> {
        LogView::default()
    }

    fn view(&self) -> View<'_> {
        View {
            term: self.promised(),
            ..View::default()
        }
    }
}
