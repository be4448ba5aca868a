//! The replicated state machine of every consensus protocol here: named objects, and a session per client.
//!
//! A command names an object and what to do with it. [`StateMachine::apply`] is deterministic, and exactly-once:
//! a command that a client sent again is answered from its session, not applied again (Ongaro's dissertation,
//! §6.3).

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_histories::{Digest, Value};

use crate::contract::{ClientId, Recorded};

/// The name of an object: `x`, `y`, `z`, `k3`, `k4`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub u32);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("x"),
            1 => f.write_str("y"),
            2 => f.write_str("z"),
            number => write!(f, "k{number}"),
        }
    }
}

impl Key {
    /// The key that a record names: by its name or its number; nil is the one object of a workload that has only one.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Nil => Some(Self(0)),
            Value::Int(number) => Some(Self(u32::try_from(*number).ok()?)),
            other => other.as_name()?.parse().ok(),
        }
    }
}

impl FromStr for Key {
    type Err = NotACommand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = match text {
            "x" => Some(0),
            "y" => Some(1),
            "z" => Some(2),
            _ => text
                .strip_prefix('k')
                .and_then(|digits| digits.parse().ok())
                .filter(|number| *number > 2),
        };
        number.map(Self).ok_or_else(|| NotACommand(text.to_owned()))
    }
}

/// What to do with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Tell its value.
    Read,
    /// Tell its value as the node that is asked knows it, which may be old.
    LocalRead,
    /// Give it a value.
    Write(i64),
    /// Give it the second value if it has the first.
    Cas(i64, i64),
    /// Append a value to the list that it is; an absent object is an empty list.
    Append(i64),
    /// Make it absent.
    Delete,
}

/// What a client asks of the state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Command {
    /// Which object.
    pub key: Key,
    /// What to do with it.
    pub action: Action,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key;
        match self.action {
            Action::Read => write!(f, "read {key}"),
            Action::LocalRead => write!(f, "local-read {key}"),
            Action::Write(value) => write!(f, "write {key} {value}"),
            Action::Cas(old, new) => write!(f, "cas {key} {old} {new}"),
            Action::Append(value) => write!(f, "append {key} {value}"),
            Action::Delete => write!(f, "delete {key}"),
        }
    }
}

/// The text is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a command; commands are `read x`, `local-read x`, `write x 3`, `cas x 1 2`, `append x 5`, `delete x`"
)]
pub struct NotACommand(pub String);

impl FromStr for Command {
    type Err = NotACommand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotACommand(text.to_owned());
        let number = |word: &str| word.parse::<i64>().map_err(|_| wrong());
        let words: Vec<_> = text.split_whitespace().collect();
        let (key, action) = match words[..] {
            ["read", key] => (key, Action::Read),
            ["local-read", key] => (key, Action::LocalRead),
            ["write", key, value] => (key, Action::Write(number(value)?)),
            ["cas", key, old, new] => (key, Action::Cas(number(old)?, number(new)?)),
            ["append", key, value] => (key, Action::Append(number(value)?)),
            ["delete", key] => (key, Action::Delete),
            _ => return Err(wrong()),
        };
        Ok(Self {
            key: key.parse().map_err(|_| wrong())?,
            action,
        })
    }
}

impl Recorded for Command {
    fn record(&self) -> (&'static str, Value, Value) {
        let key = Value::text(&self.key.to_string());
        match self.action {
            Action::Read => ("read", key, Value::Nil),
            Action::LocalRead => ("local-read", key, Value::Nil),
            Action::Write(value) => ("write", key, value.into()),
            Action::Cas(old, new) => ("cas", key, Value::list([old.into(), new.into()])),
            Action::Append(value) => ("append", key, value.into()),
            Action::Delete => ("delete", key, Value::Nil),
        }
    }

    fn from_record(function: &str, key: &Value, value: &Value) -> Option<Self> {
        let key = Key::of(key)?;
        let action = match (function, value) {
            ("read" | "get", _) => Action::Read,
            ("local-read", _) => Action::LocalRead,
            ("write" | "put", Value::Int(value)) => Action::Write(*value),
            ("append", Value::Int(value)) => Action::Append(*value),
            ("delete", _) => Action::Delete,
            ("cas", Value::List(pair)) => match pair[..] {
                [Value::Int(old), Value::Int(new)] => Action::Cas(old, new),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { key, action })
    }

    fn is_local(&self) -> bool {
        self.action == Action::LocalRead
    }
}

/// The value of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Object {
    /// Never written, or deleted.
    #[default]
    Absent,
    /// A register's value.
    Integer(i64),
    /// A list's values, oldest first. Shared: reading a long list does not copy it.
    List(Arc<Vec<i64>>),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::from(self).fmt(f)
    }
}

