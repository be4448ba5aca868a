//! Judging a history while it grows.
//!
//! A call can be placed in an order only when its result is known, so events wait, object by object, until the calls
//! that began before them have ended; then the [`Frontier`] goes on by one event. What is behind it is forgotten:
//! memory grows with the calls in flight, the keys, and the kinds of crashed calls, not with the length of the
//! history. A call that does not end while very many events wait for it is let go as one whose result nobody knows. That
//! can only hide a violation, and the answer at the end is then Unknown.

mod frontier;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tribunal_histories::{EventRecord, Kind, Process, ProcessReuse, RuleBroken, Value};

use super::named;
use crate::check::{CheckError, CheckRequest, Limits, describe};
use crate::model::{Misfit, Model, Recorded};
use crate::verdict::{Evidence, Judgement, Statistics, Verdict};
use frontier::{Frontier, Lost};

/// How many events of one object wait for a call that does not end.
const WAITING_MAX: usize = 1 << 20;

/// Why an event cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// It breaks a rule of histories.
    #[error(transparent)]
    Rule(#[from] RuleBroken),
    /// It is not one of the model's operations, or the question makes no sense.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// The operation at whose return no order was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The key of the object; nil for a history over one.
    pub key: Value,
    /// Who.
    pub process: Process,
    /// The operation's name.
    pub function: Arc<str>,
    /// The value of its invocation.
    pub input: Value,
    /// What it returned.
    pub output: Value,
    /// The line on which it returned.
    pub line: u64,
    /// How many events of the history there are up to its return.
    pub events: u64,
}

/// Follows a history whose model has been forgotten: see [`follower`](crate::check::follower).
pub trait Follow {
    /// Takes the next event. What is wrong may be seen only when calls that began earlier have ended.
    ///
    /// # Errors
    /// When it breaks a rule or does not fit the model.
    fn event(&mut self, event: &EventRecord) -> Result<Option<Violation>, FollowError>;

    /// Whether what has come already is wrong however the calls in flight end; to be asked when nothing more comes for
    /// a while.
    fn look(&self) -> Option<Violation>;

    /// How many events have come.
    fn events(&self) -> u64;

    /// The answer about all that has come, as if nothing more did. What is in flight may have happened.
    ///
    /// # Errors
    /// What is wrong, if something is.
    fn finish(&mut self) -> Result<Verdict, Violation>;
}

/// Follows a history.
#[derive(Clone, Debug)]
pub struct Follower<M: Model> {
    model: M,
    limits: Limits,
    process_reuse: ProcessReuse,
    activities: BTreeMap<Process, Activity>,
    objects: BTreeMap<Value, Object<M>>,
    events: u64,
    calls: u64,
    returned: u64,
}

/// What a process did last.
#[derive(Clone, Debug)]
enum Activity {
    InFlight(InFlight),
    /// Its operation ended in `info` on this line.
    Retired(u64),
}

/// An operation in flight.
#[derive(Clone, Debug)]
struct InFlight {
    call: u64,
    key: Value,
    function: Arc<str>,
    input: Value,
    line: u64,
}

/// An object, and what waits to be judged about it.
#[derive(Clone, Debug)]
struct Object<M: Model> {
    frontier: Frontier<M>,
    waiting: VecDeque<Step>,
    calls: BTreeMap<u64, Began<M::Op>>,
    /// How many calls were let go.
    let_go: u64,
    /// Why it is not followed any longer, and how many events there were then.
    lost: Option<(Lost, u64)>,
}

/// An event that waits.
#[derive(Clone, Debug)]
enum Step {
    Invoke(u64),
    Return(u64, Box<Violation>),
}

/// A call whose invocation waits.
#[derive(Clone, Debug)]
enum Began<Op> {
    /// It has not ended.
    Running(Unknown<Op>),
    /// It has: what it did, and the event at which it returned if it did.
    Ended(Op, Option<u64>),
    /// It has, and says nothing.
    Nothing,
}

/// What a call is when nobody knows its result.
#[derive(Clone, Debug)]
enum Unknown<Op> {
    Does(Op),
    DoesNothing,
    /// It has a meaning only together with its result.
    Means,
}

impl<M: Model> Follower<M> {
    /// At the beginning of a history.
    ///
    /// # Errors
    /// When the initial value does not fit the model.
    pub fn new(request: &CheckRequest, process_reuse: ProcessReuse) -> Result<Self, CheckError> {
        let initial = request.initial();
        let model =
            M::new(&initial, request.semantics()).map_err(|expected| CheckError::Initial {
                checker: M::NAME,
                initial,
                expected,
            })?;
        Ok(Self {
            model,
            limits: request.limits,
            process_reuse,
            activities: BTreeMap::new(),
            objects: BTreeMap::new(),
            events: 0,
            calls: 0,
            returned: 0,
        })
    }

