//! From the name of a step back to the step: how a trace is taken again.
//!
//! Names are understood where they are to be taken: a packet is named by its text, and looked up among those on
//! the network.

use tribunal_histories::NodeId;

use super::{Address, Body, SharedPacket, Step, World};
use crate::contract::Node;
use crate::disk::Loss;

/// A name that names no step here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchStep {
    /// No step has such a name.
    #[error("`{0}` is not the name of a step")]
    Unknown(String),
    /// The step is one, but what it is about is not here.
    #[error("`{name}` cannot happen here: {why}")]
    Absent {
        /// The step.
        name: String,
        /// What is missing.
        why: &'static str,
    },
}

impl<N: Node> World<N> {
    /// The step of that name.
    ///
    /// # Errors
    /// When no step has that name, or what it names is not here.
    pub fn find(&self, name: &str) -> Result<Step<N>, NoSuchStep> {
        let unknown = || NoSuchStep::Unknown(name.to_owned());
        let (verb, rest) = name.split_once(' ').unwrap_or((name, ""));
        match verb {
            "invoke" => self.find_invocation(rest).ok_or_else(unknown),
            "resend" => {
                let (client, to) = way(rest).ok_or_else(unknown)?;
                match (client, to) {
                    (Address::Client(client), Address::Node(to)) if self.has(to) => {
                        Ok(Step::Resend { client, to })
                    }
                    _ => Err(unknown()),
                }
            }
            "give" => match rest.strip_prefix("up ").map(str::parse) {
                Some(Ok(Address::Client(client))) => Ok(Step::GiveUp { client }),
                _ => Err(unknown()),
            },
            "deliver" => self.find_packet(name, rest).map(Step::Deliver),
            "duplicate" => self.find_packet(name, rest).map(Step::Duplicate),
            "fire" => self.find_timer(name, rest),
            "sync" => {
                let (node, writes) = rest.split_once(' ').ok_or_else(unknown)?;
                Ok(Step::Sync {
                    node: self.node_named(node).ok_or_else(unknown)?,
                    writes: writes.parse().map_err(|_| unknown())?,
                })
            }
            "crash" => self.find_crash(name, rest),
            "restart" => self
                .node_named(rest)
                .map(|node| Step::Restart { node })
                .ok_or_else(unknown),
            "cut" => {
                let (from, to) = rest.split_once('→').ok_or_else(unknown)?;
                let nodes = |text: &str| {
                    text.split_whitespace()
                        .map(|node| self.node_named(node))
                        .collect::<Option<Vec<_>>>()
                        .ok_or_else(unknown)
                };
                let (from, to) = (nodes(from)?, nodes(to)?);
                Ok(Step::Cut { from, to })
            }
            "heal" => Ok(Step::Heal),
            "remark" => Ok(Step::Remark(rest.to_owned())),
            _ => Err(unknown()),
        }
    }

    fn find_invocation(&self, rest: &str) -> Option<Step<N>> {
        let (ends, rest) = rest.split_once(" #")?;
        let (sequence, request) = rest.split_once(' ')?;
        let (Address::Client(client), Address::Node(to)) = way(ends)? else {
            return None;
        };
        Some(Step::Invoke {
            client,
            sequence: sequence.parse().ok()?,
            to,
            request: request.parse().ok()?,
        })
    }

    fn find_packet(&self, name: &str, text: &str) -> Result<SharedPacket<N>, NoSuchStep> {
        let ends = text.split_once(' ').and_then(|(ends, _)| way(ends));
        let (from, to) = ends.ok_or_else(|| NoSuchStep::Unknown(name.to_owned()))?;
        let found = self
            .between(from, to)
            .find(|packet| packet.to_string() == text);
        found.cloned().ok_or_else(|| NoSuchStep::Absent {
            name: name.to_owned(),
            why: "no such packet is on the network",
        })
    }