impl From<&Object> for Value {
    fn from(object: &Object) -> Self {
        match object {
            Object::Absent => Self::Nil,
            Object::Integer(value) => Self::Int(*value),
            Object::List(values) => Self::list(values.iter().map(|value| Self::Int(*value))),
        }
    }
}

/// What a command gives back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Output {
    /// It was done.
    Done,
    /// The object's value.
    Value(Object),
    /// A compare-and-set found another value, or none, and did nothing.
    Mismatch,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Value(object) => write!(f, "value {object}"),
            Self::Mismatch => f.write_str("mismatch"),
        }
    }
}

/// The last command of a client that was applied, and what it gave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Session {
    sequence: u32,
    output: Output,
}

/// The objects, and the sessions that make commands exactly-once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StateMachine {
    objects: BTreeMap<Key, Object>,
    sessions: BTreeMap<ClientId, Session>,
    /// Of the objects and the sessions, kept as they change: the exclusive or of a digest of each part, so that the
    /// order in which parts came to be does not matter.
    digest: Digest,
}

/// The digest of one part of a state.
fn part<T: Hash>(kind: &str, part: &T) -> u64 {
    Digest::default().then(kind).then(part).0
}

/// The digest of an object: of a list, of each value at its place, so that appending need not look at the others.
fn object_digest(key: Key, object: &Object) -> u64 {
    match object {
        Object::Absent => 0,
        Object::Integer(value) => part("integer", &(key, value)),
        Object::List(values) => (0..).zip(values.iter()).fold(0, |digest, (place, value)| {
            digest ^ element_digest(key, place, *value)
        }),
    }
}

fn element_digest(key: Key, place: usize, value: i64) -> u64 {
    part("element", &(key, place, value))
}

fn session_digest(client: ClientId, session: &Session) -> u64 {
    part("session", &(client, session))
}

/// All of it: the objects, then each client's last command and what it gave.
impl fmt::Display for StateMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, (key, object)) in self.objects.iter().enumerate() {
            write!(f, "{}{key} {object}", if place > 0 { ", " } else { "" })?;
        }
        for (place, (client, session)) in self.sessions.iter().enumerate() {
            let Session { sequence, output } = session;
            let before = if place > 0 { ", " } else { "; " };
            write!(f, "{before}c{client}#{sequence} {output}")?;
        }
        f.write_str("}")
    }
}

impl StateMachine {
    /// A digest of the objects and the sessions: equal states have equal digests, and that of the state before all
    /// commands is the default. It is kept, not computed.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Applies a client's command, once: a repetition of the client's last command gets the answer of the first
    /// time, and one from before it, which nobody waits for, gets none.
    pub fn apply(&mut self, client: ClientId, sequence: u32, command: Command) -> Option<Output> {
        match self.sessions.get(&client) {
            Some(session) if session.sequence > sequence => None,
            Some(session) if session.sequence == sequence => Some(session.output.clone()),
            _ => {
                let output = self.apply_again(command);
                let session = Session {
                    sequence,
                    output: output.clone(),
                };
                self.digest.0 ^= session_digest(client, &session);
                if let Some(before) = self.sessions.insert(client, session) {
                    self.digest.0 ^= session_digest(client, &before);
                }
                Some(output)
            }
        }
    }

    /// Applies a command without looking at sessions, as a system without them does.
    pub fn apply_again(&mut self, command: Command) -> Output {
        if matches!(command.action, Action::Read | Action::LocalRead) {
            return Output::Value(self.read(command.key));
        }
        let key = command.key;
        let object = self.objects.entry(key).or_default();
        let new = match (command.action, &mut *object) {
            (Action::Write(value), _) => Object::Integer(value),
            (Action::Cas(old, new), Object::Integer(value)) if *value == old => {
                Object::Integer(new)
            }
            (Action::Append(value), Object::List(values)) => {
                self.digest.0 ^= element_digest(key, values.len(), value);
                Arc::make_mut(values).push(value);
                return Output::Done;
            }
            (Action::Append(value), _) => Object::List(Arc::new(vec![value])),
            (Action::Delete, _) => Object::Absent,
            (Action::Read | Action::LocalRead | Action::Cas(..), _) => return Output::Mismatch,
        };
        self.digest.0 ^= object_digest(key, object) ^ object_digest(key, &new);
        *object = new;
        Output::Done
    }

