//! Convergence: when writes have stopped and nodes have gossiped, all agree, and on something that they may agree on.
//!
//! What last-writer-wins with logical clocks promises is little, and exact. Every final read returns the same value. It
//! is one that was written and that no acknowledged change has overwritten whose author knew of it; of two changes that
//! knew nothing of each other either may win, and the other is lost. And before the end, a process that asks one node
//! all the time never reads what it knows to be overwritten. A counter loses nothing: it is the sum of what was added.

mod causality;

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};
use causality::{Past, pasts};

pub(crate) const NAME: &str = "convergence";
pub(crate) const ABOUT: &str = "Of registers where the last writer wins and of counters, replicated without \
                                agreement: all final reads are equal; they return a value that was written and that no \
                                acknowledged change has overwritten whose process knew of it; no process reads what \
                                it knows to be overwritten. What is added to is a counter: final reads return \
                                the sum. Much \
                                weaker than linearizability.";
pub(crate) const OPERATIONS: &[Shape] = &[
    shape(&["read"], "", "value"),
    shape(&["write"], "value", ""),
    shape(&["cas"], "[from to]", ""),
    shape(&["delete"], "", ""),
    shape(&["final-read"], "", "value"),
    shape(&["add"], "amount", ""),
];

const fn shape(names: &'static [&'static str], input: &'static str, output: &'static str) -> Shape {
    Shape {
        names,
        input,
        output,
    }
}

/// What an operation does, or found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// It returned this value of a register.
    Read(Value),
    Write(Value),
    Cas(Value, Value),
    Delete,
    Add(i64),
    /// It returned this sum.
    Count(i64),
}

#[derive(Clone, Debug)]
struct Op {
    operation: Operation,
    key: Value,
    what: What,
    /// It was made at the end, to see whether all agree.
    last: bool,
}

const NIL: &Value = &Value::Nil;

impl Op {
    /// Whether it is known to have happened.
    fn happened(&self) -> bool {
        self.operation.outcome == Outcome::Ok
    }

    /// The value that it gives its register, if it changes one.
    fn gives(&self) -> Option<&Value> {
        match &self.what {
            What::Write(value) | What::Cas(_, value) => Some(value),
            What::Delete => Some(NIL),
            What::Read(_) | What::Add(_) | What::Count(_) => None,
        }
    }

    fn is_of_counter(&self) -> bool {
        matches!(self.what, What::Add(_) | What::Count(_))
    }
}

/// What contradicts what, and why.
struct Contradiction {
    headline: String,
    because: String,
    operations: Vec<usize>,
}

/// Judges every register and every counter.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    if !request.initial().is_nil() {
        return Err(CheckError::Initial {
            checker: NAME,
            initial: request.initial(),
            expected: "left out: objects begin absent",
        });
    }
    let is_add = |operation: &Operation| history.function(operation.function) == "add";
    let adds = history.operations().filter(is_add);
    let counters: BTreeSet<_> = adds.map(|operation| operation.key).collect();
    let mut ops = Vec::new();
    for operation in history.operations() {
        let op = op(history, operation, &counters).map_err(|misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
        ops.extend(op);
    }
    let mut objects: BTreeMap<(bool, &Value), Vec<&Op>> = BTreeMap::new();
    for op in &ops {
        objects
            .entry((op.is_of_counter(), &op.key))
            .or_default()
            .push(op);
    }
    let pasts = pasts(ops.iter().filter(|op| !op.is_of_counter()));
    let verdicts = objects
        .iter()
        .map(|((is_counter, key), ops)| judge(*is_counter, key, ops, &pasts));
    let mut verdicts: Vec<_> = verdicts.collect();
    Ok(match verdicts.len() {
        0 => Verdict::unknown(NAME, "nothing was read or changed", Vec::new()),
        1 => verdicts.remove(0),
        _ => Verdict::merge(NAME, verdicts),
    })
}

