//! The workloads against a store in memory.

use std::collections::BTreeMap;

use tribunal_histories::{BuildOptions, EventRecord, History, Kind};

use super::*;
use crate::draw::{Domain, Draw};
use crate::generator::simulate::{Answer, render, simulate};
use crate::generator::{Interpreter, Invocation};

/// A store whose operations take effect when they are invoked; some are never answered.
struct Store {
    objects: BTreeMap<Value, Value>,
    draw: Draw,
    info_per_million: u32,
}

impl Store {
    fn respond(&mut self, invocation: &Invocation) -> Answer {
        let Call {
            function,
            key,
            value,
        } = invocation.call.clone();
        let object = self.objects.entry(key).or_default();
        let (kind, value) = match (function, value.as_items()) {
            ("read", _) => (Kind::Ok, object.clone()),
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
            ("write" | "delete", _) => {
                *object = value.clone();
                (Kind::Ok, value)
            }
            (other, _) => panic!("the store has no `{other}`"),
        };
        let lost = self.draw.chance(self.info_per_million);
        Answer {
            latency_us: self.draw.between(1_000, 20_000),
            kind: if lost { Kind::Info } else { kind },
            value,
        }
    }
}

/// The events of a whole run: the workload, then its final reads.
fn run(name: &str, seed: u64, info_per_million: u32, options: Options) -> [Vec<EventRecord>; 2] {
    let workload = Entry::find(name)
        .expect("it is registered")
        .workload(&options);
    let mut interpreter = Interpreter::new(workload.generator, options.concurrency, seed);
    let mut store = Store {
        objects: BTreeMap::new(),
        draw: Draw::keyed(seed, Domain::Link, 0, 0),
        info_per_million,
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
    History::from_records(parts.concat(), BuildOptions::default()).expect("it is well-formed")
}

#[test]
fn every_workload_hits_its_probes_in_a_run() {
    for entry in REGISTRY {
        for seed in 0..20 {
            let history = history(run(entry.name, seed, 50_000, Options::default()));
            for probe in entry.probes {
                assert!(
                    probe.seen_in(&history),
                    "{} seed {seed}: not {probe:?}",
                    entry.name
                );
            }
        }
    }
}

#[test]
fn without_faults_only_the_probes_that_need_them_are_missed() {
    for entry in REGISTRY {
        let history = history(run(entry.name, 7, 0, Options::default()));
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
        let [main, last] = run(entry.name, 3, 0, options);
        assert_eq!(invocations(&main), 60);
        let objects = (entry.keys)(&options).len();
        assert_eq!(invocations(&last), objects * options.concurrency);

        let options = Options {
            time_limit_us: 200_000,
            ..Options::default()
        };
        let [main, _] = run(entry.name, 3, 0, options);
        assert!((5..=60).contains(&invocations(&main)));

        let options = Options {
            processes: 8,
            ..Options::default()
        };
        let [main, _] = run(entry.name, 3, 1_000_000, options);
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
        let [main, last] = run(entry.name, 1, 0, options);
        assert_eq!((main.len(), last.len()), (300, 2), "{}", entry.name);
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
    render(&run(name, 1, 100_000, options).concat())
}

#[test]
fn the_first_operations_of_register() {
    insta::assert_snapshot!(short_run("register"), @"
    0    1 invoke write 4
    12402 0 invoke read nil
    19227 1 ok     write 4
    19227 1 invoke write 4
    26100 0 ok     read 4
    28932 0 invoke read nil
    35961 1 ok     write 4
    35961 1 invoke cas [2 0]
    39328 0 ok     read 4
    45571 1 fail   cas [2 0]
    53457 0 invoke read nil
    61476 1 invoke write 0
    67711 0 ok     read 4
    67711 0 invoke read nil
    72721 0 ok     read 0
    80353 1 ok     write 0
    10000000 1 invoke read nil
    10000000 0 invoke read nil
    10012606 1 ok     read 0
    10014520 0 ok     read 0
    ");
}

#[test]
fn the_first_operations_of_kv() {
    insta::assert_snapshot!(short_run("kv"), @r#"
    0    1 invoke write "x" 1
    19227 1 ok     write "x" 1
    19462 1 invoke write "x" 2
    27750 0 invoke write "y" 3
    33160 1 ok     write "x" 2
    44484 0 ok     write "y" 3
    47192 1 invoke write "x" 4
    53106 0 invoke cas "y" [3 5]
    57588 1 ok     write "x" 4
    62716 0 ok     cas "y" [3 5]
    63474 0 invoke cas "x" [4 6]
    77728 0 ok     cas "x" [4 6]
    81610 1 invoke read "x" nil
    85275 0 invoke write "x" 7
    90285 0 ok     write "x" 7
    100487 1 ok     read "x" 6
    10000000 1 invoke read "x" nil
    10000000 0 invoke read "x" nil
    10012606 1 ok     read "x" 7
    10012606 1 invoke read "y" nil
    10013704 1 ok     read "y" 5
    10014520 0 ok     read "x" 7
    10014520 0 invoke read "y" nil
    10019929 0 ok     read "y" 5
    "#);
}

#[test]
fn the_first_operations_of_append() {
    insta::assert_snapshot!(short_run("append"), @r#"
    0    1 invoke read "x" nil
    19227 1 ok     read "x" nil
    19462 1 invoke read "y" nil
    27750 0 invoke append "x" 1
    33160 1 ok     read "y" nil
    44484 0 ok     append "x" 1
    47192 1 invoke read "x" nil
    53106 0 invoke append "y" 2
    57588 1 ok     read "x" [1]
    62716 0 ok     append "y" 2
    63474 0 invoke read "y" nil
    77728 0 ok     read "y" [2]
    81610 1 invoke read "x" nil
    85275 0 invoke read "x" nil
    90285 0 ok     read "x" [1]
    100487 1 ok     read "x" [1]
    10000000 1 invoke read "x" nil
    10000000 0 invoke read "x" nil
    10012606 1 ok     read "x" [1]
    10012606 1 invoke read "y" nil
    10013704 1 ok     read "y" [2]
    10014520 0 ok     read "x" [1]
    10014520 0 invoke read "y" nil
    10019929 0 ok     read "y" [2]
    "#);
}

#[test]
fn a_wrong_name_is_answered_with_the_right_ones() {
    insta::assert_snapshot!(Entry::find("regster").unwrap_err(), @"there is no workload `regster`; there are: append, kv, register");
}
