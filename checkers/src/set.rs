//! The plain check of a set: what was added and acknowledged is in the last read, and nothing else is.
//!
//! After `jepsen.checker/set`, which asks less than linearizability: only the last read counts. Two rules are
//! sharper than there: an add must have been acknowledged before that read began (or it need not be in it), and an
//! add that failed did not happen (so it must not be in it).

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "set";
pub(crate) const ABOUT: &str = "Of a set that is only added to, the last read: every acknowledged add is in it (else it \
                                is lost), and only what was added is (else it is unexpected). Weaker than \
                                linearizable-set.";
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["add"],
        input: "element",
        output: "",
    },
    Shape {
        names: &["read", "r"],
        input: "",
        output: "[element …]",
    },
];

/// The adds of one key and its last read.
#[derive(Debug, Default)]
struct Adds {
    adds: Vec<Operation>,
    /// With what it returned.
    last_read: Option<(Operation, BTreeSet<Value>)>,
}

/// Judges the last read of every key.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let initial = match request.initial() {
        Value::Nil => BTreeSet::new(),
        value => elements(&value).ok_or_else(|| CheckError::Initial {
            checker: NAME,
            initial: value.clone(),
            expected: "a list or a set",
        })?,
    };
    let mut sets: BTreeMap<ValueId, Adds> = BTreeMap::new();
    for operation in history.operations() {
        let set = sets.entry(operation.key).or_default();
        record(set, history, operation).map_err(|misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
    }
    let mut verdicts: Vec<_> = sets
        .iter()
        .map(|(key, set)| (history.value(*key), set))
        .collect();
    verdicts.sort_by(|a, b| a.0.cmp(&b.0));
    let mut verdicts: Vec<_> = verdicts
        .into_iter()
        .map(|(key, set)| judge(history, key, set, &initial))
        .collect();
    Ok(if verdicts.len() == 1 {
        verdicts.remove(0)
    } else {
        Verdict::merge(NAME, verdicts)
    })
}

fn elements(value: &Value) -> Option<BTreeSet<Value>> {
    Some(value.as_items()?.iter().cloned().collect())
}

fn record(set: &mut Adds, history: &History, operation: Operation) -> Result<(), Misfit> {
    match history.function(operation.function) {
        "add" => set.adds.push(operation),
        "read" | "r" => {
            let value = history.value(operation.output);
            let later = |(other, _): &(Operation, _)| operation.returned > other.returned;
            let last = set.last_read.as_ref().is_none_or(later);
            if operation.outcome == Outcome::Ok && !value.is_nil() && last {
                set.last_read = Some((operation, elements(&value).ok_or(Misfit::Output)?));
            }
        }
        _ => return Err(Misfit::Function),
    }
    Ok(())
}

/// Judges the last read of one set.
fn judge(history: &History, key: Value, set: &Adds, initial: &BTreeSet<Value>) -> Verdict {
    let place = if key.is_nil() {
        String::new()
    } else {
        format!(" of key {key}")
    };
    let Some((read, seen)) = &set.last_read else {
        let why = format!("the set{place} was never read, so nobody knows what is in it");
        return Verdict::unknown(NAME, why, vec![format!("the set{place}")]);
    };
    let mut required = initial.clone();
    let mut allowed = initial.clone();
    for add in &set.adds {
        let element = history.value(add.input);
        if add.outcome == Outcome::Ok && add.returned < Some(read.invoked) {
            required.insert(element.clone());
        }
        if add.outcome != Outcome::Fail && Some(add.invoked) < read.returned {
            allowed.insert(element);
        }
    }
    let lost: Vec<_> = required.difference(seen).cloned().collect();
    let unexpected: Vec<_> = seen.difference(&allowed).cloned().collect();
    let statistics = Statistics {
        operations: set.adds.len() as u64 + 1,
        partitions: 1,
        states: 0,
    };
    if lost.is_empty() && unexpected.is_empty() {
        let recovered = seen.difference(&required).count();
        let sentence = format!(
            "the last read{place} has all {} acknowledged elements, and {recovered} whose add was not acknowledged",
            required.len()
        );
        let evidence = Evidence::Observations { count: 1 };
        return Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence])
            .with_statistics(statistics);
    }
    let headline = format!(
        "the last read{place} (process {}) lost {} and has {} unexpected elements",
        read.process,
        lost.len(),
        unexpected.len()
    );
    let counterexample = Counterexample::Elements {
        key,
        read: read.invoked,
        lost,
        unexpected,
        duplicated: Vec::new(),
    };
    refuted(headline, counterexample).with_statistics(statistics)
}

/// The verdict for a read that lost elements or has unexpected ones.
fn refuted(headline: String, counterexample: Counterexample) -> Verdict {
    let mut sentences = vec![headline];
    if let Counterexample::Elements {
        lost, unexpected, ..
    } = &counterexample
    {
        let lost = (!lost.is_empty()).then(|| {
            let lost = listed(lost);
            format!("Because {lost} had been acknowledged before the read began, and the read does not have that.")
        });
        let unexpected = (!unexpected.is_empty()).then(|| {
            let unexpected = listed(unexpected);
            format!("Because the read has {unexpected}, and nobody had added that.")
        });
        sentences.extend(lost.into_iter().chain(unexpected));
    }
    let judgement = Judgement::Invalid { counterexample };
    Verdict::new(NAME, judgement, sentences)
}

/// The first few of some elements, and how many more there are.
fn listed(elements: &[Value]) -> String {
    const LISTED_MAX: usize = 10;
    let first: Vec<_> = elements
        .iter()
        .take(LISTED_MAX)
        .map(Value::to_string)
        .collect();
    match elements.len().checked_sub(LISTED_MAX) {
        Some(more) if more > 0 => format!("{} and {more} more", first.join(", ")),
        _ => first.join(", "),
    }
}
