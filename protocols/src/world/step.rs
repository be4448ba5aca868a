//! Steps: everything that can happen to a cluster, each with a name that a trace can hold.

use std::fmt;

use tribunal_histories::{Digest, NodeId};

use super::packet::{Address, Body, PacketOf, SharedPacket};
use crate::contract::{ClientId, Node};
use crate::disk::Loss;

/// One thing that happens to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step<N: Node> {
    /// A client begins an operation and sends its request to a node.
    Invoke {
        /// Who.
        client: ClientId,
        /// Which of its operations this is; higher than any before.
        sequence: u32,
        /// To which node.
        to: NodeId,
        /// What it asks.
        request: N::Request,
    },
    /// A client sends the request of its operation in flight again.
    Resend {
        /// Who.
        client: ClientId,
        /// To which node.
        to: NodeId,
    },
    /// A client gives its operation in flight up: nobody knows whether it happened or will.
    GiveUp {
        /// Who.
        client: ClientId,
    },
    /// A packet arrives.
    Deliver(SharedPacket<N>),
    /// A packet is on the network once more.
    Duplicate(SharedPacket<N>),
    /// A timer fires.
    Fire {
        /// Where.
        node: NodeId,
        /// Which.
        timer: N::Timer,
        /// The choice that it comes with; 0 where there is none to make.
        choice: u64,
    },
    /// A node's oldest unsynced writes reach its disk.
    Sync {
        /// Which node.
        node: NodeId,
        /// How many writes.
        writes: u16,
    },
    /// A node loses what it had in memory, and of its unsynced writes what the disk happens to lose.
    Crash {
        /// Which node.
        node: NodeId,
        /// What the disk loses.
        loss: Loss,
    },
    /// A node crashes while it takes a step: only the first effects of the step come to be.
    CrashDuring {
        /// The step: one that gives a node an input.
        step: Box<Self>,
        /// How many effects come to be.
        effects: u16,
        /// What the disk loses.
        loss: Loss,
    },
    /// A node that is down starts again from its disk.
    Restart {
        /// Which node.
        node: NodeId,
    },
    /// From now on nothing arrives at the second nodes from the first.
    Cut {
        /// The senders.
        from: Vec<NodeId>,
        /// The receivers.
        to: Vec<NodeId>,
    },
    /// All cuts end.
    Heal,
    /// A remark: what a fault injector did that has no meaning without a clock (a pause, a slow link). It changes
    /// nothing.
    Remark(String),
}

impl<N: Node> Step<N> {
    /// The client that does something or is answered, if one is.
    pub fn client(&self) -> Option<ClientId> {
        match self {
            Self::Invoke { client, .. } | Self::Resend { client, .. } | Self::GiveUp { client } => {
                Some(*client)
            }
            Self::Deliver(packet) | Self::Duplicate(packet) => match (packet.from, packet.to) {
                (Address::Client(client), _) | (_, Address::Client(client)) => Some(client),
                _ => None,
            },
            Self::CrashDuring { step, .. } => step.client(),
            _ => None,
        }
    }

    /// The operation that a client's step is about, by client and sequence; retries do not name theirs.
    pub fn operation(&self) -> Option<(ClientId, u32)> {
        let sequence = match self {
            Self::Invoke { sequence, .. } => *sequence,
            Self::Deliver(packet) | Self::Duplicate(packet) => match &packet.body {
                Body::Request { sequence, .. } | Body::Response { sequence, .. } => *sequence,
                Body::Message(_) => return None,
            },
            Self::CrashDuring { step, .. } => return step.operation(),
            _ => return None,
        };
        Some((self.client()?, sequence))
    }

    /// The node at which something happens, if it is one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Deliver(packet) => match packet.to {
                Address::Node(node) => Some(node),
                Address::Client(_) => None,
            },
            Self::Fire { node, .. }
            | Self::Sync { node, .. }
            | Self::Crash { node, .. }
            | Self::Restart { node } => Some(*node),
            Self::CrashDuring { step, .. } => step.node(),
            _ => None,
        }
    }
}

impl<N: Node> Step<N> {
    /// The digest of a run that went on with this step.
    #[must_use]
    pub fn fold(&self, digest: Digest) -> Digest {
        match self {
            Self::Deliver(packet) => fold_delivery::<N>(digest, packet),
            other => digest.then(other),
        }
    }
}

/// [`Step::fold`] for a delivery, without making the step: most steps of a simulation are deliveries.
#[must_use]
pub fn fold_delivery<N: Node>(digest: Digest, packet: &PacketOf<N>) -> Digest {
    digest.then(packet)
}

fn names(nodes: &[NodeId]) -> String {
    nodes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

impl<N: Node> fmt::Display for Step<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoke {
                client,
                sequence,
                to,
                request,
            } => write!(f, "invoke c{client}→{to} #{sequence} {request}"),
            Self::Resend { client, to } => write!(f, "resend c{client}→{to}"),
            Self::GiveUp { client } => write!(f, "give up c{client}"),
            Self::Deliver(packet) => write!(f, "deliver {packet}"),
            Self::Duplicate(packet) => write!(f, "duplicate {packet}"),
            Self::Fire {
                node,
                timer,
                choice: 0,
            } => write!(f, "fire {node} {timer}"),
            Self::Fire {
                node,
                timer,
                choice,
            } => write!(f, "fire {node} {timer} choosing {choice}"),
            Self::Sync { node, writes } => write!(f, "sync {node} {writes}"),
            Self::Crash { node, loss } => write!(f, "crash {node} {loss}"),
            Self::CrashDuring {
                step,
                effects,
                loss,
            } => write!(f, "crash after {effects} effects {loss}: {step}"),
            Self::Restart { node } => write!(f, "restart {node}"),
            Self::Cut { from, to } => write!(f, "cut {} → {}", names(from), names(to)),
            Self::Heal => f.write_str("heal"),
            Self::Remark(text) => write!(f, "remark {text}"),
        }
    }
}
