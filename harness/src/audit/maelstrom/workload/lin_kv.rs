//! A linearizable key-value store.

use tribunal_histories::Value;

use super::super::error_code::KEY_DOES_NOT_EXIST;
use super::{Dialogue, Fields, body, field, is_read, to_json};
use crate::generator::{Call, Generator};
use crate::workload::distinct::{Distinct, Weights};
use crate::workload::{Entry, LastRead, probe};

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "lin-kv",
        model: "kv",
        about: "Reads, writes and compare-and-sets of a few keys, which must be linearizable. No number is written twice, \
                so a read says exactly which write it saw. Finds stale reads, lost updates, and writes that were \
                acknowledged and then forgotten.",
        probes: &[
            probe::CAS_SUCCEEDED,
            probe::CAS_FAILED,
            probe::READ_SAW_A_VALUE,
            probe::READ_OVERLAPPED_A_CHANGE,
        ],
        operations: |options| Distinct::new(keys(options.keys), WEIGHTS).boxed(),
        keys: |options| keys(options.keys),
        last_read: LastRead {
            function: "read",
            value: None,
            after_us: 0,
        },
    },
    bodies: &[
        "read {key} → read_ok {value}",
        "write {key, value} → write_ok",
        "cas {key, from, to} → cas_ok",
    ],
    greeting: None,
    request,
    result: |reply| {
        if is_read(reply) {
            return field(reply, "value").map(Some);
        }
        Ok(None)
    },
    // A key that does not exist is what a read found.
    refusal: |call, code| {
        (call.function == "read" && code == KEY_DOES_NOT_EXIST).then_some(Value::Nil)
    },
};

const WEIGHTS: Weights = Weights {
    read: 5,
    write: 3,
    cas: 3,
    delete: 0,
};

/// As in Maelstrom, keys are numbers.
fn keys(count: u32) -> Vec<Value> {
    (0..i64::from(count.max(1))).map(Value::Int).collect()
}

fn request(call: &Call) -> Fields {
    let mut fields = body(call.function, "key", &call.key);
    match (call.function, call.value.as_items()) {
        ("write", _) => {
            fields.insert("value".to_owned(), to_json(&call.value));
        }
        ("cas", Some([from, to])) => {
            fields.insert("from".to_owned(), to_json(from));
            fields.insert("to".to_owned(), to_json(to));
        }
        _ => {}
    }
    fields
}
