//! What a property remembers, shared by its clones until one of them changes it.
//!
//! An explorer clones what properties remember with every state, and asks for its fingerprint: both must cost next to
//! nothing while nothing changes.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use tribunal_protocols::world::fingerprint;

/// A part of a property's memory. It hashes as its fingerprint, which is computed once for all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept<T>(Arc<Remembered<T>>);

#[derive(Clone, Debug, Default)]
struct Remembered<T> {
    value: T,
    /// Unset since it was changed.
    fingerprint: OnceLock<u64>,
}

impl<T: Clone> Kept<T> {
    /// The value, to change it. Look first whether there is anything to change.
    pub(super) fn change(&mut self) -> &mut T {
        let remembered = Arc::make_mut(&mut self.0);
        remembered.fingerprint.take();
        &mut remembered.value
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Hash> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let remembered = &*self.0;
        let fingerprint = remembered
            .fingerprint
            .get_or_init(|| fingerprint(&remembered.value));
        state.write_u64(*fingerprint);
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
        assert_eq!(fingerprint(&first), fingerprint(&second));
        second.change().push(2);
        assert_eq!((&**first, &**second), (&[1][..], &[1, 2][..]));
        assert_ne!(fingerprint(&first), fingerprint(&second));
        second.change().pop();
        assert_eq!(fingerprint(&first), fingerprint(&second));
    }
}
