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

use super::PropertyInfo;

/// The properties of Multi-Paxos.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &prefix_apply::INFO,
    &leader_recovery::INFO,
    &exactly_once::INFO,
    &one_lease::INFO,
    &same_state::INFO,
];
