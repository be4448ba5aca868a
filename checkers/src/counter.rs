//! The plain check of a counter: every read is within the bounds that the additions around it allow.
//!
//! After `jepsen.checker/counter`, which asks less than linearizability: each read is judged on its own. There,
//! additions are positive; here they may be negative as well. An addition has surely happened if it was acknowledged
//! before the read began, and may have happened if it began before the read returned and did not fail. The least
//! sum takes what surely happened and of the rest all that is negative; the greatest, all that is positive.

use std::collections::BTreeMap;

use tribunal_histories::{History, Outcome, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Change, Misfit, Recorded, Shape, change, first};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "counter";
pub(crate) const ABOUT: &str = "Every read of a counter is at least the sum of what was surely added before it, and at \
                                most the sum of what may have been; decrements too. Begins with 0 or the initial \
                                value. Weaker than linearizable-counter.";
pub(crate) const OPERATIONS: &[Shape] = crate::model::COUNTER_OPERATIONS;

/// What the additions so far amount to, in 128 bits: no history sums up to more.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Of the increments that began and did not fail.
    increments: i128,
    /// Of those, what was acknowledged.
    sure_increments: i128,
    /// Of the decrements that began and did not fail; not positive.
    decrements: i128,
    /// Of those, what was acknowledged.
    sure_decrements: i128,
}

/// A counter while its history is read.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    now: Sums,
    /// The sums when the reads in flight began, by the position of their invocation.
    began: BTreeMap<usize, Sums>,
    reads: usize,
}

/// Judges every read of every key; the first that is out of bounds is the counterexample.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let initial = first(&request.initial()).map_err(|expected| CheckError::Initial {
        checker: NAME,
        initial: request.initial(),
        expected,
    })?;
    let mut counters: BTreeMap<ValueId, Counter> = BTreeMap::new();
    let mut statistics = Statistics::default();
    for position in 0..history.len() {
        let invoked = history
            .pair(position)
            .map_or(position, |pair| pair.min(position));
        let Some(operation) = history.operation(invoked) else {
            continue;
        };
        let begins = invoked == position;
        if !begins && operation.returned != Some(position) {
            continue;
        }
        statistics.operations += u64::from(begins);
        let counter = counters.entry(operation.key).or_default();
        let recorded = Recorded {
            function: history.function(operation.function),
            input: history.value(operation.input),
            output: (operation.outcome == Outcome::Ok).then(|| history.value(operation.output)),
        };
        let change = change(&recorded).map_err(|misfit: Misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
        match change {
            _ if operation.outcome == Outcome::Fail => {}
            None => {}
            Some(Change::Add(amount)) => counter.add(amount, begins),
            Some(Change::Read(_)) if begins => {
                counter.begin_read(invoked);
            }
            Some(Change::Read(value)) => {
                let bounds = counter.bounds(invoked, initial);
                if !(bounds.0..=bounds.1).contains(&i128::from(value)) {
                    let key = history.value(operation.key);
                    let process = operation.process.to_string();
                    let verdict = refuted(key, invoked, &process, value, bounds);
                    return Ok(verdict.with_statistics(statistics));
                }
            }
        }
    }
    statistics.partitions = counters.len() as u64;
    Ok(judge(&counters).with_statistics(statistics))
}

impl Counter {
    /// An addition begins, or is acknowledged.
    pub(crate) fn add(&mut self, amount: i64, begins: bool) {
        let sum = match (begins, amount > 0) {
            (true, true) => &mut self.now.increments,
            (true, false) => &mut self.now.decrements,
            (false, true) => &mut self.now.sure_increments,
            (false, false) => &mut self.now.sure_decrements,
        };
        *sum += i128::from(amount);
    }

    /// A read begins.
    pub(crate) fn begin_read(&mut self, invoked: usize) {
        self.began.insert(invoked, self.now);
    }

    /// The least and the most that a read can return which began at a position and returns now.
    pub(crate) fn bounds(&mut self, invoked: usize, initial: i64) -> (i128, i128) {
        self.reads += 1;
        let began = self.began.remove(&invoked).unwrap_or_default();
        let initial = i128::from(initial);
        (
            initial + began.sure_increments + self.now.decrements,
            initial + began.sure_decrements + self.now.increments,
        )
    }
}

/// The verdict when no read was out of bounds. As in Jepsen, a counter that nobody read is valid; the evidence says
/// that nothing was observed.
fn judge(counters: &BTreeMap<ValueId, Counter>) -> Verdict {
    let count = counters.values().map(|counter| counter.reads).sum();
    let evidence = Evidence::Observations { count };
    let sentence = match count {
        0 => "the counter was never read, so that any additions are allowed".to_owned(),
        _ => format!("each of the {count} reads is within what the additions allow"),
    };
    Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence])
}

/// The verdict for a read that is out of bounds.
fn refuted(
    key: Value,
    read: usize,
    process: &str,
    value: i64,
    (lower, upper): (i128, i128),
) -> Verdict {
    let place = if key.is_nil() {
        String::new()
    } else {
        format!(" of key {key}")
    };
    let because = if i128::from(value) < lower {
        format!(
            "Because what had been acknowledged before the read began, and all decrements that may have happened, \
             amount to {lower}, it cannot return less."
        )
    } else {
        format!(
            "Because what had been acknowledged before the read began, and all increments that may have happened, \
             amount to {upper}, it cannot return more."
        )
    };
    let headline = format!(
        "a read{place} (process {process}) returned {value}, which is not within {lower} and {upper}"
    );
    let clamped =
        |bound: i128| i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX });
    let counterexample = Counterexample::OutOfBounds {
        key,
        read,
        value,
        lower: clamped(lower),
        upper: clamped(upper),
    };
    let judgement = Judgement::Invalid { counterexample };
    Verdict::new(NAME, judgement, vec![headline, because])
}
