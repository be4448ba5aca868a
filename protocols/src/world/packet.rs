//! What is on the network: messages between nodes, and between clients and nodes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, Renamings};

use super::sealed::Sealed;
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

/// A packet that worlds and steps share.
#[derive(Debug)]
pub struct SharedPacket<N: Node>(Arc<Sealed<PacketOf<N>>>);

impl<N: Node> SharedPacket<N> {
    /// Whether the two are one in memory. Others may be equal.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        self.0.fingerprint(renamings, which)
    }

    pub(super) fn plain_fingerprint(&self) -> u64 {
        self.0.plain_fingerprint()
    }
}

impl<N: Node> Clone for SharedPacket<N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<N: Node> From<PacketOf<N>> for SharedPacket<N> {
    fn from(packet: PacketOf<N>) -> Self {
        Self(Arc::new(Sealed::new(packet)))
    }
}

impl<N: Node> PartialEq for SharedPacket<N> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || **self == **other
    }
}

impl<N: Node> Eq for SharedPacket<N> {}

impl<N: Node> Ord for SharedPacket<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.is(other) {
            true => Ordering::Equal,
            false => (**self).cmp(other),
        }
    }
}

impl<N: Node> PartialOrd for SharedPacket<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<N: Node> Hash for SharedPacket<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<N: Node> fmt::Display for SharedPacket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<N: Node> Deref for SharedPacket<N> {
    type Target = PacketOf<N>;

    fn deref(&self) -> &PacketOf<N> {
        &self.0
    }
}

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
