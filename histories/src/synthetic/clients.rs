//! The clients of a synthetic history: a discrete-event simulation.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use super::object::{Effect, Lie, Object, Operation, Setting};
use super::random::Random;
use super::{Invalid, Synthesis};
use crate::event::{EventRecord, Kind, Process};
use crate::value::Value;

/// The longest time that an operation takes, in the simulation's microseconds.
const LATENCY_MAX: u64 = 2000;

/// How much longer than that it may take until a crashed operation has its effect.
const CRASHED_LATENCIES_MAX: u64 = 20;

/// Something that will happen: a client by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// The client begins an operation.
    Invoke(u32),
    /// Its operation takes effect.
    Effect(u32),
    /// Its operation returns, or is given up.
    Return(u32),
    /// An operation that was given up takes effect; its number among those.
    Late(u64),
}

/// An operation in flight.
#[derive(Debug)]
struct InFlight {
    object: usize,
    operation: Operation,
    crashes: bool,
    effect: Option<Effect>,
}

/// A client.
#[derive(Debug)]
struct Client {
    process: u32,
    in_flight: Option<InFlight>,
}

/// The events of a synthetic history, in order.
#[derive(Debug)]
pub struct Events {
    synthesis: Synthesis,
    random: Random,
    /// What will happen, by time; of what happens at one time, what was planned first.
    agenda: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    planned: u64,
    clients: Vec<Client>,
    /// Operations that were given up, and may yet take effect.
    late: BTreeMap<u64, (usize, Operation)>,
    /// The objects that somebody uses or will, with their keys; by number, in the order in which they were made.
    objects: BTreeMap<usize, (Value, Box<dyn Object>)>,
    /// Those that clients choose from.
    current: Vec<usize>,
    /// How many objects have been made.
    made: usize,
    functions: BTreeMap<&'static str, Arc<str>>,
    processes: u32,
    begun: u64,
    crashed: u64,
    fresh: i64,
    lied: bool,
    ready: VecDeque<EventRecord>,
}

impl Events {
    pub(super) fn new(synthesis: Synthesis) -> Self {
        let synthesis = Synthesis {
            concurrency: synthesis.concurrency.max(1),
            keys: synthesis.keys.max(1),
            crashed: synthesis.crashed.min(synthesis.operations),
            ..synthesis
        };
        let mut events = Self {
            random: Random::new(synthesis.seed),
            agenda: BinaryHeap::new(),
            planned: 0,
            clients: Vec::new(),
            late: BTreeMap::new(),
            objects: BTreeMap::new(),
            current: Vec::new(),
            made: 0,
            functions: BTreeMap::new(),
            processes: synthesis.concurrency,
            begun: 0,
            crashed: 0,
            fresh: 0,
            lied: false,
            ready: VecDeque::new(),
            synthesis,
        };
        for _ in 0..synthesis.keys {
            let object = events.make_object();
            events.current.push(object);
        }
        for process in 0..synthesis.concurrency {
            let in_flight = None;
            events.clients.push(Client { process, in_flight });
            let start = events.random.below(LATENCY_MAX);
            events.plan(start, Happening::Invoke(process));
        }
        events
    }

    /// The number of a new object.
    fn make_object(&mut self) -> usize {
        let Synthesis {
            model,
            keys,
            unique,
            crashed,
            concurrency,
            ..
        } = self.synthesis;
        let setting = Setting {
            unique,
            crashes: crashed > 0,
            concurrency,
        };
        let object = (model.make)(setting);
        let has_keys = keys > 1 || object.needs_key();
        let number = self.made;
        let key = i64::try_from(number).ok().filter(|_| has_keys);
        let key = key.map_or(Value::Nil, Value::Int);
        self.objects.insert(number, (key, object));
        self.made += 1;
        number
    }

    fn plan(&mut self, time: u64, happening: Happening) {
        self.agenda.push(Reverse((time, self.planned, happening)));
        self.planned += 1;
    }

