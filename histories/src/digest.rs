//! A digest that is the same in every run of one build: what "the same run" means.

use std::fmt;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// A 64-bit digest of everything that was put in, in order.
///
/// It compares runs and log prefixes; it is not cryptographic. Two different inputs agree by accident with
/// probability 2⁻⁶⁴.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of what was digested so far, followed by `item`.
    #[must_use]
    pub fn then<T: Hash + ?Sized>(self, item: &T) -> Self {
        let mut hasher = FxHasher::default();
        self.0.hash(&mut hasher);
        item.hash(&mut hasher);
        Self(scramble(hasher.finish()))
    }
}

/// Spreads every input bit over the whole word (the finaliser of MurmurHash3, by Austin Appleby).
fn scramble(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}
