//! The witness of a run: hears everything that a checker may know, judges the cluster properties at once, and
//! keeps the clients' history and the probes.

use std::collections::BTreeMap;

use tribunal_checkers::properties::Monitor;
use tribunal_histories::{EventRecord, Observation};
use tribunal_protocols::world::Observer;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Witness {
    /// The cluster properties; `None` to check none.
    pub monitor: Option<Monitor>,
    /// What clients saw, in order.
    pub events: Vec<EventRecord>,
    /// How often each probe was hit.
    pub probes: BTreeMap<&'static str, u64>,
}

impl Witness {
    /// A witness who judges by the properties of a protocol, if they are to be judged and there are any.
    pub fn of(protocol: &str, properties: bool) -> Self {
        Monitor::of(protocol)
            .filter(|_| properties)
            .map_or_else(Self::default, Self::with)
    }

    /// A witness who judges by these properties.
    pub fn with(monitor: Monitor) -> Self {
        Self {
            monitor: Some(monitor),
            ..Self::default()
        }
    }

    /// Whether a property was violated: the run need not go on.
    pub fn has_seen_enough(&self) -> bool {
        self.monitor
            .as_ref()
            .is_some_and(|monitor| monitor.violation().is_some())
    }
}

impl Observer for Witness {
    fn observe(&mut self, observation: &Observation<'_>) {
        if let Some(monitor) = &mut self.monitor {
            monitor.observe(observation);
        }
    }

    fn client_event(&mut self, event: EventRecord) {
        self.events.push(event);
    }

    fn note(&mut self, probe: &'static str) {
        *self.probes.entry(probe).or_default() += 1;
    }
}