    fn find_timer(&self, name: &str, rest: &str) -> Result<Step<N>, NoSuchStep> {
        let unknown = || NoSuchStep::Unknown(name.to_owned());
        let (node, timer) = rest.split_once(' ').ok_or_else(unknown)?;
        let (timer, choice) = match timer.split_once(" choosing ") {
            Some((timer, choice)) => (timer, choice.parse().map_err(|_| unknown())?),
            None => (timer, 0),
        };
        let node: NodeId = node.parse().map_err(|_| unknown())?;
        let armed = self.places.get(node.index()).ok_or_else(unknown)?;
        let found = armed.timers.keys().find(|armed| armed.to_string() == timer);
        let absent = NoSuchStep::Absent {
            name: name.to_owned(),
            why: "no such timer is armed there",
        };
        found
            .map(|timer| Step::Fire {
                node,
                timer: *timer,
                choice,
            })
            .ok_or(absent)
    }

    fn find_crash(&self, name: &str, rest: &str) -> Result<Step<N>, NoSuchStep> {
        let unknown = || NoSuchStep::Unknown(name.to_owned());
        let loss = |text: &str| text.parse::<Loss>().map_err(|_| unknown());
        if let Some(rest) = rest.strip_prefix("after ") {
            let (effects, rest) = rest.split_once(" effects ").ok_or_else(unknown)?;
            let (lost, step) = rest.split_once(": ").ok_or_else(unknown)?;
            let step = Box::new(self.find(step)?);
            let effects = effects.parse().map_err(|_| unknown())?;
            return Ok(Step::CrashDuring {
                step,
                effects,
                loss: loss(lost)?,
            });
        }
        let (node, lost) = rest.split_once(' ').unwrap_or((rest, ""));
        Ok(Step::Crash {
            node: self.node_named(node).ok_or_else(unknown)?,
            loss: loss(lost)?,
        })
    }

    /// The node of that name, if the cluster has it.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        name.parse().ok().filter(|node| self.has(*node))
    }

    fn has(&self, node: NodeId) -> bool {
        node.index() < self.places.len()
    }

    /// The packets on the network from one end to another.
    pub fn between(&self, from: Address, to: Address) -> impl Iterator<Item = &SharedPacket<N>> {
        self.network
            .iter()
            .map(|(packet, _)| packet)
            .filter(move |packet| packet.from == from && packet.to == to)
    }

    /// The step here that does what `step` did elsewhere: itself, or, if its packet is not on the network, the
    /// delivery of another packet of the same kind between the same ends. This is how a trace goes on after a
    /// step was taken out of it and terms and indexes moved.
    pub fn like(&self, step: &Step<N>) -> Step<N> {
        match step {
            Step::Deliver(packet) if !self.network.has(packet) => {
                let (kind, text) = (kind(packet), packet.to_string());
                let same_kind = self
                    .between(packet.from, packet.to)
                    .filter(|other| self::kind(other) == kind);
                let closest = same_kind.max_by_key(|other| likeness(&text, &other.to_string()));
                closest.cloned().map_or_else(|| step.clone(), Step::Deliver)
            }
            Step::CrashDuring {
                step,
                effects,
                loss,
            } => Step::CrashDuring {
                step: Box::new(self.like(step)),
                effects: *effects,
                loss: *loss,
            },
            other => other.clone(),
        }
    }
}

/// What sort of packet it is: the first word of a message; for a client's packet, which operation it is about.
fn kind<M: std::fmt::Display, Q, R>(packet: &super::Packet<M, Q, R>) -> String {
    match &packet.body {
        Body::Message(message) => message
            .to_string()
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned(),
        Body::Request { sequence, .. } => format!("request {sequence}"),
        Body::Response { sequence, .. } => format!("response {sequence}"),
    }
}

/// How much two texts have in common at their beginnings and ends: an entry whose index has moved is still itself.
fn likeness(one: &str, other: &str) -> usize {
    let agreeing = |pairs: &mut dyn Iterator<Item = (u8, u8)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    agreeing(&mut one.bytes().zip(other.bytes()))
        + agreeing(&mut one.bytes().rev().zip(other.bytes().rev()))
}

fn way(text: &str) -> Option<(Address, Address)> {
    let (from, to) = text.split_once('→')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}
