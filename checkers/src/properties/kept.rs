//! What a property remembers, shared by its clones until one of them changes it.
//!
//! An explorer clones what properties remember with every state: that must cost next to nothing while nothing changes.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A part of a property's memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept<T>(Arc<T>);

impl<T: Clone> Kept<T> {
    /// The value, to change it. Look first whether there is anything to change.
    pub(super) fn change(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: PartialEq> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl<T: Eq> Eq for Kept<T> {}

impl<T: Hash> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_that_changes_goes_its_own_way() {
        let mut first = Kept::<Vec<u8>>::default();
        first.change().push(1);
        let mut second = first.clone();
        assert_eq!(first, second);
        second.change().push(2);
        assert_eq!((&**first, &**second), (&[1][..], &[1, 2][..]));
        assert_ne!(first, second);
    }
}
