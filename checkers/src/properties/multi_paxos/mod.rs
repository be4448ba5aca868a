//! The properties of Multi-Paxos, one file each: what holds beyond the properties of Paxos in every slot.
//!
//! MP1 is that PX1 to PX8 hold slot by slot: those judge it themselves. After L. Lamport, "Paxos Made Simple" (2001),
//! §3, and T. Chandra, R. Griesemer and J. Redstone, "Paxos Made Live" (PODC 2007).

pub mod exactly_once;
pub mod leader_recovery;
pub mod one_lease;
pub mod prefix_apply;
pub mod same_state;

#[cfg(test)]
mod script;

use super::{PropertyInfo, paxos};

/// The properties of Multi-Paxos: those of Paxos in every slot, and its own.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &paxos::agreement::INFO,
    &paxos::one_value_per_ballot::INFO,
    &paxos::promise_kept::INFO,
    &paxos::honest_promise::INFO,
    &paxos::shows_safe::INFO,
    &paxos::validity::INFO,
    &paxos::learn_only_chosen::INFO,
    &paxos::ballot_unique::INFO,
    &prefix_apply::INFO,
    &leader_recovery::INFO,
    &exactly_once::INFO,
    &one_lease::INFO,
    &same_state::INFO,
];
