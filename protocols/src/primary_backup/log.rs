//! What a replica keeps on disk: its view, the view that its log is in step with, and the log.
//!
//! Every entry is stamped with the view in which a primary made it. Entries of one view are made by one primary, so
//! that two logs which have an entry of the same view at the same index are the same up to there.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogRecord, LogView, NodeId, View};

use crate::contract::{ClientId, Durable};
use crate::state_machine::Command;

/// A place in the log; the first operation has index 1.
pub type Index = u64;
/// A view (viewstamped replication), epoch (Kafka): a time in which one node may be primary.
pub type ViewNumber = u64;

/// An operation in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// The view in which it was made.
    pub view: ViewNumber,
    /// Who asked.
    pub client: ClientId,
    /// Which of its operations it is.
    pub sequence: u32,
    /// What it asked.
    pub command: Command,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            view,
            client,
            sequence,
            command,
        } = self;
        write!(f, "v{view} c{client}#{sequence} {command}")
    }
}

/// The operations, with a digest of every prefix beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Log {
    entries: Vec<Entry>,
    records: Vec<LogRecord>,
}

impl Log {
    /// The index of the last operation; 0 if there is none.
    pub fn last_index(&self) -> Index {
        self.entries.len() as u64
    }

    /// The last operation with all before it.
    pub fn last(&self) -> LogRecord {
        self.view().last()
    }

    /// The operation at an index with all before it.
    pub fn record(&self, index: Index) -> Option<LogRecord> {
        self.view().at(index)
    }

    /// The operation at an index.
    pub fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries_after(index.checked_sub(1)?).first()
    }

    /// The operations behind an index.
    pub fn entries_after(&self, index: Index) -> &[Entry] {
        let from = usize::try_from(index).unwrap_or(usize::MAX);
        &self.entries[from.min(self.entries.len())..]
    }

    /// By view, in order, the index of its last operation.
    pub fn ends(&self) -> Vec<(ViewNumber, Index)> {
        let mut ends: Vec<(ViewNumber, Index)> = Vec::new();
        for (index, entry) in (1..).zip(&self.entries) {
            match ends.last_mut() {
                Some((view, end)) if *view == entry.view => *end = index,
                _ => ends.push((entry.view, index)),
            }
        }
        ends
    }

    /// Up to where a log with these ends is the same as this one: the last index at which both have an operation of the
    /// same view (Kafka's KIP-101 and KIP-279).
    pub fn shared_with(&self, ends: &[(ViewNumber, Index)]) -> Index {
        let own = self.ends();
        let both = ends.iter().filter_map(|(view, end)| {
            let own = own.iter().find(|(own_view, _)| own_view == view)?;
            Some(own.1.min(*end))
        });
        both.max().unwrap_or(0)
    }

    /// The log as properties see it.
    pub fn view(&self) -> LogView<'_> {
        LogView {
            records: &self.records,
            ..LogView::default()
        }
    }

    fn splice(&mut self, after: Index, entries: &[Entry]) {
        let length = usize::try_from(after).unwrap_or(usize::MAX);
        self.entries.truncate(length);
        self.records.truncate(length);
        for entry in entries {
            let prefix = self.last().prefix.then(entry);
            self.records.push(LogRecord {
                term: entry.view,
                prefix,
            });
            self.entries.push(*entry);
        }
    }
}

/// The disk of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Store {
    /// The latest view that it has heard of: it takes nothing from earlier ones.
    pub view: ViewNumber,
    /// Whom it wants as the primary of that view.
    pub voted_for: Option<NodeId>,
    /// The latest view in which its log was in step with the primary's.
    pub synchronised: ViewNumber,
    /// Its log.
    pub log: Log,
    /// It once knew that operations up to here were acknowledged: Kafka's checkpoint of the high watermark.
    pub checkpoint: Index,
}

