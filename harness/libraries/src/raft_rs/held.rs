//! What an application of raft-rs keeps on disk: the hard state, the log, and a snapshot in place of the log's beginning.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, LogView, NodeId, View};
use tribunal_protocols::state_machine::StateMachine;

use crate::journal::State;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its term.
    pub(crate) term: u64,
    /// Its data.
    pub(crate) data: Arc<[u8]>,
}

/// The hard state.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Hard {
    /// The term.
    pub(crate) term: u64,
    /// The vote in it, by the library's number of the node; 0 for none.
    pub(crate) vote: u64,
    /// The commit index.
    pub(crate) commit: u64,
}

/// A snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The last entry in it.
    pub(crate) index: u64,
    /// That entry's term, and with it a digest of all.
    pub(crate) record: LogRecord,
    /// The state after that entry.
    pub(crate) machine: Arc<StateMachine>,
}

impl Snapshot {
    /// As bytes.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a snapshot is plain data")
    }

    /// From bytes.
    pub(crate) fn decoded(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).expect("what is in a snapshot was put there by `encoded`")
    }
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The hard state.
    pub(crate) hard: Hard,
    /// What the log begins after.
    pub(crate) snapshot: Snapshot,
    /// The entries after the snapshot.
    pub(crate) entries: Vec<Kept>,
    /// What properties see of them.
    records: Vec<LogRecord>,
}

/// What is written at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Change {
    /// A snapshot that takes the place of the log up to its index.
    pub(crate) snapshot: Option<Snapshot>,
    /// Entries, the first of which has this index: they take the place of any that are there.
    pub(crate) entries: Option<(u64, Vec<Kept>)>,
    /// The hard state.
    pub(crate) hard: Option<Hard>,
}

impl Change {
    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.entries.is_none() && self.hard.is_none()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(snapshot) = &self.snapshot {
            parts.push(format!("snapshot up to {}", snapshot.index));
        }
        if let Some((first, entries)) = &self.entries {
            parts.push(format!("{} entries from {first}", entries.len()));
        }
        if let Some(Hard { term, vote, commit }) = self.hard {
            parts.push(format!("term {term} vote {vote} commit {commit}"));
        }
        f.write_str(&parts.join(", "))
    }
}

impl Held {
    /// The index of the last entry.
    pub(crate) fn last_index(&self) -> u64 {
        self.snapshot.index + self.entries.len() as u64
    }

    /// The place of an entry behind the snapshot.
    fn place(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.snapshot.index + 1)?).ok()
    }

    /// The term of an entry, or of the last in the snapshot.
    pub(crate) fn term(&self, index: u64) -> Option<u64> {
        self.log().at(index).map(|record| record.term)
    }

    /// Entries from an index, up to another, which is not among them, and no more than so many bytes after the first.
    pub(crate) fn slice(&self, low: u64, high: u64, max_bytes: u64) -> &[Kept] {
        let (Some(low), Some(high)) = (self.place(low), self.place(high)) else {
            return &[];
        };
        let all = &self.entries[low.min(self.entries.len())..high.min(self.entries.len())];
        let mut bytes = 0;
        let fits = all.iter().take_while(|entry| {
            bytes += entry.data.len() as u64 + 16;
            bytes <= max_bytes
        });
        let count = fits.count().max(1).min(all.len());
        &all[..count]
    }

    /// The snapshot that the log up to an index may be replaced by.
    pub(crate) fn compacted(&self, index: u64, machine: &StateMachine) -> Option<Snapshot> {
        Some(Snapshot {
            index,
            record: self.log().at(index)?,
            machine: Arc::new(machine.clone()),
        })
    }

    fn replace_beginning(&mut self, snapshot: &Snapshot) {
        let same = self.log().at(snapshot.index) == Some(snapshot.record);
        let covered = if same {
            self.place(snapshot.index)
        } else {
            None
        };
        match covered {
            Some(last) => {
                self.entries.drain(..=last);
                self.records.drain(..=last);
            }
            None => {
                self.entries.clear();
                self.records.clear();
            }
        }
        self.snapshot = snapshot.clone();
    }

    fn append(&mut self, first: u64, entries: &[Kept]) {
        let Some(place) = self
            .place(first)
            .filter(|place| *place <= self.entries.len())
        else {
            return;
        };
        self.entries.truncate(place);
        self.records.truncate(place);
        for entry in entries {
            let before = self
                .records
                .last()
                .map_or(self.snapshot.record, |last| *last);
            self.records.push(LogRecord {
                term: entry.term,
                prefix: before.prefix.then(&entry.term).then(&*entry.data),
            });
            self.entries.push(entry.clone());
        }
    }
}

impl State for Held {
    type Change = Change;

    fn change(&mut self, change: &Change) {
        if let Some(snapshot) = &change.snapshot {
            self.replace_beginning(snapshot);
            self.hard.commit = self.hard.commit.max(snapshot.index);
        }
        if let Some((first, entries)) = &change.entries {
            self.append(*first, entries);
        }
        if let Some(hard) = change.hard {
            self.hard = hard;
        }
    }

    fn log(&self) -> LogView<'_> {
        LogView {
            start: self.snapshot.index,
            base: self.snapshot.record,
            records: &self.records,
        }
    }

    fn view(&self) -> View<'_> {
        View {
            term: self.hard.term,
            voted_for: node_of(self.hard.vote),
            log: self.log(),
            commit_index: self.hard.commit,
            applied_index: self.snapshot.index,
            state: self.snapshot.machine.digest(),
            ..View::default()
        }
    }
}

/// The node that the library knows by this number; 0 is none.
pub(crate) fn node_of(number: u64) -> Option<NodeId> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    Some(NodeId::from_index(index))
}

/// The library's number of a node.
pub(crate) fn number_of(node: NodeId) -> u64 {
    node.index() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(terms: &[u64]) -> Vec<Kept> {
        let kept = |term: &u64| Kept {
            term: *term,
            data: Arc::from(&b"x"[..]),
        };
        terms.iter().map(kept).collect()
    }

    #[test]
    fn entries_replace_those_at_their_place_and_a_snapshot_those_before_it() {
        let mut held = Held::default();
        held.append(1, &entries(&[1, 1, 2]));
        held.append(3, &entries(&[3, 3]));
        assert_eq!(held.last_index(), 4);
        assert_eq!((held.term(2), held.term(3)), (Some(1), Some(3)));
        let snapshot = held.compacted(3, &StateMachine::default()).unwrap();
        let digest = held.log().last();
        held.replace_beginning(&snapshot);
        assert_eq!((held.term(3), held.term(2)), (Some(3), None));
        assert_eq!(held.log().last(), digest);
        assert_eq!(held.slice(4, 5, 0).len(), 1);
        held.append(9, &entries(&[4]));
        assert_eq!(held.last_index(), 4);
    }
}
