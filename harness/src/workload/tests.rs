//! The workloads against a store in memory.

use std::collections::BTreeMap;

use tribunal_checkers::{Answer as Verdict, CheckRequest, CheckerEntry, check_history};
use tribunal_histories::{BuildOptions, EventRecord, History, Kind, Process};

use super::*;
use crate::draw::{Domain, Draw};
use crate::generator::simulate::{Answer, render, simulate};
use crate::generator::{Interpreter, Invocation};

/// A store whose operations take effect when they are invoked.
struct Store {
    objects: BTreeMap<Value, Value>,
    draw: Draw,
    faults: Faults,
    /// Whether it is read as a table of members.
    has_members: bool,
}

/// What is wrong with a store, per million operations.
#[derive(Clone, Copy, Default)]
struct Faults {
    /// Nobody learns how they ended.
    unanswered_ppm: u32,
    /// They are acknowledged, but change nothing.
    forgotten_ppm: u32,
}

/// A member is twice the number of its life, and one more when that has ended.
fn change_of_members(function: &str, object: &mut Value) -> (Kind, Value) {
    let number = object.as_int().unwrap_or(0);
    match function {
        "join" => {
            let life = (number + 2 * (number % 2)).max(2) / 2;
            *object = Value::Int(2 * life);
            (Kind::Ok, Value::Int(life))
        }
        "remove" if number == 0 => (Kind::Fail, Value::Nil),
        "remove" => {
            *object = Value::Int(number | 1);
            (Kind::Ok, Value::Int(number / 2))
        }
        _ => {
            *object = Value::Int(number.max(2) + 1);
            (Kind::Ok, object.clone())
        }
    }
}

impl Store {
    /// Its table of members, of which n1 is always one, and owns the slots.
    fn table(&self) -> Value {
        let (mut members, mut slots) = (Vec::new(), vec![Value::Int(1), Value::Int(2)]);
        let member = |name: &str, life: i64, status: &str| {
            Value::list([Value::text(name), Value::Int(life), Value::text(status)])
        };
        members.push(member("n1", 1, "alive"));
        for (key, value) in &self.objects {
            let (name, number) = (key.as_name().unwrap_or(""), value.as_int().unwrap_or(0));
            let status = ["alive", "removed"][usize::from(number % 2 == 1)];
            match name
                .strip_prefix('s')
                .and_then(|slot| slot.parse::<usize>().ok())
            {
                Some(slot) if number > 0 => slots[slot] = Value::Int(number),
                None if number > 0 => members.push(member(name, number / 2, status)),
                _ => {}
            }
        }
        let slots = slots
            .into_iter()
            .map(|epoch| Value::list([Value::text("n1"), epoch]));
        Value::list([Value::text("n1"), Value::list(members), Value::list(slots)])
    }

    fn respond(&mut self, invocation: &Invocation) -> Answer {
        let Call {
            function,
            key,
            value,
        } = invocation.call.clone();
        let table = self.table();
        let object = self.objects.entry(key).or_default();
        let before = object.clone();
        let (kind, value) = match (function, value.as_items()) {
            ("read", _) if self.has_members => (Kind::Ok, table),
            ("join" | "remove" | "take", _) => change_of_members(function, object),
            ("read" | "final-read" | "local-read", _) => (Kind::Ok, object.clone()),
            ("add", _) => {
                let sum = |value: &Value| match value {
                    Value::Int(number) => *number,
                    _ => 0,
                };
                *object = Value::Int(sum(object) + sum(&value));
                (Kind::Ok, value)
            }
            ("cas", Some([from, _])) if from != object => (Kind::Fail, value),
            ("cas", Some([_, to])) => {
                *object = to.clone();
                (Kind::Ok, value)
            }
            ("append", _) => {
                let items = object.as_items().unwrap_or_default().iter().cloned();
                *object = Value::list(items.chain([value.clone()]));
                (Kind::Ok, value)
            }
            ("propose", _) => {
                if object.is_nil() {
                    *object = value;
                }
                (Kind::Ok, object.clone())
            }
            ("write" | "delete", _) => {
                *object = value.clone();
                (Kind::Ok, value)
            }
            ("transfer", _) => match transferred(object, &value) {
                Some(after) => {
                    *object = after;
                    (Kind::Ok, value)
                }
                None => (Kind::Fail, value),
            },
            (change, _) if CHANGES.contains(&change) => (Kind::Ok, value),
            (other, _) => panic!("the store has no `{other}`"),
        };
        if self.draw.chance(self.faults.forgotten_ppm) {
            // What is decided stays so, unless it is forgotten as a whole.
            let decides = function == "propose";
            *object = if decides { Value::Nil } else { before };
        }
        let is_unanswered = self.draw.chance(self.faults.unanswered_ppm);
        Answer {
            latency_us: self.draw.between(1_000, 20_000),
            kind: if is_unanswered { Kind::Info } else { kind },
            value,
        }
    }
}

