//! What Paxos nodes send each other, what clients ask for, and what they are told.
//!
//! The texts are exact: a trace names a message by its text, so two messages that print alike are equal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::Value;

use super::ballot::Ballot;
use super::disk::Proposal;
use crate::contract::Recorded;

/// What Paxos nodes send each other, from role to role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// Phase 1a: a proposer asks an acceptor to take part in no lower ballot.
    Prepare {
        /// The ballot.
        ballot: Ballot,
    },
    /// Phase 1b: the acceptor promises it, and tells its last vote.
    Promise {
        /// The ballot.
        ballot: Ballot,
        /// The vote.
        accepted: Option<Proposal>,
    },
    /// Phase 2a: a proposer asks an acceptor to vote.
    Accept(Proposal),
    /// Phase 2b: the acceptor has voted.
    Accepted(Proposal),
    /// Instead of 1b or 2b: the acceptor has promised a higher ballot.
    Refused {
        /// The ballot that is refused.
        ballot: Ballot,
        /// What was promised.
        promised: Ballot,
    },
    /// A learner asks what is chosen.
    Ask,
    /// A learner says what is chosen.
    Chosen {
        /// The value.
        value: i64,
    },
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare { ballot } => write!(f, "Prepare b{ballot}"),
            Self::Promise {
                ballot,
                accepted: None,
            } => write!(f, "Promise b{ballot} no vote"),
            Self::Promise {
                ballot,
                accepted: Some(vote),
            } => write!(f, "Promise b{ballot} vote {vote}"),
            Self::Accept(proposal) => write!(f, "Accept b{} {}", proposal.ballot, proposal.value),
            Self::Accepted(vote) => write!(f, "Accepted b{} {}", vote.ballot, vote.value),
            Self::Refused { ballot, promised } => {
                write!(f, "Refused b{ballot} promised b{promised}")
            }
            Self::Ask => f.write_str("Ask"),
            Self::Chosen { value } => write!(f, "Chosen {value}"),
        }
    }
}

/// What a Paxos node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// As a proposer: to begin the next ballot.
    Round,
    /// As a learner: to ask what is chosen.
    Learn,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Round => "round",
            Self::Learn => "learn",
        })
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Request {
    /// To decide on this value, or on another, and tell which.
    Propose(i64),
    /// What is decided, if anything is.
    Read,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Propose(value) => write!(f, "propose {value}"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// The text is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a request; requests are `propose 5` and `read`")]
pub struct NotARequest(pub String);

impl FromStr for Request {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotARequest(text.to_owned());
        let words: Vec<_> = text.split_whitespace().collect();
        match words[..] {
            ["propose", value] => value.parse().map(Self::Propose).map_err(|_| wrong()),
            ["read"] => Ok(Self::Read),
            _ => Err(wrong()),
        }
    }
}

impl Recorded for Request {
    fn record(&self) -> (&'static str, Value, Value) {
        match self {
            Self::Propose(value) => ("propose", Value::Nil, (*value).into()),
            Self::Read => ("read", Value::Nil, Value::Nil),
        }
    }

    fn from_record(function: &str, key: &Value, value: &Value) -> Option<Self> {
        match (function, value) {
            _ if !key.is_nil() => None,
            ("propose", Value::Int(value)) => Some(Self::Propose(*value)),
            ("read", _) => Some(Self::Read),
            _ => None,
        }
    }
}

/// What a node answers a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// This is decided.
    Chosen(i64),
    /// Nothing was, when the client asked.
    Undecided,
    /// The value was not accepted: what nobody can know. Only a planted bug says so.
    Rejected,
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen(value) => write!(f, "chosen {value}"),
            Self::Undecided => f.write_str("undecided"),
            Self::Rejected => f.write_str("rejected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_as_they_print_and_as_they_are_recorded() {
        for request in [Request::Propose(-3), Request::Read] {
            assert_eq!(request.to_string().parse(), Ok(request));
            let (function, key, value) = request.record();
            assert_eq!(Request::from_record(function, &key, &value), Some(request));
        }
        assert!("propose".parse::<Request>().is_err());
        assert!("write 5".parse::<Request>().is_err());
    }
}
