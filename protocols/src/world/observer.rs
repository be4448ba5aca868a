//! Who watches a cluster: properties, histories and probes, the same in every runtime.

use tribunal_histories::{EventRecord, Observation};

/// Is told everything that a checker may know of a run.
pub trait Observer {
    /// A node did something.
    fn observe(&mut self, observation: &Observation<'_>);
    /// A client saw something.
    fn client_event(&mut self, event: EventRecord);
    /// A probe was hit.
    fn note(&mut self, probe: &'static str);
}

/// Watches nothing.
impl Observer for () {
    fn observe(&mut self, _observation: &Observation<'_>) {}
    fn client_event(&mut self, _event: EventRecord) {}
    fn note(&mut self, _probe: &'static str) {}
}

/// Keeps what clients saw.
impl Observer for Vec<EventRecord> {
    fn observe(&mut self, _observation: &Observation<'_>) {}
    fn client_event(&mut self, event: EventRecord) {
        self.push(event);
    }
    fn note(&mut self, _probe: &'static str) {}
}