    fn record(
        &mut self,
        time: u64,
        process: u32,
        object: usize,
        event: (Kind, &'static str, Value),
    ) {
        let (kind, function, value) = event;
        let function = self
            .functions
            .entry(function)
            .or_insert_with(|| function.into());
        self.ready.push_back(EventRecord {
            line: 0,
            time_ns: Some(time * 1000),
            process: Process::Client(process),
            kind,
            function: function.clone(),
            key: self.objects[&object].0.clone(),
            value,
            error: Value::Nil,
            extra: Value::Nil,
        });
    }

    /// What is wanted of the operation in hand.
    fn lie(&self, crashes: bool) -> Lie {
        let Synthesis {
            operations,
            invalid,
            ..
        } = self.synthesis;
        let from = match invalid {
            None => return Lie::No,
            Some(Invalid::Early) => operations / 20,
            Some(Invalid::Late) => operations - operations / 20,
        };
        // A window for something subtle; then anything will do.
        let patience = (operations / 100).max(1);
        if self.lied || crashes || self.begun < from.max(1) {
            Lie::No
        } else if self.begun < from + patience && self.begun < operations {
            Lie::Subtle
        } else {
            Lie::Any
        }
    }

    fn happen(&mut self, time: u64, happening: Happening) {
        match happening {
            Happening::Invoke(client) => self.invoke(time, client),
            Happening::Effect(client) => {
                let mut in_flight = self.clients[client as usize].in_flight.take();
                if let Some(InFlight {
                    object,
                    operation,
                    crashes,
                    effect,
                }) = &mut in_flight
                {
                    let lie = self.lie(*crashes);
                    let came = self.object(*object).apply(operation, lie);
                    self.lied |= matches!(came, Effect::Lied(_));
                    *effect = Some(came);
                }
                self.clients[client as usize].in_flight = in_flight;
            }
            Happening::Return(client) => self.complete(time, client),
            Happening::Late(number) => {
                if let Some((object, operation)) = self.late.remove(&number) {
                    self.object(object).apply(&operation, Lie::No);
                    self.forget_if_unused(object);
                }
            }
        }
    }

    fn invoke(&mut self, time: u64, client: u32) {
        let Synthesis {
            operations,
            crashed,
            invalid,
            ..
        } = self.synthesis;
        if self.begun >= operations {
            return;
        }
        let left = operations - self.begun;
        self.begun += 1;
        let object = self.choose_object();
        // What was last invoked can always lie.
        let must_lie = left == 1 && invalid.is_some() && !self.lied;
        let crashes = self.random.chance(crashed - self.crashed, left) && !must_lie;
        self.crashed += u64::from(crashes);
        let mut operation = if must_lie {
            self.object(object).observe()
        } else {
            let (_, chosen) = self.objects.get_mut(&object).expect("a current object");
            chosen.choose(&mut self.fresh, &mut self.random)
        };
        operation.invoked = time;
        let process = self.clients[client as usize].process;
        let invocation = (Kind::Invoke, operation.function, operation.input.clone());
        self.record(time, process, object, invocation);
        let latency = 2 + self.random.below(LATENCY_MAX - 1);
        let moment = time + 1 + self.random.below(latency - 1);
        let takes_effect = !crashes || self.random.chance(1, 2);
        if crashes && takes_effect {
            let moment = time + 1 + self.random.below(LATENCY_MAX * CRASHED_LATENCIES_MAX);
            let number = self.planned;
            self.late.insert(number, (object, operation.clone()));
            self.plan(moment, Happening::Late(number));
        } else if takes_effect {
            self.plan(moment, Happening::Effect(client));
        }
        self.plan(time + latency, Happening::Return(client));
        self.clients[client as usize].in_flight = Some(InFlight {
            object,
            operation,
            crashes,
            effect: None,
        });
    }

    fn complete(&mut self, time: u64, client: u32) {
        let Client { process, in_flight } = &mut self.clients[client as usize];
        let process = *process;
        let Some(InFlight {
            object,
            operation,
            effect,
            ..
        }) = in_flight.take()
        else {
            return;
        };
        let (kind, value) = match effect {
            None => (Kind::Info, operation.input.clone()),
            Some(Effect::Failed) => (Kind::Fail, operation.input.clone()),
            Some(Effect::Returned(value) | Effect::Lied(value)) => (Kind::Ok, value),
        };
        self.record(time, process, object, (kind, operation.function, value));
        if kind == Kind::Info {
            self.clients[client as usize].process = self.processes;
            self.processes += 1;
        } else {
            self.object(object).returned(&operation, time);
        }
        self.plan(time + 1, Happening::Invoke(client));
        self.forget_if_unused(object);
    }

    fn object(&mut self, number: usize) -> &mut dyn Object {
        let (_, object) = self.objects.get_mut(&number).expect("an object in use");
        &mut **object
    }

    /// An object for the next operation; a new one takes the place of one that has had its time.
    fn choose_object(&mut self) -> usize {
        let place = self.random.index(self.current.len());
        let chosen = self.current[place];
        if !self.object(chosen).is_worn_out() {
            return chosen;
        }
        let new = self.make_object();
        self.current[place] = new;
        self.forget_if_unused(chosen);
        new
    }

    fn forget_if_unused(&mut self, object: usize) {
        if self.current.contains(&object) {
            return;
        }
        let in_flight = self
            .clients
            .iter()
            .filter_map(|client| client.in_flight.as_ref());
        let late = self.late.values().map(|(object, _)| *object);
        if !in_flight
            .map(|one| one.object)
            .chain(late)
            .any(|used| used == object)
        {
            self.objects.remove(&object);
        }
    }
}

impl Iterator for Events {
    type Item = EventRecord;

    fn next(&mut self) -> Option<EventRecord> {
        while self.ready.is_empty() {
            let Reverse((time, _, happening)) = self.agenda.pop()?;
            self.happen(time, happening);
        }
        self.ready.pop_front()
    }
}
