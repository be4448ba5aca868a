//! Histories: events in the order they happened, each completion paired with its invocation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{Event, EventRecord, FunctionId, Kind, Process};
use crate::value::{Value, ValueId, Values};

/// Whether a process may go on after an operation of its ended in `info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProcessReuse {
    /// It may not: Jepsen retires such a process, and its next operation has a new number.
    #[default]
    Reject,
    /// It may: the operation stays open, concurrent with all that follows, and the next is a new one.
    Allow,
}

/// How strictly a history is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// Whether a process may be used again after `info`.
    pub process_reuse: ProcessReuse,
}

/// A rule that every history keeps, broken, with the line that broke it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleBroken {
    /// A process began an operation before its last one ended.
    #[error(
        "line {line}: process {process} invokes `{function}` while its `{pending}` of line {pending_line} is in \
         flight; a process has at most one operation in flight (use another process number)"
    )]
    InvokedTwice {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it began.
        function: Arc<str>,
        /// What was in flight.
        pending: Arc<str>,
        /// Where that began.
        pending_line: u64,
    },
    /// A completion without an invocation, or a second completion.
    #[error(
        "line {line}: process {process} completes `{function}` ({kind}) with no operation in flight; \
         every ok, fail or info follows its invoke, once", kind = kind.name()
    )]
    NotInvoked {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it completed.
        function: Arc<str>,
        /// How.
        kind: Kind,
    },
    /// A completion of another operation than the one in flight.
    #[error(
        "line {line}: process {process} completes `{function}` but invoked `{pending}` (line {pending_line}); \
         a completion has the name of its invocation"
    )]
    OtherFunction {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it completed.
        function: Arc<str>,
        /// What was in flight.
        pending: Arc<str>,
        /// Where that began.
        pending_line: u64,
    },
    /// A completion with another key than its invocation's.
    #[error(
        "line {line}: process {process} completes key {key} but invoked key {pending} (line {pending_line})"
    )]
    OtherKey {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// The completion's key.
        key: Value,
        /// The invocation's key.
        pending: Value,
        /// Where that began.
        pending_line: u64,
    },
    /// A process went on after `info`.
    #[error(
        "line {line}: process {process} invokes `{function}` after its operation of line {info_line} ended in info; \
         such a process is retired (allow it with --process-reuse allow)"
    )]
    Retired {
        /// Where.
        line: u64,
        /// Who.
        process: Process,
        /// What it began.
        function: Arc<str>,
        /// Where its operation ended in `info`.
        info_line: u64,
    },
    /// More distinct operation names than any workload has.
    #[error(
        "line {line}: more than 65,535 different operation names; is `f` really the operation's name?"
    )]
    TooManyFunctions {
        /// Where.
        line: u64,
    },
    /// More events than the pair index can number.
    #[error("line {line}: more than 4,294,967,294 events; split the history by key")]
    TooLong {
        /// Where.
        line: u64,
    },
}

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
    events: Vec<Event>,
    /// For an invocation the position of its completion and the reverse; `NO_PAIR` where there is none.
    pairs: Vec<u32>,
    functions: Vec<Arc<str>>,
    values: Values,
}

