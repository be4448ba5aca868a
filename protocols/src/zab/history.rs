//! What a ZAB node keeps on disk: two epochs and its history of accepted transactions, the oldest of them as a
//! snapshot of the state that they lead to (paper §5, "persistent state"; ZooKeeper: `acceptedEpoch`, `currentEpoch`,
//! the transaction log and snapshots).
//!
//! The order of writes is the point of this file. A disk that is cut off may keep any of the writes that it had not
//! yet confirmed, so each says what it follows and is left out if that is not there: a history is never continued
//! behind a gap, and `currentEpoch` never names an epoch whose history the disk does not hold.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{Digest, Facet, LogRecord, LogView, PrimariesView, Role, View, Zxid};

use crate::contract::{ClientId, Durable};
use crate::state_machine::{Command, StateMachine};

/// A place in the history; the first transaction has index 1.
pub type Index = u64;
/// The number of a primary; the first has epoch 1.
pub type Epoch = u64;

/// A transaction: what a primary broadcasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Transaction {
    /// Its name.
    pub zxid: Zxid,
    /// Who asked.
    pub client: ClientId,
    /// Which of its operations it is.
    pub sequence: u32,
    /// What it asked.
    pub command: Command,
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            zxid,
            client,
            sequence,
            command,
        } = self;
        write!(f, "{zxid} c{client}#{sequence} {command}")
    }
}

/// The state after the first transactions, which it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// How many transactions it stands for.
    pub index: Index,
    /// The last of them, and all before it as a digest.
    pub record: LogRecord,
    /// The name of the last of them.
    pub zxid: Zxid,
    /// The objects.
    pub machine: StateMachine,
    /// A digest of what was delivered.
    pub delivered: Digest,
}

/// The end of a history: how long it is, and its last transaction with all before it.
pub type End = (Index, LogRecord);

/// A history of transactions, with a digest of every prefix beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct History {
    /// What the oldest transactions lead to.
    snapshot: Snapshot,
    transactions: Vec<Transaction>,
    records: Vec<LogRecord>,
    zxids: Vec<Zxid>,
}

impl History {
    /// The snapshot that it begins with.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The index of the last transaction that only the snapshot has.
    pub fn start(&self) -> Index {
        self.snapshot.index
    }

    /// The index of the last transaction.
    pub fn last_index(&self) -> Index {
        self.start() + self.transactions.len() as u64
    }

    /// The name of the last transaction; `0:0` if there is none.
    pub fn last_zxid(&self) -> Zxid {
        self.zxids.last().copied().unwrap_or(self.snapshot.zxid)
    }

    /// Its end.
    pub fn end(&self) -> End {
        (self.last_index(), self.view().last())
    }

    /// The transaction at an index, if it is not compacted.
    pub fn transaction(&self, index: Index) -> Option<&Transaction> {
        self.transactions.get(self.offset(index)?)
    }

    /// The transactions behind an index that are not compacted.
    pub fn behind(&self, index: Index) -> &[Transaction] {
        let from = self.offset(index + 1).unwrap_or(0);
        &self.transactions[from.min(self.transactions.len())..]
    }

    /// The name of the transaction at an index.
    pub fn zxid_at(&self, index: Index) -> Option<Zxid> {
        if index == self.start() {
            return Some(self.snapshot.zxid);
        }
        self.zxids.get(self.offset(index)?).copied()
    }

    /// Where a transaction is; that which the snapshot ends with counts.
    pub fn index_of(&self, zxid: Zxid) -> Option<Index> {
        if zxid == self.snapshot.zxid {
            return Some(self.start());
        }
        let offset = self.zxids.binary_search(&zxid).ok()?;
        Some(self.start() + 1 + offset as u64)
    }

    /// The index of the last transaction that is not after this one; what is compacted is before everything.
    pub fn last_not_after(&self, zxid: Zxid) -> Index {
        self.start() + self.zxids.partition_point(|other| *other <= zxid) as u64
    }

