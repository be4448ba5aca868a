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
    /// Tell the register's value.
    Read,
    /// The same, at the end, when all nodes should agree.
    FinalRead,
    /// Give the register a value.
    Write(i64),
    /// Give the register the second value if it has the first at this node.
    Cas(i64, i64),
    /// Delete the register.
    Delete,
    /// Tell the counter's value.
    Count,
    /// The same, at the end.
    FinalCount,
    /// Add to the counter.
    Add(i64),
}

/// What a client asks of a gossip node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    /// Of which register or counter: the two of one name have nothing to do with each other.
    pub key: Key,
    /// What.
    pub ask: Ask,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, key) = (self.ask.name(), self.key);
        write!(f, "{name} {key}")?;
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
            Self::Count => "count",
            Self::FinalCount => "final-count",
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
            ("count", []) => Self::Count,
            ("final-count", []) => Self::FinalCount,
            ("add", [value]) => Self::Add(*value),
            _ => return None,
        })
    }
}

/// The text is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a request; requests are `read x`, `write x 3`, `cas x 1 2`, `delete x`, `add x 2`, `count x`, \
     `final-read x`, `final-count x`"
)]
pub struct NotARequest(String);

impl FromStr for Request {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let read = || {
            let (name, key) = (words.next()?, words.next()?.parse().ok()?);
            let numbers = words.map(|word| word.parse().ok());
            let ask = Ask::of(name, &numbers.collect::<Option<Vec<_>>>()?)?;
            Some(Self { key, ask })
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
        (self.ask.name(), Value::text(&self.key.to_string()), value)
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
        Some(Self {
            key: Key::of(key)?,
            ask: Ask::of(function, &numbers)?,
        })
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
            "add x -2",
            "count x",
            "final-count k12",
        ] {
            let request: Request = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
            let (function, key, value) = request.record();
            assert_eq!(Request::from_record(function, &key, &value), Some(request));
        }
        for text in ["", "read", "write x", "add x y", "read x 1", "jump x"] {
            assert!(text.parse::<Request>().is_err(), "{text}");
        }
    }
}
