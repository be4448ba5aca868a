//! A list that grows at its end and shares its beginning with those that it was made of.
//!
//! One more element costs the same however long the list is, a hash or a comparison of lists that were made of each
//! other too, and any element is found in logarithmic time: Myers, *An Applicative Random-Access Stack*, IPL 17(5), 1983.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxHasher;

/// A list.
#[derive(Debug)]
pub struct SharedList<T>(Option<Arc<Node<T>>>);

/// The last element of a list, and what is before it.
#[derive(Debug)]
struct Node<T> {
    element: T,
    len: usize,
    /// Of all elements up to this.
    digest: u64,
    before: SharedList<T>,
    /// A list that is the beginning of this by many elements.
    far_before: SharedList<T>,
}

impl<T> SharedList<T> {
    /// The empty list.
    pub fn new() -> Self {
        Self(None)
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.len)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The element at a place, from 0.
    pub fn element(&self, place: usize) -> Option<&T> {
        let mut node = self.0.as_ref()?;
        while node.len != place + 1 {
            if node.len <= place {
                return None;
            }
            let far_before = &node.far_before;
            let next = if far_before.len() > place {
                far_before
            } else {
                &node.before
            };
            node = next.0.as_ref()?;
        }
        Some(&node.element)
    }

    /// The elements, the last first.
    pub fn backwards(&self) -> impl Iterator<Item = &T> {
        let mut list = self;
        std::iter::from_fn(move || {
            let node = list.0.as_ref()?;
            list = &node.before;
            Some(&node.element)
        })
    }

    fn digest(&self) -> u64 {
        self.0.as_ref().map_or(0, |node| node.digest)
    }
}

impl<T: Hash> SharedList<T> {
    /// The list with one more element at its end.
    #[must_use]
    pub fn with(&self, element: T) -> Self {
        let mut hasher = FxHasher::default();
        self.digest().hash(&mut hasher);
        element.hash(&mut hasher);
        // The jumps are those of a skew-binary number: two of equal length become one.
        let far_before = match &self.0 {
            Some(last) => {
                let jump = last.len - last.far_before.len();
                match &last.far_before.0 {
                    Some(far) if jump == far.len - far.far_before.len() => far.far_before.clone(),
                    Some(_) | None => self.clone(),
                }
            }
            None => Self::new(),
        };
        Self(Some(Arc::new(Node {
            element,
            len: self.len() + 1,
            digest: hasher.finish(),
            before: self.clone(),
            far_before,
        })))
    }
}

impl<T: Hash> FromIterator<T> for SharedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let elements = elements.into_iter();
        elements.fold(Self::new(), |list, element| list.with(element))
    }
}

impl<T> Clone for SharedList<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq> PartialEq for SharedList<T> {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() || self.digest() != other.digest() {
            return false;
        }
        let (mut one, mut other) = (self, other);
        while let (Some(a), Some(b)) = (&one.0, &other.0) {
            if Arc::ptr_eq(a, b) {
                return true;
            }
            if a.element != b.element {
                return false;
            }
            (one, other) = (&a.before, &b.before);
        }
        true
    }
}

impl<T: Eq> Eq for SharedList<T> {}

impl<T> Hash for SharedList<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.digest().hash(state);
    }
}

/// One node after the other: a long list has more of them than a stack has room for.
impl<T> Drop for SharedList<T> {
    fn drop(&mut self) {
        let mut last = self.0.take();
        while let Some(mut node) = last.and_then(Arc::into_inner) {
            // What is far before is before as well, and so this was not the last to hold it.
            node.far_before.0.take();
            last = node.before.0.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_found_and_equal_lists_are_equal_however_they_were_made() {
        let whole: SharedList<usize> = (0..1000).collect();
        assert_eq!(whole.len(), 1000);
        for place in 0..1000 {
            assert_eq!(whole.element(place), Some(&place));
        }
        assert_eq!(whole.element(1000), None);
        assert!(whole.backwards().copied().eq((0..1000).rev()));
        let beginning: SharedList<usize> = (0..999).collect();
        assert_eq!(beginning.with(999), whole);
        assert_ne!(beginning.with(7), whole);
        assert_ne!(beginning, whole);
        assert!(SharedList::<usize>::new().is_empty());
        let hash = |list: &SharedList<usize>| {
            let mut hasher = FxHasher::default();
            list.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&beginning.with(999)), hash(&whole));
    }

    #[test]
    fn a_long_list_is_dropped_without_deep_recursion() {
        let long: SharedList<usize> = (0..1_000_000).collect();
        let longer = long.with(7);
        drop(long);
        assert_eq!(longer.element(3), Some(&3));
    }
}
