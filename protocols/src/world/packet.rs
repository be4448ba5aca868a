//! What is on the network: messages between nodes, and between clients and nodes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use crate::contract::{ClientId, Node};

/// An end of a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Address {
    /// A node of the cluster.
    Node(NodeId),
    /// A client.
    Client(ClientId),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Client(client) => write!(f, "c{client}"),
        }
    }
}

impl FromStr for Address {
    type Err = tribunal_histories::node::NotANode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text
            .strip_prefix('c')
            .and_then(|digits| digits.parse().ok())
        {
            Some(client) => Ok(Self::Client(client)),
            None => text.parse().map(Self::Node),
        }
    }
}

/// What a packet carries: a message between nodes, a request, or a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Body<M, Q, R> {
    /// Between nodes.
    Message(M),
    /// From a client.
    Request {
        /// Which of the client's operations.
        sequence: u32,
        /// What it asks.
        request: Q,
    },
    /// To a client.
    Response {
        /// Which of the client's operations.
        sequence: u32,
        /// What it is answered.
        response: R,
    },
}

/// A packet on its way. Equal packets are interchangeable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Packet<M, Q, R> {
    /// Where it comes from.
    pub from: Address,
    /// Where it goes.
    pub to: Address,
    /// What it carries.
    pub body: Body<M, Q, R>,
}

/// A packet of a protocol.
pub type PacketOf<N> = Packet<<N as Node>::Message, <N as Node>::Request, <N as Node>::Response>;

impl<M: fmt::Display, Q: fmt::Display, R: fmt::Display> fmt::Display for Packet<M, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}→{} ", self.from, self.to)?;
        match &self.body {
            Body::Message(message) => message.fmt(f),
            Body::Request { sequence, request } => write!(f, "#{sequence} {request}"),
            Body::Response { sequence, response } => write!(f, "#{sequence} {response}"),
        }
    }
}
