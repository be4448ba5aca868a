//! What Raft nodes send each other, and what they tell clients.
//!
//! The texts are exact: a trace names a message by its text, so two messages that print alike are equal.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::log::{Entry, Index, Term};
use super::snapshot::Snapshot;
use crate::state_machine::{Object, Output};

/// Why a node asks for votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Campaign {
    /// It asks only whether it would get them (dissertation §9.6).
    PreVote,
    /// It wants to lead.
    Election,
    /// The leader wants it to lead (dissertation §3.10).
    Transfer,
}

/// What Raft nodes send each other (Raft paper, Figure 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A candidate asks for a vote; a pre-candidate asks whether it would get one.
    RequestVote {
        /// The term of the election; a pre-candidate's own term is one less.
        term: Term,
        /// The index of the candidate's last entry.
        last_index: Index,
        /// The term of the candidate's last entry.
        last_term: Term,
        /// Why it asks.
        campaign: Campaign,
    },
    /// The answer to [`Message::RequestVote`].
    Vote {
        /// The voter's term; of a pre-vote that is granted, the term that was asked for.
        term: Term,
        /// Whether the vote is given.
        granted: bool,
        /// Whether it answers a question only.
        pre: bool,
    },
    /// A leader sends entries, or just lets itself be heard.
    Append {
        /// The leader's term.
        term: Term,
        /// The index of the entry before the new ones.
        prev_index: Index,
        /// Its term.
        prev_term: Term,
        /// The new entries.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
        /// The leader's count of read rounds: see [`reads`](super::reads).
        round: u64,
    },
    /// A leader sends its state, for it has forgotten the entries that come next (paper §7, InstallSnapshot; in one
    /// piece).
    Install {
        /// The leader's term.
        term: Term,
        /// The state.
        snapshot: Arc<Snapshot>,
        /// The leader's count of read rounds.
        round: u64,
    },
    /// The entries fit, and the sender's log now equals the leader's up to `match_index`.
    Appended {
        /// The follower's term.
        term: Term,
        /// The last index that the message covered.
        match_index: Index,
        /// The round of the message that is answered.
        round: u64,
    },
    /// The entries do not fit behind `prev_index`.
    Refused {
        /// The follower's term.
        term: Term,
        /// The index that the leader assumed.
        prev_index: Index,
        /// Where the leader should look next: the first index of `conflict_term`, or the end of a short log.
        conflict_index: Index,
        /// The term that the follower has at `prev_index`; 0 if its log is too short.
        conflict_term: Term,
        /// The round of the message that is answered.
        round: u64,
    },
    /// The leader asks a follower that has all its entries to hold an election at once (dissertation §3.10).
    TimeoutNow {
        /// The leader's term.
        term: Term,
    },
}

impl Message {
    /// The sender's term.
    pub fn term(&self) -> Term {
        match self {
            Self::RequestVote { term, .. }
            | Self::Vote { term, .. }
            | Self::Append { term, .. }
            | Self::Install { term, .. }
            | Self::Appended { term, .. }
            | Self::Refused { term, .. }
            | Self::TimeoutNow { term } => *term,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestVote {
                term,
                last_index,
                last_term,
                campaign,
            } => {
                let (before, after) = match campaign {
                    Campaign::PreVote => ("Pre", ""),
                    Campaign::Election => ("", ""),
                    Campaign::Transfer => ("", " by transfer"),
                };
                write!(
                    f,
                    "{before}RequestVote t{term} log {last_index}@{last_term}{after}"
                )
            }
            Self::Vote { term, granted, pre } => {
                let answer = if *granted { "granted" } else { "denied" };
                write!(f, "{}Vote t{term} {answer}", if *pre { "Pre" } else { "" })
            }
            Self::Append {
                term,
                prev_index,
                prev_term,
                entries,
                commit,
                round,
            } => {
                write!(f, "Append t{term} after {prev_index}@{prev_term} [")?;
                for (place, entry) in entries.iter().enumerate() {
                    write!(f, "{}{entry}", if place > 0 { ", " } else { "" })?;
                }
                write!(f, "] commit {commit} round {round}")
            }
            Self::Install {
                term,
                snapshot,
                round,
            } => write!(f, "Install t{term} {snapshot} round {round}"),
            Self::Appended {
                term,
                match_index,
                round,
            } => {
                write!(f, "Appended t{term} match {match_index} round {round}")
            }
            Self::Refused {
                term,
                prev_index,
                conflict_index,
                conflict_term,
                round,
            } => {
                write!(
                    f,
                    "Refused t{term} after {prev_index} try {conflict_index}@{conflict_term} round {round}"
                )
            }
            Self::TimeoutNow { term } => write!(f, "TimeoutNow t{term}"),
        }
    }
}

/// What a Raft node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// To hear from a leader, or to win an election.
    Election,
    /// To let the followers hear from it.
    Heartbeat,
    /// To have heard from a quorum of its followers.
    CheckQuorum,
    /// For new members to catch up.
    CatchUp,
    /// For another to take over the lead.
    Transfer,
    /// For the end of one of its two leases.
    Lease(u8),
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Election => "election",
            Self::Heartbeat => "heartbeat",
            Self::CheckQuorum => "check-quorum",
            Self::CatchUp => "catch-up",
            Self::Transfer => "transfer",
            Self::Lease(0) => "lease",
            Self::Lease(_) => "other-lease",
        })
    }
}

/// What a node answers a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// The command was applied, or the value read as this node knows it.
    Answer(Output),
    /// The value read, and as of when: all that was committed before the read is in it.
    Read {
        /// The value.
        object: Object,
        /// The term of the leader that answers.
        term: Term,
        /// Entries up to here are in it.
        index: Index,
    },
    /// The cluster is as it was asked to be.
    Changed,
    /// This leader cannot do it now: it is at something else, or was in vain.
    NotNow,
    /// There can be no such configuration.
    Impossible,
    /// This node does not lead; perhaps that one does. Nothing was done here, but if the client sent its command
    /// to others too, it may be done yet.
    NotLeader(Option<NodeId>),
    /// It was not done. Only a planted bug says so, for nobody can know.
    Abandoned,
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(output) => output.fmt(f),
            Self::Read {
                object,
                term,
                index,
            } => write!(f, "value {object} of {index}@{term}"),
            Self::Changed => f.write_str("changed"),
            Self::NotNow => f.write_str("not now"),
            Self::Impossible => f.write_str("impossible"),
            Self::Abandoned => f.write_str("abandoned"),
            Self::NotLeader(None) => f.write_str("not leader"),
            Self::NotLeader(Some(node)) => write!(f, "not leader, try {node}"),
        }
    }
}