    fn invoke(&mut self, event: &EventRecord) -> Result<Option<Violation>, FollowError> {
        self.may_invoke(event)?;
        let unknown = Recorded {
            function: &event.function,
            input: event.value.clone(),
            output: None,
        };
        // What does not fit is an error when it has ended, as it is when a whole history is judged.
        let unknown = match self.model.operation(&unknown) {
            Ok(Some(op)) => Unknown::Does(op),
            Ok(None) => Unknown::DoesNothing,
            Err(_) => Unknown::Means,
        };
        self.calls += 1;
        let call = self.calls;
        let in_flight = InFlight {
            call,
            key: event.key.clone(),
            function: event.function.clone(),
            input: event.value.clone(),
            line: event.line,
        };
        self.activities
            .insert(event.process, Activity::InFlight(in_flight));
        let events = self.events;
        let object = self.object(&event.key);
        if object.lost.is_some() {
            return Ok(None);
        }
        object.calls.insert(call, Began::Running(unknown));
        object.waiting.push_back(Step::Invoke(call));
        Ok(object.go_on(WAITING_MAX, events))
    }

    fn complete(&mut self, event: &EventRecord) -> Result<Option<Violation>, FollowError> {
        let InFlight { call, input, .. } = self.in_flight(event)?;
        let recorded = |output| Recorded {
            function: &event.function,
            input: input.clone(),
            output,
        };
        let known = Some(event.value.clone());
        let op = match event.kind {
            Kind::Ok => self.model.operation(&recorded(known)),
            Kind::Fail => self.model.failed(&recorded(known)),
            Kind::Info | Kind::Invoke => self.model.operation(&recorded(None)),
        };
        let op = op.map_err(|misfit| self.misfit(event, &input, misfit))?;
        let at = self.events;
        let returns = (event.kind != Kind::Info).then_some(at);
        if returns.is_some() {
            self.activities.remove(&event.process);
            self.returned += 1;
        } else {
            let retired = Activity::Retired(event.line);
            self.activities.insert(event.process, retired);
        }
        let object = self.object(&event.key);
        if object.lost.is_some() {
            return Ok(None);
        }
        // A call that was let go is known to nobody any more.
        if let Some(began) = object.calls.get_mut(&call) {
            *began = op.map_or(Began::Nothing, |op| Began::Ended(op, returns));
            if let (Began::Ended(..), true) = (&*began, returns.is_some()) {
                let violation = Violation {
                    key: event.key.clone(),
                    process: event.process,
                    function: event.function.clone(),
                    input,
                    output: event.value.clone(),
                    line: event.line,
                    events: at,
                };
                let returns = Step::Return(call, Box::new(violation));
                object.waiting.push_back(returns);
            }
        }
        Ok(object.go_on(WAITING_MAX, at))
    }

    /// Whether the process of an invocation may begin an operation.
    fn may_invoke(&self, event: &EventRecord) -> Result<(), RuleBroken> {
        let (line, process, function) = (event.line, event.process, event.function.clone());
        match self.activities.get(&process) {
            Some(Activity::InFlight(pending)) => Err(RuleBroken::InvokedTwice {
                line,
                process,
                function,
                pending: pending.function.clone(),
                pending_line: pending.line,
            }),
            Some(Activity::Retired(info_line)) if self.process_reuse == ProcessReuse::Reject => {
                Err(RuleBroken::Retired {
                    line,
                    process,
                    function,
                    info_line: *info_line,
                })
            }
            Some(Activity::Retired(_)) | None => Ok(()),
        }
    }

    /// The operation that a completion ends.
    fn in_flight(&self, event: &EventRecord) -> Result<InFlight, RuleBroken> {
        let (line, process, function) = (event.line, event.process, event.function.clone());
        let Some(Activity::InFlight(pending)) = self.activities.get(&process) else {
            return Err(RuleBroken::NotInvoked {
                line,
                process,
                function,
                kind: event.kind,
            });
        };
        if pending.function != function {
            return Err(RuleBroken::OtherFunction {
                line,
                process,
                function,
                pending: pending.function.clone(),
                pending_line: pending.line,
            });
        }
        if pending.key != event.key {
            return Err(RuleBroken::OtherKey {
                line,
                process,
                key: event.key.clone(),
                pending: pending.key.clone(),
                pending_line: pending.line,
            });
        }
        Ok(pending.clone())
    }

    fn misfit(&self, event: &EventRecord, input: &Value, misfit: Misfit) -> FollowError {
        let what = match misfit {
            Misfit::Function => String::new(),
            Misfit::Input => format!(" of {input}"),
            Misfit::Output => format!(" returning {}", event.value),
        };
        let error = CheckError::Misfit {
            checker: M::NAME,
            event: usize::try_from(self.events).unwrap_or(usize::MAX),
            process: event.process.to_string(),
            function: event.function.to_string(),
            what,
            expected: describe(M::OPERATIONS),
        };
        error.into()
    }

