//! What a Multi-Paxos node keeps on disk: an acceptor's promise and votes, and a learner's ledger of what was chosen.
//!
//! Every write only adds: a promise or a vote of a lower ballot than what is there changes nothing, and a ledger is
//! never cut. So whichever unsynced writes a crash loses, those that it keeps still make sense.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, LogView, NodeId, Role, View};

use crate::contract::{ClientId, Durable};
use crate::state_machine::Command;

/// The number of a ballot; 0 stands for none. Proposers choose theirs from disjoint sets (*Paxos Made Simple*, §2.5):
/// of three nodes, n1 has 1, 4, 7, …, n2 has 2, 5, 8, ….
pub type Ballot = u64;
/// A place in the sequence of commands: an instance of consensus. The first is 1.
pub type Slot = u64;

/// The least ballot above another that is a node's own.
pub fn ballot_above(ballot: Ballot, node: NodeId, nodes: usize) -> Ballot {
    let (own, step) = (node.index() as u64 + 1, nodes as u64);
    if ballot < own {
        own
    } else {
        own + ((ballot - own) / step + 1) * step
    }
}

/// What is proposed, accepted and chosen in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Proposal {
    /// Nothing: what fills a gap (*Paxos Made Simple*, §3).
    Noop,
    /// A client's command. Sent again it has the same client and sequence.
    Command {
        /// Who asked.
        client: ClientId,
        /// Which of its operations it is.
        sequence: u32,
        /// What it asked.
        command: Command,
    },
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("no-op"),
            Self::Command {
                client,
                sequence,
                command,
            } => write!(f, "c{client}#{sequence} {command}"),
        }
    }
}

/// What an acceptor has accepted in a slot: its vote of the highest ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vote {
    /// The ballot.
    pub ballot: Ballot,
    /// The value.
    pub value: Proposal,
}

/// What was chosen in the slots from the first on, as far as a node knows it without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ledger {
    values: Vec<Proposal>,
    /// With the ballot under which each was learned, and a digest of the values up to it. A value keeps its digest
    /// when a higher ballot proposes it again.
    records: Vec<LogRecord>,
}

impl Ledger {
    /// The last slot of it; 0 if there is none.
    pub fn end(&self) -> Slot {
        self.values.len() as Slot
    }

    /// What was chosen in a slot.
    pub fn at(&self, slot: Slot) -> Option<Proposal> {
        let place = usize::try_from(slot.checked_sub(1)?).ok()?;
        self.values.get(place).copied()
    }

    /// At most so many values behind a slot.
    pub fn after(&self, slot: Slot, count: usize) -> &[Proposal] {
        let from =
            usize::try_from(slot).map_or(self.values.len(), |slot| slot.min(self.values.len()));
        &self.values[from..self.values.len().min(from.saturating_add(count))]
    }

    /// The ledger as properties see it.
    pub fn view(&self) -> LogView<'_> {
        LogView {
            records: &self.records,
            ..LogView::default()
        }
    }

    fn push(&mut self, ballot: Ballot, value: Proposal) {
        let prefix = self.view().last().prefix.then(&value);
        self.records.push(LogRecord {
            term: ballot,
            prefix,
        });
        self.values.push(value);
    }
}

/// The serial numbers of disks: by node, the newest that is known. A node whose disk was never replaced has 0 and is
/// not listed.
pub type Disks = BTreeMap<NodeId, u32>;

/// A Multi-Paxos node's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stable {
    /// It takes part in no ballot below this one.
    pub promised: Ballot,
    /// By slot.
    pub votes: BTreeMap<Slot, Vote>,
    /// What is known to be chosen.
    pub ledger: Ledger,
    /// The serial number of this disk: how often the node's disk was lost and replaced.
    pub serial: u32,
    /// The disk is in a lost one's place, and what was promised and accepted on that is not yet made good.
    pub amnesic: bool,
    /// The newest disks of the other nodes.
    pub disks: Disks,
}

/// A change of the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// A promise to a candidate, and which disk that has.
    Promise {
        /// The ballot.
        ballot: Ballot,
        /// Whose it is.
        candidate: NodeId,
        /// The serial number of its disk.
        serial: u32,
    },
    /// Votes, which are promises as well.
    Votes {
        /// The ballot.
        ballot: Ballot,
        /// By slot.
        votes: Vec<(Slot, Proposal)>,
    },
    /// What was chosen in the slots behind `after`.
    Learn {
        /// The slot before them.
        after: Slot,
        /// The ballot under which it was learned.
        ballot: Ballot,
        /// The values.
        values: Vec<Proposal>,
    },
    /// A node whose disk was lost has re-learned enough to take part again.
    Recover {
        /// The ballot of its recovery.
        ballot: Ballot,
        /// What those who answered it have accepted.
        votes: Vec<(Slot, Vote)>,
        /// The newest disks that they know of.
        disks: Disks,
    },
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promise { ballot, .. } => write!(f, "promise b{ballot}"),
            Self::Votes { ballot, votes } => write!(f, "{} votes in b{ballot}", votes.len()),
            Self::Learn { after, values, .. } => {
                write!(f, "{} chosen after {after}", values.len())
            }
            Self::Recover { ballot, votes, .. } => {
                write!(f, "recover in b{ballot} with {} votes", votes.len())
            }
        }
    }
}

