//! Gossip in scenarios: disks are described by the records of their table, as `show` shows them.

use tribunal_histories::NodeId;

use super::Gossip;
use super::disk::{HardState, Write};
use super::table::{Cell, Record, Stamp};
use crate::contract::Durable;
use crate::scenario::Staged;
use crate::state_machine::Key;

impl Staged for Gossip {
    const MODEL: &'static str = "convergence";

    /// `x=4 3@n1, y deleted 5@n2, z/n1=2 1@n1`: what the node knows.
    fn disk(words: &str) -> Option<HardState> {
        let mut state = HardState::default();
        for words in words.split(", ") {
            state.apply(&Write::Put(record(words)?));
        }
        Some(state)
    }

    fn value(&self, _: &str) -> Option<String> {
        None
    }

    /// A register's value; of `+x` the counter's.
    fn value_on(&self, disk: &HardState, object: &str) -> Option<String> {
        let value = match object.strip_prefix('+') {
            Some(counter) => disk.table.count(counter.parse().ok()?),
            None => disk.table.register(object.parse().ok()?),
        };
        Some(value.map_or_else(|| "nil".to_owned(), |value| value.to_string()))
    }

    fn told(node: Option<&Self>, disk: &HardState) -> Option<String> {
        let down = node.map_or("down ", |_| "");
        Some(format!("{down}knows {}", disk.table))
    }
}

fn record(words: &str) -> Option<Record> {
    let words: Vec<_> = words.split_whitespace().collect();
    let (cell, value, stamp) = match words[..] {
        [cell, "deleted", stamp] => (cell, None, stamp),
        [assigned, stamp] => {
            let (cell, value) = assigned.split_once('=')?;
            (cell, Some(value.parse().ok()?), stamp)
        }
        _ => return None,
    };
    let cell = match cell.split_once('/') {
        Some((key, owner)) => Cell::share(key.parse().ok()?, owner.parse().ok()?),
        None => Cell::register(cell.parse::<Key>().ok()?),
    };
    let (time, author) = stamp.split_once('@')?;
    let author: NodeId = author.parse().ok()?;
    let stamp = Stamp {
        time: time.parse().ok()?,
        author,
    };
    Some(Record { cell, stamp, value })
}
