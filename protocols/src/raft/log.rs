//! What a Raft node keeps on disk: its term, its vote and its log (Raft paper, Figure 2, "Persistent state"), and the
//! snapshot that stands for the entries that the log has forgotten (Figure 12).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, LogView, NodeId, Role, View, Voters, VotersRecord};

use super::snapshot::Snapshot;
use crate::contract::{ClientId, Durable};
use crate::state_machine::Command;

/// A place in the log; the first entry has index 1.
pub type Index = u64;
/// A term; the first election is held in term 1.
pub type Term = u64;

/// What an entry carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Payload {
    /// Nothing: what a new leader appends to learn which entries are committed (dissertation §6.4).
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
    /// The configuration from here on: in force as soon as it is in a log (dissertation §4.1).
    Voters(Voters),
}

/// A log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader that created it.
    pub term: Term,
    /// What it carries.
    pub payload: Payload,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload {
            Payload::Noop => write!(f, "t{} no-op", self.term),
            Payload::Command {
                client,
                sequence,
                command,
            } => {
                write!(f, "t{} c{client}#{sequence} {command}", self.term)
            }
            Payload::Voters(voters) => write!(f, "t{} voters {voters}", self.term),
        }
    }
}

/// A log, with a digest of every prefix beside it so that logs are compared in constant time. The entries up to
/// `start` are forgotten; of the last of them, the base, the record is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Log {
    start: Index,
    base: LogRecord,
    entries: Vec<Entry>,
    records: Vec<LogRecord>,
    /// The configurations in it.
    changes: Vec<VotersRecord>,
}

impl Log {
    /// The configurations in the log, oldest first: of those that it has forgotten, the last.
    pub fn changes(&self) -> &[VotersRecord] {
        &self.changes
    }

    /// The index of the last entry that is forgotten; 0 if none is.
    pub fn start(&self) -> Index {
        self.start
    }

    /// The index of the last entry; 0 if there is none.
    pub fn last_index(&self) -> Index {
        self.start + self.entries.len() as u64
    }

    /// The term of the last entry; 0 if there is none.
    pub fn last_term(&self) -> Term {
        self.view().last().term
    }

    /// The term of the entry at an index: 0 at index 0, `None` beyond the end and before the base.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        self.view().at(index).map(|record| record.term)
    }

    /// The entry at an index.
    pub fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(self.offset(index)?)
    }

    /// At most `count` entries from an index on.
    pub fn entries_from(&self, index: Index, count: usize) -> &[Entry] {
        let from = self.offset(index).unwrap_or(0).min(self.entries.len());
        &self.entries[from..self.entries.len().min(from + count)]
    }

    /// The first index of the term that the entry at `index` has.
    pub fn first_of_term(&self, index: Index) -> Index {
        let term = self.term_at(index);
        let mut first = index;
        while first > self.start + 1 && self.term_at(first - 1) == term {
            first -= 1;
        }
        first
    }

    /// The last index of a term, if the log has an entry of it.
    pub fn last_of_term(&self, term: Term) -> Option<Index> {
        let count = self.records.partition_point(|record| record.term <= term);
        let last = count
            .checked_sub(1)
            .map_or(self.base, |offset| self.records[offset]);
        (last.term == term).then_some(self.start + count as u64)
    }

    /// The write that puts these entries behind the entry at `after`, in place of what lies there.
    ///
    /// # Panics
    /// If the log has no such entry.
    pub fn append(&self, after: Index, entries: Vec<Entry>) -> Write {
        let follows = self.view().at(after).expect("entries follow an entry");
        Write::Append {
            after,
            follows,
            entries,
        }
    }

    /// The log as properties see it.
    pub fn view(&self) -> LogView<'_> {
        LogView {
            start: self.start,
            base: self.base,
            records: &self.records,
        }
    }

    fn offset(&self, index: Index) -> Option<usize> {
        usize::try_from(index.checked_sub(self.start + 1)?).ok()
    }

    fn push(&mut self, entry: Entry) {
        let prefix = self.view().last().prefix.then(&entry);
        self.records.push(LogRecord {
            term: entry.term,
            prefix,
        });
        self.entries.push(entry);
        if let Payload::Voters(voters) = entry.payload {
            let index = self.last_index();
            self.changes.push(VotersRecord { index, voters });
        }
    }

    /// Forgets the entries up to `index`. An index beyond the end does nothing.
    fn forget(&mut self, index: Index) {
        let Some(base) = self.view().at(index) else {
            return;
        };
        if let Some(offset) = self.offset(index) {
            self.entries.drain(..=offset);
            self.records.drain(..=offset);
            (self.start, self.base) = (index, base);
            let forgotten = self.changes.partition_point(|change| change.index <= index);
            self.changes.drain(..forgotten.saturating_sub(1));
        }
    }

    /// Cuts off what lies behind `index`. An index before the start or beyond the end does nothing.
    fn truncate(&mut self, index: Index) {
        if let Some(length) = index
            .checked_sub(self.start)
            .and_then(|length| usize::try_from(length).ok())
        {
            self.entries.truncate(length);
            self.records.truncate(length);
            let kept = self.changes.partition_point(|change| change.index <= index);
            self.changes.truncate(kept);
        }
    }
}

