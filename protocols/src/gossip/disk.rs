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
    /// A client's change, and that it was made.
    Serve {
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
            Write::Serve {
                client,
                sequence,
                output,
                change,
            } => {
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
