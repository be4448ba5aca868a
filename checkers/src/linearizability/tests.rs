//! The search, the certificates and the cores against brute force, on random small histories of every model.

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, register};
use tribunal_histories::{
    BuildOptions, EventRecord, History, Kind, Synthesis, SyntheticModel, Value,
};

mod agreement;
mod resources;
mod simulation;

use self::agreement::{check_model, fuzz, fuzz_and, told};
use self::simulation::{Function, simulate, tape};
use super::partition::{calls, known_at, split};
use super::search::{Outcome, search};
use crate::check::{CheckRequest, Limits, check_history};
use crate::model::*;
use crate::verdict::{Answer, Counterexample, Judgement};

const DEFAULT: Semantics = Semantics {
    nil_read: NilRead::Absent,
    failed_cas: FailedCas::DidNotHappen,
};

fn numbers(numbers: std::ops::Range<i64>) -> Vec<Value> {
    numbers.map(Value::Int).collect()
}

fn nothing() -> Vec<Value> {
    vec![Value::Nil]
}

fn pairs() -> Vec<Value> {
    let pair = |from: i64, to: i64| Value::list([from.into(), to.into()]);
    vec![pair(0, 1), pair(1, 0), pair(1, 2), pair(2, 2)]
}

/// All lists of distinct numbers of these.
fn lists(elements: &[i64]) -> Vec<Value> {
    let mut lists: Vec<Vec<i64>> = vec![vec![]];
    let mut next = 0;
    while let Some(list) = lists.get(next).cloned() {
        next += 1;
        for element in elements.iter().filter(|element| !list.contains(element)) {
            lists.push([&list[..], &[*element]].concat());
        }
    }
    let list = |list: Vec<i64>| Value::list(list.into_iter().map(Value::Int));
    lists.into_iter().map(list).collect()
}

fn nil_or(mut values: Vec<Value>) -> Vec<Value> {
    values.push(Value::Nil);
    values
}

#[test]
fn registers() {
    let functions = [
        ("write", numbers(0..4), nothing()),
        ("read", nothing(), nil_or(numbers(0..3))),
        ("read", nothing(), nil_or(numbers(0..3))),
    ];
    fuzz::<Register>(&Value::Nil, DEFAULT, &functions);
}

#[test]
fn stateright_agrees_about_registers() {
    let functions = [
        ("write", numbers(1..4), nothing()),
        ("read", nothing(), numbers(0..4)),
    ];
    let model = Register::new(&Value::Int(0), DEFAULT).unwrap();
    let mut counts = [0, 0];
    for seed in 0..20_000 {
        let (history, _) = simulate(&model, &functions, 6, &tape(seed));
        let mut tester = LinearizabilityTester::new(register::Register(0_i64));
        for operation in history.records().enumerate() {
            let (position, event) = operation;
            let pair = history.pair(position);
            let ended = pair.map(|pair| history.events()[pair].kind);
            if event.kind == Kind::Fail || ended == Some(Kind::Fail) {
                continue;
            }
            let value = event.value.as_int().unwrap_or_default();
            let is_write = &*event.function == "write";
            let _ = match event.kind {
                Kind::Invoke if is_write => {
                    tester.on_invoke(event.process, register::RegisterOp::Write(value))
                }
                Kind::Invoke => tester.on_invoke(event.process, register::RegisterOp::Read),
                Kind::Ok if is_write => {
                    tester.on_return(event.process, register::RegisterRet::WriteOk)
                }
                Kind::Ok => tester.on_return(event.process, register::RegisterRet::ReadOk(value)),
                Kind::Fail | Kind::Info => continue,
            }
            .unwrap();
        }
        let valid = check_model(&model, &history).answer() == Answer::Valid;
        assert_eq!(tester.is_consistent(), valid, "{}", told(&history));
        counts[usize::from(valid)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 1000), "{counts:?}");
}

#[test]
fn cas_registers_with_every_meaning() {
    let functions = [
        ("write", numbers(0..4), nothing()),
        ("read", nothing(), nil_or(numbers(0..3))),
        ("cas", pairs(), nothing()),
    ];
    let pair = |from: i64, to: i64| Value::list([from.into(), to.into()]);
    let functions_of_unique = [
        ("write", numbers(1..6), nothing()),
        ("read", nothing(), nil_or(numbers(0..14))),
        (
            "cas",
            vec![
                pair(0, 10),
                pair(1, 11),
                pair(10, 12),
                pair(2, 13),
                pair(12, 6),
            ],
            nothing(),
        ),
    ];
    fuzz::<CasRegister>(&Value::Int(0), DEFAULT, &functions_of_unique);
    for nil_read in [NilRead::Absent, NilRead::Unconstrained] {
        for failed_cas in [FailedCas::DidNotHappen, FailedCas::ObservedOther] {
            let semantics = Semantics {
                nil_read,
                failed_cas,
            };
            fuzz::<CasRegister>(&Value::Int(0), semantics, &functions);
        }
    }
}

