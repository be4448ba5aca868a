//! Synthetic histories, valid or invalid by construction: for tests, for benchmarks, and to size a campaign.
//!
//! A discrete-event simulation of a truly linearizable object. So many clients are always busy; each operation takes
//! from 1 to 2,000 µs and takes effect at a uniformly chosen moment in between. A crashed operation ends in `info`, and
//! its client goes on as a new process; half of the crashed take effect, perhaps long after. An invalid history
//! has one wrong result, which no order of the operations explains whatever happened around it. The history is a
//! function of the [`Synthesis`] alone.

mod cas_register;
mod clients;
mod fenced_lock;
mod list_append;
mod log;
mod multiset;
mod object;
mod priority_queue;
mod queue;
mod random;
mod register;
mod set;
mod stack;
mod unordered_queue;
mod versioned_register;

use crate::builder::BuildOptions;
use crate::event::EventRecord;
use crate::history::History;
use object::{Object, Setting};

pub use clients::Events;

/// Where in an invalid history the wrong result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalid {
    /// After a twentieth of the operations.
    Early,
    /// After nineteen twentieths of them.
    Late,
}

/// What a synthetic history should be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Synthesis {
    /// The kind of object.
    pub model: SyntheticModel,
    /// How many operations are invoked.
    pub operations: u64,
    /// How many clients are busy at any time.
    pub concurrency: u32,
    /// How many objects there are; with more than one, events have keys.
    pub keys: u32,
    /// Whether every value is written or inserted once only; otherwise they are the numbers from 0 to 4.
    pub unique: bool,
    /// How many operations crash.
    pub crashed: u64,
    /// Where a result is wrong, if one is to be.
    pub invalid: Option<Invalid>,
    /// What chooses among all histories like that.
    pub seed: u64,
}

impl Synthesis {
    /// A valid history of so many operations of five clients on one object, with unique values.
    pub fn new(model: SyntheticModel, operations: u64) -> Self {
        Self {
            model,
            operations,
            concurrency: 5,
            keys: 1,
            unique: true,
            crashed: 0,
            invalid: None,
            seed: 0,
        }
    }

    /// The events one by one; memory grows with the concurrency and the objects, not with the operations.
    pub fn events(self) -> Events {
        Events::new(self)
    }

    /// The whole history.
    ///
    /// # Panics
    /// Beyond 4 billion events, which a history cannot have.
    pub fn history(self) -> History {
        History::from_records(self.events(), BuildOptions::default())
            .expect("a simulation breaks no rule of histories")
    }
}

impl IntoIterator for Synthesis {
    type Item = EventRecord;
    type IntoIter = Events;

    fn into_iter(self) -> Events {
        self.events()
    }
}

/// A kind of object that histories are made of: a line of the [`registry`].
#[derive(Clone, Copy, Debug)]
pub struct SyntheticModel {
    /// Its name, which is also that of the model by which `tribunal check` judges such a history.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What its operations are, in a sentence.
    pub about: &'static str,
    pub(crate) make: fn(Setting) -> Box<dyn Object>,
}

impl SyntheticModel {
    /// The kind of object of that name.
    pub fn named(name: &str) -> Option<Self> {
        let mut entries = registry().iter();
        entries
            .find(|entry| entry.name == name || entry.aliases.contains(&name))
            .copied()
    }
}

/// By name: every entry has its own.
impl PartialEq for SyntheticModel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for SyntheticModel {}

impl std::hash::Hash for SyntheticModel {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

static REGISTRY: &[SyntheticModel] = &[
    register::REGISTER,
    cas_register::CAS_REGISTER,
    register::KV,
    queue::FIFO_QUEUE,
    stack::STACK,
    priority_queue::PRIORITY_QUEUE,
    set::SET,
    list_append::LIST_APPEND,
    versioned_register::VERSIONED_REGISTER,
    log::LOG,
    fenced_lock::FENCED_LOCK,
    unordered_queue::UNORDERED_QUEUE,
    multiset::MULTISET,
];

/// Every kind of object.
pub fn registry() -> &'static [SyntheticModel] {
    REGISTRY
}
