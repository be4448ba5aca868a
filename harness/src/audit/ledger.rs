//! What happens in an audit, written down as it happens: clients' events, faults, and the steps in between.

use tribunal_histories::{Digest, EventRecord, Kind, Process, TraceLine, Value};

use crate::generator::Call;
use crate::nemesis::Fault;

/// Everything that happened, in order.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The time since the start, in nanoseconds, of what is written next; nothing where there is no time.
    pub now_ns: Option<u64>,
    /// What clients saw, and what the nemesis did.
    events: Vec<EventRecord>,
    /// Steps and events, if they are kept.
    lines: Option<Vec<TraceLine>>,
    digest: Digest,
    steps: usize,
}

impl Ledger {
    /// An empty ledger; with `record`, it keeps the steps too.
    pub fn new(record: bool) -> Self {
        Self {
            lines: record.then(Vec::new),
            ..Self::default()
        }
    }

    /// A step, by its name.
    pub fn step(&mut self, name: &str) {
        self.digest = self.digest.then(name);
        self.steps += 1;
        if let Some(lines) = &mut self.lines {
            lines.push(TraceLine::Step(name.to_owned()));
        }
    }

    /// An operation begins.
    pub fn invoke(&mut self, process: u32, call: &Call) {
        self.client(process, Kind::Invoke, call, call.value.clone(), Value::Nil);
    }

    /// An operation ends: `value` is the result of an `ok`, and for every other kind why.
    pub fn complete(&mut self, process: u32, kind: Kind, call: &Call, value: &Value) {
        let (value, error) = match kind {
            Kind::Ok => (value.clone(), Value::Nil),
            _ => (call.value.clone(), value.clone()),
        };
        self.client(process, kind, call, value, error);
    }

    fn client(&mut self, process: u32, kind: Kind, call: &Call, value: Value, error: Value) {
        let process = Process::Client(process);
        let event = EventRecord::new(process, kind, call.function, call.key.clone(), value);
        self.event(EventRecord { error, ..event });
    }

    /// The nemesis does something. That is for people who read the history: what comes of it is in the steps.
    pub fn fault(&mut self, fault: &Fault) {
        let what = Value::text(&fault.to_string());
        let event = EventRecord::new(Process::Nemesis, Kind::Info, fault.kind(), Value::Nil, what);
        self.events.push(EventRecord {
            time_ns: self.now_ns,
            ..event
        });
    }

    fn event(&mut self, event: EventRecord) {
        // The digest is about what happened, not when: taking the steps again takes another time.
        self.digest = self.digest.then(&event);
        let event = EventRecord {
            time_ns: self.now_ns,
            ..event
        };
        if let Some(lines) = &mut self.lines {
            lines.push(TraceLine::Event(event.clone()));
        }
        self.events.push(event);
    }

    /// What clients saw so far, and what the nemesis did.
    pub fn events(&self) -> &[EventRecord] {
        &self.events
    }

    /// A digest of all steps and events.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many steps there were.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Events, and all lines if they were kept.
    pub fn into_parts(self) -> (Vec<EventRecord>, Option<Vec<TraceLine>>) {
        (self.events, self.lines)
    }
}
