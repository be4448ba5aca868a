//! What all key-value services have in common: keys, values, and what a request does to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::error_code::{KEY_DOES_NOT_EXIST, MALFORMED_REQUEST, PRECONDITION_FAILED};
use super::{Answer, Refusal};

/// A request, read.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Read,
    Write(Value),
    Cas {
        from: Value,
        to: Value,
        create_if_not_exists: bool,
    },
}

/// What a request comes to.
pub(super) struct Effect {
    pub(super) answer: Answer,
    /// The value that the key has from now on, if it changes.
    pub(super) change: Option<Value>,
}

/// A state of a store, by keys as JSON.
pub(super) type State = BTreeMap<String, Value>;

/// The key and what is to be done with it.
pub(super) fn parse(kind: &str, fields: &Map<String, Value>) -> Result<(String, Request), Refusal> {
    let field = |name: &str| {
        let missing = || Refusal::new(MALFORMED_REQUEST, format!("{kind} needs a field {name:?}"));
        fields.get(name).cloned().ok_or_else(missing)
    };
    let request = match kind {
        "read" => Request::Read,
        "write" => Request::Write(field("value")?),
        "cas" => Request::Cas {
            from: field("from")?,
            to: field("to")?,
            create_if_not_exists: fields.get("create_if_not_exists") == Some(&Value::Bool(true)),
        },
        _ => return Err(Refusal::unsupported(kind)),
    };
    Ok((field("key")?.to_string(), request))
}

impl Request {
    /// What the request comes to where the key has this value, or none.
    pub(super) fn effect(&self, key: &str, current: Option<&Value>) -> Effect {
        let refuse = |code, text: String| Effect {
            answer: Err(Refusal::new(code, text)),
            change: None,
        };
        let missing = || refuse(KEY_DOES_NOT_EXIST, format!("key {key} does not exist"));
        let done = |kind, change: &Value| Effect {
            answer: Ok((kind, Map::new())),
            change: Some(change.clone()),
        };
        match (self, current) {
            (Self::Read, Some(value)) => {
                let fields = Map::from_iter([("value".to_owned(), value.clone())]);
                Effect {
                    answer: Ok(("read_ok", fields)),
                    change: None,
                }
            }
            (Self::Write(value), _) => done("write_ok", value),
            (Self::Cas { from, to, .. }, Some(value)) if value == from => done("cas_ok", to),
            (Self::Cas { from, .. }, Some(value)) => refuse(
                PRECONDITION_FAILED,
                format!("key {key} has {value}, not {from}"),
            ),
            (
                Self::Cas {
                    to,
                    create_if_not_exists: true,
                    ..
                },
                None,
            ) => done("cas_ok", to),
            (Self::Read | Self::Cas { .. }, None) => missing(),
        }
    }
}
