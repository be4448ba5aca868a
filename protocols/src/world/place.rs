//! A node's place in a world: the node, if it is up, its disk and its timers.
//!
//! Places are shared between a world and its clones until one of them changes: an explorer clones a world for every
//! step it tries, and a step touches one node.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use tribunal_histories::Renamings;

use super::sealed::Sealed;
use crate::contract::{Node, TimerRange};
use crate::disk::Disk;
use crate::host::Host;

/// What is at one node's place.
#[derive(Clone, Debug)]
pub(super) struct Place<N: Node> {
    pub(super) host: Option<Host<N>>,
    pub(super) disk: Disk<N>,
    /// What is armed.
    pub(super) timers: BTreeMap<N::Timer, Armed>,
}

/// How a timer is armed. How long it takes makes no difference to a world, and so not to whether places are the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    pub(super) choices: u64,
    pub(super) after: TimerRange,
}

impl Hash for Armed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.choices.hash(state);
    }
}

impl PartialEq for Armed {
    fn eq(&self, other: &Self) -> bool {
        self.choices == other.choices
    }
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

/// A place that worlds share, its fingerprints, and the place that [`Shared::settled`] puts there.
#[derive(Debug)]
struct Kept<N: Node> {
    place: Sealed<Place<N>>,
    /// By whether all is quiet.
    settled: [OnceLock<Option<Shared<N>>>; 2],
}

impl<N: Node> Kept<N> {
    fn new(place: Place<N>) -> Self {
        Self {
            place: Sealed::new(place),
            settled: Default::default(),
        }
    }
}

/// A clone is made to be changed.
impl<N: Node> Clone for Kept<N> {
    fn clone(&self) -> Self {
        Self::new((*self.place).clone())
    }
}

/// A place that worlds share.
#[derive(Clone, Debug)]
pub(super) struct Shared<N: Node>(Arc<Kept<N>>);

impl<N: Node> Shared<N> {
    pub(super) fn new(disk: Disk<N>) -> Self {
        let place = Place {
            host: None,
            disk,
            timers: BTreeMap::new(),
        };
        Self(Arc::new(Kept::new(place)))
    }

    /// The place, to change it.
    pub(super) fn change(&mut self) -> &mut Place<N> {
        let kept = Arc::make_mut(&mut self.0);
        kept.settled = Default::default();
        kept.place.change()
    }

    /// A number that equal places share, under one of these renamings.
    pub(super) fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        self.0.place.fingerprint(renamings, which)
    }

    /// A number that equal places share.
    pub(super) fn plain_fingerprint(&self) -> u64 {
        self.0.place.plain_fingerprint()
    }

    /// The place with another node in it that will do the same, if `settled` gives one: the same function at every call.
    pub(super) fn settled(
        &self,
        quiet: bool,
        settled: impl FnOnce(&N, &N::Durable) -> Option<N>,
    ) -> Option<&Self> {
        let known = &self.0.settled[usize::from(quiet)];
        let known = known.get_or_init(|| {
            let host = self.host.as_ref()?;
            let node = settled(host.node(), self.disk.written())?;
            let mut other = self.clone();
            other.change().host.as_mut()?.settle(node);
            Some(other)
        });
        known.as_ref()
    }
}

impl<N: Node> Deref for Shared<N> {
    type Target = Place<N>;

    fn deref(&self) -> &Place<N> {
        &self.0.place
    }
}

impl<N: Node> PartialEq for Shared<N> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}
