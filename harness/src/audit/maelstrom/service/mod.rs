//! The services that nodes may use: key-value stores of three strengths, and a source of timestamps.
//!
//! They are part of the harness and never fail; what they may do is what their names promise, and no more: where the
//! promise leaves a choice (which old state a sequential read sees, which replica a last-write-wins write reaches),
//! the seed makes it. After Maelstrom's `doc/services.md`.

mod lin_kv;
mod lin_tso;
mod lww_kv;
mod seq_kv;
mod store;

use std::fmt;

use serde_json::{Map, Value};

use super::error_code::{ErrorCode, NOT_SUPPORTED};
use super::message::{Endpoint, Letter};
use crate::draw::{Domain, Draw};

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ServiceName {
    LinKv,
    LinTso,
    LwwKv,
    SeqKv,
}

const NAMES: &[(ServiceName, &str)] = &[
    (ServiceName::LinKv, "lin-kv"),
    (ServiceName::LinTso, "lin-tso"),
    (ServiceName::LwwKv, "lww-kv"),
    (ServiceName::SeqKv, "seq-kv"),
];

impl ServiceName {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, other)| *other == name)
            .map(|(service, _)| *service)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(service, _)| service == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// What a request comes to: the fields of a reply with its type, or an error.
type Answer = Result<(&'static str, Map<String, Value>), Refusal>;

/// An error, with what is wrong in words.
#[derive(Clone, Debug, PartialEq)]
struct Refusal {
    code: ErrorCode,
    text: String,
}

impl Refusal {
    fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { code, text }
    }

    fn unsupported(kind: &str) -> Self {
        Self::new(
            NOT_SUPPORTED,
            format!("there is no request of type {kind:?} here"),
        )
    }
}

/// A service: it is asked, and answers at once.
trait Service: fmt::Debug + Send {
    /// The answer to a request of a node. What the service may choose, it draws.
    fn answer(
        &mut self,
        from: Endpoint,
        kind: &str,
        request: &Map<String, Value>,
        draw: Draw,
    ) -> Answer;
}

/// All services of a cluster.
#[derive(Debug)]
pub(super) struct Services {
    seed: u64,
    /// How many requests there were.
    asked: u64,
    lin_kv: lin_kv::LinKv,
    lin_tso: lin_tso::LinTso,
    lww_kv: lww_kv::LwwKv,
    seq_kv: seq_kv::SeqKv,
}

impl Services {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            asked: 0,
            lin_kv: lin_kv::LinKv::default(),
            lin_tso: lin_tso::LinTso::default(),
            lww_kv: lww_kv::LwwKv::default(),
            seq_kv: seq_kv::SeqKv::default(),
        }
    }

    /// The body of the reply to a letter, if it wants one.
    pub(super) fn answer(&mut self, service: ServiceName, letter: &Letter) -> Option<String> {
        self.asked += 1;
        let draw = Draw::keyed(self.seed, Domain::Service, self.asked, 0);
        let request: Map<String, Value> = serde_json::from_str(&letter.body).unwrap_or_default();
        let service: &mut dyn Service = match service {
            ServiceName::LinKv => &mut self.lin_kv,
            ServiceName::LinTso => &mut self.lin_tso,
            ServiceName::LwwKv => &mut self.lww_kv,
            ServiceName::SeqKv => &mut self.seq_kv,
        };
        let answer = service.answer(letter.from, &letter.head.kind, &request, draw);
        Some(reply(letter.head.msg_id?, answer))
    }
}

/// The body of a reply.
fn reply(in_reply_to: i64, answer: Answer) -> String {
    let (kind, mut fields) = answer.unwrap_or_else(|refusal| {
        let code = Value::from(refusal.code.code);
        let fields = [("code", code), ("text", Value::from(refusal.text))];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        ("error", fields.into_iter().collect())
    });
    fields.insert("type".to_owned(), kind.into());
    fields.insert("in_reply_to".to_owned(), in_reply_to.into());
    Value::Object(fields).to_string()
}

