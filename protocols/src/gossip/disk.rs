//! What a gossip node keeps on disk: everything that it has told anyone.
//!
//! The whole table is durable, what a node wrote itself and what it heard, because others count on it: a tombstone is
//! thrown away once every node has said that it holds it. A node tells nobody of a record, and answers no client,
//! before the record is on its disk (the contract's write barrier). What it has not told yet a crash may take: hot
//! rumours, who holds which tombstone, and the ticks of its clock since the last record.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{Facet, LogView, NodeId, View};

use super::message::Number;
use super::table::{Cell, Record, Stamp, Table};
use crate::contract::{ClientId, Durable};
use crate::state_machine::Output;

/// A gossip node's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HardState {
    /// How often the node has started.
    pub boots: u32,
    /// The highest time of a stamp that the node has seen.
    pub clock: u64,
    /// What it knows.
    pub table: Table,
    /// By node, the number below which its messages are refused: see [`tombstones`](super::tombstones).
    pub floors: BTreeMap<NodeId, Number>,
    /// By client, its last change here and what came of it, so that a change sent again is made once.
    pub sessions: BTreeMap<ClientId, (u32, Output)>,
    /// How many changes of clients were made here.
    pub served: u64,
    /// For the planted bug that marks records as seen before it has them.
    pub seen: BTreeMap<Cell, Stamp>,
}

/// What becomes of a cell when a client changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Change {
    /// It gets this record.
    Put(Record),
    /// It is emptied without a trace; for the planted bug that deletes so.
    Drop(Cell, Stamp),
}

/// A change of the disk. Each is one small record with a checksum: whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// The node has started so often.
    Boot(u32),
    /// A cell has a newer record. Records of a cell are written in the order of their stamps, so whichever of them a
    /// crash takes, the last that is left is right.
    Put(Record),
    /// A client's change, and that it was made. A share of a counter contains all that was added before, so these are
    /// chained: one that follows on a change which the disk has lost is left out.
    Serve {
        /// Which of all changes that clients made here.
        number: u64,
        /// Whose.
        client: ClientId,
        /// Which of its operations.
        sequence: u32,
        /// What it is answered.
        output: Output,
        /// What changes.
        change: Option<Change>,
    },
    /// A tombstone has served. It stands for the tombstone, too, should the disk have lost that.
    Collect {
        /// Where.
        cell: Cell,
        /// Which.
        stamp: Stamp,
        /// By node, from which of its messages on it cannot bring back what was deleted.
        floors: Vec<(NodeId, Number)>,
    },
    /// A record was heard of; for the planted bug that writes this first.
    Seen(Cell, Stamp),
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boot(boots) => write!(f, "start {boots}"),
            Self::Put(record) => record.fmt(f),
            Self::Serve {
                client,
                sequence,
                change,
                ..
            } => match change {
                Some(Change::Put(record)) => write!(f, "c{client}#{sequence} {record}"),
                Some(Change::Drop(cell, _)) => write!(f, "c{client}#{sequence} {cell} gone"),
                None => write!(f, "c{client}#{sequence}"),
            },
            Self::Collect { cell, stamp, .. } => write!(f, "tombstone {cell} {stamp} collected"),
            Self::Seen(cell, stamp) => write!(f, "seen {cell} {stamp}"),
        }
    }
}

impl HardState {
    fn put(&mut self, record: Record) {
        self.clock = self.clock.max(record.stamp.time);
        self.table.put(record);
    }
}

impl Durable for HardState {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Boot(boots) => self.boots = self.boots.max(*boots),
            Write::Put(record) => self.put(*record),
            Write::Serve { number, .. } if *number != self.served + 1 => {}
            Write::Serve {
                number,
                client,
                sequence,
                output,
                change,
            } => {
                self.served = *number;
                self.sessions.insert(*client, (*sequence, output.clone()));
                match change {
                    Some(Change::Put(record)) => self.put(*record),
                    Some(Change::Drop(cell, newest)) => self.table.remove_up_to(*cell, *newest),
                    None => {}
                }
            }
            Write::Collect {
                cell,
                stamp,
                floors,
            } => {
                self.clock = self.clock.max(stamp.time);
                self.table.remove_up_to(*cell, *stamp);
                for (node, number) in floors {
                    let floor = self.floors.entry(*node).or_default();
                    *floor = (*floor).max(*number);
                }
            }
            Write::Seen(cell, stamp) => {
                let seen = self.seen.entry(*cell).or_default();
                *seen = (*seen).max(*stamp);
            }
        }
    }

    fn torn(_: &Write) -> Option<Write> {
        None
    }

    fn log(&self) -> LogView<'_> {
        LogView::default()
    }

    fn view(&self) -> View<'_> {
        View {
            state: self.table.digest(),
            facet: Facet::Table(self.table.entries()),
            ..View::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_machine::Key;

    fn add(number: u64, sum: i64) -> Write {
        let author = NodeId(0);
        let record = Record {
            cell: Cell::share(Key(0), author),
            stamp: Stamp {
                time: number,
                author,
            },
            value: Some(sum),
        };
        Write::Serve {
            number,
            client: 7,
            sequence: u32::try_from(number).unwrap(),
            output: Output::Done,
            change: Some(Change::Put(record)),
        }
    }

    #[test]
    fn a_sum_is_not_kept_without_what_was_added_before() {
        let mut disk = HardState::default();
        disk.apply(&add(1, 5));
        let before = disk.clone();
        // The disk lost the second. Its client will send it again, and it must be added once.
        disk.apply(&add(3, 5 + 1 + 2));
        assert_eq!(disk, before);
        disk.apply(&add(2, 6));
        assert_eq!((disk.table.count(Key(0)), disk.clock), (Some(6), 2));
    }

    #[test]
    fn a_collected_tombstone_is_gone_though_the_disk_never_had_it() {
        let (cell, author) = (Cell::register(Key(0)), NodeId(1));
        let stamp = |time| Stamp { time, author };
        let mut disk = HardState::default();
        disk.apply(&Write::Put(Record {
            cell,
            stamp: stamp(1),
            value: Some(4),
        }));
        let number = Number { boot: 1, count: 9 };
        disk.apply(&Write::Collect {
            cell,
            stamp: stamp(2),
            floors: vec![(author, number)],
        });
        assert_eq!((disk.table.at(cell), disk.clock), (None, 2));
        assert_eq!(disk.floors[&author], number);
    }
}
