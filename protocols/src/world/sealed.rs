//! A value that worlds share, with its fingerprints, which are computed once.

use std::hash::Hash;
use std::sync::OnceLock;

use tribunal_histories::{Fingerprints, Renamings, fingerprint};

/// A value, and its fingerprints under the renamings that an explorer goes by. A clone has none: it is made to be changed.
#[derive(Debug)]
pub(super) struct Sealed<T> {
    value: T,
    plain: OnceLock<u64>,
    fingerprints: OnceLock<Fingerprints>,
}

impl<T> Sealed<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            value,
            plain: OnceLock::new(),
            fingerprints: OnceLock::new(),
        }
    }

    /// The value, to change it.
    pub(super) fn change(&mut self) -> &mut T {
        self.plain.take();
        self.fingerprints.take();
        &mut self.value
    }
}

impl<T: Hash> Sealed<T> {
    /// The fingerprint under the names that nodes have.
    pub(super) fn plain_fingerprint(&self) -> u64 {
        *self.plain.get_or_init(|| fingerprint(&self.value))
    }

    /// The fingerprint under one of the renamings, by its place among them: they are the same at every call.
    pub(super) fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        let fingerprints = self
            .fingerprints
            .get_or_init(|| renamings.fingerprints_of(&self.value, self.plain_fingerprint()));
        fingerprints.under(which)
    }
}

impl<T: Clone> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self::new(self.value.clone())
    }
}

impl<T> std::ops::Deref for Sealed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
