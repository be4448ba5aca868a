//! All names that nodes may have for each other in a search, and the fingerprints of values under each of them.
//!
//! The parts of states repeat far more often than states do: a node's place, a packet, what a property remembers. So
//! what was once hashed under every renaming is looked up by its plain fingerprint.

use std::hash::Hash;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::node_set::NodeSet;
use crate::symmetry::{Renaming, fingerprint};

/// Threads that look up different values seldom wait for each other.
const SHARDS: usize = 64;

/// A shard that has so many is emptied: what is looked up again is computed again.
const KNOWN_MAX: usize = 1 << 14;

/// Part of what is known: by fingerprint under the names that nodes have, and by where the name of the kind stands, the
/// fingerprints by renaming.
type Shard = Mutex<FxHashMap<(u64, usize), Arc<[u64]>>>;

/// The renamings of a search, the identity first.
#[derive(Debug)]
pub struct Renamings {
    all: Vec<Renaming>,
    known: Vec<Shard>,
}

impl Renamings {
    /// These renamings. The first must be the identity.
    pub fn new(all: Vec<Renaming>) -> Self {
        debug_assert!(all.first().is_some_and(Renaming::is_identity));
        let known = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { all, known }
    }

    /// Every node keeps its name.
    pub fn none(nodes: usize) -> Self {
        Self::new(vec![Renaming::identity(nodes)])
    }

    /// [`Renaming::within`].
    pub fn within(nodes: usize, classes: &[NodeSet]) -> Self {
        Self::new(Renaming::within(nodes, classes))
    }

    /// The fingerprints of a value, by renaming.
    pub fn fingerprints<T: Hash + ?Sized>(&self, value: &T) -> Fingerprints {
        self.fingerprints_of(value, fingerprint(value))
    }

    /// The same, of a value whose [`fingerprint`] is known.
    pub fn fingerprints_of<T: Hash + ?Sized>(&self, value: &T, plain: u64) -> Fingerprints {
        let kind = std::any::type_name::<T>();
        self.looked_up(kind, plain, |renaming| renaming.fingerprint(value))
    }

    /// The fingerprints of something of this kind that has this one under the names that nodes have, by renaming. Things of
    /// different kinds may have the same, and yet others under other names.
    pub fn looked_up(
        &self,
        kind: &'static str,
        plain: u64,
        under: impl FnMut(&Renaming) -> u64,
    ) -> Fingerprints {
        if self.all.len() == 1 {
            return Fingerprints::One(plain);
        }
        let place = usize::try_from(plain >> 58).unwrap_or_default();
        let shard = &self.known[place];
        let plain = (plain, kind.as_ptr().addr());
        let known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&plain) {
            return Fingerprints::Several(known.clone());
        }
        drop(known);
        let made: Arc<[u64]> = self.all.iter().map(under).collect();
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(plain, made.clone());
        Fingerprints::Several(made)
    }
}

impl Deref for Renamings {
    type Target = [Renaming];

    fn deref(&self) -> &[Renaming] {
        &self.all
    }
}

/// Fingerprints by renaming. There is always one; more are rarer, and are shared.
#[derive(Clone, Debug)]
pub enum Fingerprints {
    /// Where every node keeps its name.
    One(u64),
    /// Under each renaming.
    Several(Arc<[u64]>),
}

impl Fingerprints {
    /// That under a renaming, by its place.
    pub fn under(&self, which: usize) -> u64 {
        match self {
            Self::One(only) => *only,
            Self::Several(several) => several[which],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;

    #[test]
    fn what_is_looked_up_is_what_was_computed() {
        let all = Renamings::within(3, &[NodeSet::all(3)]);
        for _ in 0..2 {
            for value in [(NodeId(0), 1_u64), (NodeId(2), 1), (NodeId(2), 7)] {
                let found = all.fingerprints(&value);
                for (which, renaming) in all.iter().enumerate() {
                    assert_eq!(found.under(which), renaming.fingerprint(&value));
                }
            }
        }
        let alone = Renamings::none(3);
        let value = (NodeId(1), 5_u64);
        assert_eq!(alone.fingerprints(&value).under(0), fingerprint(&value));
    }
}
