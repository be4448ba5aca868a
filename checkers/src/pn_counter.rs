//! The check of a counter that may be behind for a while: in the end it has every acknowledged addition, once.
//!
//! After Maelstrom's pn-counter workload. A read at the end ([`final_reads`](crate::final_reads)) must return the sum
//! of all additions that were acknowledged, plus the sum of some of those of which nobody knows whether they
//! happened: every subset of them is allowed, and nothing between. Any other read only has to be a sum of additions
//! that had begun: it is within the sum of all negative ones and that of all positive ones.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::final_reads::{Ends, READS};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "pn-counter";
pub(crate) const ABOUT: &str = "A counter that may be behind for a while: each read at the end is the sum of all acknowledged \
                                additions and of some of those whose outcome is not known; every other read is a sum that \
                                additions begun by then allow. The reads at the end are called final-read; without any, \
                                they are those that began when all additions had ended. (After Maelstrom's pn-counter.)";
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["add"],
        input: "integer",
        output: "",
    },
    Shape {
        names: READS,
        input: "",
        output: "integer",
    },
];

/// More sums than this are not told apart: a read at the end is then only held to their bounds.
const SUMS_MAX: usize = 1 << 20;

/// The additions and reads of one key.
#[derive(Debug, Default)]
struct Counter {
    /// With their amounts, in the order in which they began.
    additions: Vec<(Operation, i64)>,
    /// With what they returned.
    reads: Vec<(Operation, i64)>,
    ends: Ends,
}

/// What a counter can come to.
struct Sums {
    /// All of them, from the least to the greatest, or nothing if they are too many.
    each: Option<BTreeSet<i128>>,
    lower: i128,
    upper: i128,
}

/// Judges the counter of every key.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let initial =
        crate::model::first(&request.initial()).map_err(|expected| CheckError::Initial {
            checker: NAME,
            initial: request.initial(),
            expected,
        })?;
    let mut counters: BTreeMap<ValueId, Counter> = BTreeMap::new();
    for operation in history.operations() {
        let counter = counters.entry(operation.key).or_default();
        counter.record(history, operation).map_err(|misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
    }
    let mut named: Vec<_> = counters
        .into_iter()
        .map(|(key, counter)| (history.value(key), counter))
        .collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let mut verdicts: Vec<_> = named
        .into_iter()
        .map(|(key, counter)| counter.judge(history, &key, i128::from(initial)))
        .collect();
    Ok(if verdicts.len() == 1 {
        verdicts.remove(0)
    } else {
        Verdict::merge(NAME, verdicts)
    })
}

impl Counter {
    fn record(&mut self, history: &History, operation: Operation) -> Result<(), Misfit> {
        match history.function(operation.function) {
            "add" => {
                self.ends.change(&operation);
                let amount = history.value(operation.input);
                let amount = amount.as_int().ok_or(Misfit::Input)?;
                self.additions.push((operation, amount));
            }
            function if READS.contains(&function) => {
                self.ends.read(history, &operation);
                if operation.outcome == Outcome::Ok {
                    let value = history.value(operation.output);
                    let value = value.as_int().ok_or(Misfit::Output)?;
                    self.reads.push((operation, value));
                }
            }
            _ => return Err(Misfit::Function),
        }
        Ok(())
    }

