//! What Multi-Paxos nodes send each other, and what they tell clients.
//!
//! The texts are exact: a trace names a message by its text, so two messages that print alike are equal.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::stable::{Ballot, Disks, Proposal, Slot, Vote};
use crate::contract::ClientId;
use crate::state_machine::{Command, Output};

/// What Multi-Paxos nodes send each other. The phases are those of *Paxos Made Simple*, §2.2 and §3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// Phase 1a, once for all slots: a candidate asks for promises, or a node that lost its disk does.
    Prepare {
        /// The candidate's ballot.
        ballot: Ballot,
        /// The first slot that is open for it: of those before it, it knows what was chosen.
        first: Slot,
        /// The serial number of the candidate's disk.
        serial: u32,
        /// It asks only to re-learn what it lost with its disk, and will not lead in this ballot.
        recovers: bool,
    },
    /// Phase 1b: an acceptor takes part in no lower ballot, and tells what it has accepted.
    Promise {
        /// The ballot.
        ballot: Ballot,
        /// The first slot that the promise tells of.
        first: Slot,
        /// The last, where that is not all.
        last: Option<Slot>,
        /// The serial number of the disk of the candidate that asked.
        asked: u32,
        /// The serial number of the acceptor's own disk.
        serial: u32,
        /// The newest disks of others that it knows of.
        disks: Disks,
        /// By slot, its votes.
        votes: Vec<(Slot, Vote)>,
    },
    /// Phase 2a: a leader asks for votes.
    Accept {
        /// The leader's ballot.
        ballot: Ballot,
        /// By slot, what it proposes.
        proposals: Vec<(Slot, Proposal)>,
        /// All slots up to here are chosen.
        chosen: Slot,
    },
    /// Phase 2b: an acceptor has voted.
    Accepted {
        /// The ballot.
        ballot: Ballot,
        /// By slot, its votes.
        votes: Vec<(Slot, Proposal)>,
    },
    /// The sender has promised not to take part in the ballot that was asked for.
    Nack {
        /// Which it has promised instead.
        promised: Ballot,
    },
    /// A leader lets itself be heard.
    Heartbeat {
        /// Its ballot.
        ballot: Ballot,
        /// All slots up to here are chosen.
        chosen: Slot,
        /// How often it asked: see [`reads`](super::reads).
        round: u64,
    },
    /// The answer to [`Message::Heartbeat`]: the sender has promised no higher ballot.
    Alive {
        /// The leader's ballot.
        ballot: Ballot,
        /// The sender knows what was chosen up to here.
        chosen: Slot,
        /// The round that is answered; 0 of a node that takes no part.
        round: u64,
    },
    /// A leader tells that more was chosen.
    Chosen {
        /// Its ballot.
        ballot: Ballot,
        /// All slots up to here are chosen.
        chosen: Slot,
    },
    /// What was chosen, for a node that lags behind.
    Learn {
        /// The leader's ballot.
        ballot: Ballot,
        /// The slot before them.
        after: Slot,
        /// The values.
        values: Vec<Proposal>,
    },
    /// A client's command, passed on to the leader.
    Forward {
        /// Who asked.
        client: ClientId,
        /// Which of its operations it is.
        sequence: u32,
        /// What it asked.
        command: Command,
    },
}

/// `[1 c0#1 write x 5, 2 no-op]`
fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    f.write_str("[")?;
    for (place, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if place > 0 { ", " } else { "" })?;
    }
    f.write_str("]")
}

fn slots(proposals: &[(Slot, Proposal)]) -> impl Iterator<Item = String> {
    proposals
        .iter()
        .map(|(slot, value)| format!("{slot} {value}"))
}

impl Message {
    fn fmt_promise(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Promise {
            ballot,
            first,
            last,
            asked,
            serial,
            disks,
            votes,
        } = self
        else {
            return Ok(());
        };
        write!(f, "Promise b{ballot} from {first}")?;
        if let Some(last) = last {
            write!(f, " to {last}")?;
        }
        f.write_str(" ")?;
        let told = votes.iter();
        list(
            f,
            told.map(|(slot, vote)| format!("{slot}@b{} {}", vote.ballot, vote.value)),
        )?;
        on_disk(f, *serial)?;
        if *asked > 0 {
            write!(f, " asked on disk {asked}")?;
        }
        for (node, serial) in disks {
            write!(f, " {node} on disk {serial}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare {
                ballot,
                first,
                serial,
                recovers,
            } => {
                let verb = if *recovers { "Recover" } else { "Prepare" };
                write!(f, "{verb} b{ballot} from {first}")?;
                on_disk(f, *serial)
            }
            Self::Promise { .. } => self.fmt_promise(f),
            Self::Accept {
                ballot,
                proposals,
                chosen,
            } => {
                write!(f, "Accept b{ballot} ")?;
                list(f, slots(proposals))?;
                write!(f, " chosen {chosen}")
            }
            Self::Accepted { ballot, votes } => {
                write!(f, "Accepted b{ballot} ")?;
                list(f, slots(votes))
            }
            Self::Nack { promised } => write!(f, "Nack promised b{promised}"),
            Self::Heartbeat {
                ballot,
                chosen,
                round,
            } => write!(f, "Heartbeat b{ballot} chosen {chosen} round {round}"),
            Self::Alive {
                ballot,
                chosen,
                round,
            } => write!(f, "Alive b{ballot} chosen {chosen} round {round}"),
            Self::Chosen { ballot, chosen } => write!(f, "Chosen b{ballot} chosen {chosen}"),
            Self::Learn {
                ballot,
                after,
                values,
            } => {
                write!(f, "Learn b{ballot} after {after} ")?;
                list(f, values)
            }
            Self::Forward {
                client,
                sequence,
                command,
            } => write!(f, "Forward c{client}#{sequence} {command}"),
        }
    }
}

fn on_disk(f: &mut fmt::Formatter<'_>, serial: u32) -> fmt::Result {
    if serial > 0 {
        write!(f, " disk {serial}")?;
    }
    Ok(())
}

/// What a Multi-Paxos node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// To hear from a leader, to win an election, or to recover.
    Election,
    /// To let the others hear from it, and to ask again who has not voted.
    Heartbeat,
    /// For the lease to end that the answers to a round of heartbeats gave.
    Lease(u64),
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Election => f.write_str("election"),
            Self::Heartbeat => f.write_str("heartbeat"),
            Self::Lease(round) => write!(f, "lease {round}"),
        }
    }
}

/// What a node answers a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// The command was applied, or the value read.
    Answer(Output),
    /// This node does not lead; perhaps that one does.
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