/// A Raft node's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HardState {
    /// The latest term that the node has seen.
    pub term: Term,
    /// For whom it voted in that term.
    pub voted_for: Option<NodeId>,
    /// What the entries that the log has forgotten came to, and perhaps some behind them.
    pub snapshot: Arc<Snapshot>,
    /// Its log.
    pub log: Log,
}

/// A change of the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// A new term, a new vote, or both: one small record, written whole or not at all.
    Vote {
        /// The term.
        term: Term,
        /// The vote in it.
        voted_for: Option<NodeId>,
    },
    /// Whatever lies behind `after` gives way to these entries: see [`Log::append`].
    Append {
        /// The index of the entry that they follow.
        after: Index,
        /// That entry, and by its digest all before it, as the checksums of a real log chain its records: should the
        /// disk have lost a write before this one, this one is seen not to fit.
        follows: LogRecord,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// A snapshot, this node's own or a leader's, which takes effect together with what it does to the log: one
    /// that has the snapshot's last entry forgets what lies before `start`, any other gives way altogether (paper
    /// Figure 13, rules 5 to 7).
    Snapshot {
        /// The snapshot.
        snapshot: Arc<Snapshot>,
        /// The last entry to be forgotten; not behind the snapshot's last.
        start: Index,
    },
    /// A term in the place of a later one, and no vote. Only planted bugs write it.
    Forget {
        /// The term.
        term: Term,
    },
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vote {
                term,
                voted_for: None,
            } => write!(f, "term {term}"),
            Self::Vote {
                term,
                voted_for: Some(node),
            } => write!(f, "term {term}, vote for {node}"),
            Self::Append { after, entries, .. } => {
                write!(f, "{} entries after {after}", entries.len())
            }
            Self::Snapshot { snapshot, start } => {
                write!(f, "snapshot {snapshot}, log from {start}")
            }
            Self::Forget { term } => write!(f, "term {term} again"),
        }
    }
}

