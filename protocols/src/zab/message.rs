//! What ZAB nodes send each other, and what they tell clients.
//!
//! The texts are exact: a trace names a message by its text, so two messages that print alike are equal.
//!
//! ZAB is written for channels that lose nothing and keep the order (paper §3). This network does neither, so every
//! message says what it is about (an epoch, a transaction, what it answers), is harmless when it comes twice, and is
//! sent again until it is answered.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, Zxid};

use super::history::{Epoch, Index, Snapshot, Transaction};
use crate::state_machine::Output;

/// A vote: for whom, and how new that node's history is (ZooKeeper: `Vote`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vote {
    /// The current epoch of the node that is voted for.
    pub epoch: Epoch,
    /// Its last transaction.
    pub zxid: Zxid,
    /// Who.
    pub leader: NodeId,
}

impl fmt::Display for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (e{}, {})", self.leader, self.epoch, self.zxid)
    }
}

/// What a node that sends a vote is doing (ZooKeeper: `ServerState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// It looks for a leader.
    Looking,
    /// It follows the one it votes for.
    Following,
    /// It leads.
    Leading,
}

/// The place in a history that a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The transaction.
    pub zxid: Zxid,
    /// Its index.
    pub index: Index,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.zxid, self.index)
    }
}

/// How a follower's history becomes the leader's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sync {
    /// DIFF: these follow.
    Diff(Vec<Transaction>),
    /// TRUNC: cut off what is after this transaction, then tell where the history ends.
    Trunc(Zxid),
    /// SNAP: replace it by this.
    Snap(Box<Snapshot>, Vec<Transaction>),
}

impl fmt::Display for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transactions = match self {
            Self::Diff(transactions) => {
                f.write_str("Diff [")?;
                transactions
            }
            Self::Trunc(to) => return write!(f, "Trunc to {to}"),
            Self::Snap(snapshot, transactions) => {
                write!(f, "Snap {} at {} [", snapshot.zxid, snapshot.index)?;
                transactions
            }
        };
        for (place, transaction) in transactions.iter().enumerate() {
            write!(f, "{}{transaction}", if place > 0 { ", " } else { "" })?;
        }
        f.write_str("]")
    }
}