const NO_PAIR: u32 = u32::MAX;

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
    pub fn pair(&self, position: usize) -> Option<usize> {
        self.pairs
            .get(position)
            .filter(|pair| **pair != NO_PAIR)
            .map(|pair| *pair as usize)
    }

    /// The clients' operations, in the order of their invocations.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        (0..self.events.len()).filter_map(|position| self.operation(position))
    }

    /// The client operation that was invoked at a position.
    pub fn operation(&self, position: usize) -> Option<Operation> {
        let event = self.events.get(position)?;
        if event.kind != Kind::Invoke || event.process == Process::Nemesis {
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
            process: event.process,
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
        EventRecord {
            line: 0,
            time_ns: event.time_ns(),
            process: event.process,
            kind: event.kind,
            function: self.functions[usize::from(event.function.0)].clone(),
            key: self.value(event.key),
            value: self.value(event.value),
            error: self.value(event.error),
            extra: self.value(event.extra),
        }
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

/// What a process is doing, while a history is being read.
#[derive(Clone, Copy, Debug)]
struct Activity {
    /// The position of its last invocation or `info`.
    position: u32,
    line: u64,
    retired: bool,
}

/// Builds a history event by event; memory besides the history grows with the number of processes only.
#[derive(Clone, Debug, Default)]
pub struct HistoryBuilder {
    history: History,
    options: BuildOptions,
    active: BTreeMap<Process, Activity>,
    function_ids: BTreeMap<Arc<str>, FunctionId>,
}

impl HistoryBuilder {
    /// A builder with nothing in it.
    pub fn new(options: BuildOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// What has been built so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The history. Operations in flight stay open: they may have happened.
    pub fn finish(self) -> History {
        self.history
    }

    /// Adds the next event.
    ///
    /// # Errors
    /// The rule that it breaks; the history is then as it was before.
    pub fn push(&mut self, record: EventRecord) -> Result<(), RuleBroken> {
        let position = u32::try_from(self.history.events.len())
            .ok()
            .filter(|position| *position != NO_PAIR);
        let Some(position) = position else {
            return Err(RuleBroken::TooLong { line: record.line });
        };
        let pair = if record.process == Process::Nemesis {
            None
        } else {
            self.pair_of(&record)?
        };
        let function = self.function_id(&record.function, record.line)?;
        match (record.process, record.kind) {
            (Process::Nemesis, _) => {}
            (process, Kind::Invoke) => {
                self.active.insert(
                    process,
                    Activity {
                        position,
                        line: record.line,
                        retired: false,
                    },
                );
            }
            (process, Kind::Info) => {
                self.active.insert(
                    process,
                    Activity {
                        position,
                        line: record.line,
                        retired: true,
                    },
                );
            }
            (process, Kind::Ok | Kind::Fail) => {
                self.active.remove(&process);
            }
        }
        if let Some(pair) = pair {
            self.history.pairs[pair as usize] = position;
        }
        self.history.pairs.push(pair.unwrap_or(NO_PAIR));
        let values = &mut self.history.values;
        self.history.events.push(Event {
            time_ns: record.time_ns.unwrap_or(Event::NO_TIME),
            process: record.process,
            kind: record.kind,
            function,
            value: values.intern(record.value),
            key: values.intern(record.key),
            error: values.intern(record.error),
            extra: values.intern(record.extra),
        });
        Ok(())
    }

    /// The position of the invocation that this event completes, if it is a completion.
    fn pair_of(&self, record: &EventRecord) -> Result<Option<u32>, RuleBroken> {
        let EventRecord {
            line,
            process,
            kind,
            ..
        } = *record;
        let function = || record.function.clone();
        let activity = self.active.get(&process).copied();
        let in_flight = activity.filter(|activity| !activity.retired);
        if kind == Kind::Invoke {
            return self.may_invoke(record, activity).map(|()| None);
        }
        let Some(Activity {
            position,
            line: pending_line,
            ..
        }) = in_flight
        else {
            return Err(RuleBroken::NotInvoked {
                line,
                process,
                function: function(),
                kind,
            });
        };
        let invocation = &self.history.events[position as usize];
        if self.history.function(invocation.function) != &*record.function {
            let pending = self.history.functions[usize::from(invocation.function.0)].clone();
            return Err(RuleBroken::OtherFunction {
                line,
                process,
                function: function(),
                pending,
                pending_line,
            });
        }
        let pending = self.history.value(invocation.key);
        if record.key != pending {
            return Err(RuleBroken::OtherKey {
                line,
                process,
                key: record.key.clone(),
                pending,
                pending_line,
            });
        }
        Ok(Some(position))
    }

    /// Whether a process that last did this may begin an operation.
    fn may_invoke(
        &self,
        record: &EventRecord,
        activity: Option<Activity>,
    ) -> Result<(), RuleBroken> {
        let EventRecord { line, process, .. } = *record;
        let function = record.function.clone();
        match activity {
            None => Ok(()),
            Some(before) if !before.retired => Err(RuleBroken::InvokedTwice {
                line,
                process,
                function,
                pending: self.history.record(before.position as usize).function,
                pending_line: before.line,
            }),
            Some(_) if self.options.process_reuse == ProcessReuse::Allow => Ok(()),
            Some(before) => Err(RuleBroken::Retired {
                line,
                process,
                function,
                info_line: before.line,
            }),
        }
    }

    fn function_id(&mut self, name: &Arc<str>, line: u64) -> Result<FunctionId, RuleBroken> {
        if let Some(id) = self.function_ids.get(name) {
            return Ok(*id);
        }
        let id = u16::try_from(self.history.functions.len())
            .map_err(|_| RuleBroken::TooManyFunctions { line })?;
        self.history.functions.push(name.clone());
        self.function_ids.insert(name.clone(), FunctionId(id));
        Ok(FunctionId(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
