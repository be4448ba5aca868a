//! What a property remembers for its sentences only: it judges nothing by it.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Who did something first, say. To an explorer, memories that differ only in such are the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aside<T>(pub T);

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

impl<T> Hash for Aside<T> {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}

impl<T: fmt::Display> fmt::Display for Aside<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
