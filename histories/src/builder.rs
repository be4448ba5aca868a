//! Building histories: event by event, each put to the rules, or a block of scanned events at a time.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::event::{Event, EventRecord, FunctionId, Kind, Process};
use crate::history::{History, NO_PAIR, Remark};
use crate::rule::RuleBroken;
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

/// What a process is doing, while a history is being read.
#[derive(Clone, Copy, Debug)]
struct Activity {
    /// The position of its last event.
    position: u32,
    line: u64,
    state: ProcessState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProcessState {
    Idle,
    InFlight,
    Retired,
}

/// What each process is doing.
#[derive(Clone, Debug, Default)]
struct Activities {
    /// Of the clients with the least numbers, which are almost all.
    first: Vec<Option<Activity>>,
    others: FxHashMap<u32, Activity>,
}

impl Activities {
    const FIRST: u32 = 1 << 12;

    /// Of a client; `None` if it has done nothing.
    #[inline]
    fn of(&mut self, client: u32) -> Option<&mut Activity> {
        if client < Self::FIRST {
            self.first.get_mut(client as usize)?.as_mut()
        } else {
            self.others.get_mut(&client)
        }
    }

    /// Notes what a client does first.
    fn begin(&mut self, client: u32, activity: Activity) {
        if client < Self::FIRST {
            let client = client as usize;
            if self.first.len() <= client {
                self.first.resize(client + 1, None);
            }
            self.first[client] = Some(activity);
        } else {
            self.others.insert(client, activity);
        }
    }
}

/// Builds a history event by event; memory besides the history grows with the number of processes only.
#[derive(Clone, Debug, Default)]
pub struct HistoryBuilder {
    history: History,
    options: BuildOptions,
    activities: Activities,
    function_ids: FxHashMap<Arc<str>, FunctionId>,
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
    /// The rule that it breaks; the events are then as they were before.
    pub fn push(&mut self, record: EventRecord) -> Result<(), RuleBroken> {
        let function = self.function_id(&record.function, record.line)?;
        let (key, value) = (self.intern(record.key), self.intern(record.value));
        let event = Event::new(record.process, record.kind, function)
            .at(record.time_ns)
            .with(key, value);
        let remark = Remark {
            error: self.intern(record.error),
            extra: self.intern(record.extra),
        };
        self.push_event(event, remark, record.line)
    }

    /// Takes the values of a block over. Their ids here, by their places there.
    pub(crate) fn absorb(&mut self, values: Values) -> Vec<ValueId> {
        self.history.values.absorb(values)
    }

    /// Makes room for so many more events.
    pub(crate) fn reserve(&mut self, events: usize) {
        self.history.events.reserve(events);
        self.history.pairs.reserve(events);
    }

    /// The id of a value, which is remembered if it is new.
    fn intern(&mut self, value: Value) -> ValueId {
        self.history.values.intern(value)
    }

    /// The id of an operation's name, which is remembered if it is new.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn function_id(
        &mut self,
        name: &Arc<str>,
        line: u64,
    ) -> Result<FunctionId, RuleBroken> {
        if let Some(id) = self.function_ids.get(name) {
            return Ok(*id);
        }
        let id = u16::try_from(self.history.functions.len())
            .map_err(|_| RuleBroken::TooManyFunctions { line })?;
        self.history.functions.push(name.clone());
        self.function_ids.insert(name.clone(), FunctionId(id));
        Ok(FunctionId(id))
    }

    /// Adds the next event, whose names and values are in the history's tables.
    ///
    /// # Errors
    /// The rule that it breaks; the events are then as they were before.
    pub(crate) fn push_event(
        &mut self,
        event: Event,
        remark: Remark,
        line: u64,
    ) -> Result<(), RuleBroken> {
        let position = u32::try_from(self.history.events.len())
            .ok()
            .filter(|position| *position != NO_PAIR)
            .ok_or(RuleBroken::TooLong { line })?;
        let pair = match event.process() {
            Process::Nemesis => NO_PAIR,
            Process::Client(client) => self.take_part(client, &event, position, line)?,
        };
        if let Some(other) = self.history.pairs.get_mut(pair as usize) {
            *other = position;
        }
        self.history.pairs.push(pair);
        if remark != Remark::NONE {
            self.history.remarks.push((position, remark));
        }
        self.history.events.push(event);
        Ok(())
    }

    /// Notes what a client does, and finds the position of the invocation that the event completes; `NO_PAIR` when it
    /// is one.
    fn take_part(
        &mut self,
        client: u32,
        event: &Event,
        position: u32,
        line: u64,
    ) -> Result<u32, RuleBroken> {
        let state = match event.kind {
            Kind::Invoke => ProcessState::InFlight,
            Kind::Ok | Kind::Fail => ProcessState::Idle,
            Kind::Info => ProcessState::Retired,
        };
        let now = Activity {
            position,
            line,
            state,
        };
        let Some(activity) = self.activities.of(client) else {
            if event.kind == Kind::Invoke {
                self.activities.begin(client, now);
                return Ok(NO_PAIR);
            }
            return Err(self.not_invoked(event, line));
        };
        let before = *activity;
        if event.kind == Kind::Invoke {
            let may_invoke = match before.state {
                ProcessState::Idle => true,
                ProcessState::InFlight => false,
                ProcessState::Retired => self.options.process_reuse == ProcessReuse::Allow,
            };
            if !may_invoke {
                return Err(self.may_not_invoke(event, before, line));
            }
            *activity = now;
            return Ok(NO_PAIR);
        }
        if before.state != ProcessState::InFlight {
            return Err(self.not_invoked(event, line));
        }
        let invocation = &self.history.events[before.position as usize];
        if invocation.function != event.function || invocation.key != event.key {
            return Err(self.other_operation(event, before, line));
        }
        *activity = now;
        Ok(before.position)
    }

    fn name(&self, event: &Event) -> Arc<str> {
        self.history.functions[usize::from(event.function.0)].clone()
    }

    fn not_invoked(&self, event: &Event, line: u64) -> RuleBroken {
        RuleBroken::NotInvoked {
            line,
            process: event.process(),
            function: self.name(event),
            kind: event.kind,
        }
    }

    /// Why a process that last did this may not begin an operation.
    fn may_not_invoke(&self, event: &Event, before: Activity, line: u64) -> RuleBroken {
        let (process, function) = (event.process(), self.name(event));
        if before.state == ProcessState::Retired {
            return RuleBroken::Retired {
                line,
                process,
                function,
                info_line: before.line,
            };
        }
        RuleBroken::InvokedTwice {
            line,
            process,
            function,
            pending: self.name(&self.history.events[before.position as usize]),
            pending_line: before.line,
        }
    }

    /// How a completion differs from the invocation in flight.
    fn other_operation(&self, event: &Event, before: Activity, line: u64) -> RuleBroken {
        let invocation = &self.history.events[before.position as usize];
        let (process, pending_line) = (event.process(), before.line);
        if invocation.function != event.function {
            return RuleBroken::OtherFunction {
                line,
                process,
                function: self.name(event),
                pending: self.name(invocation),
                pending_line,
            };
        }
        RuleBroken::OtherKey {
            line,
            process,
            key: self.history.value(event.key),
            pending: self.history.value(invocation.key),
            pending_line,
        }
    }
}
