//! The search, the certificates and the cores against brute force, on random small histories of every model.

use proptest::collection::vec;
use proptest::prelude::*;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, register};
use tribunal_histories::{
    BuildOptions, EventRecord, History, Kind, Process, Synthesis, SyntheticModel, Value,
};

mod resources;

use super::Judge;
use super::brute_force::{Tried, try_every_order};
use super::certificate::Verifier;
use super::minimal::Minimizer;
use super::monitor::{self, Answer as Monitored};
use super::partition::{calls, split, unreturned};
use super::search::{Alone, Outcome, search};
use crate::check::{CheckRequest, Limits, check_history};
use crate::model::*;
use crate::verdict::{Answer, Core, Counterexample, Judgement, Verdict};

/// A function of a model with the arguments and the results to draw from.
type Function = (&'static str, Vec<Value>, Vec<Value>);

/// Random decisions; zero when they run out.
struct Tape<'a>(std::slice::Iter<'a, u8>);

impl Tape<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % bound
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// An operation in flight.
struct InFlight {
    process: u32,
    function: &'static str,
    input: Value,
    outputs: Vec<Value>,
    /// The result, if it has taken effect.
    output: Option<Value>,
}

/// A history of an object that is mostly correct: operations take effect when they begin or when they end, some
/// fail, some crash before or after, and now and then a result is wrong. Returns whether none was.
fn simulate<M: Model>(
    model: &M,
    functions: &[Function],
    operations: usize,
    tape: &[u8],
) -> (History, bool) {
    let mut tape = Tape(tape.iter());
    let mut state = model.initial();
    let mut in_flight: Vec<InFlight> = Vec::new();
    let mut records = Vec::new();
    let mut begun = 0;
    let mut honest = true;
    let record = |of: &InFlight, kind, value| {
        let process = Process::Client(of.process);
        EventRecord::new(process, kind, of.function, Value::Nil, value)
    };
    while begun < operations || !in_flight.is_empty() {
        if in_flight.is_empty() || begun < operations && in_flight.len() < 4 && !tape.one_in(2) {
            let (function, inputs, outputs) = tape.pick(functions);
            let mut operation = InFlight {
                process: u32::try_from(begun).unwrap(),
                function,
                input: tape.pick(inputs).clone(),
                outputs: outputs.clone(),
                output: None,
            };
            begun += 1;
            records.push(record(&operation, Kind::Invoke, operation.input.clone()));
            if tape.one_in(2) {
                take_effect(model, &mut state, &mut operation, &mut tape);
            }
            in_flight.push(operation);
        } else {
            let mut operation = in_flight.swap_remove(tape.below(in_flight.len()));
            if operation.output.is_none() && tape.one_in(8) {
                records.push(record(&operation, Kind::Fail, operation.input.clone()));
                continue;
            }
            let crashes = tape.one_in(4);
            if operation.output.is_none() && !(crashes && tape.one_in(2)) {
                take_effect(model, &mut state, &mut operation, &mut tape);
            }
            let wrong = tape
                .one_in(10)
                .then(|| tape.pick(&operation.outputs).clone());
            honest &= wrong.is_none();
            records.push(match wrong.or(operation.output.clone()) {
                _ if crashes => record(&operation, Kind::Info, Value::Nil),
                Some(output) => record(&operation, Kind::Ok, output),
                None => record(&operation, Kind::Fail, operation.input.clone()),
            });
        }
    }
    let history = History::from_records(records, BuildOptions::default()).unwrap();
    (history, honest)
}

/// Applies an operation with one of the results that are right now, if any is.
fn take_effect<M: Model>(
    model: &M,
    state: &mut M::State,
    operation: &mut InFlight,
    tape: &mut Tape<'_>,
) {
    let possible: Vec<_> = operation
        .outputs
        .iter()
        .filter_map(|output| {
            let recorded = Recorded {
                function: operation.function,
                input: operation.input.clone(),
                output: Some(output.clone()),
            };
            let after = match model.operation(&recorded).unwrap() {
                Some(op) => model.step(state, &op)?,
                None => state.clone(),
            };
            Some((output.clone(), after))
        })
        .collect();
    if !possible.is_empty() {
        let (output, after) = tape.pick(&possible).clone();
        operation.output = Some(output);
        *state = after;
    }
}

const PLENTY: usize = 10_000_000;

