//! Cluster properties: what must hold at every step of every run, judged by what nodes show of themselves.
//!
//! A property looks at [`Observation`](tribunal_histories::Observation)s only, so the same file judges a simulated
//! cluster, an explored one, a live one, and a foreign one behind an adapter. Properties speak about the history of
//! a run, not about single states: two leaders of one term are wrong even if the first is gone when the second
//! appears. What is to be remembered for that (ghost state) is kept here, never in the nodes.
//!
//! A [`Monitor`] shows every observation to a set of properties. Each property is one file, with the
//! [`PropertyInfo`] that a list or a report prints; to add one, write the file and its line in [`raft`].

pub mod aside;
pub mod committed;
pub mod ghost;
pub mod gossip;
mod kept;
pub mod membership;
pub mod monitor;
pub mod multi_paxos;
pub mod paxos;
pub mod primary_backup;
pub mod raft;
#[cfg(test)]
mod script;
pub mod states;
pub mod two_phase_commit;
pub mod zab;

use std::any::Any;
use std::fmt;
use std::hash::Hash;
use std::sync::OnceLock;

use tribunal_histories::Renaming;

pub use aside::Aside;
pub use committed::{Commit, Committed};
pub use ghost::{Moment, Past};
pub use monitor::{Exercise, Monitor};
pub use states::States;

/// What is known of a property before any run.
#[derive(Clone, Copy, Debug)]
pub struct PropertyInfo {
    /// Its short name in texts and tables: `RI1`.
    pub id: &'static str,
    /// Its name in words: `election-safety`.
    pub name: &'static str,
    /// What it demands, in one line.
    pub statement: &'static str,
    /// Where it comes from: the section of the paper and, where there is one, the name in a TLA+ specification.
    pub source: &'static str,
    /// The planted bugs that break it: a run with one of them on shows that the property is able to fail. Empty when
    /// no planted bug breaks it before it breaks another property.
    pub gated_by: &'static [&'static str],
    /// Begins to watch a run.
    pub watch: fn() -> Box<dyn Property>,
}

impl PropertyInfo {
    /// The property is broken; the sentence begins with "Because".
    fn broken(&self, sentence: String) -> Violation {
        debug_assert!(sentence.starts_with("Because "), "{sentence}");
        Violation {
            property: self.id,
            name: self.name,
            sentence,
        }
    }
}

/// A property that watches one run.
///
/// It is asked after every step of every run, so it must decide in constant time, and without allocating, that a
/// moment does not concern it.
pub trait Property: Boxed + fmt::Debug + Send + Sync {
    /// Judges one moment of the run; moments come in order.
    ///
    /// The answer is whether the moment put the property to the test: a property that was never tested has shown
    /// nothing.
    ///
    /// # Errors
    /// The violation, when the property does not hold.
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation>;

    /// Whether a moment may put the property to the test or give it something to remember; it is asked to spare the
    /// work where it need not be shown the moment.
    fn concerns(&self, moment: &Moment<'_>) -> bool {
        let _ = moment;
        true
    }
}

/// What a property can do behind a pointer: an explorer carries what properties remember in each of its states, and two
/// states are the same only if their properties remember the same.
pub trait Boxed {
    /// The same property with the same memory.
    fn clone_boxed(&self) -> Box<dyn Property>;

    /// A number that equal memories share: the one that this memory would have under a renaming of the nodes.
    fn fingerprint(&self, renaming: &Renaming) -> u64;

    /// Whether another property is the same and remembers the same.
    fn equals(&self, other: &dyn Property) -> bool;

    /// Itself, to be compared.
    fn as_any(&self) -> &dyn Any;
}

impl<P: Property + Clone + Hash + PartialEq + 'static> Boxed for P {
    fn clone_boxed(&self) -> Box<dyn Property> {
        Box::new(self.clone())
    }

    fn fingerprint(&self, renaming: &Renaming) -> u64 {
        renaming.fingerprint(self)
    }

    fn equals(&self, other: &dyn Property) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A property was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property} {name}: {sentence}")]
pub struct Violation {
    /// The id of the property.
    pub property: &'static str,
    /// Its name in words.
    pub name: &'static str,
    /// Why: nodes, terms and indexes, and what should hold instead. It begins with "Because".
    pub sentence: String,
}

/// The properties of a protocol, by the protocol's name; `None` when no properties are known for it.
pub fn properties_for(protocol: &str) -> Option<&'static [&'static PropertyInfo]> {
    let brought = ADOPTED.get().into_iter().flatten();
    FAMILIES
        .iter()
        .chain(brought)
        .find(|(name, _)| *name == protocol)
        .map(|(_, properties)| *properties)
}

/// A protocol's name, and its properties.
pub type Adopted = (&'static str, &'static [&'static PropertyInfo]);

/// What protocols that the program brings along are judged by.
static ADOPTED: OnceLock<Vec<Adopted>> = OnceLock::new();

/// Says by which properties protocols of another crate's are judged. That can be done once, before anything is judged.
///
/// # Panics
/// If it was done before.
pub fn adopt(properties: Vec<Adopted>) {
    assert!(
        ADOPTED.set(properties).is_ok(),
        "properties are adopted once"
    );
}

/// The properties of every protocol of this workspace: a line each.
const FAMILIES: &[Adopted] = &[
    ("raft", raft::PROPERTIES),
    ("paxos", paxos::PROPERTIES),
    ("multi_paxos", multi_paxos::PROPERTIES),
    ("gossip", gossip::PROPERTIES),
    ("primary_backup", primary_backup::PROPERTIES),
    ("two_phase_commit", two_phase_commit::PROPERTIES),
    ("membership", membership::PROPERTIES),
    ("zab", zab::PROPERTIES),
];