/// What an operation does or found; `None` if it did not happen, or found nothing out.
fn op(
    history: &History,
    operation: Operation,
    counters: &BTreeSet<ValueId>,
) -> Result<Option<Op>, Misfit> {
    let function = history.function(operation.function);
    let (input, output) = (
        history.value(operation.input),
        history.value(operation.output),
    );
    let happened = operation.outcome == Outcome::Ok;
    let integer = |value: &Value, misfit| match value {
        Value::Int(number) => Ok(*number),
        _ => Err(misfit),
    };
    let what = match function {
        _ if operation.outcome == Outcome::Fail => None,
        "read" | "final-read" if !happened => None,
        "read" | "final-read" if counters.contains(&operation.key) && output.is_nil() => {
            Some(What::Count(0))
        }
        "read" | "final-read" if counters.contains(&operation.key) => {
            Some(What::Count(integer(&output, Misfit::Output)?))
        }
        "read" | "final-read" => Some(What::Read(output)),
        "write" => Some(What::Write(input)),
        "cas" => match input.as_items() {
            Some([from, to]) => Some(What::Cas(from.clone(), to.clone())),
            _ => return Err(Misfit::Input),
        },
        "delete" => Some(What::Delete),
        "add" => Some(What::Add(integer(&input, Misfit::Input)?)),
        _ => return Err(Misfit::Function),
    };
    Ok(what.map(|what| Op {
        key: history.value(operation.key),
        last: function.starts_with("final-"),
        operation,
        what,
    }))
}

fn judge(is_counter: bool, key: &Value, ops: &[&Op], pasts: &BTreeMap<usize, Past>) -> Verdict {
    let named = match (is_counter, key.is_nil()) {
        (true, true) => "the counter".to_owned(),
        (true, false) => format!("counter {key}"),
        (false, true) => "the register".to_owned(),
        (false, false) => format!("register {key}"),
    };
    let statistics = Statistics {
        operations: ops.len() as u64,
        partitions: 1,
        states: 0,
    };
    let finals: Vec<&Op> = ops.iter().copied().filter(|op| op.last).collect();
    let found = disagreement(&named, &finals).or_else(|| {
        if is_counter {
            wrong_sum(&named, ops, &finals)
        } else {
            wrong_final(&named, ops, &finals, pasts).or_else(|| known_stale(&named, ops))
        }
    });
    if let Some(Contradiction {
        headline,
        because,
        operations,
    }) = found
    {
        let key = key.clone();
        let counterexample = Counterexample::Contradiction { key, operations };
        let judgement = Judgement::Invalid { counterexample };
        return Verdict::new(NAME, judgement, vec![headline, because]).with_statistics(statistics);
    }
    if finals.is_empty() {
        let why = format!("{named} was never read at the end, so nobody knows whether all agree");
        return Verdict::unknown(NAME, why, vec![named]).with_statistics(statistics);
    }
    let count = finals.len();
    let sentence = format!(
        "all final reads of {named} agree, {count} in number{}",
        lost(ops, &finals, pasts)
    );
    let evidence = Evidence::Observations { count };
    Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence]).with_statistics(statistics)
}

/// The acknowledged changes of a register that are gone though nobody who overwrote them knew of them.
fn lost(ops: &[&Op], finals: &[&Op], pasts: &BTreeMap<usize, Past>) -> String {
    let Some(What::Read(value)) = finals.first().map(|op| &op.what) else {
        return String::new();
    };
    let changes = || {
        ops.iter()
            .filter(|op| op.gives().is_some() && op.happened())
    };
    let overwritten = |change: &Op| changes().any(|other| knew(pasts, other, change));
    let gone = changes().filter(|change| change.gives() != Some(value) && !overwritten(change));
    match gone.count() {
        0 => String::new(),
        gone => format!("; lost to concurrent writes, as last-writer-wins has it: {gone}"),
    }
}

/// Two final reads that differ.
fn disagreement(named: &str, finals: &[&Op]) -> Option<Contradiction> {
    let first = finals.first()?;
    let other = finals.iter().find(|other| other.what != first.what)?;
    let text = |op: &Op| match &op.what {
        What::Count(sum) => sum.to_string(),
        What::Read(value) => value.to_string(),
        _ => String::new(),
    };
    let process = |op: &Op| op.operation.process;
    Some(Contradiction {
        headline: format!("the nodes do not agree on {named}"),
        because: format!(
            "Because writes had stopped and the nodes had had time to gossip, process {} and process {} had to read \
             the same of {named} at the end; they read {} and {}.",
            process(first),
            process(other),
            text(first),
            text(other)
        ),
        operations: vec![first.operation.invoked, other.operation.invoked],
    })
}

/// Whether a change was made by one who knew of another.
fn knew(pasts: &BTreeMap<usize, Past>, change: &Op, other: &Op) -> bool {
    change.operation.invoked != other.operation.invoked
        && pasts
            .get(&change.operation.invoked)
            .is_some_and(|past| past.has(other))
}

