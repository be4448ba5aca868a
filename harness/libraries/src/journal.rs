//! The disk under a library: a write-ahead log of numbered changes to a state.
//!
//! What an application keeps for such a library is a log of records with checksums: after a crash it reads up to the
//! first record that is missing or torn, and goes on from there. So a change counts only if the one before it is there.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tribunal_histories::{LogView, View};
use tribunal_protocols::contract::{Datum, Durable};

/// What a library wants to be kept.
pub(crate) trait State: Datum + Default {
    /// A change of it.
    type Change: Datum + fmt::Display;

    /// Makes a change.
    fn change(&mut self, change: &Self::Change);

    /// The log in it.
    fn log(&self) -> LogView<'_>;

    /// What a node that is down shows.
    fn view(&self) -> View<'_>;
}

/// A state, and how many changes made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(bound = "S: Serialize + DeserializeOwned")]
pub(crate) struct Journal<S> {
    /// So many changes were made.
    pub(crate) changes: u64,
    /// What they came to.
    pub(crate) state: S,
}

/// A change with its number, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(bound = "C: Serialize + DeserializeOwned")]
pub(crate) struct Record<C> {
    /// Its number.
    pub(crate) number: u64,
    /// The change.
    pub(crate) change: C,
}

impl<C: fmt::Display> fmt::Display for Record<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.number, self.change)
    }
}

impl<S: State> Durable for Journal<S> {
    type Write = Record<S::Change>;

    fn apply(&mut self, write: &Self::Write) {
        if write.number == self.changes + 1 {
            self.changes = write.number;
            self.state.change(&write.change);
        }
    }

    fn torn(_write: &Self::Write) -> Option<Self::Write> {
        None
    }

    fn log(&self) -> LogView<'_> {
        self.state.log()
    }

    fn view(&self) -> View<'_> {
        self.state.view()
    }
}
