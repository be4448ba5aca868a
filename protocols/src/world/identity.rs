//! When two worlds are the same: what an explorer has seen once it need not see again.

use tribunal_histories::{Bag, Renamings, fingerprint};

use super::World;
use crate::contract::Node;

/// Two worlds are equal if everything in them is: what can happen in one can happen in the other. They are of one
/// configuration; no other two are ever compared.
impl<N: Node> PartialEq for World<N> {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places
            && self.network == other.network
            && **self.calls == **other.calls
            && self.cuts == other.cuts
    }
}

impl<N: Node> Eq for World<N> {}

impl<N: Node> World<N> {
    /// Whether this world is an earlier one from which nothing but packets went away; of worlds that keep no order of
    /// packets.
    pub fn has_only_lost_packets_since(&self, before: &Self) -> bool {
        let mut earlier = before.network.iter();
        let mut were_there = self.network.iter();
        self.places == before.places
            && **self.calls == **before.calls
            && self.cuts == before.cuts
            && were_there.all(|(packet, count)| {
                earlier
                    .find(|(other, _)| *other >= packet)
                    .is_some_and(|(other, most)| other == packet && count <= most)
            })
    }

    /// A number that equal worlds share, and unequal ones almost never: the fingerprint that this world would have
    /// under one of these renamings, by its place among them. A world and its clones keep the fingerprints of their
    /// parts, so the renamings must be the same at every call.
    pub fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        let renaming = &renamings[which];
        // What is a set, or is named, is summed up: its order would be one of names.
        let mut parts = 0_u64;
        for (node, place) in tribunal_histories::NodeId::all(self.places.len()).zip(&self.places) {
            let place = place.fingerprint(renamings, which);
            parts = parts.wrapping_add(fingerprint(&(renaming.of(node).0, place)));
        }
        let packets = self.network.fingerprint(renamings, which);
        let clients = self.calls.fingerprint(renamings, which);
        match self.cuts.is_empty() {
            true => fingerprint(&(parts, packets, clients)),
            false => {
                let cuts = renaming.fingerprint(&Bag(self.cuts.clone()));
                fingerprint(&(parts, packets, clients, cuts))
            }
        }
    }
}
