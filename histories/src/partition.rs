//! What of an operation says which object it is about: the key of its events, or what a user's function makes of them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::event::{EventRecord, Kind, Process};
use crate::history::History;
use crate::value::Value;

/// A way to tell objects apart that has a name on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PartitionBy {
    /// By the key of the event.
    #[default]
    Key,
    /// Not at all: all operations are about one object.
    Nothing,
    /// By the first of the two items that every value is, as with `jepsen.independent`; the second is then the value.
    Tuple,
    /// By a field of the invocation: one that the format does not know, or one of its value if that is a map.
    Field(Arc<str>),
}

impl fmt::Display for PartitionBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Nothing => "none",
            Self::Tuple => "tuple",
            Self::Field(name) => name,
        })
    }
}

impl FromStr for PartitionBy {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(match name {
            "key" => Self::Key,
            "none" => Self::Nothing,
            "tuple" => Self::Tuple,
            field => Self::Field(field.into()),
        })
    }
}

/// An invocation does not say which object it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoObject {
    /// It has no such field.
    #[error("`{function}` of {value} has no field `{field}` to partition by")]
    NoField {
        /// The field.
        field: Arc<str>,
        /// The operation.
        function: Arc<str>,
        /// Its value.
        value: Value,
    },
    /// Its value is no pair.
    #[error("`{function}` of {value} is not about a [key value] pair")]
    NoPair {
        /// The operation.
        function: Arc<str>,
        /// Its value.
        value: Value,
    },
}

fn field<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(fields) = of else {
        return None;
    };
    let mut fields = fields.iter();
    let found = fields.find(|(key, _)| key.as_name() == Some(name));
    found.map(|(_, value)| value)
}

/// The two items of a list of two.
fn pair(value: &Value) -> Option<[Value; 2]> {
    match value.as_items() {
        Some([first, second]) => Some([first.clone(), second.clone()]),
        _ => None,
    }
}

impl PartitionBy {
    /// Puts the object that an event is about in the place of its key.
    ///
    /// # Errors
    /// When an invocation does not say.
    pub fn apply(&self, event: &mut EventRecord) -> Result<(), NoObject> {
        let invokes = event.kind == Kind::Invoke;
        match self {
            Self::Key => {}
            Self::Nothing => event.key = Value::Nil,
            Self::Tuple => match pair(&event.value) {
                Some([key, value]) => (event.key, event.value) = (key, value),
                // A completion need not repeat the pair.
                None if !invokes => {}
                None => {
                    let (function, value) = (event.function.clone(), event.value.clone());
                    return Err(NoObject::NoPair { function, value });
                }
            },
            Self::Field(name) if invokes => {
                let found = field(&event.extra, name).or_else(|| field(&event.value, name));
                let Some(found) = found.cloned() else {
                    return Err(NoObject::NoField {
                        field: name.clone(),
                        function: event.function.clone(),
                        value: event.value.clone(),
                    });
                };
                event.key = found;
            }
            Self::Field(_) => {}
        }
        Ok(())
    }
}

/// Gives the events of clients the keys that a function chooses, one after the other: the key of a completion is that
/// of its invocation.
#[derive(Debug)]
pub struct Partitioner<F> {
    by: F,
    /// The keys of what is in flight.
    open: BTreeMap<Process, Value>,
}

impl<E, F: FnMut(&mut EventRecord) -> Result<(), E>> Partitioner<F> {
    /// A partition by this function, which sets the key of an event, and may set its value.
    pub fn new(by: F) -> Self {
        Self {
            by,
            open: BTreeMap::new(),
        }
    }

    /// The next event.
    ///
    /// # Errors
    /// Those of the function.
    pub fn event(&mut self, event: &mut EventRecord) -> Result<(), E> {
        if event.process == Process::Nemesis {
            return Ok(());
        }
        (self.by)(event)?;
        if event.kind == Kind::Invoke {
            self.open.insert(event.process, event.key.clone());
        } else if let Some(key) = self.open.remove(&event.process) {
            event.key = key;
        }
        Ok(())
    }
}

