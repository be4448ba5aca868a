//! Maelstrom's workloads: what clients say to nodes, and what the answers mean.
//!
//! One file each and a line in [`REGISTRY`]. A [`Dialogue`] is a workload as any other (a generator, a final
//! generator, a model, probes) with the words for it: which body a call becomes, and which result a reply is.

mod broadcast;
mod echo;
mod g_counter;
mod g_set;
mod lin_kv;
mod pn_counter;
mod unique_ids;

use serde_json::{Map, Value as Json, json};
use tribunal_histories::Value;

use super::error_code::ErrorCode;
use super::topology::Topology;
use crate::generator::Call;
use crate::workload::{Entry, LastRead};

/// A workload with the words for it.
#[derive(Clone, Copy, Debug)]
pub struct Dialogue {
    /// What clients do, and how it is judged.
    pub workload: Entry,
    /// The requests and replies, as a person would write them, for the reference.
    pub bodies: &'static [&'static str],
    /// What every node is told once when it has started.
    pub(super) greeting: Option<fn(&Cluster) -> Fields>,
    /// The body of a call, without its number.
    pub(super) request: fn(&Call) -> Fields,
    /// The result that a reply is; nothing where it says no more than that it was done.
    ///
    /// # Errors
    /// What is wrong with the reply.
    pub(super) result: fn(&Fields) -> Result<Option<Value>, String>,
    /// The result that an error is, where it is one.
    pub(super) refusal: fn(&Call, ErrorCode) -> Option<Value>,
}

/// The fields of a body.
pub(super) type Fields = Map<String, Json>;

/// What a greeting is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cluster {
    pub(super) nodes: usize,
    pub(super) topology: Topology,
}

/// All of them; the first is the usual one.
pub const REGISTRY: &[Dialogue] = &[
    echo::DIALOGUE,
    unique_ids::DIALOGUE,
    broadcast::DIALOGUE,
    g_set::DIALOGUE,
    g_counter::DIALOGUE,
    pn_counter::DIALOGUE,
    lin_kv::DIALOGUE,
];

/// Workloads that other kinds of subjects have too.
pub(crate) const SET: Entry = g_set::DIALOGUE.workload;
pub(crate) const COUNTER: Entry = pn_counter::DIALOGUE.workload;
pub(crate) const UNIQUE_IDS: Entry = unique_ids::DIALOGUE.workload;

/// There is none of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no Maelstrom workload `{name}` here; there are: {}", names().join(", "))]
pub struct UnknownDialogue {
    /// The name.
    pub name: String,
}

fn names() -> Vec<&'static str> {
    REGISTRY
        .iter()
        .map(|dialogue| dialogue.workload.name)
        .collect()
}

impl Dialogue {
    /// The workload of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<&'static Self, UnknownDialogue> {
        let unknown = || UnknownDialogue { name: name.into() };
        REGISTRY
            .iter()
            .find(|dialogue| dialogue.workload.name == name)
            .ok_or_else(unknown)
    }

    /// The names of all calls that the workload makes.
    pub(super) fn functions(&self) -> &'static [&'static str] {
        &[
            "add",
            "broadcast",
            "cas",
            "echo",
            "final-read",
            "generate",
            "read",
            "write",
        ]
    }

    /// Whether a call that is made twice, or not at all, changes nothing: if it is not answered it did not happen.
    pub(super) fn is_idempotent(&self, call: &Call) -> bool {
        ["read", "final-read"].contains(&call.function)
    }
}

/// A body of a type with one field.
fn body(kind: &str, name: &str, value: &Value) -> Fields {
    let mut fields = bare(kind);
    fields.insert(name.to_owned(), to_json(value));
    fields
}

/// A body of a type alone.
fn bare(kind: &str) -> Fields {
    Map::from_iter([("type".to_owned(), json!(kind))])
}

fn to_json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or_default()
}

/// A field of a reply.
fn field(reply: &Fields, name: &str) -> Result<Value, String> {
    let kind = reply.get("type").and_then(Json::as_str).unwrap_or_default();
    let value = reply
        .get(name)
        .ok_or_else(|| format!("a {kind} has a field {name:?}"))?;
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// A field that is a list.
fn list(reply: &Fields, name: &str) -> Result<Value, String> {
    let value = field(reply, name)?;
    match value.as_items() {
        Some(_) => Ok(value),
        None => Err(format!("the field {name:?} of a read_ok is a list here")),
    }
}

/// A field that is an integer.
fn integer(reply: &Fields, name: &str) -> Result<Value, String> {
    let value = field(reply, name)?;
    match value.as_int() {
        Some(_) => Ok(value),
        None => Err(format!(
            "the field {name:?} of a read_ok is an integer here"
        )),
    }
}

fn is_read(reply: &Fields) -> bool {
    reply.get("type").and_then(Json::as_str) == Some("read_ok")
}

/// No error is a result.
fn no_refusal(_: &Call, _: ErrorCode) -> Option<Value> {
    None
}

/// No object is read in the end.
pub(crate) const NO_LAST_READ: LastRead = LastRead {
    function: "final-read",
    value: None,
    after_us: 0,
};

/// What may be behind for a while is read in the end, when nodes have had ten seconds to tell one another, as in
/// Maelstrom.
const LATE_READ: LastRead = LastRead {
    after_us: 10_000_000,
    ..NO_LAST_READ
};

#[cfg(test)]
mod tests {
    use super::*;
    use tribunal_checkers::CheckerEntry;

    #[test]
    fn every_workload_has_a_checker_and_its_own_name() {
        for dialogue in REGISTRY {
            let Entry { name, model, .. } = dialogue.workload;
            assert!(CheckerEntry::named(model).is_some(), "{name}");
            assert_eq!(Dialogue::find(name).unwrap().workload.name, name);
            assert!(!dialogue.bodies.is_empty());
        }
        let error = Dialogue::find("kafka").unwrap_err();
        insta::assert_snapshot!(error, @"there is no Maelstrom workload `kafka` here; there are: echo, unique-ids, broadcast, g-set, g-counter, pn-counter, lin-kv");
    }

    #[test]
    fn requests_and_replies_are_as_the_protocol_has_them() {
        let request = |name: &str, call: &Call| {
            Json::Object((Dialogue::find(name).unwrap().request)(call)).to_string()
        };
        let cas = Call::new("cas", 1, Value::list([Value::Int(2), Value::Int(3)]));
        assert_eq!(
            request("lin-kv", &cas),
            r#"{"from":2,"key":1,"to":3,"type":"cas"}"#
        );
        let read = Call::new("final-read", Value::Nil, Value::Nil);
        assert_eq!(request("g-set", &read), r#"{"type":"read"}"#);
        let result = |name: &str, reply: Json| {
            let fields = reply.as_object().unwrap();
            (Dialogue::find(name).unwrap().result)(fields)
        };
        let messages = result("broadcast", json!({"type": "read_ok", "messages": [1, 2]}));
        assert_eq!(messages.unwrap().unwrap().to_string(), "[1 2]");
        let wrong = result("broadcast", json!({"type": "read_ok", "value": [1]})).unwrap_err();
        assert_eq!(wrong, "a read_ok has a field \"messages\"");
        let wrong = result("pn-counter", json!({"type": "read_ok", "value": "3"})).unwrap_err();
        assert_eq!(wrong, "the field \"value\" of a read_ok is an integer here");
        assert_eq!(result("g-set", json!({"type": "add_ok"})), Ok(None));
    }
}
