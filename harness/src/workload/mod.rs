//! Workloads: what clients do to a system, and how their history is to be judged.
//!
//! One file each and a line in [`REGISTRY`]. A [`Workload`] is a generator, a final generator for when all
//! faults are healed, the name of the model that its history is checked against, and probes: facts that must
//! have been seen, or the run has shown nothing. Its operations are those that the model has; nothing here
//! knows how a system carries them out.

mod append;
mod broadcast;
mod churn;
mod consensus;
mod dissemination;
pub(crate) mod distinct;
mod kv;
mod membership;
pub(crate) mod probe;
mod register;
mod transfers;

use tribunal_histories::Value;

use crate::generator::{Call, Generator, once, seq, sleep};

pub use probe::Probe;

pub(crate) use append::ENTRY as APPEND;
pub(crate) use kv::ENTRY as KV;
pub(crate) use register::ENTRY as REGISTER;

/// How much of a workload, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// At most so many operations, final reads not counted.
    pub operations: usize,
    /// So many clients at a time.
    pub concurrency: usize,
    /// So many objects, for workloads over several.
    pub keys: u32,
    /// So many operations a second, all clients together, on average.
    pub rate_per_s: u32,
    /// No new operation after so long, final reads not counted.
    pub time_limit_us: u64,
    /// No new operation once so many processes have been seen: each that an `info` retires leaves an operation
    /// that the checker must consider to the end.
    pub processes: usize,
    /// The cluster has so many nodes, for workloads that change it.
    pub nodes: usize,
}

impl Default for Options {
    /// A run of a second and a half of simulated time.
    fn default() -> Self {
        Self {
            operations: 150,
            concurrency: 5,
            keys: 3,
            rate_per_s: 100,
            time_limit_us: 3_000_000,
            processes: 40,
            nodes: 5,
        }
    }
}

/// A line of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name on the command line.
    pub name: &'static str,
    /// The model in the checkers' registry that its histories are checked against.
    pub model: &'static str,
    /// What it does and what it finds: the reference text of `tribunal list workloads`.
    pub about: &'static str,
    /// Facts that must have been seen.
    pub probes: &'static [Probe],
    /// The operations, without a pace or an end.
    pub(crate) operations: fn(&Options) -> Box<dyn Generator>,
    /// The keys of its objects.
    pub(crate) keys: fn(&Options) -> Vec<Value>,
    /// How its objects are read at the end.
    pub(crate) last_read: LastRead,
}

/// How every client reads every object when all faults are healed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastRead {
    /// The operation.
    pub(crate) function: &'static str,
    /// Its argument, if it has one.
    pub(crate) value: Option<i64>,
    /// So long after the faults: nothing, for a read that waits itself until it can be answered rightly.
    pub(crate) after_us: u64,
}

/// A linearizable read, at once.
const READ: LastRead = LastRead {
    function: "read",
    value: None,
    after_us: 0,
};

/// What clients do to a system, and how their history is to be judged.
#[derive(Clone)]
pub struct Workload {
    /// Its name, model and probes.
    pub entry: &'static Entry,
    /// What clients do while there are faults.
    pub generator: Box<dyn Generator>,
    /// What they do when everything is healed and no operation is in flight.
    pub final_generator: Box<dyn Generator>,
    /// The value of every object at the beginning.
    pub initial: Value,
}

/// All workloads.
pub const REGISTRY: &[Entry] = &[
    append::ENTRY,
    broadcast::ENTRY,
    churn::ENTRY,
    consensus::ENTRY,
    dissemination::ENTRY,
    kv::ENTRY,
    membership::ENTRY,
    register::ENTRY,
    transfers::ENTRY,
];

/// No workload has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no workload `{name}`; there are: {}", names().join(", "))]
pub struct UnknownWorkload {
    /// The name.
    pub name: String,
}

fn names() -> Vec<&'static str> {
    REGISTRY.iter().map(|entry| entry.name).collect()
}

/// How often a client tries to read an object at the end before it gives up.
const FINAL_READS_MAX: usize = 10;

impl Entry {
    /// The entry of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<&'static Self, UnknownWorkload> {
        let unknown = || UnknownWorkload { name: name.into() };
        REGISTRY
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(unknown)
    }

    /// The workload as these options want it.
    pub fn workload(&'static self, options: &Options) -> Workload {
        let gap_us = 1_000_000 / u64::from(options.rate_per_s.max(1));
        let reads = (self.keys)(options).into_iter().map(|key| {
            let value = self.last_read.value.map_or(Value::Nil, Value::Int);
            let read = once(Call::new(self.last_read.function, key, value)).repeat();
            read.until_ok().limit(FINAL_READS_MAX).boxed()
        });
        Workload {
            entry: self,
            generator: (self.operations)(options)
                .process_limit(options.processes)
                .limit(options.operations)
                .stagger(gap_us)
                .time_limit(options.time_limit_us)
                .boxed(),
            final_generator: seq([sleep(self.last_read.after_us).boxed()]
                .into_iter()
                .chain(reads))
            .each_thread()
            .boxed(),
            initial: Value::Nil,
        }
    }
}

/// The names of the objects of workloads over several: as in the notation of distributed systems papers, and as
/// the replicated state machine names them.
fn keys(options: &Options) -> Vec<Value> {
    let name = |number: u32| match number {
        0 => Value::text("x"),
        1 => Value::text("y"),
        2 => Value::text("z"),
        _ => Value::text(&format!("k{number}")),
    };
    (0..options.keys.max(1)).map(name).collect()
}

#[cfg(test)]
mod tests;