    /// The history as properties see it.
    pub fn view(&self) -> LogView<'_> {
        LogView {
            start: self.start(),
            base: self.snapshot.record,
            records: &self.records,
        }
    }

    /// The names of the transactions behind the snapshot.
    pub fn zxids(&self) -> &[Zxid] {
        &self.zxids
    }

    /// The write that puts transactions behind the last one.
    pub fn append(&self, transactions: Vec<Transaction>) -> Write {
        let follows = self.end();
        Write::Append {
            follows,
            transactions,
        }
    }

    /// The write that cuts off what lies behind an index, if the history goes back as far.
    pub fn truncate(&self, to: Index) -> Option<Write> {
        let record = self.view().at(to)?;
        Some(Write::Truncate((to, record)))
    }

    /// The write that makes a snapshot of the transactions up to an index.
    pub fn compact(&self, to: Index) -> Option<Write> {
        let record = self.view().at(to)?;
        Some(Write::Compact((to, record)))
    }

    fn offset(&self, index: Index) -> Option<usize> {
        usize::try_from(index.checked_sub(self.start() + 1)?).ok()
    }

    fn holds(&self, (index, record): End) -> bool {
        self.view().at(index) == Some(record)
    }

    fn push(&mut self, transaction: Transaction) {
        let prefix = self.view().last().prefix.then(&transaction);
        let term = transaction.zxid.epoch;
        self.records.push(LogRecord { term, prefix });
        self.zxids.push(transaction.zxid);
        self.transactions.push(transaction);
    }

    fn cut_behind(&mut self, index: Index) {
        let length = usize::try_from(index - self.start()).unwrap_or(usize::MAX);
        self.transactions.truncate(length);
        self.records.truncate(length);
        self.zxids.truncate(length);
    }

    fn cut_before(&mut self, (index, record): End) {
        let count = usize::try_from(index - self.start()).unwrap_or(usize::MAX);
        for transaction in self.transactions.drain(..count) {
            self.snapshot.deliver(&transaction);
        }
        self.records.drain(..count);
        self.zxids.drain(..count);
        self.snapshot.index = index;
        self.snapshot.record = record;
    }
}

impl Snapshot {
    /// Goes on by a transaction; index and record are the caller's.
    pub(super) fn deliver(&mut self, transaction: &Transaction) {
        let Transaction {
            client,
            sequence,
            command,
            ..
        } = *transaction;
        self.machine.apply(client, sequence, command);
        self.delivered = self.delivered.then(transaction);
        self.zxid = transaction.zxid;
    }
}

/// A ZAB node's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HardState {
    /// The last epoch that the node promised to take part in: it follows no leader of an earlier one.
    pub accepted_epoch: Epoch,
    /// The last epoch whose leader's history it took over.
    pub current_epoch: Epoch,
    /// Its history.
    pub history: History,
}

/// A change of the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// A promise.
    Accepted(Epoch),
    /// The leader's history of an epoch is taken over. It is what this write follows.
    Current {
        /// The epoch.
        epoch: Epoch,
        /// The history, by its end; `None` does not care, as only a planted bug may.
        follows: Option<End>,
    },
    /// Transactions behind the end of the history.
    Append {
        /// That end.
        follows: End,
        /// The transactions.
        transactions: Vec<Transaction>,
    },
    /// What lies behind this end is cut off (TRUNC).
    Truncate(End),
    /// The history is replaced by another (SNAP).
    Install {
        /// Its snapshot.
        snapshot: Box<Snapshot>,
        /// What follows the snapshot.
        transactions: Vec<Transaction>,
    },
    /// The transactions up to this end become a snapshot.
    Compact(End),
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(epoch) => write!(f, "accepted epoch {epoch}"),
            Self::Current { epoch, .. } => write!(f, "current epoch {epoch}"),
            Self::Append {
                follows,
                transactions,
            } => write!(f, "{} transactions after {}", transactions.len(), follows.0),
            Self::Truncate((to, _)) => write!(f, "truncate to {to}"),
            Self::Install { snapshot, .. } => write!(f, "snapshot of {}", snapshot.index),
            Self::Compact((to, _)) => write!(f, "compact to {to}"),
        }
    }
}