/// A final read of a value that nobody wrote, or that was overwritten.
fn wrong_final(
    named: &str,
    ops: &[&Op],
    finals: &[&Op],
    pasts: &BTreeMap<usize, Past>,
) -> Option<Contradiction> {
    finals.iter().find_map(|read| {
        let before = |change: &&&Op| {
            change.happened() && change.operation.returned < Some(read.operation.invoked)
        };
        let changes: Vec<&Op> = ops.iter().filter(before).copied().collect();
        wrong_value(named, read, ops, &changes, |by, change| {
            knew(pasts, by, change)
        })
    })
}

/// A read of a value of which the process knew that it was overwritten.
fn known_stale(named: &str, ops: &[&Op]) -> Option<Contradiction> {
    // What is known of other objects says nothing about which records of this one have come.
    let pasts = pasts(ops.iter().copied());
    let reads = ops.iter().filter(|op| matches!(op.what, What::Read(_)));
    reads.into_iter().find_map(|read| {
        let past = pasts.get(&read.operation.invoked)?;
        let changes: Vec<&Op> = ops
            .iter()
            .copied()
            .filter(|op| past.has(op) && op.gives().is_some())
            .collect();
        wrong_value(named, read, ops, &changes, |by, change| {
            knew(&pasts, by, change)
        })
    })
}

/// A read of a value which nobody wrote, or which one of the changes that must be visible has overwritten.
fn wrong_value(
    named: &str,
    read: &Op,
    ops: &[&Op],
    visible: &[&Op],
    knew: impl Fn(&Op, &Op) -> bool,
) -> Option<Contradiction> {
    let What::Read(value) = &read.what else {
        return None;
    };
    let visible = || visible.iter().filter(|op| op.gives().is_some());
    let began = |op: &&&Op| Some(op.operation.invoked) < read.operation.returned;
    let sources: Vec<_> = ops
        .iter()
        .filter(|op| op.gives() == Some(value))
        .filter(began)
        .collect();
    let overwriting = |source: &Op| visible().find(|change| knew(change, source));
    if sources.iter().any(|source| overwriting(source).is_none())
        || value.is_nil() && visible().next().is_none()
    {
        return None;
    }
    let process = read.operation.process;
    let (because, other) = match sources.last().and_then(|source| overwriting(source)) {
        Some(change) => {
            let by = change.operation.process;
            let to = change.gives().unwrap_or(NIL);
            let because = format!(
                "Because process {by} knew of {value} when it made {named} {to}, {to} is the newer of the two \
                 wherever both are known, and process {process} had to be shown {to} or what came after it."
            );
            (because, Some(*change))
        }
        None if value.is_nil() => {
            let change = visible().next().copied();
            let because = format!(
                "Because {named} had been written and never deleted when process {process} read it, it cannot be absent."
            );
            (because, change)
        }
        None => {
            let because = format!(
                "Because nobody had written {value}, process {process} cannot read it of {named}."
            );
            (because, None)
        }
    };
    let operations = other.into_iter().chain([read]);
    Some(Contradiction {
        headline: format!("process {process} read {value} of {named}, which it may not return"),
        because,
        operations: operations.map(|op| op.operation.invoked).collect(),
    })
}

/// A final count that is not the sum of what was added.
fn wrong_sum(named: &str, ops: &[&Op], finals: &[&Op]) -> Option<Contradiction> {
    let (mut least, mut most) = (0_i128, 0_i128);
    for op in ops {
        if let What::Add(amount) = op.what {
            let amount = i128::from(amount);
            least += if op.happened() { amount } else { amount.min(0) };
            most += if op.happened() { amount } else { amount.max(0) };
        }
    }
    finals.iter().find_map(|read| {
        let What::Count(sum) = read.what else {
            return None;
        };
        if (least..=most).contains(&i128::from(sum)) {
            return None;
        }
        let process = read.operation.process;
        Some(Contradiction {
            headline: format!("process {process} read {sum} of {named}, which is not within {least} and {most}"),
            because: format!(
                "Because what was added and acknowledged, with what may have been added, amounts to between {least} \
                 and {most}, and a counter loses and repeats nothing, {named} cannot be {sum} at the end."
            ),
            operations: vec![read.operation.invoked],
        })
    })
}