    fn judge(&self, history: &History, key: &Value, initial: i128) -> Verdict {
        let statistics = Statistics {
            operations: (self.additions.len() + self.reads.len()) as u64,
            partitions: 1,
            states: 0,
        };
        let is_final = |read: &Operation| self.ends.is_final(history, read);
        let finals: Vec<_> = self
            .reads
            .iter()
            .filter(|(read, _)| is_final(read))
            .collect();
        let sums = self.in_the_end(initial);
        for (read, value) in &finals {
            if let Some(because) = sums.exclude(i128::from(*value)) {
                let bounds = (sums.lower, sums.upper);
                return refuted(key, read, *value, bounds, because).with_statistics(statistics);
            }
        }
        for (read, value) in &self.reads {
            let bounds = self.meanwhile(read, initial);
            if !(bounds.0..=bounds.1).contains(&i128::from(*value)) {
                let because = format!(
                    "Because the additions that had begun before the read returned amount to no less than {} and no \
                     more than {}.",
                    bounds.0, bounds.1
                );
                return refuted(key, read, *value, bounds, because).with_statistics(statistics);
            }
        }
        let undecided = |why: &str| {
            let left = vec!["what the counter comes to in the end".to_owned()];
            Verdict::unknown(NAME, why, left).with_statistics(statistics)
        };
        if finals.is_empty() {
            return undecided("no read at the end of the counter was answered");
        }
        if sums.each.is_none() {
            return undecided(
                "the additions of unknown outcome have too many sums to tell them apart",
            );
        }
        let acknowledged = self.with_outcome(Outcome::Ok).count();
        if acknowledged == 0 {
            return undecided("no addition was acknowledged");
        }
        let evidence = Evidence::Observations {
            count: self.reads.len(),
        };
        let sentence = format!(
            "each of the {} reads at the end has all {acknowledged} acknowledged additions, which come to {}, and \
             nothing but some of the {} of unknown outcome",
            finals.len(),
            initial + self.sum(),
            self.with_outcome(Outcome::Info).count(),
        );
        Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence])
            .with_statistics(statistics)
    }

    /// The amounts of the additions that ended so.
    fn with_outcome(&self, outcome: Outcome) -> impl Iterator<Item = i128> + '_ {
        let additions = self.additions.iter();
        additions
            .filter(move |(addition, _)| addition.outcome == outcome)
            .map(|(_, amount)| i128::from(*amount))
    }

    /// What was acknowledged.
    fn sum(&self) -> i128 {
        self.with_outcome(Outcome::Ok).sum()
    }

    /// What the counter can come to when all additions have ended.
    fn in_the_end(&self, initial: i128) -> Sums {
        let sure = initial + self.sum();
        let pending: Vec<_> = self.with_outcome(Outcome::Info).collect();
        let mut each = BTreeSet::from([sure]);
        let mut are_all = true;
        for amount in &pending {
            let more: Vec<_> = each.iter().map(|sum| sum + amount).collect();
            each.extend(more);
            if each.len() > SUMS_MAX {
                are_all = false;
                break;
            }
        }
        Sums {
            each: are_all.then_some(each),
            lower: sure + pending.iter().filter(|amount| **amount < 0).sum::<i128>(),
            upper: sure + pending.iter().filter(|amount| **amount > 0).sum::<i128>(),
        }
    }

    /// The bounds of what a read can return before everything has come about.
    fn meanwhile(&self, read: &Operation, initial: i128) -> (i128, i128) {
        let begun = self.additions.iter().filter(|(addition, _)| {
            addition.outcome != Outcome::Fail && Some(addition.invoked) < read.returned
        });
        begun.fold((initial, initial), |(lower, upper), (_, amount)| {
            let amount = i128::from(*amount);
            (lower + amount.min(0), upper + amount.max(0))
        })
    }
}

impl Sums {
    /// Why this is none of them, if it is none.
    fn exclude(&self, value: i128) -> Option<String> {
        let (lower, upper) = (self.lower, self.upper);
        let is_one = match &self.each {
            Some(each) => each.contains(&value),
            None => (lower..=upper).contains(&value),
        };
        if is_one {
            return None;
        }
        Some(if lower == upper {
            format!(
                "Because what was acknowledged comes to {lower}, and the outcome of every addition is known."
            )
        } else if value < lower || value > upper {
            format!(
                "Because what was acknowledged, with or without any of the additions of unknown outcome, comes to no \
                 less than {lower} and no more than {upper}."
            )
        } else {
            format!(
                "Because no choice among the additions of unknown outcome, added to what was acknowledged, comes to \
                 {value}."
            )
        })
    }
}

/// The verdict for a read that no choice of additions explains.
fn refuted(
    key: &Value,
    read: &Operation,
    value: i64,
    (lower, upper): (i128, i128),
    because: String,
) -> Verdict {
    let place = match key {
        Value::Nil => String::new(),
        key => format!(" of key {key}"),
    };
    let headline = format!(
        "a read{place} (process {}) returned {value}, which no choice of additions comes to",
        read.process
    );
    let clamped =
        |bound: i128| i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX });
    let counterexample = Counterexample::OutOfBounds {
        key: key.clone(),
        read: read.invoked,
        value,
        lower: clamped(lower),
        upper: clamped(upper),
    };
    Verdict::new(
        NAME,
        Judgement::Invalid { counterexample },
        vec![headline, because],
    )
}
