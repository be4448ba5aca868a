//! Statistics of a history: what a verdict is about, in numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::event::{Kind, Process};
use crate::history::{History, Outcome};

/// How many operations ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutcomeCounts {
    /// They happened.
    pub ok: u64,
    /// They did not.
    pub fail: u64,
    /// Nobody knows.
    pub info: u64,
}

impl OutcomeCounts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.ok + self.fail + self.info
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Ok => self.ok += 1,
            Outcome::Fail => self.fail += 1,
            Outcome::Info => self.info += 1,
        }
    }
}

/// What is in a history, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// The clients' operations.
    pub operations: OutcomeCounts,
    /// The clients' operations by function.
    pub functions: BTreeMap<Arc<str>, OutcomeCounts>,
    /// The number of client processes; each `info` retires one.
    pub processes: usize,
    /// The number of different keys; 0 in a history of one object without a name.
    pub keys: usize,
    /// The most client operations that were in flight at once. One that ended in `info` counts until that event.
    pub concurrency_max: usize,
    /// The nemesis's events.
    pub nemesis_events: u64,
}

impl History {
    /// What is in it, in numbers.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::default();
        let mut by_function = vec![OutcomeCounts::default(); self.functions().len()];
        for operation in self.operations() {
            statistics.operations.count(operation.outcome);
            by_function[usize::from(operation.function.0)].count(operation.outcome);
        }
        let named = self.functions().iter().cloned().zip(by_function);
        statistics.functions = named.filter(|(_, counts)| counts.total() > 0).collect();
        let (mut processes, mut keys, mut in_flight) =
            (FxHashSet::default(), FxHashSet::default(), 0);
        for event in self.events() {
            if event.process() == Process::Nemesis {
                statistics.nemesis_events += 1;
                continue;
            }
            if event.kind == Kind::Invoke {
                in_flight += 1;
                statistics.concurrency_max = statistics.concurrency_max.max(in_flight);
                processes.insert(event.process());
                if !event.key.is_nil() {
                    keys.insert(event.key);
                }
            } else {
                in_flight -= 1;
            }
        }
        statistics.processes = processes.len();
        statistics.keys = keys.len();
        statistics
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::BuildOptions;
    use crate::event::EventRecord;
    use crate::value::Value;

    #[test]
    fn operations_processes_keys_and_concurrency_are_counted() {
        let client = |process, kind, function, key: &str| {
            let process = Process::Client(process);
            EventRecord::new(process, kind, function, key.into(), Value::Nil)
        };
        let nemesis = EventRecord::new(
            Process::Nemesis,
            Kind::Info,
            "start",
            Value::Nil,
            Value::Nil,
        );
        let records = [
            client(0, Kind::Invoke, "read", "x"),
            client(1, Kind::Invoke, "write", "y"),
            nemesis,
            client(0, Kind::Ok, "read", "x"),
            client(1, Kind::Info, "write", "y"),
            client(0, Kind::Invoke, "read", "y"),
            client(0, Kind::Fail, "read", "y"),
            client(2, Kind::Invoke, "read", "x"),
        ];
        let history = History::from_records(records, BuildOptions::default()).unwrap();
        let (ok, fail, info) = (1, 1, 1);
        let reads = OutcomeCounts { ok, fail, info };
        let writes = OutcomeCounts {
            info,
            ..OutcomeCounts::default()
        };
        let expected = Statistics {
            operations: OutcomeCounts { ok, fail, info: 2 },
            functions: [("read".into(), reads), ("write".into(), writes)].into(),
            processes: 3,
            keys: 2,
            concurrency_max: 2,
            nemesis_events: 1,
        };
        assert_eq!(history.statistics(), expected);
    }
}