impl Durable for HardState {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        let history = &mut self.history;
        match write {
            Write::Accepted(epoch) => self.accepted_epoch = self.accepted_epoch.max(*epoch),
            // Not before the history is there, all of it and nothing else.
            Write::Current { follows, .. }
                if follows.is_some_and(|follows| follows != history.end()) => {}
            Write::Current { epoch, .. } => self.current_epoch = self.current_epoch.max(*epoch),
            Write::Append {
                follows,
                transactions,
            } if history.holds(*follows) => {
                history.cut_behind(follows.0);
                transactions.iter().for_each(|next| history.push(*next));
            }
            Write::Truncate(end) if history.holds(*end) => history.cut_behind(end.0),
            Write::Compact(end) if history.holds(*end) => history.cut_before(*end),
            Write::Append { .. } | Write::Truncate(_) | Write::Compact(_) => {}
            Write::Install {
                snapshot,
                transactions,
            } => {
                *history = History {
                    snapshot: Snapshot::clone(snapshot),
                    ..History::default()
                };
                transactions.iter().for_each(|next| history.push(*next));
            }
        }
    }

    fn torn(write: &Write) -> Option<Write> {
        match write {
            Write::Append {
                follows,
                transactions,
            } => Some(Write::Append {
                follows: *follows,
                transactions: transactions[..transactions.len() / 2].to_vec(),
            }),
            _ => None,
        }
    }

    fn log(&self) -> LogView<'_> {
        self.history.view()
    }

    fn view(&self) -> View<'_> {
        View {
            role: Role::PreCandidate,
            term: self.accepted_epoch,
            log: self.log(),
            commit_index: self.history.start(),
            applied_index: self.history.start(),
            state: self.history.snapshot.delivered,
            facet: Facet::Primaries(PrimariesView {
                accepted_epoch: self.accepted_epoch,
                current_epoch: self.current_epoch,
                deliveries: self.history.start(),
                zxids: &self.history.zxids,
                ..PrimariesView::default()
            }),
            ..View::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(epoch: Epoch, counter: u64) -> Transaction {
        Transaction {
            zxid: Zxid { epoch, counter },
            client: 0,
            sequence: u32::try_from(10 * epoch + counter).unwrap(),
            command: format!("append x {}", 10 * epoch + counter)
                .parse()
                .unwrap(),
        }
    }

    fn disk(zxids: &[(Epoch, u64)]) -> HardState {
        let mut disk = HardState::default();
        for (epoch, counter) in zxids {
            let write = disk.history.append(vec![transaction(*epoch, *counter)]);
            disk.apply(&write);
        }
        disk
    }

    #[test]
    fn transactions_are_found_by_name() {
        let mut disk = disk(&[(1, 1), (1, 2), (3, 1), (3, 2)]);
        let zxid = |epoch, counter| Zxid { epoch, counter };
        assert_eq!(disk.history.index_of(zxid(3, 1)), Some(3));
        assert_eq!(disk.history.index_of(zxid(2, 1)), None);
        assert_eq!(disk.history.last_not_after(zxid(2, 9)), 2);
        disk.apply(&disk.history.compact(2).unwrap());
        assert_eq!(disk.history.index_of(zxid(1, 2)), Some(2));
        assert_eq!(disk.history.index_of(zxid(1, 1)), None);
        assert_eq!(disk.history.behind(2).len(), 2);
        assert_eq!(
            disk.history
                .snapshot()
                .machine
                .read(crate::state_machine::Key(0))
                .to_string(),
            "[11 12]"
        );
    }

    #[test]
    fn an_epoch_is_not_taken_over_without_its_history() {
        let longer = disk(&[(1, 1), (2, 1)]);
        let mut disk = disk(&[(1, 1)]);
        // The write of 2:1 was lost.
        let follows = Some(longer.history.end());
        disk.apply(&Write::Current { epoch: 3, follows });
        assert_eq!(disk.current_epoch, 0);
        let follows = Some(disk.history.end());
        disk.apply(&Write::Current { epoch: 3, follows });
        assert_eq!(disk.current_epoch, 3);
    }

    #[test]
    fn what_does_not_follow_is_left_out() {
        let longer = disk(&[(1, 1), (2, 1)]);
        let mut disk = disk(&[(1, 1), (1, 2)]);
        let before = disk.clone();
        disk.apply(&longer.history.append(vec![transaction(2, 2)]));
        disk.apply(&longer.history.truncate(2).unwrap());
        disk.apply(&longer.history.compact(2).unwrap());
        assert_eq!(disk, before);
        disk.apply(&longer.history.truncate(1).unwrap());
        assert_eq!(disk.history.last_index(), 1);
    }
}