/// A change of the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// A new view, a new vote, or both.
    View {
        /// The view.
        view: ViewNumber,
        /// The vote in it.
        voted_for: Option<NodeId>,
    },
    /// The next operations of the view that the log is in step with.
    Append {
        /// That view.
        view: ViewNumber,
        /// The index of the operation that they follow.
        after: Index,
        /// That operation and all before it: should the disk have lost some, the write is seen not to fit.
        follows: LogRecord,
        /// The operations.
        entries: Vec<Entry>,
    },
    /// The log comes into step with a view: what lies behind `after` gives way, all at once.
    Synchronise {
        /// The view.
        view: ViewNumber,
        /// The index of the last operation that stays.
        after: Index,
        /// That operation and all before it.
        follows: LogRecord,
        /// The operations that follow.
        entries: Vec<Entry>,
    },
    /// Operations up to here are acknowledged.
    Checkpoint {
        /// The index.
        index: Index,
        /// The operation there and all before it.
        record: LogRecord,
    },
    /// What lies behind an index is cut off: only planted bugs do that.
    Truncate {
        /// The index.
        after: Index,
    },
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View {
                view,
                voted_for: None,
            } => write!(f, "view {view}"),
            Self::View {
                view,
                voted_for: Some(node),
            } => write!(f, "view {view}, vote for {node}"),
            Self::Append { after, entries, .. } => {
                write!(f, "{} operations after {after}", entries.len())
            }
            Self::Synchronise {
                view,
                after,
                entries,
                ..
            } => {
                let count = entries.len();
                write!(
                    f,
                    "in step with view {view}: {count} operations after {after}"
                )
            }
            Self::Checkpoint { index, .. } => write!(f, "checkpoint {index}"),
            Self::Truncate { after } => write!(f, "cut off after {after}"),
        }
    }
}

impl Durable for Store {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::View { view, voted_for } => {
                if *view >= self.view {
                    (self.view, self.voted_for) = (*view, *voted_for);
                }
            }
            Write::Append {
                view,
                after,
                follows,
                entries,
            } => {
                if *view == self.synchronised && self.log.record(*after) == Some(*follows) {
                    self.log.splice(*after, entries);
                }
            }
            Write::Synchronise {
                view,
                after,
                follows,
                entries,
            } => {
                if *view >= self.synchronised && self.log.record(*after) == Some(*follows) {
                    self.log.splice(*after, entries);
                    self.synchronised = *view;
                    if *view > self.view {
                        (self.view, self.voted_for) = (*view, None);
                    }
                }
            }
            Write::Checkpoint { index, record } => {
                if self.log.record(*index) == Some(*record) {
                    self.checkpoint = self.checkpoint.max(*index);
                }
            }
            Write::Truncate { after } => self.log.splice(*after, &[]),
        }
    }

    /// A stream is torn anywhere. The change to another view is made whole or not at all, as by renaming a file: a log
    /// of which a part is in step would be taken for one that is.
    fn torn(write: &Write) -> Option<Write> {
        match write {
            Write::Append {
                view,
                after,
                follows,
                entries,
            } => Some(Write::Append {
                view: *view,
                after: *after,
                follows: *follows,
                entries: entries[..entries.len() / 2].to_vec(),
            }),
            _ => None,
        }
    }

    fn log(&self) -> LogView<'_> {
        self.log.view()
    }

    fn view(&self) -> View<'_> {
        View {
            term: self.view,
            voted_for: self.voted_for,
            log: self.log.view(),
            ..View::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn entries(views: &[ViewNumber]) -> Vec<Entry> {
        let entry = |view: &ViewNumber| Entry {
            view: *view,
            client: 0,
            sequence: 0,
            command: "write x 1".parse().unwrap(),
        };
        views.iter().map(entry).collect()
    }

    fn log(views: &[ViewNumber]) -> Log {
        let mut log = Log::default();
        log.splice(0, &entries(views));
        log
    }

    #[test]
    fn logs_share_what_ends_in_a_view_that_both_have() {
        let primary = log(&[1, 1, 1, 3, 3]);
        for (views, shared) in [
            (&[][..], 0),
            (&[1, 1], 2),
            (&[1, 1, 1, 1], 3),
            (&[1, 1, 2, 2, 2], 2),
            (&[1, 1, 1, 3], 4),
            (&[2], 0),
        ] {
            assert_eq!(primary.shared_with(&log(views).ends()), shared, "{views:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut store = Store::default();
        let synchronise = |after, follows, views: &[ViewNumber]| Write::Synchronise {
            view: 2,
            after,
            follows,
            entries: entries(views),
        };
        store.apply(&synchronise(1, LogRecord::default(), &[1]));
        assert_eq!((store.synchronised, store.log.last_index()), (0, 0));
        store.apply(&synchronise(0, LogRecord::default(), &[1, 1]));
        assert_eq!((store.synchronised, store.view), (2, 2));
        let append = Write::Append {
            view: 2,
            after: 2,
            follows: store.log.last(),
            entries: entries(&[2, 2]),
        };
        store.apply(&Store::torn(&append).unwrap());
        assert_eq!(store.log, log(&[1, 1, 2]));
        assert_eq!(
            Store::torn(&synchronise(0, LogRecord::default(), &[1])),
            None
        );
    }
}
