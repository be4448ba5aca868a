//! The full check of a set that is only added to: every element's way, from its add to the last reads.
//!
//! After `jepsen.checker/set-full`, with three differences. An element that a read has twice is *duplicated*, which
//! the original does not see. *Lost* is judged by the reads at the end, of every process ([`final_reads`]), and not
//! by the last read alone: one node that lacks an element is enough. And an element that is in a read although nobody
//! added it, or although its add failed, is *unexpected*.
//!
//! An element is *known* from the moment at which its add was acknowledged, or a read that has it returned. A later
//! read without it makes it *stale*, which is no fault of an eventually consistent set; how long it took until no read
//! lacked it any more is told.
//!
//! [`final_reads`]: crate::final_reads

use std::collections::BTreeMap;

use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::final_reads::{Ends, READS};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "set-full";
pub(crate) const ABOUT: &str = "A set that is only added to and may be behind for a while, or messages that are broadcast: \
                                in the end every read has every element that was acknowledged or seen, none twice and \
                                none that nobody added. Elements that were missing for a time are counted as stale, \
                                with how long it took. The reads at the end are called final-read; without any, they \
                                are those that began when all adds had ended.";
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["add", "broadcast"],
        input: "element",
        output: "",
    },
    Shape {
        names: READS,
        input: "",
        output: "[element …]",
    },
];

/// What is known of an element.
#[derive(Debug)]
struct Element {
    add: Operation,
    /// The position from which on it must come to be everywhere.
    known: Option<usize>,
    /// The last read that lacks it although it was known when the read began: where it began.
    last_absent: Option<usize>,
}

/// The adds and reads of one key.
#[derive(Debug, Default)]
struct Set {
    elements: BTreeMap<Value, Element>,
    /// With what they returned, in the order in which they began.
    reads: Vec<(Operation, Vec<Value>)>,
    ends: Ends,
}

/// Judges the set of every key.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    if !request.initial().is_nil() {
        return Err(CheckError::Initial {
            checker: NAME,
            initial: request.initial(),
            expected: "none: the set is empty at first",
        });
    }
    let mut sets: BTreeMap<ValueId, Set> = BTreeMap::new();
    for operation in history.operations() {
        let set = sets.entry(operation.key).or_default();
        set.record(history, operation).map_err(|misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
    }
    let mut named: Vec<_> = sets
        .into_iter()
        .map(|(key, set)| (history.value(key), set))
        .collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let mut verdicts: Vec<_> = named
        .into_iter()
        .map(|(key, set)| judge(history, &key, set))
        .collect();
    Ok(if verdicts.len() == 1 {
        verdicts.remove(0)
    } else {
        Verdict::merge(NAME, verdicts)
    })
}

impl Set {
    fn record(&mut self, history: &History, operation: Operation) -> Result<(), Misfit> {
        let function = history.function(operation.function);
        if ["add", "broadcast"].contains(&function) {
            self.ends.change(&operation);
            let element = Element {
                add: operation,
                known: operation
                    .returned
                    .filter(|_| operation.outcome == Outcome::Ok),
                last_absent: None,
            };
            // Of an element that is added twice nobody can tell which add a read saw.
            let before = self
                .elements
                .insert(history.value(operation.input), element);
            return before.map_or(Ok(()), |_| Err(Misfit::Input));
        }
        if !READS.contains(&function) {
            return Err(Misfit::Function);
        }
        self.ends.read(history, &operation);
        if operation.outcome == Outcome::Ok {
            let told = match history.value(operation.output) {
                Value::Nil => Vec::new(),
                told => told.as_items().ok_or(Misfit::Output)?.to_vec(),
            };
            self.reads.push((operation, told));
        }
        Ok(())
    }

    /// Elements are known when the first read that has them returned, if not before.
    fn learn_from_reads(&mut self) {
        for (read, told) in &self.reads {
            for element in told {
                if let Some(element) = self.elements.get_mut(element) {
                    let known = element.known.into_iter().chain(read.returned);
                    element.known = known.min();
                }
            }
        }
    }

    /// The first read with an element twice, or with one that nobody can have added.
    fn unfounded(&self, key: &Value) -> Option<Verdict> {
        self.reads.iter().find_map(|(read, told)| {
            let mut sorted: Vec<_> = told.iter().collect();
            sorted.sort();
            let mut duplicated: Vec<_> = sorted
                .windows(2)
                .filter(|pair| pair[0] == pair[1])
                .map(|pair| pair[0].clone())
                .collect();
            duplicated.dedup();
            sorted.dedup();
            let founded = |element: &Value| {
                self.elements.get(element).is_some_and(|known| {
                    known.add.outcome != Outcome::Fail && Some(known.add.invoked) < read.returned
                })
            };
            let unexpected: Vec<_> = sorted
                .into_iter()
                .filter(|element| !founded(element))
                .cloned()
                .collect();
            let is_wrong = !duplicated.is_empty() || !unexpected.is_empty();
            is_wrong.then(|| refuted(key, read, Vec::new(), unexpected, duplicated))
        })
    }