#[test]
fn multi_registers() {
    let access = |function: &str, register: i64, value: Value| {
        Value::list([function.into(), register.into(), value])
    };
    let read = |register, value: i64| access("r", register, value.into());
    let write = |register, value: i64| access("w", register, value.into());
    let reads: Vec<_> = (0..3)
        .flat_map(|x| (0..3).map(move |y| Value::list([read(0, x), read(1, y)])))
        .collect();
    let swaps: Vec<_> = (0..3)
        .map(|x| Value::list([read(0, x), write(1, 1), read(1, 1)]))
        .collect();
    let unknown = |register| access("r", register, Value::Nil);
    let functions = [
        ("txn", vec![Value::list([unknown(0), unknown(1)])], reads),
        (
            "txn",
            vec![Value::list([unknown(0), write(1, 1), unknown(1)])],
            swaps,
        ),
        (
            "txn",
            (0..3).map(|x| Value::list([write(0, x)])).collect(),
            nothing(),
        ),
        (
            "txn",
            (0..3).map(|y| Value::list([write(1, y)])).collect(),
            nothing(),
        ),
    ];
    fuzz::<MultiRegister>(&Value::Int(0), DEFAULT, &functions);
}

#[test]
fn key_value_stores_with_every_meaning_of_a_failed_cas() {
    let texts: Vec<Value> = ["", "a", "b", "ab", "ba", "aa", "abb"]
        .map(Value::from)
        .into();
    let text_pair = |from: &str, to: &str| Value::list([from.into(), to.into()]);
    let functions = [
        ("put", vec!["a".into(), "b".into(), "c".into()], nothing()),
        (
            "append",
            vec!["a".into(), "b".into(), "c".into()],
            nothing(),
        ),
        ("append", vec!["a".into(), "b".into()], nothing()),
        ("get", nothing(), nil_or(texts.clone())),
        ("get", nothing(), nil_or(texts)),
        (
            "cas",
            vec![text_pair("a", "b"), text_pair("ab", "c")],
            nothing(),
        ),
        ("delete", nothing(), nothing()),
    ];
    for failed_cas in [FailedCas::DidNotHappen, FailedCas::ObservedOther] {
        let semantics = Semantics {
            failed_cas,
            ..DEFAULT
        };
        fuzz::<Kv>(&Value::Nil, semantics, &functions);
    }
    let numbers = ["1", "12", "2"].map(Value::from);
    let functions = [
        ("put", vec![Value::Int(1)], nothing()),
        ("append", vec!["2".into()], nothing()),
        ("get", nothing(), [&numbers[..], &[Value::Int(1)]].concat()),
    ];
    fuzz::<Kv>(&Value::text(""), DEFAULT, &functions);
}

#[test]
fn lists_that_grow() {
    let functions = [
        ("append", numbers(1..4), nothing()),
        ("append", numbers(4..6), nothing()),
        ("read", nothing(), nil_or(lists(&[1, 2, 3, 4]))),
    ];
    fuzz::<ListAppend>(&Value::Nil, DEFAULT, &functions);
    let twice = Value::list([1.into(), 1.into()]);
    let reads = [lists(&[1, 2, 3]), vec![twice]].concat();
    let functions = [
        ("append", numbers(1..4), nothing()),
        ("read", nothing(), reads),
    ];
    fuzz::<ListAppend>(&Value::list([1.into()]), DEFAULT, &functions);
}

#[test]
fn mutexes() {
    let functions = [
        ("acquire", nothing(), nothing()),
        ("release", nothing(), nothing()),
    ];
    fuzz::<Mutex>(&Value::Nil, DEFAULT, &functions);
}

#[test]
fn queues() {
    let functions = [
        ("enqueue", numbers(1..6), nothing()),
        ("dequeue", nothing(), nil_or(numbers(1..5))),
    ];
    fuzz::<FifoQueue>(&Value::Nil, DEFAULT, &functions);
}

#[test]
fn stacks() {
    let functions = [
        ("push", numbers(1..6), nothing()),
        ("pop", nothing(), nil_or(numbers(1..5))),
    ];
    fuzz::<Stack>(&Value::Nil, DEFAULT, &functions);
}

#[test]
fn priority_queues() {
    let functions = [
        ("insert", numbers(1..6), nothing()),
        ("delete-min", nothing(), nil_or(numbers(1..5))),
    ];
    fuzz::<PriorityQueue>(&Value::Nil, DEFAULT, &functions);
}

#[test]
fn decisions() {
    let functions = [
        ("propose", numbers(1..4), numbers(1..4)),
        ("propose", numbers(1..6), numbers(1..4)),
        ("read", nothing(), nil_or(numbers(1..4))),
    ];
    fuzz::<Consensus>(&Value::Nil, DEFAULT, &functions);
    let unconstrained = Semantics {
        nil_read: NilRead::Unconstrained,
        ..DEFAULT
    };
    fuzz::<Consensus>(&Value::Nil, unconstrained, &functions);
    fuzz::<Consensus>(&Value::Int(2), DEFAULT, &functions);
}

