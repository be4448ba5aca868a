//! A state of the search: the cluster, what properties remember of the way to it, what clients saw, and what is spent.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tribunal_histories::{EventRecord, Kind, Observation, Renamings, fingerprint};
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::{Observer, World};

use super::bounds::KINDS_MAX;
use super::neighbourhood::Used;
use crate::properties::Monitor;

/// How much of each budget a path has used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Spent {
    pub(super) resends: u8,
    /// By kind of timer.
    pub(super) timeouts: [u8; KINDS_MAX + 1],
    pub(super) crashes: u8,
    pub(super) restarts: u8,
    pub(super) duplicates: u8,
    pub(super) drops: u8,
    pub(super) cuts: u8,
    /// In a neighbourhood.
    pub(super) near: Used,
}

/// What a checker remembers of the way to a state.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) monitor: Option<Monitor>,
    /// What clients saw, in order. Clones share it for as long as they see the same.
    pub(super) events: Arc<Vec<EventRecord>>,
    /// The fingerprint of what clients saw.
    pub(super) told: u64,
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

impl Memory {
    /// Brings what clients saw into an order of its own, as far as it says nothing: of several operations that begin, or
    /// end, with nothing in between, the order explains nothing. (What began before something ended, and what ended before
    /// something began, stays so.)
    pub(super) fn order_events(&mut self) {
        let Some(last) = self.events.last().map(|event| event.kind == Kind::Invoke) else {
            return;
        };
        let events = Arc::make_mut(&mut self.events);
        let alike = |event: &EventRecord| (event.kind == Kind::Invoke) == last;
        let from = events.iter().rposition(|event| !alike(event));
        let from = from.map_or(0, |place| place + 1);
        events[from..].sort_by_key(|event| event.process);
    }

    /// Takes note that clients saw more.
    pub(super) fn settle_events(&mut self) {
        self.told = fingerprint(&*self.events);
    }
}

/// A state of the search. States are the same if the same can happen from then on and would be judged in the same way:
/// clusters, memories of the properties, client histories and budgets that are equal, or would be if nodes that are alike
/// changed names.
#[derive(Clone)]
pub(super) struct State<N: Explored> {
    pub(super) world: World<N>,
    pub(super) memory: Memory,
    pub(super) spent: Spent,
    /// Moves from the start on the path that came here first.
    pub(super) depth: u32,
    /// Why it is bad, if it is.
    pub(super) violation: Option<Arc<str>>,
    fingerprint: u64,
}

impl<N: Explored> State<N> {
    /// A state, and its fingerprint: the least of those under all these renamings.
    pub(super) fn new(
        world: World<N>,
        memory: Memory,
        spent: Spent,
        depth: u32,
        renamings: &Renamings,
    ) -> Self {
        let mut state = Self {
            world,
            memory,
            spent,
            depth,
            violation: None,
            fingerprint: 0,
        };
        let history = fingerprint(&(state.memory.told, &state.spent));
        let under = (0..renamings.len()).map(|which| {
            let world = state.world.fingerprint(renamings, which);
            let monitor = state.memory.monitor.as_ref();
            let ghosts = monitor.map(|monitor| monitor.fingerprint(renamings, which));
            fingerprint(&(world, ghosts, history))
        });
        state.fingerprint = under.min().unwrap_or_default();
        state
    }
}

impl<N: Explored> Hash for State<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint);
    }
}

impl<N: Explored> PartialEq for State<N> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl<N: Explored> std::fmt::Debug for State<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("world", &self.world)
            .field("violation", &self.violation)
            .finish_non_exhaustive()
    }
}
