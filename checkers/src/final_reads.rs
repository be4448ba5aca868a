//! Which reads of an eventually consistent object must have everything: those at the end.
//!
//! A generator that heals all faults, waits, and then reads says so: its reads are called `final-read` (Jepsen's
//! `:final? true`). In a history without them, the reads that began after the last change had ended are taken.

use tribunal_histories::{History, Operation, Outcome};

/// The names of reads, the last of which says that it is one at the end.
pub(crate) const READS: &[&str] = &["read", "r", FINAL_READ];

const FINAL_READ: &str = "final-read";

/// The operations of one object, as a checker of what it comes to in the end needs them.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// Whether some read says that it is at the end.
    are_named: bool,
    /// The position at which the last change began or was acknowledged.
    last_change: Option<usize>,
}

impl Ends {
    /// Takes a change into account.
    pub(crate) fn change(&mut self, change: &Operation) {
        let acknowledged = change
            .returned
            .filter(|_| change.outcome == Outcome::Ok)
            .unwrap_or(change.invoked);
        self.last_change = self.last_change.max(Some(acknowledged));
    }

    /// Takes a read into account.
    pub(crate) fn read(&mut self, history: &History, read: &Operation) {
        self.are_named |= history.function(read.function) == FINAL_READ;
    }

    /// Whether a read is one of those at the end.
    pub(crate) fn is_final(&self, history: &History, read: &Operation) -> bool {
        if self.are_named {
            return history.function(read.function) == FINAL_READ;
        }
        self.last_change
            .is_none_or(|position| position < read.invoked)
    }
}
