//! Values and events as JSON: the native form, one object a line.
//!
//! `{"time":12,"process":0,"type":"invoke","f":"write","key":"x","value":3}`; absent fields are nil. JSON has no
//! keywords and no sets: a keyword is written as a string and a set as an array.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{EventRecord, Kind, Process};
use crate::value::Value;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nil => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Number(digits) => match digits.parse::<f64>() {
                Ok(number) if number.to_string() == **digits => serializer.serialize_f64(number),
                _ => serializer.serialize_str(digits),
            },
            Self::Text(text) | Self::Keyword(text) => serializer.serialize_str(text),
            Self::List(items) | Self::Set(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries.iter() {
                    match key.as_name() {
                        Some(name) => map.serialize_entry(name, value)?,
                        None => map.serialize_entry(&key.to_string(), value)?,
                    }
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number)
            .map_or_else(|_| Value::Number(number.to_string().into()), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string().into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::list(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            entries.push((Value::text(&key), value));
        }
        Ok(Value::map(entries))
    }
}

impl Serialize for EventRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(time_ns) = self.time_ns {
            map.serialize_entry("time", &time_ns)?;
        }
        match self.process {
            Process::Client(number) => map.serialize_entry("process", &number)?,
            Process::Nemesis => map.serialize_entry("process", "nemesis")?,
        }
        map.serialize_entry("type", self.kind.name())?;
        map.serialize_entry("f", &*self.function)?;
        if !self.key.is_nil() {
            map.serialize_entry("key", &self.key)?;
        }
        map.serialize_entry("value", &self.value)?;
        if !self.error.is_nil() {
            map.serialize_entry("error", &self.error)?;
        }
        if let Value::Map(extra) = &self.extra {
            for (key, value) in extra.iter() {
                map.serialize_entry(key.as_name().unwrap_or("?"), value)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for EventRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = EventRecord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: an object with `process`, `type`, `f` and `value`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<EventRecord, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            fields.push((name, value));
        }
        EventRecord::from_fields(fields).map_err(serde::de::Error::custom)
    }
}

/// A field of an event that is missing or is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadField {
    /// A field that every event has is not there.
    #[error("an event must have `{0}`")]
    Missing(&'static str),
    /// A field has a value of the wrong sort.
    #[error("`{field}` is {value}; expected {expected}")]
    Unexpected {
        /// Which field.
        field: &'static str,
        /// What it is.
        value: Value,
        /// What it should have been.
        expected: &'static str,
    },
}

impl EventRecord {
    /// An event from the fields of a JSON object or an EDN map, whichever way the format writes names.
    ///
    /// Every format of the Jepsen family has the same fields: `process`, `type`, `f`, `value`, and perhaps
    /// `time`, `key`, `error` and `index` (which is ignored: the order of a file is the order of events).
    /// All others go to [`EventRecord::extra`]. A missing `f` is `txn`, as in Elle's histories.
    ///
    /// # Errors
    /// The field that is missing or wrong.
    pub fn from_fields(
        fields: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Self, BadField> {
        let mut record = Self::new(Process::Nemesis, Kind::Info, "txn", Value::Nil, Value::Nil);
        let (mut process, mut kind, mut extra) = (None, None, Vec::new());
        for (name, value) in fields {
            match name.as_str() {
                "process" => process = Some(process_of(&value)?),
                "type" => kind = Some(kind_of(&value)?),
                "f" => record.function = function_of(&value)?,
                "time" => record.time_ns = time_of(&value)?,
                "key" => record.key = value,
                "value" => record.value = value,
                "error" => record.error = value,
                "index" => {}
                _ => extra.push((Value::text(&name), value)),
            }
        }
        record.process = process.ok_or(BadField::Missing("process"))?;
        record.kind = kind.ok_or(BadField::Missing("type"))?;
        if !extra.is_empty() {
            record.extra = Value::map(extra);
        }
        Ok(record)
    }
}

fn process_of(value: &Value) -> Result<Process, BadField> {
    let number = value.as_int().and_then(|number| u32::try_from(number).ok());
    match (number, value.as_name()) {
        (Some(number), _) => Ok(Process::Client(number)),
        (None, Some("nemesis")) => Ok(Process::Nemesis),
        _ => Err(BadField::Unexpected {
            field: "process",
            value: value.clone(),
            expected: "a number from 0, or `nemesis`",
        }),
    }
}

fn kind_of(value: &Value) -> Result<Kind, BadField> {
    value
        .as_name()
        .and_then(Kind::from_name)
        .ok_or_else(|| BadField::Unexpected {
            field: "type",
            value: value.clone(),
            expected: "invoke, ok, fail or info",
        })
}

fn function_of(value: &Value) -> Result<Arc<str>, BadField> {
    match value {
        Value::Text(name) | Value::Keyword(name) => Ok(name.clone()),
        _ => Err(BadField::Unexpected {
            field: "f",
            value: value.clone(),
            expected: "the operation's name",
        }),
    }
}

fn time_of(value: &Value) -> Result<Option<u64>, BadField> {
    match value {
        Value::Nil => Ok(None),
        Value::Int(number) if *number >= 0 => Ok(u64::try_from(*number).ok()),
        // Jepsen-style JSON of some exporters has fractional or very long times: order is what counts.
        Value::Number(_) => Ok(None),
        _ => Err(BadField::Unexpected {
            field: "time",
            value: value.clone(),
            expected: "nanoseconds, from 0",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was_written() {
        let line = r#"{"time":12,"process":0,"type":"invoke","f":"cas","key":"x","value":[1,2],"node":"n3"}"#;
        let event: EventRecord = serde_json::from_str(line).unwrap();
        assert_eq!(event.key, "x".into());
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }

    #[test]
    fn a_wrong_field_is_named() {
        let wrong = |line: &str| {
            serde_json::from_str::<EventRecord>(line)
                .unwrap_err()
                .to_string()
        };
        assert!(
            wrong(r#"{"process":0,"type":"done","f":"read"}"#)
                .contains("`type` is \"done\"; expected invoke")
        );
        assert!(wrong(r#"{"process":-1,"type":"ok","f":"read"}"#).contains("`process` is -1"));
        assert!(wrong(r#"{"type":"ok","f":"read"}"#).contains("an event must have `process`"));
    }
}