    fn object(&mut self, key: &Value) -> &mut Object<M> {
        if !self.objects.contains_key(key) {
            let object = Object {
                frontier: Frontier::new(self.model.clone(), self.limits),
                waiting: VecDeque::new(),
                calls: BTreeMap::new(),
                let_go: 0,
                lost: None,
            };
            self.objects.insert(key.clone(), object);
        }
        self.objects.get_mut(key).expect("it was inserted")
    }

    /// What was not judged, a line for each object.
    fn not_judged(&self) -> Vec<String> {
        let mut parts = Vec::new();
        for (key, object) in &self.objects {
            let key = named(key);
            if let Some((lost, events)) = &object.lost {
                parts.push(format!("{key}: from event {events} on, because {lost}"));
            } else if object.let_go > 0 {
                parts.push(format!(
                    "{key}: the results of {} operations that took longer than {WAITING_MAX} events",
                    object.let_go
                ));
            }
        }
        parts
    }
}

impl<M: Model> Object<M> {
    /// Judges the events that need not wait any longer; no more than so many wait.
    fn go_on(&mut self, waiting_max: usize, events: u64) -> Option<Violation> {
        while let Some(step) = self.waiting.front() {
            let went_on = match step {
                Step::Invoke(call) => {
                    let call = *call;
                    let running = matches!(self.calls.get(&call), Some(Began::Running(_)));
                    if running && self.waiting.len() <= waiting_max {
                        return None;
                    }
                    self.begin(call).map(|()| true)
                }
                Step::Return(call, _) => self.frontier.complete(*call),
            };
            match (went_on, self.waiting.pop_front()) {
                (Ok(false), Some(Step::Return(_, violation))) => return Some(*violation),
                (Ok(_), _) => {}
                (Err(lost), _) => {
                    self.lost = Some((lost, events));
                    self.waiting = VecDeque::new();
                    self.calls = BTreeMap::new();
                }
            }
        }
        None
    }

    /// Begins a call; one that has not ended is let go.
    fn begin(&mut self, call: u64) -> Result<(), Lost> {
        match self.calls.remove(&call) {
            Some(Began::Ended(op, Some(returns))) => self.frontier.invoke(call, op, returns),
            Some(Began::Ended(op, None)) => {
                self.frontier.crash(op);
                Ok(())
            }
            Some(Began::Running(unknown)) => {
                self.let_go += 1;
                match unknown {
                    Unknown::Does(op) => self.frontier.crash(op),
                    Unknown::DoesNothing => {}
                    Unknown::Means => return Err(Lost::Meaningless),
                }
                Ok(())
            }
            Some(Began::Nothing) | None => Ok(()),
        }
    }

    /// The same object if nothing more came: what is in flight is let go, and all events are judged.
    fn at_end(&self, events: u64) -> (Self, Option<Violation>) {
        let mut object = self.clone();
        let violation = object.go_on(0, events);
        object.let_go = self.let_go;
        (object, violation)
    }
}

impl<M: Model> Follow for Follower<M> {
    fn event(&mut self, event: &EventRecord) -> Result<Option<Violation>, FollowError> {
        self.events += 1;
        match (event.process, event.kind) {
            (Process::Nemesis, _) => Ok(None),
            (_, Kind::Invoke) => self.invoke(event),
            (_, Kind::Ok | Kind::Fail | Kind::Info) => self.complete(event),
        }
    }

    fn look(&self) -> Option<Violation> {
        let objects = self.objects.values();
        let waiting = objects.filter(|object| !object.waiting.is_empty());
        let found = waiting.filter_map(|object| object.at_end(self.events).1);
        found.min_by_key(|violation| violation.events)
    }

    fn events(&self) -> u64 {
        self.events
    }

    fn finish(&mut self) -> Result<Verdict, Violation> {
        if let Some(violation) = self.look() {
            return Err(violation);
        }
        for object in self.objects.values_mut() {
            *object = object.at_end(self.events).0;
        }
        let statistics = Statistics {
            operations: self.calls,
            partitions: self.objects.len() as u64,
            states: self
                .objects
                .values()
                .map(|object| object.frontier.states)
                .sum(),
        };
        let not_judged = self.not_judged();
        if self.calls == 0 {
            let why = "no client operation came, so there was nothing to check";
            return Ok(Verdict::unknown(M::NAME, why, Vec::new()));
        }
        if !not_judged.is_empty() {
            let why = "not all of the history could be judged while it grew";
            let verdict = Verdict::unknown(M::NAME, why, not_judged);
            return Ok(verdict.with_statistics(statistics));
        }
        let evidence = Evidence::Observations {
            count: usize::try_from(self.returned).unwrap_or(usize::MAX),
        };
        let sentence = format!(
            "linearizable: at each of {} returns an order was left (no order was kept: judge the whole file for one)",
            self.returned
        );
        let verdict = Verdict::new(M::NAME, Judgement::Valid { evidence }, vec![sentence]);
        Ok(verdict.with_statistics(statistics))
    }
}
