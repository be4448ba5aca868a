//! The types that openraft is set up with.

use std::io::Cursor;

use openraft::BasicNode;
use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;
use tribunal_protocols::contract::ClientId;
use tribunal_protocols::state_machine::{Command, Output};

use crate::runtime::Madsim;

/// A client's command as it stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    /// Who asks.
    pub(crate) client: ClientId,
    /// Which of its operations it is.
    pub(crate) sequence: u32,
    /// What is to be done.
    pub(crate) command: Command,
}

/// What it gave; nothing for what is no command, or one that nobody waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer(pub(crate) Option<Output>);

openraft::declare_raft_types!(
    /// openraft's parameters.
    pub(crate) Types:
        D = Proposal,
        R = Answer,
        NodeId = u64,
        Node = BasicNode,
        Entry = openraft::Entry<Types>,
        SnapshotData = Cursor<Vec<u8>>,
        AsyncRuntime = Madsim,
);

pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, BasicNode>;
pub(crate) type StorageError = openraft::StorageError<u64>;

/// The library's number of a node.
pub(crate) fn number_of(node: NodeId) -> u64 {
    node.index() as u64
}

/// The node that the library knows by this number.
pub(crate) fn node_of(number: u64) -> NodeId {
    NodeId::from_index(usize::try_from(number).unwrap_or(usize::MAX))
}

/// A leader's term and name as one number: here a term may have several leaders, and the pair is what is elected.
pub(crate) fn term_of(term: u64, node: u64) -> u64 {
    term << 8 | node & 0xff
}
