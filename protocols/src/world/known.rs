//! What nodes did before: a search comes to the same place with the same input in very many states.
//!
//! What a node does depends on nothing but its place and what happens to it, so it is done once and looked up from then
//! on, with the place that it led to: worlds share that, and its fingerprints. Places are told apart by their
//! fingerprints, as states are: two places that had the same would make states the same already.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::deed::Deeds;
use crate::contract::Node;

/// Threads that look up different deeds seldom wait for each other.
const SHARDS: usize = 64;

/// A shard that has so many is emptied: what is looked up again is done again.
const KNOWN_MAX: usize = 1 << 12;

/// The fingerprints of a place and of what happens there.
pub(super) type Key = (u64, u64);

/// What nodes did before.
pub(super) struct Known<N: Node> {
    shards: Vec<Mutex<FxHashMap<Key, Deeds<N>>>>,
}

impl<N: Node> Known<N> {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// What was done, or is done now.
    pub(super) fn deeds(&self, key: Key, done: impl FnOnce() -> Deeds<N>) -> Deeds<N> {
        let place = usize::try_from((key.0 ^ key.1) >> 58).unwrap_or_default();
        let lock = || {
            self.shards[place]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(deeds) = lock().get(&key) {
            return deeds.clone();
        }
        let deeds = done();
        let mut shard = lock();
        if shard.len() >= KNOWN_MAX {
            shard.clear();
        }
        shard.entry(key).or_insert(deeds).clone()
    }
}

impl<N: Node> fmt::Debug for Known<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}
