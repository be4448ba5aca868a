//! Planted bugs: named switches that make a protocol wrong in a way that a real system once was.
//!
//! A checker is believed because it catches them. A bug is on only if a configuration names it; every trace,
//! report and command line that has one on says so.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which way of looking is expected to find a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// Simulation with the cluster properties.
    Simulation,
    /// Exhaustive exploration of a small cluster.
    Exploration,
    /// The clients' history alone.
    History,
}

/// A planted bug as the registry describes it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bug {
    /// Its place in the protocol's table and in [`Bugs`].
    #[serde(skip)]
    pub number: u8,
    /// Its identifier in the catalogue of the field's bugs: `RF1`, `CL5`.
    pub id: &'static str,
    /// A name that says what is wrong.
    pub name: &'static str,
    /// What the code does instead of the right thing.
    pub wrong: &'static str,
    /// The properties it breaks; `linearizability` for what clients see.
    pub breaks: &'static [&'static str],
    /// The least cluster and faults that show it.
    pub minimum: &'static str,
    /// Where it was seen.
    pub source: &'static str,
    /// What is expected to find it.
    pub found_by: &'static [FoundBy],
}

/// The set of planted bugs that are on, by [`Bug::number`]. Empty by default.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bugs(u128);

impl Bugs {
    /// None: the protocol is right.
    pub const NONE: Self = Self(0);

    /// Whether a bug is on.
    #[inline]
    pub fn contains(self, number: u8) -> bool {
        self.0 >> number & 1 == 1
    }

    /// Whether none is on.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This set and one bug more.
    #[must_use]
    pub fn with(self, number: u8) -> Self {
        Self(self.0 | 1 << number)
    }

    /// The numbers of the bugs that are on.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |number| self.contains(*number))
    }
}

impl fmt::Debug for Bugs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.numbers()).finish()
    }
}

// Stored as a list of numbers: JSON has no 128-bit integers. People see ids: see the protocol's registry entry.
impl Serialize for Bugs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.numbers())
    }
}

impl<'de> Deserialize<'de> for Bugs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = Vec::<u8>::deserialize(deserializer)?;
        match numbers.iter().find(|number| **number >= 128) {
            Some(number) => Err(serde::de::Error::custom(format!(
                "no planted bug has number {number}"
            ))),
            None => Ok(numbers.into_iter().fold(Self::NONE, Self::with)),
        }
    }
}
