//! What gossip nodes send each other.
//!
//! The texts are exact: a trace names a message by its text, so two messages that print alike are equal.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::table::{Cell, Record, Stamp};

/// The number of a message among all of its sender: which of the sender's lives, then which message in it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Number {
    /// How often the sender had started.
    pub boot: u32,
    /// How many messages it had sent since.
    pub count: u64,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.boot, self.count)
    }
}

/// Who is known to hold a tombstone, as far as the sender knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holding {
    /// Where.
    pub cell: Cell,
    /// Which.
    pub stamp: Stamp,
    /// The nodes, in order, each with a message of its own from which on it held it.
    pub by: Vec<(NodeId, Number)>,
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} {} held", self.cell, self.stamp)?;
        self.by
            .iter()
            .try_for_each(|(node, number)| write!(f, " {node}:{number}"))
    }
}

/// What gossip nodes send each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message {
    /// Its number.
    pub number: Number,
    /// What it says.
    pub body: Body,
    /// Who holds which tombstone of the sender's.
    pub held: Vec<Holding>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Body {
    /// How new the sender's records are, without the records: it asks for newer ones.
    Digest {
        /// By cell.
        stamps: Vec<(Cell, Stamp)>,
        /// Whether the sender will send what the receiver lacks, if asked in turn.
        offer: bool,
    },
    /// Records, and a wish for others.
    Delta {
        /// The records.
        records: Vec<Record>,
        /// The cells of which the sender wants the receiver's records.
        wanted: Vec<Cell>,
    },
    /// A record that was new to the sender a short while ago.
    Rumour(Record),
    /// The answer to a rumour that was none.
    Known(Cell, Stamp),
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::Digest { stamps, offer } => {
                let name = if *offer { "Digest" } else { "Pull" };
                let stamps = stamps.iter().map(|(cell, stamp)| format!("{cell} {stamp}"));
                write!(f, "{name} [{}]", joined(stamps))?;
            }
            Body::Delta { records, wanted } => {
                write!(f, "Delta [{}]", joined(records))?;
                if !wanted.is_empty() {
                    write!(f, " wants [{}]", joined(wanted))?;
                }
            }
            Body::Rumour(record) => write!(f, "Rumour {record}")?,
            Body::Known(cell, stamp) => write!(f, "Known {cell} {stamp}")?,
        }
        write!(f, " #{}", self.number)?;
        self.held.iter().try_for_each(|held| held.fmt(f))
    }
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    texts.join(", ")
}

/// What a gossip node waits for. Both come with the choice of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// To compare tables with a peer.
    Gossip,
    /// To tell a peer a rumour.
    Rumour,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gossip => "gossip",
            Self::Rumour => "rumour",
        })
    }
}
