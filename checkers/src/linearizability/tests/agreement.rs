//! Every member of the portfolio against brute force, and all evidence.

use proptest::collection::vec;
use proptest::prelude::*;
use tribunal_histories::{History, Value};

use super::simulation::{Function, simulate, tape};
use crate::check::{CheckRequest, Limits};
use crate::linearizability::Judge;
use crate::linearizability::brute_force::{Tried, try_every_order};
use crate::linearizability::certificate::Verifier;
use crate::linearizability::explanation;
use crate::linearizability::minimal::Minimizer;
use crate::linearizability::monitor::{self, Answer as Monitored, Question};
use crate::linearizability::partition::{calls, known_at, split, unreturned};
use crate::linearizability::search::{self, Alone, Outcome, search};
use crate::model::*;
use crate::verdict::{Core, Counterexample, Judgement, Verdict};

const PLENTY: usize = 10_000_000;

/// Checks a history with every member of the portfolio and by brute force, and all evidence. Returns whether it is
/// linearizable, and whether a monitor decided that.
pub(super) fn agree<M: Model>(model: &M, history: &History) -> (bool, bool) {
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
            let end = minimizer.earliest(&all, position, found.method == search::EXACT);
            let core = minimizer.core(&Value::Nil, &all, end, |_| true).unwrap();
            core_is_right(model, history, &all, &core);
        }
        Outcome::GivenUp { why, .. } => panic!("{why}"),
    }
    let monitored = model
        .discipline()
        .map(|discipline| monitor::ask(&discipline, split.deeds(partition), Question::Order));
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
pub(super) fn told(history: &History) -> String {
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
pub(super) fn check_model<M: Model>(model: &M, history: &History) -> Verdict {
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
fn core_is_right<M: Model>(model: &M, history: &History, all: &Calls<M::Op>, core: &Core) {
    let is_sure = core.minimal && core.confirmed && core.earliest;
    assert!(is_sure, "{core:?} {}", told(history));
    let at = |end: usize| known_at(model, history, all, end);
    let possible = |calls: &_| try_every_order(model, calls, PLENTY) != Tried::None;
    assert!(!possible(&at(core.prefix)), "{core:?} {}", told(history));
    assert!(possible(&at(core.prefix - 1)), "{core:?} {}", told(history));
    for free in core.operations.iter().map(Some).chain([None]) {
        let known = at(core.prefix);
        let mut calls = known.with(Vec::new());
        for call in known.as_slice() {
            let is_free = free == Some(&call.invoked());
            if !is_free || core.impossible != call.invoked() {
                let strict = core.operations.contains(&call.invoked()) && !is_free;
                calls.push(call.op, call.required_if(strict));
            } else if let Some((op, call)) = unreturned(model, history, call) {
                // Its return is taken back.
                let op = calls.add_op(op);
                calls.push(op, call);
            }
        }
        assert_eq!(
            possible(&calls),
            free.is_some(),
            "free {free:?} of {core:?} {}",
            told(history)
        );
    }
    let sentences = explanation::sentences(history, core);
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

/// Checks the answers of every member of the portfolio against brute force, and the linearizations.
fn agree_quickly<M: Model>(model: &M, history: &History) {
    let split = split(model, history).unwrap();
    let partition = &split.partitions[0];
    let marks = split.marks(partition);
    let positions = marks.iter().map(|mark| mark.invoked as usize);
    let all = calls(model, history, positions);
    let valid = try_every_order(model, &all, PLENTY) != Tried::None;
    let verify = |order: &[u32]| {
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
        match search::run_alone(model, &all, supply) {
            Some(Outcome::Order(order)) => verify(&order),
            Some(Outcome::Stuck(_)) => assert!(!valid, "{supply:?} {}", told(history)),
            Some(Outcome::GivenUp { why, .. }) => panic!("{why}"),
            None => {}
        }
    }
    if let Some(discipline) = model.discipline() {
        let ask = |question| monitor::ask(&discipline, split.deeds(partition), question);
        let exists = matches!(ask(Question::Existence), Monitored::Order(_));
        let answer = ask(Question::Order);
        assert_eq!(exists, matches!(answer, Monitored::Order(_)));
        match answer {
            Monitored::Order(order) => verify(&order),
            Monitored::Conflict(_) => assert!(!valid, "{}", told(history)),
            Monitored::Undecided(_) => {}
        }
    }
}

/// Runs many random histories of a model; both answers must come up.
pub(super) fn fuzz<M: Model>(initial: &Value, semantics: Semantics, functions: &[Function]) {
    fuzz_and::<M>(initial, semantics, functions, |_| {});
}

/// The same, and something that must hold of every history that is linearizable.
pub(super) fn fuzz_and<M: Model>(
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