    /// Notes which reads lack elements that were known; the first of those at the end that does is the verdict.
    fn missing(&mut self, history: &History, key: &Value) -> Option<Verdict> {
        for (read, told) in &self.reads {
            let mut told: Vec<_> = told.iter().collect();
            told.sort();
            let mut lost = Vec::new();
            for (value, element) in &mut self.elements {
                let was_known = element.known.is_some_and(|known| known < read.invoked);
                if was_known && told.binary_search(&value).is_err() {
                    element.last_absent = Some(read.invoked);
                    lost.push(value.clone());
                }
            }
            if !lost.is_empty() && self.ends.is_final(history, read) {
                return Some(refuted(key, read, lost, Vec::new(), Vec::new()));
            }
        }
        None
    }

    fn finals(&self, history: &History) -> usize {
        let finals = self.reads.iter();
        finals
            .filter(|(read, _)| self.ends.is_final(history, read))
            .count()
    }

    /// For each element that was stale, how long after it was known a read still lacked it, in nanoseconds.
    fn staleness_ns(&self, history: &History) -> Vec<u64> {
        let time_ns = |position: usize| history.events().get(position)?.time_ns();
        let mut delays: Vec<_> = self
            .elements
            .values()
            .filter_map(|element| {
                let (known, absent) = (element.known?, element.last_absent?);
                Some(
                    time_ns(absent)
                        .unwrap_or(0)
                        .saturating_sub(time_ns(known).unwrap_or(0)),
                )
            })
            .collect();
        delays.sort_unstable();
        delays
    }
}

/// Judges one set.
fn judge(history: &History, key: &Value, mut set: Set) -> Verdict {
    let statistics = Statistics {
        operations: (set.elements.len() + set.reads.len()) as u64,
        partitions: 1,
        states: 0,
    };
    set.learn_from_reads();
    if let Some(verdict) = set.unfounded(key).or_else(|| set.missing(history, key)) {
        return verdict.with_statistics(statistics);
    }
    let place = of_key(key);
    let known = set
        .elements
        .values()
        .filter(|element| element.known.is_some())
        .count();
    let finals = set.finals(history);
    let undecided = |why: String| {
        Verdict::unknown(
            NAME,
            why,
            vec![format!("what is in the set{place} in the end")],
        )
    };
    if finals == 0 {
        let why = format!("no read at the end of the set{place} was answered");
        return undecided(why).with_statistics(statistics);
    }
    if known == 0 {
        let why = format!("no add to the set{place} was acknowledged or seen");
        return undecided(why).with_statistics(statistics);
    }
    let evidence = Evidence::Observations {
        count: set.reads.len(),
    };
    let sentences = vec![
        format!(
            "each of the {finals} reads at the end{place} has all {known} elements, none twice"
        ),
        staleness(&set.staleness_ns(history)),
    ];
    Verdict::new(NAME, Judgement::Valid { evidence }, sentences).with_statistics(statistics)
}

/// How long elements were stale, in a sentence.
fn staleness(delays_ns: &[u64]) -> String {
    let Some(longest) = delays_ns.last() else {
        return "no element was missing from any read that began after it was known".to_owned();
    };
    let millis = |delay_ns: u64| delay_ns as f64 / 1e6;
    format!(
        "{} elements were stale: a read lacked them up to {:.1} ms (half of them), {:.1} ms (the longest) after they \
         were known",
        delays_ns.len(),
        millis(delays_ns[delays_ns.len() / 2]),
        millis(*longest),
    )
}

fn of_key(key: &Value) -> String {
    match key {
        Value::Nil => String::new(),
        key => format!(" of key {key}"),
    }
}

/// The verdict for a read that lost elements, has some twice, or has unexpected ones.
fn refuted(
    key: &Value,
    read: &Operation,
    lost: Vec<Value>,
    unexpected: Vec<Value>,
    duplicated: Vec<Value>,
) -> Verdict {
    let mut wrong = Vec::new();
    let mut sentences = Vec::new();
    let mut tell = |elements: &[Value], what: &str, because: &str| {
        if !elements.is_empty() {
            wrong.push(format!("{what} {}", counted(elements.len())));
            sentences.push(format!("Because {} {because}", listed(elements)));
        }
    };
    tell(
        &lost,
        "lost",
        "had been acknowledged, or read, before this read at the end began, and the read does not have that.",
    );
    tell(
        &duplicated,
        "duplicated",
        "is in the read more than once: an element of a set is in it once.",
    );
    tell(
        &unexpected,
        "has unexpected",
        "is in the read, and nobody had added that.",
    );
    let headline = format!(
        "a read{} (process {}) {}",
        of_key(key),
        read.process,
        wrong.join(", and ")
    );
    sentences.insert(0, headline);
    let counterexample = Counterexample::Elements {
        key: key.clone(),
        read: read.invoked,
        lost,
        unexpected,
        duplicated,
    };
    Verdict::new(NAME, Judgement::Invalid { counterexample }, sentences)
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 element".to_owned(),
        _ => format!("{count} elements"),
    }
}

/// The first few of some elements, and how many more there are.
fn listed(elements: &[Value]) -> String {
    const LISTED_MAX: usize = 10;
    let first: Vec<_> = elements
        .iter()
        .take(LISTED_MAX)
        .map(Value::to_string)
        .collect();
    match elements.len().saturating_sub(LISTED_MAX) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
