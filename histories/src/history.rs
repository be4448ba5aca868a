//! Histories: events in the order they happened, each completion paired with its invocation.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use crate::builder::{BuildOptions, HistoryBuilder};
use crate::event::{Event, EventRecord, FunctionId, Kind, Process};
use crate::invocations::Invocations;
use crate::rule::RuleBroken;
use crate::value::{Value, ValueId, Values};

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It happened.
    Ok,
    /// It did not happen and never will.
    Fail,
    /// Nobody knows: it ended in `info`, or the history ends before it does.
    Info,
}

impl Outcome {
    /// Every outcome, each at its number.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Fail, Self::Info];
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();
}

/// An invocation and its completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who.
    pub process: Process,
    /// What.
    pub function: FunctionId,
    /// On which object.
    pub key: ValueId,
    /// The invocation's value: the arguments.
    pub input: ValueId,
    /// The completion's value; [`ValueId::NIL`] unless the outcome is [`Outcome::Ok`] or [`Outcome::Fail`].
    pub output: ValueId,
    /// How it ended.
    pub outcome: Outcome,
    /// The position of its invocation in the history.
    pub invoked: usize,
    /// The position of its `ok` or `fail`; `None` when it is open for ever.
    pub returned: Option<usize>,
}

/// Events in the order in which they happened. Validated: see [`RuleBroken`] for the rules.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(crate) events: Vec<Event>,
    /// For an invocation the position of its completion and the reverse; `NO_PAIR` where there is none.
    pub(crate) pairs: Vec<u32>,
    /// What few events have, in the order of their positions.
    pub(crate) remarks: Vec<(u32, Remark)>,
    pub(crate) functions: Vec<Arc<str>>,
    pub(crate) values: Values,
}

/// What few events have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// Why it failed or is unknown.
    pub(crate) error: ValueId,
    /// Fields that the format has and we do not: a map, or nil.
    pub(crate) extra: ValueId,
}

impl Remark {
    /// Nothing to remark.
    pub(crate) const NONE: Self = Self {
        error: ValueId::NIL,
        extra: ValueId::NIL,
    };
}

pub(crate) const NO_PAIR: u32 = u32::MAX;

impl History {
    /// All events, those of the nemesis too.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The table behind the ids of the events.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The value of an id.
    pub fn value(&self, id: ValueId) -> Value {
        self.values.value(id)
    }

    /// The names of operations, by [`FunctionId`].
    pub fn functions(&self) -> &[Arc<str>] {
        &self.functions
    }

    /// The name of an operation.
    pub fn function(&self, id: FunctionId) -> &str {
        &self.functions[usize::from(id.0)]
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The completion of an invocation, or the invocation of a completion, by position.
    #[inline]
    pub fn pair(&self, position: usize) -> Option<usize> {
        self.pairs
            .get(position)
            .filter(|pair| **pair != NO_PAIR)
            .map(|pair| *pair as usize)
    }

    /// The clients' operations, in the order of their invocations.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        let invocations = self.invocations();
        invocations.filter_map(|position| self.operation(position))
    }

