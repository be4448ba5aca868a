//! What nodes send each other, and what clients ask and are told.
//!
//! The texts are exact: a trace names a message by its text, so two messages that print alike are equal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::{MemberView, NodeId, Ownership, Value};

use crate::contract::Recorded;

/// What a message tells besides what it is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct News {
    /// The sender of itself.
    pub own: MemberView,
    /// What it believes of some others: gossip sections, or piggybacked updates.
    pub others: Vec<MemberView>,
    /// By slot, its owner as far as the sender knows; nothing in the style of SWIM.
    pub slots: Vec<Ownership>,
    /// The highest epoch that the sender has heard of.
    pub epoch: u64,
}

impl fmt::Display for News {
    /// `n1 g1.0 alive [n2 g1.0 suspect, n3 g1.0 alive] slots n1@1 n2@2 epoch 2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [", self.own)?;
        for (place, other) in self.others.iter().enumerate() {
            write!(f, "{}{other}", if place > 0 { ", " } else { "" })?;
        }
        f.write_str("]")?;
        if !self.slots.is_empty() {
            f.write_str(" slots")?;
            for Ownership { epoch, owner } in &self.slots {
                write!(f, " {owner}@{epoch}")?;
            }
        }
        if self.epoch > 0 {
            write!(f, " epoch {}", self.epoch)?;
        }
        Ok(())
    }
}

/// What nodes send each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A member invites a node to become one (`CLUSTER MEET`; a join of SWIM).
    Meet {
        /// In this life: the one after the last that the sender has heard of.
        generation: u64,
        /// What else it tells.
        news: News,
    },
    /// Are you there?
    Ping {
        /// The number of the probe; 0 where probes are not numbered.
        number: u64,
        /// Who asked the sender to ping, if someone did.
        behalf: Option<NodeId>,
        /// What else it tells.
        news: News,
    },
    /// Yes.
    Pong {
        /// The number of the ping.
        number: u64,
        /// On whose behalf it was.
        behalf: Option<NodeId>,
        /// What else it tells.
        news: News,
    },
    /// Ping that member for me (SWIM: `ping-req`).
    PingFor {
        /// The member.
        target: NodeId,
        /// The number of the probe.
        number: u64,
        /// What else it tells.
        news: News,
    },
    /// The member that you asked me to ping is there.
    Reached {
        /// The member.
        target: NodeId,
        /// The number of the probe.
        number: u64,
        /// What else it tells.
        news: News,
    },
    /// The sender is a member no more, and hands over all that it knows.
    Leave {
        /// All that it knows.
        news: News,
    },
    /// That was heard.
    Heard {
        /// The life that the leaver takes leave from.
        generation: u64,
    },
    /// A member is gone: a majority of masters says so (Redis Cluster: `FAIL`).
    Fail {
        /// The member.
        member: NodeId,
        /// In this life.
        generation: u64,
    },
    /// A node that wants a slot asks for votes (`FAILOVER_AUTH_REQUEST`).
    VoteRequest {
        /// The epoch under which it would own it.
        epoch: u64,
    },
    /// A master gives its vote of an epoch (`FAILOVER_AUTH_ACK`).
    Vote {
        /// The epoch.
        epoch: u64,
    },
}

