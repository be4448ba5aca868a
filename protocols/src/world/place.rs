//! A node's place in a world: the node, if it is up, its disk and its timers.
//!
//! Places are shared between a world and its clones until one of them changes: an explorer clones a world for every
//! step it tries, and a step touches one node.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tribunal_histories::Renamings;

use super::sealed::Sealed;
use crate::contract::Node;
use crate::disk::Disk;
use crate::host::Host;

/// What is at one node's place.
#[derive(Clone, Debug)]
pub(super) struct Place<N: Node> {
    pub(super) host: Option<Host<N>>,
    pub(super) disk: Disk<N>,
    /// What is armed, and with how many choices.
    pub(super) timers: BTreeMap<N::Timer, u64>,
}

impl<N: Node> Hash for Place<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.as_ref().map(Host::node).hash(state);
        self.disk.hash(state);
        self.timers.hash(state);
    }
}

impl<N: Node> PartialEq for Place<N> {
    fn eq(&self, other: &Self) -> bool {
        self.host.as_ref().map(Host::node) == other.host.as_ref().map(Host::node)
            && self.disk == other.disk
            && self.timers == other.timers
    }
}

/// A place that worlds share, and its fingerprints.
#[derive(Clone, Debug)]
pub(super) struct Shared<N: Node>(Arc<Sealed<Place<N>>>);

impl<N: Node> Shared<N> {
    pub(super) fn new(disk: Disk<N>) -> Self {
        let place = Place {
            host: None,
            disk,
            timers: BTreeMap::new(),
        };
        Self(Arc::new(Sealed::new(place)))
    }

    /// The place, to change it.
    pub(super) fn change(&mut self) -> &mut Place<N> {
        Arc::make_mut(&mut self.0).change()
    }

    /// A number that equal places share, under one of these renamings.
    pub(super) fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        self.0.fingerprint(renamings, which)
    }
}

impl<N: Node> std::ops::Deref for Shared<N> {
    type Target = Place<N>;

    fn deref(&self) -> &Place<N> {
        &self.0
    }
}

impl<N: Node> PartialEq for Shared<N> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}