/// Checks a history with every member of the portfolio and by brute force, and all evidence. Returns whether it is
/// linearizable, and whether a monitor decided that.
fn agree<M: Model>(model: &M, history: &History) -> (bool, bool) {
    let split = split(model, history).unwrap();
    assert_eq!(split.partitions.len(), 1);
    let partition = &split.partitions[0];
    let marks = split.marks(partition);
    let positions = marks.iter().map(|mark| mark.invoked as usize);
    let all = calls(model, history, positions);
    let tried = try_every_order(model, &all, PLENTY);
    let valid = match &tried {
        Tried::Order(_) => true,
        Tried::None => false,
        Tried::TooMany => panic!("{}", told(history)),
    };
    let found = search(model, all.clone(), Limits::default(), &|| false);
    match found.outcome {
        Outcome::Order(order) => {
            assert!(valid, "{}", told(history));
            let verified = Verifier::new(model, history).verify(marks, &order);
            assert_eq!(verified, Ok(()), "{}", told(history));
        }
        Outcome::Stuck(position) => {
            assert!(!valid, "{}", told(history));
            let mut minimizer = Minimizer::new(model, history, Limits::default(), &|| false);
            let end = minimizer.earliest(&all, position, found.method == super::search::EXACT);
            let core = minimizer.core(&Value::Nil, &all, end, |_| true).unwrap();
            core_is_right(model, history, &all, &core);
        }
        Outcome::GivenUp { why, .. } => panic!("{why}"),
    }
    let monitored = model
        .discipline()
        .map(|discipline| monitor::ask(&discipline, split.deeds(partition)));
    match &monitored {
        Some(Monitored::Order(order)) => {
            let verified = Verifier::new(model, history).verify(marks, order);
            assert_eq!(verified, Ok(()), "{}", told(history));
        }
        Some(Monitored::Conflict(conflict)) => {
            assert!(!valid, "{conflict:?} {}", told(history));
            let verdict = check_model(model, history);
            let Judgement::Invalid {
                counterexample: Counterexample::Core(core),
            } = verdict.judgement
            else {
                panic!("{verdict:?} {}", told(history));
            };
            core_is_right(model, history, &all, &core);
        }
        Some(Monitored::Undecided(_)) | None => {}
    }
    let decided = matches!(
        monitored,
        Some(Monitored::Order(_) | Monitored::Conflict(_))
    );
    (valid, decided)
}

/// A history in few words.
fn told(history: &History) -> String {
    let events = history.records().map(|event| {
        let kind = event.kind.name();
        format!(
            "{} {kind} {} {}\n",
            event.process, event.function, event.value
        )
    });
    events.collect()
}

/// Judges a history by everything that there is.
fn check_model<M: Model>(model: &M, history: &History) -> Verdict {
    let split = split(model, history).unwrap();
    let judge = Judge {
        discipline: model.discipline(),
        model: model.clone(),
        history,
        split: &split,
        request: &CheckRequest::new(M::NAME),
        stop: &|| false,
    };
    judge.verdict()
}

/// Checks by brute force all that a core claims.
fn core_is_right<M: Model>(model: &M, history: &History, all: &[Call<M::Op>], core: &Core) {
    assert!(core.minimal && core.confirmed, "{core:?} {}", told(history));
    let at = |end: usize| -> Vec<_> {
        let began = all.iter().filter(|call| call.invoked < end);
        began
            .filter_map(|call| {
                if call.returned.is_some_and(|returned| returned >= end) {
                    unreturned(model, history, call)
                } else {
                    Some(call.clone())
                }
            })
            .collect()
    };
    let possible = |calls: &[_]| try_every_order(model, calls, PLENTY) != Tried::None;
    assert!(!possible(&at(core.prefix)), "{core:?} {}", told(history));
    assert!(possible(&at(core.prefix - 1)), "{core:?} {}", told(history));
    for free in core.operations.iter().map(Some).chain([None]) {
        #[expect(
            clippy::unnecessary_filter_map,
            reason = "what cannot be taken back is left out"
        )]
        let calls: Vec<_> = at(core.prefix)
            .into_iter()
            .filter_map(|call| {
                let is_free = free == Some(&call.invoked);
                if is_free && core.impossible == call.invoked {
                    // Its return is taken back.
                    return Some(Call {
                        returned: None,
                        ..unreturned(model, history, &call)?
                    });
                }
                let strict = core.operations.contains(&call.invoked) && !is_free;
                Some(Call {
                    required: call.required && strict,
                    ..call
                })
            })
            .collect();
        assert_eq!(
            possible(&calls),
            free.is_some(),
            "free {free:?} of {core:?} {}",
            told(history)
        );
    }
    let sentences = super::explanation::sentences(history, core);
    assert!(sentences.iter().all(|sentence| !sentence.is_empty()));
}

/// How many histories of a model there are besides those of which the evidence is checked in full: together 100,000.
/// They are shared out among the settings in which a model is tested.
fn quick(model: &str) -> u64 {
    let settings = match model {
        "cas-register" => 5,
        "linearizable-set" => 4,
        "kv" | "consensus" | "versioned-register" => 3,
        "list-append" | "log" | "multiset" => 2,
        _ => 1,
    };
    96_000_u64.div_ceil(settings)
}

/// The random decisions of a seed.
fn tape(seed: u64) -> Vec<u8> {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |number: u64| {
        let mut bits = seed
            .wrapping_mul(0xd134_2543_de82_ef95)
            .wrapping_add(GAMMA.wrapping_mul(number + 1));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)).to_le_bytes()
    };
    (0..8).flat_map(word).collect()
}