    /// Forgets all sessions, as a snapshot that leaves them out does.
    pub fn forget_sessions(&mut self) {
        for (client, session) in std::mem::take(&mut self.sessions) {
            self.digest.0 ^= session_digest(client, &session);
        }
    }

    /// Forgets all sessions but one client's, as a table with room for one does.
    pub fn forget_sessions_but(&mut self, client: ClientId) {
        let kept = self.sessions.remove_entry(&client);
        self.forget_sessions();
        if let Some((client, session)) = kept {
            self.sessions.insert(client, session);
        }
    }

    /// What a client's command gave, if it was the client's last that was applied.
    pub fn answered(&self, client: ClientId, sequence: u32) -> Option<Output> {
        self.sessions
            .get(&client)
            .filter(|session| session.sequence == sequence)
            .map(|session| session.output.clone())
    }

    /// The value of an object.
    pub fn read(&self, key: Key) -> Object {
        self.objects.get(&key).cloned().unwrap_or_default()
    }

    /// All objects, in the order of their names' numbers.
    pub fn objects(&self) -> impl Iterator<Item = (Key, &Object)> {
        self.objects.iter().map(|(key, object)| (*key, object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_command_is_answered_and_not_applied() {
        let mut machine = StateMachine::default();
        let append: Command = "append x 5".parse().unwrap();
        assert_eq!(machine.apply(0, 1, append), Some(Output::Done));
        assert_eq!(machine.apply(0, 1, append), Some(Output::Done));
        assert_eq!(machine.read(Key(0)), Object::List(Arc::new(vec![5])));
        machine.apply_again(append);
        assert_eq!(machine.read(Key(0)).to_string(), "[5 5]");
    }

    #[test]
    fn equal_states_have_equal_digests_however_they_came_to_be() {
        let mut left = StateMachine::default();
        let mut right = StateMachine::default();
        let apply = |machine: &mut StateMachine, commands: &[&str]| {
            for (sequence, command) in (1..).zip(commands) {
                machine.apply_again(command.parse().unwrap());
                machine.apply(7, sequence, "read x".parse().unwrap());
            }
        };
        apply(&mut left, &["append x 1", "write y 5", "append x 2"]);
        apply(
            &mut right,
            &["write x 9", "append x 1", "append x 2", "cas y 1 2"],
        );
        assert_ne!(left.digest(), right.digest());
        right.apply_again("write y 5".parse().unwrap());
        left.forget_sessions();
        assert_ne!(left.digest(), right.digest());
        right.forget_sessions();
        assert_eq!(left, right);
        for key in ["x", "y"] {
            left.apply_again(format!("delete {key}").parse().unwrap());
        }
        assert_eq!(left.digest(), Digest::default());
    }

    #[test]
    fn one_session_may_be_kept() {
        let mut machine = StateMachine::default();
        let write: Command = "write x 1".parse().unwrap();
        machine.apply(1, 1, write);
        let alone = machine.clone();
        machine.apply(2, 1, write);
        machine.forget_sessions_but(1);
        assert_eq!(machine, alone);
        assert_eq!(machine.to_string(), "{x 1; c1#1 done}");
    }

    #[test]
    fn cas_compares() {
        let mut machine = StateMachine::default();
        assert_eq!(
            machine.apply(0, 1, "cas y 1 2".parse().unwrap()),
            Some(Output::Mismatch)
        );
        machine.apply(0, 2, "write y 1".parse().unwrap());
        assert_eq!(
            machine.apply(1, 1, "cas y 1 2".parse().unwrap()),
            Some(Output::Done)
        );
        assert_eq!(
            machine.apply(0, 3, "read y".parse().unwrap()),
            Some(Output::Value(Object::Integer(2)))
        );
        assert_eq!(machine.apply(0, 2, "write y 1".parse().unwrap()), None);
    }

    #[test]
    fn commands_read_back_as_they_print() {
        for text in [
            "read x",
            "write k7 -3",
            "cas y 1 2",
            "append z 9",
            "delete x",
        ] {
            assert_eq!(text.parse::<Command>().unwrap().to_string(), text);
        }
        assert!("write x".parse::<Command>().is_err());
        assert!("read k1".parse::<Command>().is_err());
    }
}