/// The body of an error that a reply tells.
pub(super) fn error(in_reply_to: i64, code: ErrorCode, text: &str) -> String {
    reply(in_reply_to, Err(Refusal::new(code, text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal_histories::NodeId;

    use super::super::message::Head;
    use super::*;

    /// Asks a service as a node would, and gives its whole reply.
    fn ask(services: &mut Services, service: ServiceName, node: u16, body: Value) -> Value {
        let head: Head = serde_json::from_value(body.clone()).unwrap();
        let letter = Letter {
            from: Endpoint::Node(NodeId(node)),
            to: Endpoint::Service(service),
            ordinal: 1,
            head,
            body: body.to_string(),
        };
        serde_json::from_str(&services.answer(service, &letter).unwrap()).unwrap()
    }

    #[test]
    fn a_linearizable_store_reads_writes_and_compares() {
        let mut services = Services::new(1);
        let mut ask = |body: Value| ask(&mut services, ServiceName::LinKv, 0, body);
        let missing = ask(json!({"type": "read", "key": "x", "msg_id": 1}));
        assert_eq!(
            (&missing["code"], &missing["in_reply_to"]),
            (&json!(20), &json!(1))
        );
        let written = ask(json!({"type": "write", "key": "x", "value": [1], "msg_id": 2}));
        assert_eq!(written, json!({"type": "write_ok", "in_reply_to": 2}));
        let cas = |from: i64, to: i64| json!({"type": "cas", "key": "x", "from": [from], "to": [to], "msg_id": 3});
        assert_eq!(ask(cas(2, 3))["code"], 22);
        assert_eq!(ask(cas(1, 3))["type"], "cas_ok");
        assert_eq!(
            ask(json!({"type": "read", "key": "x", "msg_id": 5}))["value"],
            json!([3])
        );
        let create = json!({"type": "cas", "key": 7, "from": 1, "to": 2, "create_if_not_exists": true, "msg_id": 6});
        assert_eq!(ask(create)["type"], "cas_ok");
        assert_eq!(
            ask(json!({"type": "cas", "key": 8, "from": 1, "to": 2, "msg_id": 7}))["code"],
            20
        );
        assert_eq!(
            ask(json!({"type": "write", "key": 8, "msg_id": 8}))["code"],
            12
        );
        assert_eq!(ask(json!({"type": "drop", "msg_id": 9}))["code"], 10);
    }

    #[test]
    fn a_sequential_store_may_be_behind_but_never_goes_back() {
        let mut services = Services::new(1);
        let (mut last, mut is_behind) = (0, 0);
        for value in 1..=60 {
            let write = json!({"type": "write", "key": "x", "value": value, "msg_id": 1});
            ask(&mut services, ServiceName::SeqKv, 0, write);
            let own = ask(
                &mut services,
                ServiceName::SeqKv,
                0,
                json!({"type": "read", "key": "x", "msg_id": 1}),
            );
            assert_eq!(own["value"], value, "a client sees its own writes");
            let read = ask(
                &mut services,
                ServiceName::SeqKv,
                1,
                json!({"type": "read", "key": "x", "msg_id": 2}),
            );
            let seen = read["value"].as_i64().unwrap_or(0);
            assert!(seen >= last, "{seen} after {last}");
            last = seen;
            is_behind += i64::from(seen < value);
        }
        assert!((10..60).contains(&is_behind), "{is_behind}");
    }

    #[test]
    fn a_last_write_wins_store_forgets_writes_and_agrees_in_the_end() {
        let mut services = Services::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for value in 1..=20 {
            let write = json!({"type": "write", "key": "x", "value": value, "msg_id": 1});
            ask(&mut services, ServiceName::LwwKv, 0, write);
            let read = ask(
                &mut services,
                ServiceName::LwwKv,
                0,
                json!({"type": "read", "key": "x", "msg_id": 2}),
            );
            seen.insert(read["value"].as_i64() == Some(value));
        }
        assert_eq!(
            seen.len(),
            2,
            "some reads see the write before them, some do not"
        );
        let mut read = || {
            ask(
                &mut services,
                ServiceName::LwwKv,
                1,
                json!({"type": "read", "key": "x", "msg_id": 3}),
            )
        };
        let settled: Vec<_> = (0..200)
            .map(|_| read()["value"].clone())
            .skip(150)
            .collect();
        assert!(settled.iter().all(|value| *value == 20), "{settled:?}");
    }

    #[test]
    fn timestamps_only_grow() {
        let mut services = Services::new(1);
        let mut ask = || {
            ask(
                &mut services,
                ServiceName::LinTso,
                0,
                json!({"type": "ts", "msg_id": 1}),
            )["ts"]
                .as_i64()
        };
        let given: Vec<_> = (0..5).map(|_| ask()).collect();
        assert!(given.is_sorted_by(|a, b| a < b), "{given:?}");
    }
}
