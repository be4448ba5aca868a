//! When two worlds are the same: what an explorer has seen once it need not see again.

use std::hash::{BuildHasher, Hash, Hasher};

use super::World;
use crate::contract::Node;

/// Two worlds are equal if everything in them is: what can happen in one can happen in the other. They are of one
/// configuration; no other two are ever compared.
impl<N: Node> PartialEq for World<N> {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places
            && self.network == other.network
            && self.calls == other.calls
            && self.cuts == other.cuts
    }
}

impl<N: Node> Eq for World<N> {}

/// Writes the fingerprints of the parts: they are kept with the parts, so a hash costs little once
/// [`World::settle_fingerprints`] has been called. Lengths are written too, so that no two different sequences run
/// together.
impl<N: Node> Hash for World<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for place in &self.places {
            state.write_u64(place.fingerprint());
        }
        let mut packets = 0_u64;
        for (fingerprint, count) in self.network.fingerprints() {
            packets += 1;
            state.write_u64(fingerprint);
            state.write_u16(count);
        }
        state.write_u64(packets);
        self.calls.hash(state);
        self.cuts.hash(state);
    }
}

/// A number that equal values share, and unequal ones almost never: 64 bits of a hash of good quality, the same in
/// every run.
pub fn fingerprint<T: Hash + ?Sized>(value: &T) -> u64 {
    foldhash::quality::FixedState::with_seed(0x7269_6275_6e61_6c21).hash_one(value)
}