    /// The positions of the clients' invocations.
    pub fn invocations(&self) -> impl Iterator<Item = usize> + '_ {
        Invocations::new(&self.events)
    }

    /// Reads some events in order, so that the processor has them at hand when they are looked at in another.
    pub fn fetch(&self, positions: Range<usize>) {
        let events = self.events.get(positions).unwrap_or_default();
        let invocations = events
            .iter()
            .filter(|event| event.is_invocation_of_client());
        black_box(invocations.count());
    }

    /// The client operation that was invoked at a position.
    #[inline]
    pub fn operation(&self, position: usize) -> Option<Operation> {
        let event = self.events.get(position)?;
        if !event.is_invocation_of_client() {
            return None;
        }
        let completion = self.pair(position).map(|pair| (pair, &self.events[pair]));
        let (outcome, output, returned) = match completion {
            Some((pair, done)) if done.kind == Kind::Ok => (Outcome::Ok, done.value, Some(pair)),
            Some((pair, done)) if done.kind == Kind::Fail => {
                (Outcome::Fail, done.value, Some(pair))
            }
            Some(_) | None => (Outcome::Info, ValueId::NIL, None),
        };
        Some(Operation {
            process: event.process(),
            function: event.function,
            key: event.key,
            input: event.value,
            output,
            outcome,
            invoked: position,
            returned,
        })
    }

    /// An event as a writer needs it: with its values instead of their ids.
    pub fn record(&self, position: usize) -> EventRecord {
        let event = &self.events[position];
        let remark = self.remark(position);
        EventRecord {
            line: 0,
            time_ns: event.time_ns(),
            process: event.process(),
            kind: event.kind,
            function: self.functions[usize::from(event.function.0)].clone(),
            key: self.value(event.key),
            value: self.value(event.value),
            error: self.value(remark.error),
            extra: self.value(remark.extra),
        }
    }

    /// What there is to remark about an event.
    fn remark(&self, position: usize) -> Remark {
        let place = self
            .remarks
            .binary_search_by_key(&position, |(at, _)| *at as usize);
        place.map_or(Remark::NONE, |place| self.remarks[place].1)
    }

    /// All events as records, in order.
    pub fn records(&self) -> impl Iterator<Item = EventRecord> + '_ {
        (0..self.events.len()).map(|position| self.record(position))
    }

    /// The history of these events.
    ///
    /// # Errors
    /// The first rule that an event breaks.
    pub fn from_records(
        records: impl IntoIterator<Item = EventRecord>,
        options: BuildOptions,
    ) -> Result<Self, RuleBroken> {
        let mut builder = HistoryBuilder::new(options);
        for record in records {
            builder.push(record)?;
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::ProcessReuse;

    fn event(line: u64, process: u32, kind: Kind, function: &str, value: i64) -> EventRecord {
        let record = EventRecord::new(
            Process::Client(process),
            kind,
            function,
            Value::Nil,
            Value::Int(value),
        );
        EventRecord { line, ..record }
    }

    fn build(records: impl IntoIterator<Item = EventRecord>) -> Result<History, RuleBroken> {
        History::from_records(records, BuildOptions::default())
    }

    #[test]
    fn completions_are_paired_with_their_invocations() {
        let history = build([
            event(1, 0, Kind::Invoke, "write", 1),
            event(2, 1, Kind::Invoke, "read", 0),
            event(3, 0, Kind::Ok, "write", 1),
            event(4, 1, Kind::Info, "read", 0),
            event(5, 2, Kind::Invoke, "write", 2),
        ])
        .unwrap();
        let outcomes: Vec<_> = history
            .operations()
            .map(|operation| (operation.outcome, operation.returned))
            .collect();
        assert_eq!(
            outcomes,
            [
                (Outcome::Ok, Some(2)),
                (Outcome::Info, None),
                (Outcome::Info, None)
            ]
        );
        assert_eq!(history.pair(3), Some(1));
    }

    #[test]
    fn each_broken_rule_names_its_line() {
        let twice = build([
            event(1, 0, Kind::Invoke, "read", 0),
            event(2, 0, Kind::Invoke, "read", 0),
        ]);
        assert!(
            twice
                .unwrap_err()
                .to_string()
                .starts_with("line 2: process 0 invokes `read` while its `read`")
        );
        let orphan = build([event(7, 0, Kind::Ok, "read", 0)]);
        assert!(
            orphan
                .unwrap_err()
                .to_string()
                .contains("line 7: process 0 completes `read` (ok) with no operation")
        );
        let other = build([
            event(1, 0, Kind::Invoke, "read", 0),
            event(2, 0, Kind::Ok, "write", 0),
        ]);
        assert!(matches!(
            other,
            Err(RuleBroken::OtherFunction {
                line: 2,
                pending_line: 1,
                ..
            })
        ));
        let done_twice = build([
            event(1, 0, Kind::Invoke, "read", 0),
            event(2, 0, Kind::Ok, "read", 0),
            event(3, 0, Kind::Ok, "read", 0),
        ]);
        assert!(matches!(
            done_twice,
            Err(RuleBroken::NotInvoked { line: 3, .. })
        ));
    }

    #[test]
    fn a_process_is_retired_by_info_unless_reuse_is_allowed() {
        let records = || {
            [
                event(1, 0, Kind::Invoke, "read", 0),
                event(2, 0, Kind::Info, "read", 0),
                event(3, 0, Kind::Invoke, "read", 0),
            ]
        };
        assert!(matches!(
            build(records()),
            Err(RuleBroken::Retired {
                line: 3,
                info_line: 2,
                ..
            })
        ));
        let options = BuildOptions {
            process_reuse: ProcessReuse::Allow,
        };
        assert_eq!(
            History::from_records(records(), options)
                .unwrap()
                .operations()
                .count(),
            2
        );
    }
}
