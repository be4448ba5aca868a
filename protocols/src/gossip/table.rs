//! The table that gossip spreads, and the one rule by which two copies of it become one.
//!
//! A table has cells; of each cell the record with the highest stamp is kept, and nothing else is. Stamps are totally
//! ordered, so merging is a join: idempotent, commutative and associative, whatever arrives however often in whatever
//! order (Shapiro et al., *Conflict-free Replicated Data Types*, SSS 2011).
//!
//! - A **register** is one cell that anyone may write: of two concurrent writes, one is lost (last writer wins).
//! - A **counter** is one cell a node, which only that node writes: its share. No two writes of a share are
//!   concurrent, so none is lost, and the counter is the sum of its shares.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{Digest, NodeId, TableEntry};

use crate::state_machine::Key;

/// A place for one record: a register, or a node's share of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The name of the register or counter.
    pub key: Key,
    /// Whose share of the counter it is; `None` for the register.
    pub owner: Option<NodeId>,
}

impl Cell {
    /// The cell of a register.
    pub fn register(key: Key) -> Self {
        Self { key, owner: None }
    }

    /// A node's share of a counter.
    pub fn share(key: Key, owner: NodeId) -> Self {
        Self {
            key,
            owner: Some(owner),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner {
            None => self.key.fmt(f),
            Some(owner) => write!(f, "{}/{owner}", self.key),
        }
    }
}

/// When a record was written, and by whom: the author breaks ties, so no two records of a cell are as new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The author's clock.
    pub time: u64,
    /// The author.
    pub author: NodeId,
}

impl Default for Stamp {
    /// Older than every record's.
    fn default() -> Self {
        Self {
            time: 0,
            author: NodeId(0),
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.time, self.author)
    }
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Record {
    /// Where.
    pub cell: Cell,
    /// How new it is.
    pub stamp: Stamp,
    /// The value; `None` for a tombstone, which says that there is none any more.
    pub value: Option<i64>,
}

impl Record {
    /// Whether it says that the cell was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }

    /// The newer of two records of a cell: the join.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        if other.stamp > self.stamp {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{}={value} {}", self.cell, self.stamp),
            None => write!(f, "{} deleted {}", self.cell, self.stamp),
        }
    }
}

/// Records by cell, with what properties see of them beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Table {
    records: Vec<Record>,
    entries: Vec<TableEntry>,
    digest: Digest,
}

impl Table {
    /// All records, in the order of their cells.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The same for properties.
    pub fn entries(&self) -> &[TableEntry] {
        &self.entries
    }

    /// Equal for equal tables.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The record of a cell.
    pub fn at(&self, cell: Cell) -> Option<&Record> {
        let place = self.place(cell).ok()?;
        Some(&self.records[place])
    }

    /// How new the record of a cell is.
    pub fn stamp_at(&self, cell: Cell) -> Option<Stamp> {
        self.at(cell).map(|record| record.stamp)
    }

    /// The value of a register: `None` if it was never written, or deleted.
    pub fn register(&self, key: Key) -> Option<i64> {
        self.at(Cell::register(key)).and_then(|record| record.value)
    }

    /// The value of a counter, the sum of the shares: `None` if nothing was added to it.
    pub fn count(&self, key: Key) -> Option<i64> {
        let shares = self
            .records
            .iter()
            .filter(|record| record.cell.key == key && record.cell.owner.is_some());
        shares
            .filter_map(|record| record.value)
            .reduce(|sum, share| sum + share)
    }

    /// The records that say that something was deleted.
    pub fn tombstones(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.is_tombstone())
    }

    /// Puts a record in its cell, in place of what is there.
    pub(super) fn put(&mut self, record: Record) {
        let entry = entry(&record);
        match self.place(record.cell) {
            Ok(place) => {
                self.toggle(place);
                (self.records[place], self.entries[place]) = (record, entry);
                self.toggle(place);
            }
            Err(place) => {
                self.records.insert(place, record);
                self.entries.insert(place, entry);
                self.toggle(place);
            }
        }
    }

    /// Empties a cell, if its record is not newer than this.
    pub(super) fn remove_up_to(&mut self, cell: Cell, newest: Stamp) {
        if let Ok(place) = self.place(cell)
            && self.records[place].stamp <= newest
        {
            self.toggle(place);
            self.records.remove(place);
            self.entries.remove(place);
        }
    }

    fn place(&self, cell: Cell) -> Result<usize, usize> {
        self.records
            .binary_search_by_key(&cell, |record| record.cell)
    }

    /// Takes a record into the digest, or out of it: records come in no order of their own.
    fn toggle(&mut self, place: usize) {
        self.digest.0 ^= Digest::default().then(&self.records[place]).0;
    }
}

