//! What a node of openraft keeps on disk, and what of that survives a crash.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, LogView};
use tribunal_protocols::state_machine::StateMachine;

use crate::types::{Entry, LogId, StoredMembership, Vote, term_of};

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// Its last entry.
    pub(crate) last: LogId,
    /// That entry's term, and with it a digest of all.
    pub(crate) record: LogRecord,
    /// The members.
    pub(crate) membership: StoredMembership,
    /// The state.
    pub(crate) machine: StateMachine,
    /// The name that the library gave it.
    pub(crate) id: String,
}

/// All that is on a disk. Properties count entries from 1, the library from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    pub(crate) entries: VecDeque<Entry>,
    pub(crate) snapshot: Option<Snapshot>,
    base: LogRecord,
    records: Vec<LogRecord>,
}

/// A change of it.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Vote(Vote),
    Committed(Option<LogId>),
    Append(Vec<Entry>),
    /// Entries from this one on are cut off.
    Truncate(u64),
    /// Entries up to this one are gone; its term, and a digest of all up to it.
    Purge(LogId, LogRecord),
    Snapshot(Snapshot),
}

fn encoded(id: &LogId) -> u64 {
    term_of(id.leader_id.term, id.leader_id.node_id)
}

/// What a log has with one more entry: its term, and a digest of all up to it.
pub(crate) fn after(before: LogRecord, entry: &Entry) -> LogRecord {
    let prefix = before.prefix.then(&format!("{:?}", entry.log_id));
    LogRecord {
        term: encoded(&entry.log_id),
        prefix: prefix.then(&format!("{:?}", entry.payload)),
    }
}

impl State {
    /// The index of the first entry that is kept.
    pub(crate) fn first(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    /// The last entry, or the last that was purged.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.entries
            .back()
            .map(|entry| entry.log_id)
            .or(self.purged)
    }

    fn place(&self, index: u64) -> usize {
        let place = index.saturating_sub(self.first());
        usize::try_from(place).map_or(self.entries.len(), |place| place.min(self.entries.len()))
    }

    /// Entries of these indexes, as far as they are there.
    pub(crate) fn slice(&self, from: u64, to: u64) -> Vec<Entry> {
        let range = self.place(from)..self.place(to).max(self.place(from));
        self.entries.range(range).cloned().collect()
    }

    /// The entry's term, and a digest of all up to it.
    pub(crate) fn record(&self, index: u64) -> Option<LogRecord> {
        self.log().at(index + 1)
    }

    /// The same of an entry that is in the log, or the last of the snapshot.
    pub(crate) fn record_of(&self, id: &LogId) -> Option<LogRecord> {
        let snapshot = self.snapshot.as_ref().filter(|kept| kept.last == *id);
        let logged = self
            .record(id.index)
            .filter(|record| record.term == encoded(id));
        snapshot.map(|kept| kept.record).or(logged)
    }

    /// Whether a snapshot has all up to this entry.
    pub(crate) fn covers(&self, id: &LogId) -> bool {
        self.snapshot.as_ref().is_some_and(|kept| kept.last >= *id)
    }

    /// The log; a snapshot that goes beyond it takes its place, for what it has is as good as in it.
    pub(crate) fn log(&self) -> LogView<'_> {
        let last = self.last();
        let beyond =
            |snapshot: &&Snapshot| last.is_none_or(|last| last.index < snapshot.last.index);
        if let Some(snapshot) = self.snapshot.as_ref().filter(beyond) {
            return LogView {
                start: snapshot.last.index + 1,
                base: snapshot.record,
                records: &[],
            };
        }
        LogView {
            start: self.first(),
            base: self.base,
            records: &self.records,
        }
    }

    pub(crate) fn perform(&mut self, write: Write) {
        match write {
            Write::Vote(vote) => self.vote = Some(vote),
            Write::Committed(committed) => self.committed = committed,
            Write::Append(entries) => {
                for entry in entries {
                    let before = self.records.last().copied().unwrap_or(self.base);
                    self.records.push(after(before, &entry));
                    self.entries.push_back(entry);
                }
            }
            Write::Truncate(index) => {
                let place = self.place(index);
                self.entries.truncate(place);
                self.records.truncate(place);
            }
            Write::Purge(upto, record) => {
                let place = self.place(upto.index + 1);
                self.entries.drain(..place);
                self.records.drain(..place);
                self.base = record;
                self.purged = Some(upto);
            }
            Write::Snapshot(snapshot) => self.snapshot = Some(snapshot),
        }
    }
}

/// A disk: what was written, and what of that has reached it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) written: State,
    pub(crate) synced: State,
    queue: VecDeque<Write>,
    /// So many writes were made since ever.
    pub(crate) writes: u64,
}

impl Disk {
    /// Writes, and says which write it is.
    pub(crate) fn write(&mut self, write: Write) -> u64 {
        self.written.perform(write.clone());
        self.queue.push_back(write);
        self.writes += 1;
        self.writes
    }

    /// All writes up to this one have reached the disk.
    pub(crate) fn sync(&mut self, upto: u64) {
        let mut next = self.writes - self.queue.len() as u64 + 1;
        while next <= upto
            && let Some(write) = self.queue.pop_front()
        {
            self.synced.perform(write);
            next += 1;
        }
    }

    /// What had not reached the disk is gone; how many writes that were.
    pub(crate) fn crash(&mut self) -> u64 {
        let lost = self.queue.len() as u64;
        self.queue.clear();
        self.written = self.synced.clone();
        lost
    }
}
