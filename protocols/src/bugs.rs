//! Planted bugs: named switches that make a protocol wrong in a way that a real system once was.
//!
//! A checker is believed because it catches them. A bug is on only if a configuration names it; every trace,
//! report and command line that has one on says so.

use std::fmt;

use serde::Serialize;

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
    /// The watchdog that wants every operation answered once all faults have ended.
    Liveness,
    /// Statistics over many runs: no single run is wrong.
    Statistics,
    /// A scenario that comes with the tool has the bug on and shows what it does.
    Scenario,
}

impl FoundBy {
    /// Its name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simulation => "simulation",
            Self::Exploration => "exploration",
            Self::History => "history",
            Self::Liveness => "liveness",
            Self::Statistics => "statistics",
            Self::Scenario => "scenario",
        }
    }
}

/// How a simulation looks for a bug: where it shows within a stated number of seeds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Hunt {
    /// How many nodes.
    pub nodes: usize,
    /// What clients do; empty for the protocol's first workload.
    pub workload: &'static str,
    /// What goes wrong.
    pub nemesis: &'static str,
    /// Fields of the protocol's configuration that must have a value: a field's name, and its value as JSON.
    pub set: &'static [(&'static str, &'static str)],
    /// Within how many seeds it must be found: about twice as many as were needed when it was measured.
    pub seeds: u64,
}

impl Hunt {
    /// Five nodes, the protocol's first workload, the swarm.
    pub const USUAL: Self = Self {
        nodes: 5,
        workload: "",
        nemesis: "swarm",
        set: &[],
        seeds: 100,
    };
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
    /// How a simulation finds it.
    pub hunt: Hunt,
    /// How an exploration finds it: the flags of `tribunal explore PROTOCOL --bugs ID`, as they are typed.
    pub explored: Option<&'static str>,
}

/// The table of a protocol's planted bugs: the enum that its code asks about, and [`Bug`]s for the registry.
///
/// `hunt` is left out where [`Hunt::USUAL`] is enough, `explore` where no exploration finds the bug.
macro_rules! planted_bugs {
    ($(#[$about:meta])* $name:ident: $($variant:ident $id:literal $bug:literal $wrong:literal
        breaks $breaks:expr, minimum $minimum:literal, source $source:literal, found by $found_by:expr
        $(, hunt $hunt:expr)? $(, explore $explored:literal)?;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = $wrong] $variant,)*
        }

        impl From<$name> for u8 {
            fn from(bug: $name) -> Self {
                bug as Self
            }
        }

        /// The planted bugs, as the registry shows them.
        pub const BUGS: &[$crate::bugs::Bug] = &[$($crate::bugs::Bug {
            number: $name::$variant as u8,
            id: $id,
            name: $bug,
            wrong: $wrong,
            breaks: &$breaks,
            minimum: $minimum,
            source: $source,
            found_by: &$found_by,
            hunt: $crate::bugs::planted_bugs!(@hunt $($hunt)?),
            explored: $crate::bugs::planted_bugs!(@explored $($explored)?),
        },)*];
    };
    (@hunt) => { $crate::bugs::Hunt::USUAL };
    (@hunt $hunt:expr) => { $hunt };
    (@explored) => { None };
    (@explored $explored:literal) => { Some($explored) };
}
pub(crate) use planted_bugs;

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

/// Bugs as they stand in files: by id, so that a file means the same when the table has grown.
pub mod by_id {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Bug, Bugs};

    /// The planted bugs of a set, in the order of their protocol's table.
    pub fn listed(table: &'static [Bug], bugs: Bugs) -> impl Iterator<Item = &'static Bug> {
        table.iter().filter(move |bug| bugs.contains(bug.number))
    }

    /// The bug of a table with this id, in any case, or this name.
    pub fn find(table: &'static [Bug], id: &str) -> Option<&'static Bug> {
        table
            .iter()
            .find(|bug| bug.id.eq_ignore_ascii_case(id) || bug.name == id)
    }

    /// Writes a set as a list of ids.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(
        table: &'static [Bug],
        bugs: Bugs,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(listed(table, bugs).map(|bug| bug.id))
    }

    /// Reads a set from a list of ids.
    ///
    /// # Errors
    /// An id that the table does not have.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        table: &'static [Bug],
        deserializer: D,
    ) -> Result<Bugs, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .try_fold(Bugs::NONE, |bugs, id| {
                let unknown = || Error::custom(format!("there is no planted bug `{id}`"));
                find(table, id)
                    .map(|bug| bugs.with(bug.number))
                    .ok_or_else(unknown)
            })
    }
}
