//! What the source notes claim about these protocols, whether it is so, and what shows it.
//!
//! The notes mix truths with errors; both are worth a demonstration. `docs/claims.md` is written from this table, and a
//! test holds every scenario, planted bug, property and command that it names to existence.

mod table;

use tribunal_protocols::registry::{PROTOCOLS, Protocol};

pub use table::CLAIMS;

/// Whether a claim is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It is.
    True,
    /// Only under conditions that it does not state, or not quite.
    Imprecise,
    /// It is not.
    Wrong,
}

impl Holds {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::Imprecise => "imprecise",
            Self::Wrong => "wrong",
        }
    }
}

/// What shows whether a claim is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A scenario that comes with the tool, by its id.
    Scenario(&'static str),
    /// A planted bug, by its id: a system that takes the claim at its word.
    Bug(&'static str),
    /// A protocol and a property of it, by its id: it holds at every step of every run.
    Property(&'static str, &'static str),
    /// A command line of the tool.
    Command(&'static str),
    /// Nothing to run, for this reason.
    Nothing(&'static str),
}

impl Shown {
    /// The command that shows it.
    pub fn command(self) -> String {
        match self {
            Self::Scenario(id) => format!("`tribunal replay {id} -v`"),
            Self::Bug(id) => format!("`tribunal bugs {id}`"),
            Self::Property(protocol, id) => format!("`tribunal simulate {protocol}` ({id})"),
            Self::Command(command) => format!("`{command}`"),
            Self::Nothing(why) => why.to_owned(),
        }
    }
}

/// A claim of the notes.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Its id: a letter for its subject, and a number.
    pub id: &'static str,
    /// The notes that make it.
    pub notes: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Whether it is so.
    pub holds: Holds,
    /// What is so, where there is more to say.
    pub truth: &'static str,
    /// What shows it.
    pub shown: &'static [Shown],
}

/// The page about all claims.
pub fn page() -> String {
    let mut page = String::from(
        "# What the notes claim\n\n\
         Every claim of the source notes about these protocols, whether it is so, and the command that shows it: a \
         scenario told step by step, a planted bug that takes a wrong claim at its word and is caught, or a property \
         that is judged at every step of every run. This page is generated; a test keeps it.\n",
    );
    let subjects = [
        ('G', "Gossip and membership"),
        ('P', "Paxos and Multi-Paxos"),
        ('Z', "ZAB"),
        ('R', "Raft"),
        ('T', "Two-phase commit"),
        ('B', "Primary-backup and state machines"),
    ];
    for (letter, subject) in subjects {
        page.push_str(&format!(
            "\n## {subject}\n\n| claim | note | it says | it is | in truth | shown by |\n|---|---|---|---|---|---|\n"
        ));
        for claim in CLAIMS.iter().filter(|claim| claim.id.starts_with(letter)) {
            let shown: Vec<_> = claim.shown.iter().map(|shown| shown.command()).collect();
            page.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} |\n",
                claim.id,
                claim.notes,
                claim.says,
                claim.holds.name(),
                claim.truth,
                shown.join("<br>"),
            ));
        }
    }
    page
}

/// The protocol that has a planted bug of this id.
pub fn planted_in(id: &str) -> Option<&'static Protocol> {
    PROTOCOLS
        .iter()
        .find(|protocol| protocol.bugs.iter().any(|bug| bug.id == id))
}
