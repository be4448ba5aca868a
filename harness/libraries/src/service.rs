//! The service that runs over every library here: named objects with a session for each client.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, Value};
use tribunal_protocols::contract::{ClientId, Reply};
use tribunal_protocols::state_machine::{Command, Output};

/// A client's command as it stands in a library's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Proposal {
    /// Who asks.
    pub(crate) client: ClientId,
    /// Which of its operations it is.
    pub(crate) sequence: u32,
    /// What is to be done.
    pub(crate) command: Command,
}

impl Proposal {
    /// As bytes.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a proposal is plain data")
    }

    /// From bytes; nothing of the bytes of an entry that the library made for itself.
    pub(crate) fn decoded(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What a client is answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Response {
    /// It was done, with this result.
    Answer(Output),
    /// Ask there, or anywhere else.
    Elsewhere(Option<NodeId>),
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(output) => output.fmt(f),
            Self::Elsewhere(Some(node)) => write!(f, "ask {node}"),
            Self::Elsewhere(None) => f.write_str("ask another"),
        }
    }
}

impl Response {
    /// What it means to the client.
    pub(crate) fn meaning(&self) -> Reply {
        match self {
            Self::Answer(Output::Done) => Reply::Ok(Value::Nil),
            Self::Answer(Output::Value(object)) => Reply::Ok(object.into()),
            Self::Answer(Output::Mismatch) => Reply::Fail(Value::text("mismatch")),
            Self::Elsewhere(node) => Reply::Elsewhere(*node),
        }
    }
}
