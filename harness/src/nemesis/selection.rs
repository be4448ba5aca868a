//! Which families a run has: as named on the command line, all, none, or a subset of the seed's own.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::rounds::Rounds;
use super::{Capability, FAMILIES, Family, Nemesis, Pace, Variant};
use crate::draw::{Domain, Draw};

/// Which families of faults a run has.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All that the runtime can inject.
    All,
    /// These, and the runtime must be able to inject them.
    Families(Vec<&'static Family>),
    /// None.
    None,
    /// Each seed draws a subset of all that the runtime can inject, and its own variants and pace for each.
    Swarm,
}

/// The selections that are not families, with the reference texts of `tribunal list nemeses`.
pub const SELECTIONS: &[(&str, &str)] = &[
    (ALL, "All families at once, each at its own pace."),
    (
        NONE,
        "No faults. What fails here is broken in fair weather; probes that need faults are not asked.",
    ),
    (
        SWARM,
        "Each seed draws a subset of the families, of the variants of each, and a pace for each. Runs that lack a \
         fault find what it would have hidden: over many seeds this finds more than everything at once (Groce and \
         others, ISSTA 2012).",
    ),
];

const ALL: &str = "all";
const NONE: &str = "none";
const SWARM: &str = "swarm";

/// The text does not select nemeses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASelection {
    /// There is no such nemesis.
    #[error("there is no nemesis `{name}`; there are: {}, or alone: {ALL}, {NONE}, {SWARM}", families().join(", "))]
    Unknown {
        /// The name.
        name: String,
    },
    /// It stands alone.
    #[error("nemesis `{name}` stands alone: it cannot be in a list with others")]
    NotAlone {
        /// The name.
        name: String,
    },
}

/// The runtime cannot inject what was selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nemesis `{family}` must be able to {capability}, which this runtime cannot")]
pub struct MissingCapability {
    /// Which family.
    pub family: &'static str,
    /// What it needs.
    pub capability: Capability,
}

fn families() -> Vec<&'static str> {
    FAMILIES.iter().map(|family| family.name).collect()
}

impl FromStr for Selection {
    type Err = NotASelection;

    /// Names with commas between them: `partition,kill`; or `all`, `none`, `swarm`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names: BTreeSet<&str> = text.split(',').map(str::trim).collect();
        let family = |name: &&str| {
            let name = name.to_string();
            match FAMILIES.iter().find(|family| family.name == name) {
                Some(family) => Ok(family),
                None if [ALL, NONE, SWARM].contains(&name.as_str()) => {
                    Err(NotASelection::NotAlone { name })
                }
                None => Err(NotASelection::Unknown { name }),
            }
        };
        match text.trim() {
            ALL => Ok(Self::All),
            NONE => Ok(Self::None),
            SWARM => Ok(Self::Swarm),
            _ => Ok(Self::Families(
                names.iter().map(family).collect::<Result<_, _>>()?,
            )),
        }
    }
}

/// As it is written on the command line.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(ALL),
            Self::None => f.write_str(NONE),
            Self::Swarm => f.write_str(SWARM),
            Self::Families(families) => {
                let names: Vec<_> = families.iter().map(|family| family.name).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

impl Selection {
    /// The nemesis of a seed, on a runtime that has these capabilities.
    ///
    /// # Errors
    /// A family was named that needs what the runtime cannot do.
    pub fn nemesis(
        &self,
        capabilities: &BTreeSet<Capability>,
        pace: Pace,
        seed: u64,
    ) -> Result<Nemesis, MissingCapability> {
        let missing = |family: &Family| {
            family
                .needs
                .iter()
                .find(|need| !capabilities.contains(need))
                .copied()
        };
        let possible = || FAMILIES.iter().filter(|family| missing(family).is_none());
        let plain =
            |family: &'static Family| rounds(family, seed, pace, family.variants.iter().collect());
        Ok(match self {
            Self::None => Nemesis::default(),
            Self::All => Nemesis::of(possible().map(plain)),
            Self::Families(families) => {
                for family in families {
                    if let Some(capability) = missing(family) {
                        let family = family.name;
                        return Err(MissingCapability { family, capability });
                    }
                }
                Nemesis::of(families.iter().copied().map(plain))
            }
            Self::Swarm => {
                let subset = Draw::keyed(seed, Domain::Swarm, 0, 0).subset(possible());
                Nemesis::of(subset.into_iter().map(|family| swarmed(family, seed, pace)))
            }
        })
    }
}

/// A family as a seed of the swarm has it: some of its variants, at a pace of its own.
fn swarmed(family: &'static Family, seed: u64, pace: Pace) -> Rounds {
    let mut draw = Draw::keyed(seed, Domain::Swarm, key(family), 1);
    let variants = draw.subset(family.variants);
    // From a quarter of the usual times to twice as long: half of the seeds are denser than usual.
    let mut scaled = |(shortest, longest): (u64, u64)| {
        let quarters = *draw.pick(&[1, 2, 4, 8]);
        (shortest * quarters / 4, longest * quarters / 4)
    };
    let pace = Pace {
        calm_us: scaled(pace.calm_us),
        fault_us: scaled(pace.fault_us),
    };
    rounds(family, seed, pace, variants)
}

fn rounds(family: &Family, seed: u64, pace: Pace, variants: Vec<&'static Variant>) -> Rounds {
    Rounds::new(seed, key(family), pace, variants)
}

/// A number for the family that does not change when others are added: its name.
fn key(family: &Family) -> u64 {
    let letters = family.name.bytes().map(u64::from);
    letters.fold(0, |key, letter| key.wrapping_mul(256).wrapping_add(letter))
}
