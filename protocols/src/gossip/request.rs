//! What clients ask of a gossip node: each asks its own, and is answered by what that node knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::Value;

use crate::contract::Recorded;
use crate::state_machine::Key;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ask {
    /// Tell the value.
    Read,
    /// The same, at the end, when all nodes should agree.
    FinalRead,
    /// Give the register a value.
    Write(i64),
    /// Give the register the second value if it has the first at this node.
    Cas(i64, i64),
    /// Delete the register.
    Delete,
    /// Add to the counter.
    Add(i64),
}

/// What it is about: `x` is a register, `+x` a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Object {
    /// A value that is written.
    Register(Key),
    /// A sum that is added to.
    Counter(Key),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(key) => key.fmt(f),
            Self::Counter(key) => write!(f, "+{key}"),
        }
    }
}

impl FromStr for Object {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, object): (_, fn(Key) -> Self) = match text.strip_prefix('+') {
            Some(counter) => (counter, Self::Counter),
            None => (text, Self::Register),
        };
        name.parse()
            .map(object)
            .map_err(|_| NotARequest(text.to_owned()))
    }
}

/// What a client asks of a gossip node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    /// Of which object.
    pub object: Object,
    /// What: counters are read and added to, registers all else.
    pub ask: Ask,
}

impl Request {
    fn new(object: Object, ask: Ask) -> Option<Self> {
        let fits = match (object, ask) {
            (_, Ask::Read | Ask::FinalRead) => true,
            (Object::Counter(_), ask) => matches!(ask, Ask::Add(_)),
            (Object::Register(_), ask) => !matches!(ask, Ask::Add(_)),
        };
        fits.then_some(Self { object, ask })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, object) = (self.ask.name(), self.object);
        write!(f, "{name} {object}")?;
        match self.ask {
            Ask::Write(value) | Ask::Add(value) => write!(f, " {value}"),
            Ask::Cas(old, new) => write!(f, " {old} {new}"),
            _ => Ok(()),
        }
    }
}

impl Ask {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::FinalRead => "final-read",
            Self::Write(_) => "write",
            Self::Cas(..) => "cas",
            Self::Delete => "delete",
            Self::Add(_) => "add",
        }
    }

    fn of(name: &str, numbers: &[i64]) -> Option<Self> {
        Some(match (name, numbers) {
            ("read", []) => Self::Read,
            ("final-read", []) => Self::FinalRead,
            ("write", [value]) => Self::Write(*value),
            ("cas", [old, new]) => Self::Cas(*old, *new),
            ("delete", []) => Self::Delete,
            ("add", [value]) => Self::Add(*value),
            _ => return None,
        })
    }
}

/// The text is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a request; requests are `read x`, `write x 3`, `cas x 1 2`, `delete x`, `final-read x`; \
     and of counters `add +x 2`, `read +x`, `final-read +x`"
)]
pub struct NotARequest(String);

impl FromStr for Request {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let read = || {
            let (name, object) = (words.next()?, words.next()?.parse().ok()?);
            let numbers = words.map(|word| word.parse().ok());
            let ask = Ask::of(name, &numbers.collect::<Option<Vec<_>>>()?)?;
            Self::new(object, ask)
        };
        read().ok_or_else(|| NotARequest(text.to_owned()))
    }
}

impl Recorded for Request {
    fn record(&self) -> (&'static str, Value, Value) {
        let value = match self.ask {
            Ask::Write(value) | Ask::Add(value) => value.into(),
            Ask::Cas(old, new) => Value::list([old.into(), new.into()]),
            _ => Value::Nil,
        };
        (
            self.ask.name(),
            Value::text(&self.object.to_string()),
            value,
        )
    }

    fn from_record(function: &str, key: &Value, value: &Value) -> Option<Self> {
        let number = |value: &Value| match value {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        let numbers = match value {
            Value::Nil => Vec::new(),
            Value::List(items) => items.iter().map(number).collect::<Option<_>>()?,
            other => vec![number(other)?],
        };
        let object = match Key::of(key) {
            Some(key) => Object::Register(key),
            None => key.as_name()?.parse().ok()?,
        };
        Self::new(object, Ask::of(function, &numbers)?)
    }

    fn is_local(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_as_they_print_and_as_they_are_recorded() {
        for text in [
            "read x",
            "final-read k3",
            "write y -3",
            "cas x 1 2",
            "delete z",
            "add +x -2",
            "read +x",
            "final-read +k12",
        ] {
            let request: Request = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
            let (function, key, value) = request.record();
            assert_eq!(Request::from_record(function, &key, &value), Some(request));
        }
        for text in [
            "",
            "read",
            "write x",
            "add +x y",
            "read x 1",
            "jump x",
            "add x 1",
            "delete +x",
        ] {
            assert!(text.parse::<Request>().is_err(), "{text}");
        }
    }
}