#[test]
fn sets() {
    let functions = |last: Function| {
        [
            ("add", numbers(1..4), nothing()),
            ("read", nothing(), nil_or(lists(&[1, 2, 3]))),
            last,
        ]
    };
    let remove = ("remove", numbers(1..3), nothing());
    fuzz::<LinearizableSet>(&Value::Nil, DEFAULT, &functions(remove.clone()));
    fuzz::<LinearizableSet>(&Value::list([1.into()]), DEFAULT, &functions(remove));
    let add = ("add", numbers(1..3), nothing());
    let bools = || vec![Value::Bool(true), Value::Bool(false)];
    let by_element = [
        add,
        ("remove", numbers(1..3), nothing()),
        ("contains", numbers(1..3), bools()),
    ];
    fuzz::<LinearizableSet>(&Value::Nil, DEFAULT, &by_element);
    let add = ("add", numbers(3..6), nothing());
    fuzz_and::<LinearizableSet>(&Value::Nil, DEFAULT, &functions(add), |history| {
        passes("set", history);
    });
}

#[test]
fn counters() {
    let functions = [
        ("add", numbers(-1..3), nothing()),
        ("inc", nothing(), nothing()),
        ("dec", nothing(), nothing()),
        ("read", nothing(), numbers(-2..4)),
    ];
    fuzz_and::<LinearizableCounter>(&Value::Int(0), DEFAULT, &functions, |history| {
        passes("counter", history);
    });
}

#[test]
fn banks() {
    let text = |name: &str| Value::text(name);
    let transfer = |from: &str, to: &str, amount: i64| {
        let fields = [
            ("from", text(from)),
            ("to", text(to)),
            ("amount", amount.into()),
        ];
        Value::map(fields.map(|(name, value)| (text(name), value)))
    };
    let balances = |a: i64, b: i64| Value::map([(text("a"), a.into()), (text("b"), b.into())]);
    let moved: Vec<_> = (97..104).map(|a| balances(a, 200 - a)).collect();
    let made = vec![balances(99, 102), balances(100, 99)];
    let transfers = vec![
        transfer("a", "b", 1),
        transfer("a", "b", 2),
        transfer("b", "a", 2),
    ];
    let functions = [
        ("transfer", transfers, nothing()),
        ("transfer", vec![transfer("b", "a", 99)], nothing()),
        ("read", nothing(), [moved, made].concat()),
    ];
    fuzz_and::<Bank>(&Value::Nil, DEFAULT, &functions, |history| {
        passes("bank", history);
    });
}

/// The plain checks ask less than linearizability.
fn passes(checker: &str, history: &History) {
    let verdict = check_history(history, &CheckRequest::new(checker), &|| false).unwrap();
    assert_ne!(verdict.answer(), Answer::Invalid, "{}", told(history));
}

/// In a long history the core is looked for among the last operations first. What it claims is checked by the exact
/// search, brute force being out of reach.
#[test]
fn cores_of_long_histories() {
    let model = CasRegister::new(&Value::Nil, DEFAULT).unwrap();
    let mut invalid = 0;
    for seed in 0..60 {
        let synthesis = Synthesis {
            unique: false,
            concurrency: 2 + u32::try_from(seed % 3).unwrap(),
            crashed: seed % 4,
            seed,
            ..Synthesis::new(SyntheticModel::named("cas-register").unwrap(), 300)
        };
        let mut records: Vec<_> = synthesis.events().collect();
        let is_read =
            |event: &&mut EventRecord| &*event.function == "read" && event.kind == Kind::Ok;
        let mut reads = records.iter_mut().filter(is_read);
        let wrong = reads.nth(usize::try_from(seed).unwrap() + 20).unwrap();
        wrong.value = Value::Int((wrong.value.as_int().unwrap_or(0) + 2) % 5);
        let history = History::from_records(records, BuildOptions::default()).unwrap();
        let verdict = check_model(&model, &history);
        let Judgement::Invalid {
            counterexample: Counterexample::Core(core),
        } = verdict.judgement
        else {
            assert_eq!(verdict.answer(), Answer::Valid);
            continue;
        };
        invalid += 1;
        assert!(core.minimal && core.confirmed && core.earliest, "{core:?}");
        let split = split(&model, &history).unwrap();
        let marks = split.marks(&split.partitions[0]).iter();
        let all = calls(&model, &history, marks.map(|mark| mark.invoked as usize));
        let at = |end: usize| known_at(&model, &history, &all, end);
        let possible = |calls: Calls<_>| {
            let found = search(&model, calls, Limits::default(), &|| false);
            matches!(found.outcome, Outcome::Order(_))
        };
        assert!(!possible(at(core.prefix)), "{core:?}");
        assert!(possible(at(core.prefix - 1)), "{core:?}");
        let others = core
            .operations
            .iter()
            .filter(|one| **one != core.impossible);
        for free in others.map(Some).chain([None]) {
            let calls = at(core.prefix).map(|call| {
                let position = call.invoked();
                let strict = core.operations.contains(&position) && free != Some(&position);
                call.required_if(strict)
            });
            assert_eq!(possible(calls), free.is_some(), "free {free:?} of {core:?}");
        }
    }
    assert!(invalid > 20, "{invalid}");
}