impl Durable for HardState {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            // Records carry their term: one that was overtaken (the disk kept a later one and lost this) is stale.
            Write::Vote { term, voted_for } if *term >= self.term => {
                self.term = *term;
                self.voted_for = *voted_for;
            }
            Write::Vote { .. } => {}
            // Recovery stops at the first record that does not continue what is there.
            Write::Append { after, follows, .. }
                if self.log.view().at(*after) != Some(*follows) => {}
            Write::Append { after, entries, .. } => {
                self.log.truncate(*after);
                for entry in entries {
                    self.log.push(*entry);
                }
            }
            // A later snapshot is there: this one is of no use.
            Write::Snapshot { snapshot, .. } if snapshot.index <= self.snapshot.index => {}
            Write::Snapshot { snapshot, start } => {
                if self.log.view().at(snapshot.index) == Some(snapshot.last) {
                    self.log.forget(*start);
                } else {
                    // Another log, or one whose last entries the disk has lost: all that is committed in it is in
                    // the snapshot.
                    self.log = Log {
                        start: snapshot.index,
                        base: snapshot.last,
                        changes: snapshot.voters.into_iter().collect(),
                        ..Log::default()
                    };
                }
                self.snapshot = snapshot.clone();
            }
            Write::Forget { term } => {
                self.term = *term;
                self.voted_for = None;
            }
        }
    }

    fn torn(write: &Write) -> Option<Write> {
        match write {
            // A snapshot's file has a checksum: half of one is none, and the log is not touched before it is whole.
            Write::Vote { .. } | Write::Snapshot { .. } | Write::Forget { .. } => None,
            Write::Append {
                after,
                follows,
                entries,
            } => Some(Write::Append {
                after: *after,
                follows: *follows,
                entries: entries[..entries.len() / 2].to_vec(),
            }),
        }
    }

    fn log(&self) -> LogView<'_> {
        self.log.view()
    }

    fn view(&self) -> View<'_> {
        View {
            role: Role::Follower,
            term: self.term,
            voted_for: self.voted_for,
            log: self.log(),
            ..View::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::NodeSet;

    use super::*;

    fn log_of(terms: &[Term]) -> Log {
        let mut log = Log::default();
        for term in terms {
            log.push(Entry {
                term: *term,
                payload: Payload::Noop,
            });
        }
        log
    }

    #[test]
    fn terms_are_found_at_both_their_ends() {
        let log = log_of(&[1, 1, 1, 4, 4, 5]);
        assert_eq!(
            (
                log.first_of_term(3),
                log.first_of_term(5),
                log.first_of_term(6)
            ),
            (1, 4, 6)
        );
        assert_eq!(
            (
                log.last_of_term(1),
                log.last_of_term(4),
                log.last_of_term(3)
            ),
            (Some(3), Some(5), None)
        );
        assert_eq!(
            (log.term_at(0), log.term_at(6), log.term_at(7)),
            (Some(0), Some(5), None)
        );
    }

    #[test]
    fn prefixes_are_equal_exactly_if_the_entries_are() {
        let (left, right) = (log_of(&[1, 2, 3]), log_of(&[1, 2, 4]));
        assert_eq!(left.view().at(2), right.view().at(2));
        assert_ne!(left.view().at(3), right.view().at(3));
    }

    #[test]
    fn an_append_replaces_what_lies_behind_and_nothing_grows_behind_a_gap() {
        let mut disk = HardState {
            log: log_of(&[1, 1, 2]),
            ..HardState::default()
        };
        let entries = vec![
            Entry {
                term: 3,
                payload: Payload::Noop
            };
            2
        ];
        let longer = log_of(&[1, 1, 2, 2]);
        disk.apply(&longer.append(4, entries.clone()));
        assert_eq!(disk.log, log_of(&[1, 1, 2]));
        // The write that made room for this one was lost.
        let other = log_of(&[1, 3, 3]);
        disk.apply(&other.append(3, entries.clone()));
        assert_eq!(disk.log, log_of(&[1, 1, 2]));
        let write = disk.log.append(1, entries);
        disk.apply(&HardState::torn(&write).unwrap());
        assert_eq!(disk.log, log_of(&[1, 3]));
        disk.apply(&write);
        assert_eq!(disk.log, log_of(&[1, 3, 3]));
    }

    #[test]
    fn configurations_go_with_their_entries_and_the_last_one_stays_when_a_log_forgets() {
        let voters = |nodes| Voters::of(NodeSet::all(nodes));
        let mut log = Log::default();
        for nodes in [3, 2, 1] {
            log.push(Entry {
                term: 1,
                payload: Payload::Noop,
            });
            log.push(Entry {
                term: 1,
                payload: Payload::Voters(voters(nodes)),
            });
        }
        let last = |log: &Log| log.changes().last().map(|last| (last.index, last.voters));
        assert_eq!(last(&log), Some((6, voters(1))));
        log.truncate(5);
        assert_eq!(last(&log), Some((4, voters(2))));
        log.forget(5);
        assert_eq!(log.changes().len(), 1);
        assert_eq!(last(&log), Some((4, voters(2))));
    }

    fn snapshot_of(log: &Log, index: Index) -> Arc<Snapshot> {
        let last = log.view().at(index).unwrap();
        Arc::new(Snapshot {
            index,
            last,
            ..Snapshot::default()
        })
    }

    fn holding(log: Log) -> HardState {
        HardState {
            log,
            ..HardState::default()
        }
    }

    #[test]
    fn a_snapshot_takes_the_place_of_what_lies_before_it() {
        let log = log_of(&[1, 1, 2, 3]);
        let (snapshot, start) = (snapshot_of(&log, 3), 2);
        let mut disk = holding(log.clone());
        disk.apply(&Write::Snapshot { snapshot, start });
        assert_eq!((disk.log.start(), disk.log.last_index()), (2, 4));
        assert_eq!(disk.log.view().at(4), log.view().at(4));
        assert_eq!((disk.log.term_at(2), disk.log.term_at(1)), (Some(1), None));
        assert_eq!(disk.log.first_of_term(3), 3);
        assert_eq!(disk.log.last_of_term(1), Some(2));
        // An older one changes nothing.
        let before = disk.clone();
        let (snapshot, start) = (snapshot_of(&log, 1), 1);
        disk.apply(&Write::Snapshot { snapshot, start });
        assert_eq!(disk, before);
    }

    #[test]
    fn a_snapshot_takes_the_place_of_a_log_that_does_not_have_its_last_entry() {
        let log = log_of(&[1, 1, 2, 3]);
        let (snapshot, start) = (snapshot_of(&log, 3), 1);
        let write = Write::Snapshot { snapshot, start };
        // One that is too short, for the disk lost the entries, and one that holds others.
        for terms in [&[1, 1][..], &[1, 1, 1, 1, 1]] {
            let mut disk = holding(log_of(terms));
            disk.apply(&write);
            assert_eq!((disk.log.start(), disk.log.last_index()), (3, 3));
            assert_eq!(disk.log.last_term(), 2);
            // What follows the snapshot fits; what follows an entry that was lost does not.
            let noop = Entry {
                term: 3,
                payload: Payload::Noop,
            };
            let longer = log_of(&[1, 1, 2, 3, 3]);
            disk.apply(&longer.append(5, vec![noop]));
            assert_eq!(disk.log.last_index(), 3);
            disk.apply(&log.append(3, vec![noop]));
            assert_eq!(disk.log.view().at(4), log.view().at(4));
        }
        assert_eq!(HardState::torn(&write), None);
    }
}