/// What is done to the cluster, and stands in histories as the nemesis's.
const CHANGES: [&str; 4] = [
    "reconfigure",
    "add-node",
    "remove-node",
    "transfer-leadership",
];

/// The accounts after a transfer; `None` if there is not enough.
fn transferred(accounts: &Value, transfer: &Value) -> Option<Value> {
    let entries = |map: &Value| match map {
        Value::Map(entries) => entries.to_vec(),
        _ => ('a'..='h')
            .map(|name| (Value::text(&name.to_string()), Value::Int(100)))
            .collect(),
    };
    let fields: BTreeMap<_, _> = entries(transfer).into_iter().collect();
    let field = |name| fields[&Value::text(name)].clone();
    let amount = field("amount").as_int()?;
    let mut balances: BTreeMap<_, _> = entries(accounts).into_iter().collect();
    for (name, change) in [("from", -amount), ("to", amount)] {
        let balance = balances.get_mut(&field(name))?;
        let sum = balance.as_int()? + change;
        *balance = (sum >= 0).then_some(Value::Int(sum))?;
    }
    Some(Value::map(balances))
}

const UNANSWERED: Faults = Faults {
    unanswered_ppm: 50_000,
    forgotten_ppm: 0,
};

const NEVER_ANSWERED: Faults = Faults {
    unanswered_ppm: 1_000_000,
    forgotten_ppm: 0,
};

const FORGETFUL: Faults = Faults {
    unanswered_ppm: 50_000,
    forgotten_ppm: 200_000,
};

/// The events of a whole run: the workload, then its final reads.
fn run(name: &str, seed: u64, faults: Faults, options: Options) -> [Vec<EventRecord>; 2] {
    let workload = Entry::find(name)
        .expect("it is registered")
        .workload(&options);
    let mut interpreter = Interpreter::new(workload.generator, options.concurrency, seed);
    let mut store = Store {
        objects: BTreeMap::new(),
        draw: Draw::keyed(seed, Domain::Link, 0, 0),
        faults,
        has_members: workload.entry.model == "membership",
    };
    let main = simulate(&mut interpreter, 0, |invocation| store.respond(invocation));
    assert!(interpreter.is_idle());
    interpreter.switch_to(workload.final_generator);
    let last = simulate(&mut interpreter, 10_000_000, |invocation| {
        store.respond(invocation)
    });
    [main, last]
}

fn history(parts: [Vec<EventRecord>; 2]) -> History {
    let records = parts.concat().into_iter().map(|mut record| {
        if CHANGES.contains(&&*record.function) {
            record.process = Process::Nemesis;
        }
        record
    });
    History::from_records(records, BuildOptions::default()).expect("it is well-formed")
}

#[test]
fn every_workload_hits_its_probes_in_most_runs() {
    for entry in REGISTRY {
        let histories: Vec<_> = (0..20)
            .map(|seed| history(run(entry.name, seed, UNANSWERED, Options::default())))
            .collect();
        for probe in entry.probes {
            let hits = histories.iter().filter(|history| probe.seen_in(history));
            let hits = hits.count();
            assert!(hits >= 15, "{}: {probe:?} in {hits} of 20 runs", entry.name);
        }
    }
}

#[test]
fn without_faults_only_the_probes_that_need_them_are_missed() {
    for entry in REGISTRY {
        let history = history(run(entry.name, 7, Faults::default(), Options::default()));
        for probe in entry.probes {
            assert_eq!(
                probe.seen_in(&history),
                !probe.needs_faults,
                "{}: {probe:?}",
                entry.name
            );
        }
    }
}

#[test]
fn the_checker_tells_a_sound_store_from_a_forgetful_one() {
    let verdict = |entry: &Entry, seed, faults| {
        let history = history(run(entry.name, seed, faults, Options::default()));
        let request = CheckRequest::new(entry.model);
        let verdict = check_history(&history, &request, &|| false);
        verdict.expect("the model has these operations").answer()
    };
    for entry in REGISTRY {
        let name = entry.name;
        let checker = CheckerEntry::named(entry.model).expect("it is registered");
        let mut found = 0;
        for seed in 0..10 {
            let sound = verdict(entry, seed, UNANSWERED);
            assert_eq!(sound, Verdict::Valid, "{name}, seed {seed}");
            found += usize::from(verdict(entry, seed, FORGETFUL) == Verdict::Invalid);
        }
        // Who looks at the end alone misses what was forgotten and done again.
        let expected = if checker.takes_time() { 3..10 } else { 10..11 };
        assert!(expected.contains(&found), "{name}: found in {found} of 10");
    }
}

