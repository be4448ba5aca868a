//! A state of the search: the cluster, what properties remember of the way to it, what clients saw, and what is spent.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tribunal_histories::fingerprint;
use tribunal_histories::{EventRecord, Observation};
use tribunal_protocols::Node;
use tribunal_protocols::world::{Observer, World};

use crate::properties::Monitor;

/// How much of each budget a path has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Spent {
    pub(super) resends: u8,
    pub(super) timeouts: u8,
    pub(super) crashes: u8,
    pub(super) duplicates: u8,
}

/// What a checker remembers of the way to a state.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) monitor: Option<Monitor>,
    /// What clients saw, in order. Clones share it for as long as they see the same.
    pub(super) events: Arc<Vec<EventRecord>>,
    /// Probes that the last step hit.
    pub(super) notes: Vec<&'static str>,
}

impl Observer for Memory {
    fn observe(&mut self, observation: &Observation<'_>) {
        if let Some(monitor) = &mut self.monitor {
            monitor.observe(observation);
        }
    }

    fn client_event(&mut self, event: EventRecord) {
        Arc::make_mut(&mut self.events).push(event);
    }

    fn note(&mut self, probe: &'static str) {
        self.notes.push(probe);
    }
}

/// A state of the search. States are the same if the same can happen from then on and would be judged in the same way:
/// equal clusters, equal memories of the properties, equal client histories, equal budgets left.
#[derive(Clone)]
pub(super) struct State<N: Node> {
    pub(super) world: World<N>,
    pub(super) memory: Memory,
    pub(super) spent: Spent,
    /// Steps from the start on the path that came here first.
    pub(super) depth: u32,
    /// Why it is bad, if it is.
    pub(super) violation: Option<Arc<str>>,
    fingerprint: u64,
}

impl<N: Node> State<N> {
    pub(super) fn new(world: World<N>, memory: Memory, spent: Spent, depth: u32) -> Self {
        let mut state = Self {
            world,
            memory,
            spent,
            depth,
            violation: None,
            fingerprint: 0,
        };
        state.settle();
        state
    }

    /// Computes the fingerprint, once.
    fn settle(&mut self) {
        self.world.settle_fingerprints();
        let memory = &mut self.memory;
        let ghosts = memory.monitor.as_mut().map(Monitor::fingerprint);
        self.fingerprint = fingerprint(&(&self.world, ghosts, &*memory.events, self.spent));
    }
}

impl<N: Node> Hash for State<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint);
    }
}

impl<N: Node> PartialEq for State<N> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && self.spent == other.spent
            && self.world == other.world
    }
}

impl<N: Node> std::fmt::Debug for State<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("world", &self.world)
            .field("violation", &self.violation)
            .finish_non_exhaustive()
    }
}