/// What ZAB nodes send each other: in phase 0 ZooKeeper's votes, then the messages of the paper by ZooKeeper's names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A vote, told to all.
    Notification {
        /// The round of the election (`logicalclock`).
        round: u64,
        /// The vote.
        vote: Vote,
        /// What the sender is doing.
        standing: Standing,
    },
    /// CEPOCH: a follower tells the last epoch that it promised to take part in.
    FollowerInfo {
        /// That epoch.
        accepted: Epoch,
    },
    /// NEWEPOCH: the leader's epoch (ZooKeeper: LEADERINFO).
    NewEpoch {
        /// The epoch.
        epoch: Epoch,
    },
    /// ACK-E: a follower takes part, and tells how new its history is.
    AckEpoch {
        /// The epoch.
        epoch: Epoch,
        /// The follower's current epoch.
        current: Epoch,
        /// Its last transaction.
        last: Zxid,
        /// Whether it promises this leader to take part in no earlier epoch, and has promised no other leader this one.
        promises: bool,
    },
    /// The leader brings a follower's history up to its own.
    Sync {
        /// The leader's epoch.
        epoch: Epoch,
        /// The follower's current epoch and last transaction that it was made for. If they are others, it is too late.
        answers: (Epoch, Zxid),
        /// How.
        how: Sync,
    },
    /// NEWLEADER: a follower whose history is this is the leader's follower.
    NewLeader {
        /// The leader's epoch.
        epoch: Epoch,
        /// The end of the history.
        last: Place,
    },
    /// The follower has that history, and has the leader's epoch for its current one.
    AckNewLeader {
        /// The leader's epoch.
        epoch: Epoch,
        /// The end of the history.
        last: Place,
    },
    /// The leader is established: what is committed may be delivered (the paper's COMMIT of NEWLEADER).
    UpToDate {
        /// The leader's epoch.
        epoch: Epoch,
        /// What is committed.
        committed: Place,
    },
    /// PROPOSE: a transaction.
    Propose {
        /// The leader's epoch.
        epoch: Epoch,
        /// The transaction before it.
        after: Zxid,
        /// The transaction.
        transaction: Transaction,
        /// Where it is.
        place: Place,
    },
    /// ACK: all up to this transaction is on the sender's disk.
    Ack {
        /// The leader's epoch.
        epoch: Epoch,
        /// The transaction.
        last: Place,
    },
    /// COMMIT: all up to this transaction may be delivered.
    Commit {
        /// The leader's epoch.
        epoch: Epoch,
        /// The transaction.
        committed: Place,
    },
    /// A leader lets itself be heard (ZooKeeper: `Leader.lead` calls `LearnerHandler.ping`).
    Ping {
        /// The leader's epoch.
        epoch: Epoch,
        /// What is committed.
        committed: Place,
    },
    /// A follower answers it; it is an [`Message::Ack`] as well.
    Pong {
        /// The leader's epoch.
        epoch: Epoch,
        /// The end of the follower's history.
        last: Place,
    },
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notification {
                round,
                vote,
                standing,
            } => {
                let standing = match standing {
                    Standing::Looking => "looking",
                    Standing::Following => "following",
                    Standing::Leading => "leading",
                };
                write!(f, "Notification r{round} {vote} {standing}")
            }
            Self::FollowerInfo { accepted } => write!(f, "FollowerInfo e{accepted}"),
            Self::NewEpoch { epoch } => write!(f, "NewEpoch e{epoch}"),
            Self::AckEpoch {
                epoch,
                current,
                last,
                promises,
            } => {
                let promises = if *promises { "" } else { " without a promise" };
                write!(f, "AckEpoch e{epoch} from e{current} {last}{promises}")
            }
            Self::Sync {
                epoch,
                answers,
                how,
            } => write!(f, "Sync e{epoch} from e{} {}: {how}", answers.0, answers.1),
            Self::NewLeader { epoch, last } => write!(f, "NewLeader e{epoch} {last}"),
            Self::AckNewLeader { epoch, last } => write!(f, "AckNewLeader e{epoch} {last}"),
            Self::UpToDate { epoch, committed } => write!(f, "UpToDate e{epoch} {committed}"),
            Self::Propose {
                epoch,
                after,
                transaction,
                ..
            } => write!(f, "Propose e{epoch} {transaction} after {after}"),
            Self::Ack { epoch, last } => write!(f, "Ack e{epoch} {last}"),
            Self::Commit { epoch, committed } => write!(f, "Commit e{epoch} {committed}"),
            Self::Ping { epoch, committed } => write!(f, "Ping e{epoch} {committed}"),
            Self::Pong { epoch, last } => write!(f, "Pong e{epoch} {last}"),
        }
    }
}

/// What a ZAB node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// To say again what was not answered: votes, or a follower's part of discovery and synchronisation.
    Retry,
    /// For better votes, when a quorum agrees (ZooKeeper: `finalizeWait`).
    Decide,
    /// To hear from its leader, as a follower.
    Leader,
    /// To let its followers hear from it, as a leader.
    Ping,
    /// To hear from a quorum, as a leader; before that, to be established.
    Quorum,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry => "retry",
            Self::Decide => "decide",
            Self::Leader => "leader",
            Self::Ping => "ping",
            Self::Quorum => "quorum",
        })
    }
}

/// What a node answers a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// The operation was delivered, or what this node has delivered says so.
    Answer(Output),
    /// This node cannot tell; perhaps that one can. If the client sent its operation to others too, it may yet happen.
    NotLeader(Option<NodeId>),
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(output) => output.fmt(f),
            Self::NotLeader(None) => f.write_str("not leader"),
            Self::NotLeader(Some(node)) => write!(f, "not leader, try {node}"),
        }
    }
}
