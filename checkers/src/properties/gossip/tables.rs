//! The tables of all nodes as they were last seen, and what changed since.

use std::fmt;

use tribunal_histories::{Digest, Facet, NodeId, TableEntry};

use crate::properties::Moment;

/// A record's stamp: its time and, where times are equal, its author.
pub(super) type Stamp = (u64, NodeId);

/// Which cell of a table: an object's number, and whose share of it.
pub(super) type Cell = (u32, Option<NodeId>);

pub(super) fn stamp(entry: &TableEntry) -> Stamp {
    (entry.time, entry.author)
}

pub(super) fn cell(entry: &TableEntry) -> Cell {
    (entry.key, entry.owner)
}

/// A cell in a sentence: `x`, or `n2's share of counter x`.
pub(super) struct Named(pub(super) Cell);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, owner) = self.0;
        if let Some(owner) = owner {
            write!(f, "{owner}'s share of counter ")?;
        }
        match key {
            0 => f.write_str("x"),
            1 => f.write_str("y"),
            2 => f.write_str("z"),
            number => write!(f, "k{number}"),
        }
    }
}

/// What a cell was and what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) before: Option<TableEntry>,
    pub(super) after: Option<TableEntry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Seen {
    state: Digest,
    entries: Vec<TableEntry>,
}

/// The tables as they were last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Tables(Vec<Seen>);

impl Tables {
    /// What changed in the table of the node that is observed, in the order of cells.
    pub(super) fn changes(&mut self, moment: &Moment<'_>) -> Vec<Change> {
        let view = &moment.now.view;
        let Facet::Table(entries) = view.facet else {
            return Vec::new();
        };
        if self.0.len() < moment.nodes() {
            self.0.resize_with(moment.nodes(), Seen::default);
        }
        let seen = &mut self.0[moment.now.node.index()];
        if seen.state == view.state {
            return Vec::new();
        }
        let changes = differences(&seen.entries, entries);
        seen.state = view.state;
        seen.entries.clear();
        seen.entries.extend_from_slice(entries);
        changes
    }
}

fn differences(before: &[TableEntry], after: &[TableEntry]) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(old), Some(new)) => cell(old).cmp(&cell(new)),
        };
        let before = order.is_le().then(|| old.next()).flatten().copied();
        let after = order.is_ge().then(|| new.next()).flatten().copied();
        if before != after {
            changes.push(Change { before, after });
        }
    }
}