impl Message {
    /// What it tells besides what it is for.
    pub fn news(&self) -> Option<&News> {
        match self {
            Self::Meet { news, .. }
            | Self::Ping { news, .. }
            | Self::Pong { news, .. }
            | Self::PingFor { news, .. }
            | Self::Reached { news, .. }
            | Self::Leave { news } => Some(news),
            Self::Heard { .. }
            | Self::Fail { .. }
            | Self::VoteRequest { .. }
            | Self::Vote { .. } => None,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = |name: &str, number: &u64, behalf: &Option<NodeId>| {
            let behalf = behalf.map_or_else(String::new, |node| format!(" for {node}"));
            format!("{name} #{number}{behalf}")
        };
        match self {
            Self::Meet { generation, news } => write!(f, "Meet g{generation}: {news}"),
            Self::Ping {
                number,
                behalf,
                news,
            } => write!(f, "{}: {news}", asked("Ping", number, behalf)),
            Self::Pong {
                number,
                behalf,
                news,
            } => write!(f, "{}: {news}", asked("Pong", number, behalf)),
            Self::PingFor {
                target,
                number,
                news,
            } => write!(f, "PingFor {target} #{number}: {news}"),
            Self::Reached {
                target,
                number,
                news,
            } => write!(f, "Reached {target} #{number}: {news}"),
            Self::Leave { news } => write!(f, "Leave: {news}"),
            Self::Heard { generation } => write!(f, "Heard g{generation}"),
            Self::Fail { member, generation } => write!(f, "Fail {member} g{generation}"),
            Self::VoteRequest { epoch } => write!(f, "VoteRequest e{epoch}"),
            Self::Vote { epoch } => write!(f, "Vote e{epoch}"),
        }
    }
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// The next tick of its count of time, in the style of Redis Cluster.
    Tick,
    /// The end of a protocol period of SWIM.
    Period,
    /// The answer to a direct ping of SWIM.
    Answer,
    /// The refutation of a suspicion.
    Suspicion(NodeId),
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick => f.write_str("tick"),
            Self::Period => f.write_str("period"),
            Self::Answer => f.write_str("answer"),
            Self::Suspicion(member) => write!(f, "suspicion of {member}"),
        }
    }
}

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Invite a node.
    Join(NodeId),
    /// Take a member out (`CLUSTER FORGET`, everywhere); asked of itself, it leaves.
    Remove(NodeId),
    /// Become the owner of a slot (`CLUSTER FAILOVER`).
    Take(u16),
    /// Tell the table of the node that is asked.
    Read,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(node) => write!(f, "join {node}"),
            Self::Remove(node) => write!(f, "remove {node}"),
            Self::Take(slot) => write!(f, "take s{slot}"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// The text is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a request; requests are `join n4`, `remove n4`, `take s0`, `read`")]
pub struct NotARequest(pub String);

impl FromStr for Request {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, NotARequest> {
        let (function, object) = text.split_once(' ').unwrap_or((text, ""));
        Self::named(function, object).ok_or_else(|| NotARequest(text.to_owned()))
    }
}

impl Request {
    fn named(function: &str, object: &str) -> Option<Self> {
        match (function, object) {
            ("join", node) => node.parse().ok().map(Self::Join),
            ("remove", node) => node.parse().ok().map(Self::Remove),
            ("take", slot) => slot.strip_prefix('s')?.parse().ok().map(Self::Take),
            ("read", "") => Some(Self::Read),
            _ => None,
        }
    }
}

impl Recorded for Request {
    fn record(&self) -> (&'static str, Value, Value) {
        let (function, key) = match self {
            Self::Join(node) => ("join", Value::text(&node.to_string())),
            Self::Remove(node) => ("remove", Value::text(&node.to_string())),
            Self::Take(slot) => ("take", Value::text(&format!("s{slot}"))),
            Self::Read => ("read", Value::Nil),
        };
        (function, key, Value::Nil)
    }

    fn from_record(function: &str, key: &Value, _value: &Value) -> Option<Self> {
        Self::named(function, key.as_name().unwrap_or_default())
    }

    fn is_local(&self) -> bool {
        *self == Self::Read
    }
}

/// What clients are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// What a node believes.
    Table {
        /// The node.
        node: NodeId,
        /// Of members.
        members: Vec<MemberView>,
        /// Of slots.
        slots: Vec<Ownership>,
    },
    /// It is done: the life that began or ended, or the epoch of a slot.
    Done {
        /// Its number.
        number: u64,
    },
    /// There is no such node or slot, and never will be.
    NoSuchObject,
    /// This node cannot do it now; another may.
    Elsewhere,
}

impl Response {
    /// A table as it stands in a history: `["n1" [["n1" 1 "alive"] …] [["n1" 1] …]]`: who tells, members with their
    /// lives, owners of slots with their epochs.
    pub fn as_value(&self) -> Value {
        let Self::Table {
            node,
            members,
            slots,
        } = self
        else {
            return Value::Nil;
        };
        let name = |node: &NodeId| Value::text(&node.to_string());
        let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let members = members.iter().map(|member| {
            let status = Value::text(member.status.name());
            Value::list([name(&member.member), number(member.generation), status])
        });
        let slots = slots
            .iter()
            .map(|slot| Value::list([name(&slot.owner), number(slot.epoch)]));
        Value::list([name(node), Value::list(members), Value::list(slots)])
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table {
                node,
                members,
                slots,
            } => {
                write!(f, "table of {node}:")?;
                members
                    .iter()
                    .try_for_each(|member| write!(f, " {member};"))?;
                slots
                    .iter()
                    .try_for_each(|slot| write!(f, " {}@{}", slot.owner, slot.epoch))
            }
            Self::Done { number } => write!(f, "done {number}"),
            Self::NoSuchObject => f.write_str("no such node or slot"),
            Self::Elsewhere => f.write_str("not here"),
        }
    }
}
