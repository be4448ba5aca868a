//! Events: the invocations and completions that a history is made of.

use std::fmt;
use std::sync::Arc;

use crate::value::{Value, ValueId};

/// What an event says about its operation, as in Jepsen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The operation begins.
    Invoke,
    /// It happened, at some moment between its invocation and this event.
    Ok,
    /// It did not happen and never will.
    Fail,
    /// It may have happened, at any time after its invocation, or may yet happen. Its process is retired.
    Info,
}

impl Kind {
    /// The name in every format: `invoke`, `ok`, `fail`, `info`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Invoke, Self::Ok, Self::Fail, Self::Info]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Who did it: one logically single-threaded client, or the nemesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// A client process; it has at most one operation in flight.
    Client(u32),
    /// The fault injector: its events are recorded and not judged.
    Nemesis,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(number) => number.fmt(f),
            Self::Nemesis => f.write_str("nemesis"),
        }
    }
}

/// An event as a reader hands it over: owned, not yet interned, with the place it came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventRecord {
    /// The line of the file it began on, from 1; 0 when it was made in memory.
    pub line: u64,
    /// Time since the start of the test, in nanoseconds.
    pub time_ns: Option<u64>,
    /// Who.
    pub process: Process,
    /// Beginning, or which end.
    pub kind: Kind,
    /// The operation's name, Jepsen's `:f`: `read`, `write`, `cas`, …
    pub function: Arc<str>,
    /// The key of the object, for histories over many.
    pub key: Value,
    /// Argument or result.
    pub value: Value,
    /// Why it failed or is unknown.
    pub error: Value,
    /// Fields that the format has and we do not, kept so that nothing recorded is lost.
    pub extra: Value,
}

impl EventRecord {
    /// An event made in memory.
    pub fn new(process: Process, kind: Kind, function: &str, key: Value, value: Value) -> Self {
        Self {
            line: 0,
            time_ns: None,
            process,
            kind,
            function: function.into(),
            key,
            value,
            error: Value::Nil,
            extra: Value::Nil,
        }
    }
}

/// The name of an operation by its place in [`History::functions`](crate::History::functions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(crate) u16);

impl FunctionId {
    /// The name's place in [`History::functions`](crate::History::functions).
    #[inline]
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// An event of a history: 24 bytes, its values in the history's table.
///
/// Why it failed, and fields that only its format knows, few events have: [`History::record`](crate::History::record)
/// has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    time_ns: u64,
    /// The client's number; 0 for the nemesis.
    client: u32,
    /// Argument or result.
    pub value: ValueId,
    /// The key of the object.
    pub key: ValueId,
    /// The operation's name.
    pub function: FunctionId,
    /// Beginning, or which end.
    pub kind: Kind,
    is_nemesis: bool,
}

impl Event {
    /// The time of events that have none.
    const NO_TIME: u64 = u64::MAX;

    /// An event without a key, without a value and without a time.
    #[inline]
    pub(crate) fn new(process: Process, kind: Kind, function: FunctionId) -> Self {
        let (client, is_nemesis) = match process {
            Process::Client(number) => (number, false),
            Process::Nemesis => (0, true),
        };
        Self {
            time_ns: Self::NO_TIME,
            client,
            value: ValueId::NIL,
            key: ValueId::NIL,
            function,
            kind,
            is_nemesis,
        }
    }

    /// The same event at a time.
    #[inline]
    #[must_use]
    pub(crate) fn at(self, time_ns: Option<u64>) -> Self {
        let time_ns = time_ns.unwrap_or(Self::NO_TIME);
        Self { time_ns, ..self }
    }

    /// The same event about a key, with a value.
    #[inline]
    #[must_use]
    pub(crate) fn with(self, key: ValueId, value: ValueId) -> Self {
        Self { value, key, ..self }
    }

    /// Who.
    #[inline]
    pub fn process(&self) -> Process {
        if self.is_nemesis {
            Process::Nemesis
        } else {
            Process::Client(self.client)
        }
    }

    /// Whether a client's operation begins.
    #[inline]
    pub(crate) fn is_invocation_of_client(&self) -> bool {
        (self.kind == Kind::Invoke) & !self.is_nemesis
    }

    /// Time since the start of the test, in nanoseconds, if it was recorded.
    #[inline]
    pub fn time_ns(&self) -> Option<u64> {
        (self.time_ns != Self::NO_TIME).then_some(self.time_ns)
    }
}

const _: () = assert!(
    size_of::<Event>() == 24,
    "ten million operations must fit in half a gigabyte"
);