impl Stable {
    fn vote(&mut self, slot: Slot, vote: Vote) {
        let kept = self.votes.entry(slot).or_insert(vote);
        if vote.ballot > kept.ballot {
            *kept = vote;
        }
    }

    /// Takes in that a node has a disk of this serial number.
    fn know_disk(&mut self, node: NodeId, serial: u32) {
        if serial > 0 {
            let known = self.disks.entry(node).or_default();
            *known = serial.max(*known);
        }
    }
}

impl Durable for Stable {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Promise {
                ballot,
                candidate,
                serial,
            } => {
                self.promised = self.promised.max(*ballot);
                self.know_disk(*candidate, *serial);
            }
            Write::Votes { ballot, votes } => {
                self.promised = self.promised.max(*ballot);
                for (slot, value) in votes {
                    let (ballot, value) = (*ballot, *value);
                    self.vote(*slot, Vote { ballot, value });
                }
            }
            // A write before this one was lost: what would stand behind a gap is not known to stand there.
            Write::Learn { after, .. } if *after > self.ledger.end() => {}
            Write::Learn {
                after,
                ballot,
                values,
            } => {
                let known = usize::try_from(self.ledger.end() - after).unwrap_or(usize::MAX);
                for value in values.iter().skip(known) {
                    self.ledger.push(*ballot, *value);
                }
            }
            Write::Recover {
                ballot,
                votes,
                disks,
            } => {
                self.amnesic = false;
                self.promised = self.promised.max(*ballot);
                votes
                    .iter()
                    .for_each(|(slot, vote)| self.vote(*slot, *vote));
                disks
                    .iter()
                    .for_each(|(node, serial)| self.know_disk(*node, *serial));
            }
        }
    }

    fn torn(write: &Write) -> Option<Write> {
        match write {
            Write::Promise { .. } | Write::Recover { .. } => None,
            Write::Votes { ballot, votes } => Some(Write::Votes {
                ballot: *ballot,
                votes: votes[..votes.len() / 2].to_vec(),
            }),
            Write::Learn {
                after,
                ballot,
                values,
            } => Some(Write::Learn {
                after: *after,
                ballot: *ballot,
                values: values[..values.len() / 2].to_vec(),
            }),
        }
    }

    fn log(&self) -> LogView<'_> {
        self.ledger.view()
    }

    fn view(&self) -> View<'_> {
        View {
            role: if self.amnesic {
                Role::Recovering
            } else {
                Role::Follower
            },
            term: self.promised,
            log: self.log(),
            ..View::default()
        }
    }

    /// Whoever puts a new disk in knows that it is not the first, and that it is empty.
    fn replacing(lost: &Self) -> Option<Self> {
        Some(Self {
            serial: lost.serial + 1,
            amnesic: true,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ballot_has_one_owner() {
        let ballots = |node| {
            let first = ballot_above(0, NodeId(node), 3);
            let second = ballot_above(first, NodeId(node), 3);
            (first, second, ballot_above(5, NodeId(node), 3))
        };
        assert_eq!(ballots(0), (1, 4, 7));
        assert_eq!(ballots(1), (2, 5, 8));
        assert_eq!(ballots(2), (3, 6, 6));
    }

    #[test]
    fn a_promise_or_vote_of_a_lower_ballot_changes_nothing() {
        let mut disk = Stable::default();
        let votes = |ballot, value| Write::Votes {
            ballot,
            votes: vec![(1, value)],
        };
        let command = Proposal::Command {
            client: 0,
            sequence: 1,
            command: "write x 1".parse().unwrap(),
        };
        disk.apply(&votes(5, command));
        disk.apply(&Write::Promise {
            ballot: 4,
            candidate: NodeId(0),
            serial: 0,
        });
        disk.apply(&votes(4, Proposal::Noop));
        assert_eq!(disk.promised, 5);
        assert_eq!(disk.votes[&1].value, command);
    }

    #[test]
    fn a_ledger_has_no_gap_and_is_never_cut() {
        let mut disk = Stable::default();
        let learn = |after, count| Write::Learn {
            after,
            ballot: 1,
            values: vec![Proposal::Noop; count],
        };
        disk.apply(&learn(1, 2));
        assert_eq!(disk.ledger.end(), 0);
        disk.apply(&learn(0, 2));
        disk.apply(&Stable::torn(&learn(1, 4)).unwrap());
        assert_eq!(disk.ledger.end(), 3);
        disk.apply(&learn(0, 1));
        assert_eq!(disk.ledger.after(1, 9).len(), 2);
        assert_eq!(disk.ledger.at(4), None);
    }

    #[test]
    fn a_disk_in_a_lost_ones_place_knows_that_it_is() {
        let first = Stable {
            promised: 7,
            ..Stable::default()
        };
        let second = Stable::replacing(&first).unwrap();
        assert_eq!(
            (second.promised, second.serial, second.amnesic),
            (0, 1, true)
        );
        assert_eq!(second.view().role, Role::Recovering);
        assert_eq!(Stable::replacing(&second).unwrap().serial, 2);
    }
}
