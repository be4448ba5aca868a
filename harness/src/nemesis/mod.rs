//! Nemeses: what goes wrong and when, as pure values.
//!
//! A [`Family`] of faults is a file and a line in [`FAMILIES`]; its variants are functions that plan one round: the
//! fault, and how it ends. A [`Nemesis`] plays rounds of one or several families over time. It is asked as a
//! generator is ([`Nemesis::next`]) and knows the cluster only by the [`NemesisContext`]; a fault that the
//! cluster's state makes impossible is not injected. What a round does is drawn from the seed, the family and the
//! round's number alone, so taking one fault away leaves the others as they were. At the end, [`Nemesis::heal`]
//! names what brings everything back.
//!
//! After `jepsen.nemesis` and `jepsen.nemesis.combined`; the subsets of [`Selection::Swarm`] after Groce and others,
//! "Swarm testing" (ISSTA 2012).

mod clock;
mod disk;
mod fault;
mod grudge;
mod kill;
mod packet;
mod partition;
mod pause;
mod rounds;
mod selection;
mod target;
mod wipe;

use std::collections::BTreeSet;

use tribunal_histories::NodeId;

use crate::draw::Draw;

pub use fault::{Capability, DiskLoss, Fault, PacketRates};
pub use grudge::Grudge;
pub use rounds::{Nemesis, NextFault, Pace};
pub use selection::{MissingCapability, NotASelection, SELECTIONS, Selection};

/// All families of faults.
pub const FAMILIES: &[Family] = &[
    clock::FAMILY,
    disk::FAMILY,
    kill::FAMILY,
    packet::FAMILY,
    partition::FAMILY,
    pause::FAMILY,
    wipe::FAMILY,
];

/// The state of the cluster when a nemesis is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NemesisContext {
    /// Microseconds since the start of the run.
    pub time_us: u64,
    /// How many nodes there are.
    pub nodes: usize,
    /// The nodes that believe they lead.
    pub leaders: Vec<NodeId>,
    /// The nodes that run, paused or not.
    pub up: BTreeSet<NodeId>,
    /// Those of them that are paused.
    pub paused: BTreeSet<NodeId>,
    /// The nodes whose disks say that they are in a lost one's place and not yet made good.
    pub amnesic: BTreeSet<NodeId>,
}

/// A family of faults.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does and what it finds: the reference text of `tribunal list nemeses`.
    pub about: &'static str,
    /// What a runtime must be able to do.
    pub needs: &'static [Capability],
    /// Its kinds of rounds.
    pub variants: &'static [Variant],
}

/// A kind of round.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Its name within the family.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    plan: fn(&mut Round<'_>) -> Plan,
}

impl Variant {
    const fn new(
        name: &'static str,
        about: &'static str,
        plan: fn(&mut Round<'_>) -> Plan,
    ) -> Self {
        Self { name, about, plan }
    }
}

/// Faults in the order of their times, which count from the round's beginning in microseconds.
type Plan = Vec<(u64, Fault)>;

/// What a round is planned from.
struct Round<'a> {
    context: &'a NemesisContext,
    draw: Draw,
    /// How long a fault that lasts does.
    duration_us: u64,
}

impl Round<'_> {
    /// All nodes, in a random order.
    fn shuffled(&mut self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = NodeId::all(self.context.nodes).collect();
        self.draw.shuffle(&mut nodes);
        nodes
    }

    /// A fault that lasts for the round's duration.
    fn lasting(&self, fault: Fault, remedy: Fault) -> Plan {
        vec![(0, fault), (self.duration_us, remedy)]
    }
}

#[cfg(test)]
mod tests;