/// Checks the answers of every member of the portfolio against brute force, and the linearizations.
fn agree_quickly<M: Model>(model: &M, history: &History) {
    let split = split(model, history).unwrap();
    let partition = &split.partitions[0];
    let marks = split.marks(partition);
    let positions = marks.iter().map(|mark| mark.invoked as usize);
    let all = calls(model, history, positions);
    let valid = try_every_order(model, &all, PLENTY) != Tried::None;
    let verify = |order: &[usize]| {
        assert!(valid, "{}", told(history));
        let verified = Verifier::new(model, history).verify(marks, order);
        assert_eq!(verified, Ok(()), "{}", told(history));
    };
    for supply in [
        Alone::Exact,
        Alone::FromAbove,
        Alone::FromBelow,
        Alone::WingGongLowe,
    ] {
        match super::search::run_alone(model, &all, supply) {
            Some(Outcome::Order(order)) => verify(&order),
            Some(Outcome::Stuck(_)) => assert!(!valid, "{supply:?} {}", told(history)),
            Some(Outcome::GivenUp { why, .. }) => panic!("{why}"),
            None => {}
        }
    }
    if let Some(discipline) = model.discipline() {
        match monitor::ask(&discipline, split.deeds(partition)) {
            Monitored::Order(order) => verify(&order),
            Monitored::Conflict(_) => assert!(!valid, "{}", told(history)),
            Monitored::Undecided(_) => {}
        }
    }
}

/// Runs many random histories of a model; both answers must come up.
fn fuzz<M: Model>(initial: &Value, semantics: Semantics, functions: &[Function]) {
    fuzz_and::<M>(initial, semantics, functions, |_| {});
}

/// The same, and something that must hold of every history that is linearizable.
fn fuzz_and<M: Model>(
    initial: &Value,
    semantics: Semantics,
    functions: &[Function],
    implied: impl Fn(&History),
) {
    let model = M::new(initial, semantics).unwrap();
    let count = [std::cell::Cell::new(0), std::cell::Cell::new(0)];
    let monitored = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig {
            cases: 4000,
            failure_persistence: None,
            ..ProptestConfig::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&vec(any::<u8>(), 20..90), |tape| {
            let (history, honest) = simulate(&model, functions, 7, &tape);
            let (valid, decided) = agree(&model, &history);
            monitored.set(monitored.get() + u32::from(decided));
            // An operation that failed here has not looked whether a compare-and-set could have succeeded.
            let honest = honest && semantics.failed_cas == FailedCas::DidNotHappen;
            assert!(valid || !honest, "{}", told(&history));
            if valid {
                implied(&history);
            }
            let counter = &count[usize::from(valid)];
            counter.set(counter.get() + 1);
            Ok(())
        })
        .unwrap();
    for seed in 0..quick(M::NAME) {
        let (history, _) = simulate(&model, functions, 5, &tape(seed));
        agree_quickly(&model, &history);
    }
    let [invalid, valid] = count.map(|count| count.get());
    if model.discipline().is_some() {
        assert!(
            monitored.get() > 10,
            "{}: {} decided by a monitor",
            M::NAME,
            monitored.get()
        );
    }
    assert!(
        invalid > 100 && valid > 100,
        "{}: {valid} valid, {invalid} invalid",
        M::NAME
    );
}

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
        assert!(core.minimal && core.confirmed, "{core:?}");
        let split = split(&model, &history).unwrap();
        let marks = split.marks(&split.partitions[0]).iter();
        let all = calls(&model, &history, marks.map(|mark| mark.invoked as usize));
        let at = |end: usize| -> Vec<_> {
            let began = all.iter().filter(|call| call.invoked < end);
            began
                .filter_map(|call| match call.returned {
                    Some(returned) if returned >= end => unreturned(&model, &history, call),
                    _ => Some(call.clone()),
                })
                .collect()
        };
        let possible = |calls: &[_]| {
            let found = search(&model, calls.to_vec(), Limits::default(), &|| false);
            matches!(found.outcome, Outcome::Order(_))
        };
        assert!(!possible(&at(core.prefix)), "{core:?}");
        assert!(possible(&at(core.prefix - 1)), "{core:?}");
        let others = core
            .operations
            .iter()
            .filter(|one| **one != core.impossible);
        for free in others.map(Some).chain([None]) {
            let calls: Vec<_> = at(core.prefix)
                .into_iter()
                .map(|call| {
                    let strict =
                        core.operations.contains(&call.invoked) && free != Some(&call.invoked);
                    Call {
                        required: call.required && strict,
                        ..call
                    }
                })
                .collect();
            assert_eq!(
                possible(&calls),
                free.is_some(),
                "free {free:?} of {core:?}"
            );
        }
    }
    assert!(invalid > 20, "{invalid}");
}
