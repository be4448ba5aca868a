//! What replicas send each other, and what they tell clients.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, NodeId};

use super::log::{Entry, Index, ViewNumber};
use crate::state_machine::Output;

/// What replicas send each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A node wants to be the primary of a new view.
    RequestView {
        /// The view.
        view: ViewNumber,
        /// The latest view that its log was in step with.
        synchronised: ViewNumber,
        /// The length of its log.
        last_index: Index,
    },
    /// A node agrees.
    Granted {
        /// To this view.
        view: ViewNumber,
    },
    /// A primary streams operations, or just lets itself be heard.
    Replicate {
        /// Its view.
        view: ViewNumber,
        /// The index of the operation before the new ones.
        after: Index,
        /// The new ones.
        entries: Vec<Entry>,
        /// Up to here all members have them.
        commit: Index,
        /// How often it has asked whether it is still primary, for a read.
        round: u64,
    },
    /// A backup in step with the primary has the operations up to an index on its disk.
    Accepted {
        /// Its view.
        view: ViewNumber,
        /// The index.
        index: Index,
        /// The round that is answered.
        round: u64,
    },
    /// A backup that is not in step tells what it has.
    Join {
        /// Its view.
        view: ViewNumber,
        /// By view, the index of its last operation of that view.
        ends: Vec<(ViewNumber, Index)>,
    },
    /// A primary brings a backup into step.
    Sync {
        /// Its view.
        view: ViewNumber,
        /// What the backup keeps: up to this index.
        after: Index,
        /// The operation there and all before it.
        follows: LogRecord,
        /// What it gets instead of the rest.
        entries: Vec<Entry>,
        /// Up to here all members have them.
        commit: Index,
    },
    /// There is a newer view: the fence.
    Behind {
        /// The newer view.
        view: ViewNumber,
    },
}

impl Message {
    /// The view that it is about.
    pub fn view(&self) -> ViewNumber {
        match self {
            Self::RequestView { view, .. }
            | Self::Granted { view }
            | Self::Replicate { view, .. }
            | Self::Accepted { view, .. }
            | Self::Join { view, .. }
            | Self::Sync { view, .. }
            | Self::Behind { view } => *view,
        }
    }
}

fn listed<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    f.write_str("[")?;
    for (place, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if place > 0 { ", " } else { "" })?;
    }
    f.write_str("]")
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestView {
                view,
                synchronised,
                last_index,
            } => write!(f, "RequestView v{view} has {last_index}@{synchronised}"),
            Self::Granted { view } => write!(f, "Granted v{view}"),
            Self::Replicate {
                view,
                after,
                entries,
                commit,
                round,
            } => {
                write!(f, "Replicate v{view} after {after} ")?;
                listed(f, entries)?;
                write!(f, " commit {commit} round {round}")
            }
            Self::Accepted { view, index, round } => {
                write!(f, "Accepted v{view} up to {index} round {round}")
            }
            Self::Join { view, ends } => {
                write!(f, "Join v{view} has ")?;
                listed(f, ends.iter().map(|(view, end)| format!("{end}@{view}")))
            }
            Self::Sync {
                view,
                after,
                follows,
                entries,
                commit,
            } => {
                write!(
                    f,
                    "Sync v{view} after {after}@{} {} ",
                    follows.term, follows.prefix
                )?;
                listed(f, entries)?;
                write!(f, " commit {commit}")
            }
            Self::Behind { view } => write!(f, "Behind v{view}"),
        }
    }
}

/// What a replica waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// To hear from a primary, or to become it.
    View,
    /// To let the others hear from it.
    Heartbeat,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Heartbeat => "heartbeat",
        })
    }
}

/// What a replica answers a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// The operation was done, or the value read.
    Answer(Output),
    /// This node is not the primary; perhaps that one is.
    NotPrimary(Option<NodeId>),
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(output) => output.fmt(f),
            Self::NotPrimary(None) => f.write_str("not primary"),
            Self::NotPrimary(Some(node)) => write!(f, "not primary, try {node}"),
        }
    }
}