impl History {
    /// The same history with the objects told apart by a function of the events, which sets their keys and may set
    /// their values. Fails with the position of the event at which the function fails.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use tribunal_histories::{BuildOptions, EventRecord, History, Kind, Process, Value};
    ///
    /// // Accounts of banks: each bank is an object, and an account is named `bank/account`.
    /// let read = |kind| EventRecord::new(Process::Client(0), kind, "read", Value::Nil, "north/7".into());
    /// let records = [read(Kind::Invoke), read(Kind::Ok)];
    /// let history = History::from_records(records, BuildOptions::default()).unwrap();
    /// let by_bank = history.partitioned_by(|event| {
    ///     let bank = event.value.as_name().and_then(|name| name.split('/').next());
    ///     event.key = bank.unwrap_or_default().into();
    ///     Ok::<_, Infallible>(())
    /// });
    /// let keys: Vec<Value> = by_bank.unwrap().records().map(|event| event.key).collect();
    /// assert_eq!(keys, ["north".into(), "north".into()]);
    /// ```
    ///
    /// # Errors
    /// Those of the function.
    pub fn partitioned_by<E>(
        &self,
        by: impl FnMut(&mut EventRecord) -> Result<(), E>,
    ) -> Result<Self, (usize, E)> {
        let mut partitioner = Partitioner::new(by);
        let mut history = self.clone();
        for position in 0..self.len() {
            let mut record = self.record(position);
            let at = |error| (position, error);
            partitioner.event(&mut record).map_err(at)?;
            history.events[position].key = history.values.intern(record.key);
            history.events[position].value = history.values.intern(record.value);
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::BuildOptions;

    fn keys_and_values(by: &str, events: [EventRecord; 2]) -> Result<Vec<String>, String> {
        let by: PartitionBy = by.parse().unwrap();
        let history = History::from_records(events, BuildOptions::default()).unwrap();
        let parted = history.partitioned_by(|event| by.apply(event));
        let parted = parted.map_err(|(position, error)| format!("{position}: {error}"))?;
        let shown = parted
            .records()
            .map(|event| format!("{} {}", event.key, event.value));
        Ok(shown.collect())
    }

    fn events(key: &str, invoked: Value, returned: Value) -> [EventRecord; 2] {
        [(Kind::Invoke, invoked), (Kind::Ok, returned)].map(|(kind, value)| {
            let process = Process::Client(3);
            EventRecord::new(process, kind, "read", key.into(), value)
        })
    }

    #[test]
    fn objects_are_told_apart_by_what_was_named() {
        let pair = |second: Value| Value::list([7.into(), second]);
        let tuples = || events("x", pair(Value::Nil), pair(1.into()));
        insta::assert_debug_snapshot!(
            ["key", "none", "tuple"].map(|by| keys_and_values(by, tuples()).unwrap().join(", ")),
            @r#"
        [
            "\"x\" [7 nil], \"x\" [7 1]",
            "nil [7 nil], nil [7 1]",
            "7 nil, 7 1",
        ]
        "#
        );
        let map = Value::map([("table".into(), 4.into())]);
        let in_value = events("x", map.clone(), 1.into());
        let told = keys_and_values("table", in_value).unwrap();
        assert_eq!(told[1], "4 1");
        let beside = events("x", 0.into(), 1.into()).map(|event| EventRecord {
            extra: map.clone(),
            ..event
        });
        assert_eq!(keys_and_values("table", beside).unwrap()[0], "4 0");
    }

    #[test]
    fn what_does_not_say_is_an_error_with_its_place() {
        let plain = || events("x", 5.into(), 5.into());
        insta::assert_snapshot!(
            keys_and_values("table", plain()).unwrap_err(),
            @"0: `read` of 5 has no field `table` to partition by"
        );
        insta::assert_snapshot!(
            keys_and_values("tuple", plain()).unwrap_err(),
            @"0: `read` of 5 is not about a [key value] pair"
        );
        let half = events("x", Value::list([7.into(), 5.into()]), Value::Nil);
        assert_eq!(keys_and_values("tuple", half).unwrap(), ["7 5", "7 nil"]);
    }
}
