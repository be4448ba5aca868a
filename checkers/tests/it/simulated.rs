//! Histories of the size of a simulated run, with crashed operations, are decided in few states.
//!
//! They come from a simulated object that is linearizable; bad ones are good ones with one result replaced.

use rustc_hash::FxHashMap;
use tribunal_checkers::{Answer, CheckRequest, check_history};
use tribunal_histories::{BuildOptions, EventRecord, History, Kind, Process, Value};

/// A generator of numbers: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The shape of a simulated run.
#[derive(Clone, Copy)]
struct Run {
    kind: Workload,
    operations: u64,
    clients: usize,
    keys: u64,
    crashes: u64,
    /// Whether the last read that returned something is replaced by an old one.
    stale: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Workload {
    Cas,
    Unique,
    Append,
}

/// A client's operation: whether it has taken effect, and with which result.
struct InFlight {
    process: u32,
    function: &'static str,
    key: Value,
    input: Value,
    result: Option<Result<Value, ()>>,
}

fn effect(state: &mut Value, function: &str, input: &Value) -> Result<Value, ()> {
    match (function, input.as_items()) {
        ("read", _) => return Ok(state.clone()),
        ("append", _) => {
            let items = state.as_items().unwrap_or_default().iter();
            *state = Value::list(items.chain([input]).cloned());
        }
        ("cas", Some([from, to])) => {
            if from != state {
                return Err(());
            }
            *state = to.clone();
        }
        _ => *state = input.clone(),
    }
    Ok(input.clone())
}

fn begin(run: Run, process: u32, number: u64, numbers: &mut Numbers) -> InFlight {
    let small = |numbers: &mut Numbers| Value::Int(numbers.below(5) as i64);
    let unique = Value::Int(number as i64 + 1);
    let (function, input) = match (run.kind, numbers.below(3)) {
        (_, 0) => ("read", Value::Nil),
        (Workload::Append, _) => ("append", unique),
        (Workload::Unique, _) => ("write", unique),
        (Workload::Cas, 1) => ("write", small(numbers)),
        (Workload::Cas, _) => ("cas", Value::list([small(numbers), small(numbers)])),
    };
    InFlight {
        process,
        function,
        key: Value::Int(numbers.below(run.keys) as i64),
        input,
        result: None,
    }
}

fn simulate(run: Run, seed: u64) -> History {
    let mut numbers = Numbers(seed);
    let mut states: FxHashMap<Value, Value> = FxHashMap::default();
    let mut clients: Vec<Option<InFlight>> = (0..run.clients).map(|_| None).collect();
    let mut processes = 0..;
    let mut begun = 0;
    let mut records: Vec<EventRecord> = Vec::new();
    let mut crashes = run.crashes;
    while begun < run.operations || clients.iter().any(Option::is_some) {
        let client = numbers.below(run.clients as u64) as usize;
        let record = |of: &InFlight, kind, value| {
            let process = Process::Client(of.process);
            EventRecord::new(process, kind, of.function, of.key.clone(), value)
        };
        let Some(mut operation) = clients[client].take() else {
            if begun < run.operations {
                let operation = begin(run, processes.next().unwrap(), begun, &mut numbers);
                begun += 1;
                records.push(record(&operation, Kind::Invoke, operation.input.clone()));
                clients[client] = Some(operation);
            }
            continue;
        };
        let crashes_now = crashes > 0 && numbers.below(run.operations) < 2 * run.crashes;
        let happens = operation.result.is_none() && !(crashes_now && numbers.below(2) == 0);
        if happens {
            let state = states.entry(operation.key.clone()).or_default();
            operation.result = Some(effect(state, operation.function, &operation.input));
        }
        if crashes_now {
            crashes -= 1;
            records.push(record(&operation, Kind::Info, Value::Nil));
        } else if numbers.below(2) == 0 {
            clients[client] = Some(operation);
        } else {
            match operation.result.clone() {
                Some(Ok(value)) => records.push(record(&operation, Kind::Ok, value)),
                _ => records.push(record(&operation, Kind::Fail, operation.input.clone())),
            }
        }
    }
    if run.stale {
        make_stale(&mut records);
    }
    History::from_records(records, BuildOptions::default()).unwrap()
}

/// Replaces the result of a late read by that of an early one of the same key, which is another.
fn make_stale(records: &mut [EventRecord]) {
    let is_read = |record: &EventRecord| {
        record.kind == Kind::Ok && &*record.function == "read" && !record.value.is_nil()
    };
    let early = records.iter().position(is_read).unwrap();
    let (key, value) = (records[early].key.clone(), records[early].value.clone());
    let late = records
        .iter()
        .rposition(|record| is_read(record) && record.key == key && record.value != value)
        .unwrap();
    records[late].value = value;
}

fn check(checker: &str, run: Run) -> u64 {
    (0..5)
        .map(|seed| {
            let history = simulate(run, seed);
            let verdict = check_history(&history, &CheckRequest::new(checker), &|| false).unwrap();
            // A value of a small domain may have been there again.
            let expected = match (run.stale, run.kind) {
                (false, _) => Some(Answer::Valid),
                (true, Workload::Unique | Workload::Append) => Some(Answer::Invalid),
                (true, Workload::Cas) => None,
            };
            assert_ne!(verdict.answer(), Answer::Unknown, "{:?}", verdict.sentences);
            assert_eq!(verdict.answer(), expected.unwrap_or(verdict.answer()));
            verdict.statistics.states
        })
        .max()
        .unwrap()
}

#[test]
fn a_thousand_operations_with_crashes_take_few_states() {
    for (checker, kind, keys) in [
        ("cas-register", Workload::Cas, 1),
        ("cas-register", Workload::Cas, 5),
        ("register", Workload::Unique, 1),
        ("kv", Workload::Unique, 4),
        ("list-append", Workload::Append, 1),
        ("list-append", Workload::Append, 5),
    ] {
        for (crashes, stale) in [(0, false), (10, false), (40, false), (0, true), (40, true)] {
            let run = Run {
                kind,
                operations: 1000,
                clients: 5,
                keys,
                crashes,
                stale,
            };
            let states = check(checker, run);
            assert!(
                states < 300_000,
                "{checker}: {keys} keys, {crashes} crashes, stale {stale}: {states} states"
            );
        }
    }
}
