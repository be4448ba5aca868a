//! What clients are told to do and what they may answer: the workloads of subjects in files.

use serde::{Deserialize, Deserializer, Serialize};
use tribunal_histories::{Kind, Value};

use crate::audit::maelstrom::workload::{COUNTER, NO_LAST_READ, SET, UNIQUE_IDS};
use crate::generator::Call;
use crate::workload::{self, Entry};

/// A workload with what its client must understand.
#[derive(Debug)]
pub struct Words {
    /// What clients do, and how it is judged.
    pub entry: Entry,
    /// The operations and their results, as a person would write them.
    pub operations: &'static [&'static str],
    /// What the result of a read must be, in words, and whether a value is that.
    result: (&'static str, fn(&Value) -> bool),
}

/// All of them.
pub const REGISTRY: &[Words] = &[
    Words {
        entry: workload::REGISTER,
        operations: &[
            "read → a number, or null before the first write",
            "write, value 3 → ok",
            "cas, value [3, 4] → ok, or fail if the value is not 3",
        ],
        result: (NUMBER_OR_NULL, is_number_or_null),
    },
    Words {
        entry: workload::KV,
        operations: &[
            "read, key \"x\" → a number, or null where there is none",
            "write, key \"x\", value 3 → ok",
            "cas, key \"x\", value [3, 4] → ok, or fail if the value is not 3",
            "delete, key \"x\" → ok",
        ],
        result: (NUMBER_OR_NULL, is_number_or_null),
    },
    Words {
        entry: workload::APPEND,
        operations: &[
            "read, key \"x\" → a list of numbers, or null where there is none",
            "append, key \"x\", value 3 → ok",
        ],
        result: ("a list of numbers, or null", |value| {
            value.is_nil() || is_list(value)
        }),
    },
    Words {
        entry: Entry {
            name: "set",
            last_read: NO_LAST_READ,
            ..SET
        },
        operations: &["read → a list of numbers", "add, value 3 → ok"],
        result: ("a list of numbers", is_list),
    },
    Words {
        entry: Entry {
            name: "counter",
            last_read: NO_LAST_READ,
            ..COUNTER
        },
        operations: &["read → a number", "add, value -3 → ok"],
        result: ("a number", |value| value.as_int().is_some()),
    },
    Words {
        entry: UNIQUE_IDS,
        operations: &["generate → the identifier"],
        result: ("an identifier", |value| !value.is_nil()),
    },
];

const NUMBER_OR_NULL: &str = "a number, or null";

fn is_number_or_null(value: &Value) -> bool {
    value.is_nil() || value.as_int().is_some()
}

fn is_list(value: &Value) -> bool {
    value
        .as_items()
        .is_some_and(|items| items.iter().all(|item| item.as_int().is_some()))
}

/// What a client writes when an operation has ended.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    #[serde(rename = "type")]
    kind: ReplyKind,
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
    #[serde(default)]
    error: Value,
}

/// A null that is written is a value; none at all is not.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ReplyKind {
    Ok,
    Fail,
    Info,
}

/// What a client is told.
#[derive(Serialize)]
struct Request<'a> {
    f: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
}

impl Words {
    /// The workload of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<&'static Self, String> {
        let found = REGISTRY.iter().find(|words| words.entry.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = REGISTRY.iter().map(|words| words.entry.name).collect();
            format!(
                "there is no workload `{name}` here; there are: {}",
                names.join(", ")
            )
        })
    }

    /// An operation that changes nothing, or little, to see whether the client answers at all.
    pub(super) fn trial(&self) -> Call {
        match self.entry.name {
            "unique-ids" => Call::new("generate", Value::Nil, Value::Nil),
            _ => {
                let keys = (self.entry.keys)(&workload::Options::default());
                let key = keys.into_iter().next().unwrap_or(Value::Nil);
                Call::new("read", key, Value::Nil)
            }
        }
    }

    /// How a reply ends an operation.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn completion(&self, call: &Call, line: &str) -> Result<(Kind, Value), String> {
        let reply: Reply = serde_json::from_str(line).map_err(|error| error.to_string())?;
        match reply.kind {
            ReplyKind::Fail => Ok((Kind::Fail, reply.error)),
            ReplyKind::Info => Ok((Kind::Info, reply.error)),
            ReplyKind::Ok if !is_asking(call) => Ok((Kind::Ok, call.value.clone())),
            ReplyKind::Ok => {
                let (what, is_that) = self.result;
                let missing =
                    || format!("the value of a {} is {what}, and there is none", told(call));
                let value = reply.value.ok_or_else(missing)?;
                match is_that(&value) {
                    true => Ok((Kind::Ok, value)),
                    false => Err(format!("the value of a {} is {what} here", told(call))),
                }
            }
        }
    }
}

/// Whether a call asks for something.
fn is_asking(call: &Call) -> bool {
    is_read(call) || call.function == "generate"
}

/// Whether a call changes nothing: if it was not answered, it did not happen.
pub(super) fn is_read(call: &Call) -> bool {
    ["read", "final-read"].contains(&call.function)
}

/// A client need not know that a read is one at the end.
fn told(call: &Call) -> &'static str {
    match call.function {
        "final-read" => "read",
        function => function,
    }
}

/// The line that tells a client of an operation, with its end.
pub(super) fn request(call: &Call) -> String {
    let given = |value: &'_ Value| !value.is_nil();
    let request = Request {
        f: told(call),
        key: Some(&call.key).filter(|key| given(key)),
        value: Some(&call.value).filter(|value| given(value)),
    };
    let mut line = serde_json::to_string(&request).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_lines_of_json() {
        let cas = Call::new("cas", "x", Value::list([Value::Int(3), Value::Int(4)]));
        assert_eq!(
            request(&cas),
            "{\"f\":\"cas\",\"key\":\"x\",\"value\":[3,4]}\n"
        );
        let read = Call::new("final-read", Value::Nil, Value::Nil);
        assert_eq!(request(&read), "{\"f\":\"read\"}\n");
    }

    #[test]
    fn replies_are_taken_at_their_word_or_refused() {
        let register = Words::find("register").unwrap();
        let read = Call::new("read", Value::Nil, Value::Nil);
        let write = Call::new("write", Value::Nil, 3);
        let end = |call, line| register.completion(call, line);
        assert_eq!(
            end(&read, r#"{"type":"ok","value":3}"#),
            Ok((Kind::Ok, Value::Int(3)))
        );
        assert_eq!(
            end(&read, r#"{"type":"ok"}"#).unwrap_err(),
            "the value of a read is a number, or null, and there is none"
        );
        assert_eq!(
            end(&read, r#"{"type":"ok","value":null}"#),
            Ok((Kind::Ok, Value::Nil))
        );
        assert_eq!(
            end(&write, r#"{"type":"ok"}"#),
            Ok((Kind::Ok, Value::Int(3)))
        );
        assert_eq!(
            end(&write, r#"{"type":"info","error":"gone"}"#),
            Ok((Kind::Info, Value::text("gone")))
        );
        assert_eq!(
            end(&read, r#"{"type":"ok","value":"3"}"#).unwrap_err(),
            "the value of a read is a number, or null here"
        );
        assert!(end(&read, "thanks").unwrap_err().contains("expected"));
        assert!(
            end(&read, r#"{"type":"ok","result":3}"#)
                .unwrap_err()
                .contains("unknown field `result`")
        );
    }
}
