//! What the peers are given, and how they are asked.

use std::collections::BTreeMap;

use todc_utils::{Action, WGLChecker, specifications::Specification};
use tribunal_histories::{History, Outcome, Value};

/// A register with compare-and-set for the peers; absent is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    Read(Option<i64>),
    Write(i64),
    Cas(i64, i64),
}

impl Access {
    fn step(self, state: Option<i64>) -> (bool, Option<i64>) {
        match self {
            Self::Read(value) => (value == state, state),
            Self::Write(value) => (true, Some(value)),
            Self::Cas(from, to) if state == Some(from) => (true, Some(to)),
            Self::Cas(..) => (false, state),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CasRegister;

impl porcupine_rs::Model for CasRegister {
    type State = Option<i64>;
    type Op = Access;
    type Metadata = ();

    fn init() -> Option<i64> {
        None
    }

    fn step(state: &Option<i64>, op: &Access) -> (bool, Option<i64>) {
        op.step(*state)
    }
}

impl Specification for CasRegister {
    type State = Option<i64>;
    type Operation = Access;

    fn init() -> Option<i64> {
        None
    }

    fn apply(op: &Access, state: &Option<i64>) -> (bool, Option<i64>) {
        op.step(*state)
    }
}

/// An access with the positions of its invocation and its return; crashed ones have none.
pub(crate) type Call = (Access, usize, Option<usize>);

/// The accesses to each key. `None` for another kind of object.
pub(crate) fn accesses_by_key(history: &History) -> Option<Vec<Vec<Call>>> {
    let mut keys: BTreeMap<Value, Vec<Call>> = BTreeMap::new();
    for operation in history.operations() {
        let input = history.value(operation.input);
        let output = history.value(operation.output);
        let access = match (history.function(operation.function), operation.outcome) {
            (_, Outcome::Fail) | ("read" | "get", Outcome::Info) => continue,
            ("read" | "get", Outcome::Ok) => Access::Read(output.as_int()),
            ("write" | "put", _) => Access::Write(input.as_int()?),
            ("cas", _) => match input.as_items()? {
                [Value::Int(from), Value::Int(to)] => Access::Cas(*from, *to),
                _ => continue,
            },
            _ => return None,
        };
        let key = history.value(operation.key);
        let call = (access, operation.invoked, operation.returned);
        keys.entry(key).or_default().push(call);
    }
    Some(keys.into_values().collect())
}

/// A checker of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Porcupine,
    Todc,
}

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Porcupine => "porcupine-rs",
            Self::Todc => "todc-utils",
        }
    }

    /// Whether it knows all that the calls are.
    pub(crate) fn can_judge(self, keys: &[Vec<Call>]) -> bool {
        let mut calls = keys.iter().flatten();
        self == Self::Porcupine || calls.all(|(_, _, returned)| returned.is_some())
    }

    /// What it says of all keys, if it can judge them.
    pub(crate) fn ask_all(self, keys: &[Vec<Call>]) -> &'static str {
        let is_linearizable = |calls: &Vec<Call>| match self {
            Self::Porcupine => porcupine(calls),
            Self::Todc => todc(calls),
        };
        if keys.iter().all(is_linearizable) {
            "valid"
        } else {
            "invalid"
        }
    }
}

fn porcupine(calls: &[Call]) -> bool {
    let position = |position: usize| i64::try_from(position).expect("positions are small");
    // What crashed returns after all that returned, one after the other.
    let returns = calls.iter().filter_map(|(_, _, returned)| *returned);
    let invocations = calls.iter().map(|(_, invoked, _)| *invoked);
    let end = returns.chain(invocations).max().unwrap_or(0);
    let operations =
        calls.iter().enumerate().map(
            |(place, (op, invoked, returned))| porcupine_rs::Operation::<CasRegister> {
                client_id: None,
                call_time: position(*invoked),
                return_time: position(returned.unwrap_or(end + 1 + place)),
                op: *op,
                metadata: None,
            },
        );
    let operations: Vec<_> = operations.collect();
    porcupine_rs::check_operations::<CasRegister>(&operations)
}

fn todc(calls: &[Call]) -> bool {
    let mut actions = Vec::new();
    for (process, (access, invoked, returned)) in calls.iter().enumerate() {
        let returned = returned.expect("it was asked whether all do");
        actions.push((*invoked, process, Action::Call(*access)));
        actions.push((returned, process, Action::Response(*access)));
    }
    actions.sort_by_key(|(position, _, _)| *position);
    let actions = actions
        .into_iter()
        .map(|(_, process, action)| (process, action));
    let history = todc_utils::History::from_actions(actions.collect());
    WGLChecker::<CasRegister>::is_linearizable(history)
}