fn entry(record: &Record) -> TableEntry {
    TableEntry {
        key: record.cell.key.0,
        owner: record.cell.owner,
        time: record.stamp.time,
        author: record.stamp.author,
        value: record.value.map(|value| Digest::default().then(&value)),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.records.is_empty() {
            return f.write_str("nothing");
        }
        for (place, record) in self.records.iter().enumerate() {
            write!(f, "{}{record}", if place > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn merged(mut table: Table, records: &[Record]) -> Table {
        for record in records {
            let joined = table
                .at(record.cell)
                .map_or(*record, |mine| mine.join(*record));
            table.put(joined);
        }
        table
    }

    /// A record as some node may have written it: its value is a function of its cell and stamp.
    fn record() -> impl Strategy<Value = Record> {
        (0..3_u32, 0..4_u16, 0..4_u64, 0..3_u16).prop_map(|(key, owner, time, author)| {
            let owner = owner.checked_sub(1).map(NodeId);
            let author = owner.unwrap_or(NodeId(author));
            let stamp = Stamp { time, author };
            let cell = Cell {
                key: Key(key),
                owner,
            };
            let value = (time % 3 > 0).then_some(i64::from(key) * 100 + i64::from(author.0));
            Record { cell, stamp, value }
        })
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        proptest::collection::vec(record(), 0..12)
    }

    proptest! {
        #[test]
        fn merging_is_idempotent_commutative_and_associative(a in records(), b in records(), c in records()) {
            let empty = Table::default;
            let (of_a, of_b, of_c) = (merged(empty(), &a), merged(empty(), &b), merged(empty(), &c));
            prop_assert_eq!(merged(of_a.clone(), of_a.records()), of_a.clone());
            let ab = merged(of_a.clone(), of_b.records());
            prop_assert_eq!(&ab, &merged(of_b.clone(), of_a.records()));
            let bc = merged(of_b, of_c.records());
            prop_assert_eq!(merged(ab, of_c.records()), merged(of_a, bc.records()));
        }

        #[test]
        fn any_order_and_any_repetition_give_the_same_table(a in records(), times in 1..4_usize, turn in 0..12_usize) {
            let mut other = a.repeat(times);
            let turn = turn % other.len().max(1);
            other.rotate_left(turn);
            other.reverse();
            let (one, other) = (merged(Table::default(), &a), merged(Table::default(), &other));
            prop_assert_eq!(one.digest(), other.digest());
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn a_counter_is_the_sum_of_its_shares_and_a_register_has_no_part_in_it() {
        let mut table = Table::default();
        for (owner, value) in [(None, 100), (Some(NodeId(0)), 5), (Some(NodeId(1)), -2)] {
            let author = owner.unwrap_or(NodeId(0));
            table.put(Record {
                cell: Cell { key: Key(0), owner },
                stamp: Stamp { time: 1, author },
                value: Some(value),
            });
        }
        assert_eq!(table.count(Key(0)), Some(3));
        assert_eq!(table.count(Key(1)), None);
        assert_eq!(table.register(Key(0)), Some(100));
        assert_eq!(table.to_string(), "x=100 1@n1, x/n1=5 1@n1, x/n2=-2 1@n2");
    }

    #[test]
    fn what_is_taken_out_leaves_no_mark() {
        let mut table = Table::default();
        let cell = Cell::register(Key(1));
        let (early, late) = (
            Stamp::default(),
            Stamp {
                time: 2,
                author: NodeId(1),
            },
        );
        table.put(Record {
            cell,
            stamp: late,
            value: None,
        });
        assert_eq!(table.tombstones().count(), 1);
        table.remove_up_to(cell, early);
        assert_eq!(table.stamp_at(cell), Some(late));
        table.remove_up_to(cell, late);
        assert_eq!(table, Table::default());
    }
}