#[test]
fn bounds_are_kept() {
    let invocations = |events: &[EventRecord]| {
        events
            .iter()
            .filter(|event| event.kind == Kind::Invoke)
            .count()
    };
    for entry in REGISTRY {
        let options = Options {
            operations: 60,
            ..Options::default()
        };
        let [main, last] = run(entry.name, 3, Faults::default(), options);
        assert_eq!(invocations(&main), 60);
        let objects = (entry.keys)(&options).len();
        assert_eq!(invocations(&last), objects * options.concurrency);

        let options = Options {
            time_limit_us: 200_000,
            ..Options::default()
        };
        let [main, _] = run(entry.name, 3, Faults::default(), options);
        assert!((5..=60).contains(&invocations(&main)));

        let options = Options {
            processes: 8,
            ..Options::default()
        };
        let [main, _] = run(entry.name, 3, NEVER_ANSWERED, options);
        assert!((4..=8).contains(&invocations(&main)));
    }
}

#[test]
fn one_client_and_one_key_are_enough() {
    for entry in REGISTRY {
        let options = Options {
            concurrency: 1,
            keys: 0,
            ..Options::default()
        };
        let [main, last] = run(entry.name, 1, Faults::default(), options);
        let objects = (entry.keys)(&options).len();
        assert_eq!(
            (main.len(), last.len()),
            (300, 2 * objects),
            "{}",
            entry.name
        );
    }
}

/// Two clients, two keys, and a few operations before the final reads.
fn short_run(name: &str) -> String {
    let options = Options {
        concurrency: 2,
        keys: 2,
        operations: 8,
        ..Options::default()
    };
    render(&run(name, 1, UNANSWERED, options).concat())
}

#[test]
fn the_first_operations_of_register() {
    insta::assert_snapshot!(short_run("register"), @"
    0    0 invoke write 1
    12402 1 invoke write 2
    17029 0 ok     write 1
    29136 1 ok     write 2
    31807 0 invoke cas [2 3]
    41512 1 invoke read nil
    49166 0 ok     cas [2 3]
    53180 0 invoke write 4
    55766 1 ok     read 3
    56553 1 invoke write 5
    57785 0 ok     write 4
    57785 0 invoke write 6
    69159 1 ok     write 5
    69159 1 invoke write 7
    72148 0 ok     write 6
    74568 1 ok     write 7
    10000000 1 invoke read nil
    10000000 0 invoke read nil
    10003887 1 ok     read 7
    10006187 0 ok     read 7
    ");
}

#[test]
fn the_first_operations_of_kv() {
    insta::assert_snapshot!(short_run("kv"), @r#"
    0    1 invoke write "x" 1
    17029 1 ok     write "x" 1
    19462 1 invoke write "x" 2
    27750 0 invoke write "y" 3
    36196 1 ok     write "x" 2
    45109 0 ok     write "y" 3
    47192 1 invoke write "x" 4
    53106 0 invoke write "y" 5
    57711 0 ok     write "y" 5
    61446 1 ok     write "x" 4
    63474 0 invoke cas "x" [4 6]
    76080 0 ok     cas "x" [4 6]
    81610 1 invoke read "x" nil
    85275 0 invoke write "x" 7
    90684 0 ok     write "x" 7
    95973 1 ok     read "x" 6
    10000000 1 invoke read "x" nil
    10000000 0 invoke read "x" nil
    10003887 1 ok     read "x" 7
    10003887 1 invoke read "y" nil
    10006187 0 ok     read "x" 7
    10006187 0 invoke read "y" nil
    10014300 0 ok     read "y" 5
    10017391 1 ok     read "y" 5
    "#);
}

#[test]
fn the_first_operations_of_append() {
    insta::assert_snapshot!(short_run("append"), @r#"
    0    1 invoke read "x" nil
    17029 1 ok     read "x" nil
    19462 1 invoke read "y" nil
    27750 0 invoke append "x" 1
    36196 1 ok     read "y" nil
    45109 0 ok     append "x" 1
    47192 1 invoke read "x" nil
    53106 0 invoke append "y" 2
    57711 0 ok     append "y" 2
    61446 1 ok     read "x" [1]
    63474 0 invoke read "y" nil
    76080 0 ok     read "y" [2]
    81610 1 invoke read "x" nil
    85275 0 invoke read "x" nil
    90684 0 ok     read "x" [1]
    95973 1 ok     read "x" [1]
    10000000 1 invoke read "x" nil
    10000000 0 invoke read "x" nil
    10003887 1 ok     read "x" [1]
    10003887 1 invoke read "y" nil
    10006187 0 ok     read "x" [1]
    10006187 0 invoke read "y" nil
    10014300 0 ok     read "y" [2]
    10017391 1 ok     read "y" [2]
    "#);
}

#[test]
fn a_wrong_name_is_answered_with_the_right_ones() {
    insta::assert_snapshot!(Entry::find("regster").unwrap_err(), @"there is no workload `regster`; there are: append, broadcast, churn, consensus, dissemination, kv, membership, register, transfers");
}
