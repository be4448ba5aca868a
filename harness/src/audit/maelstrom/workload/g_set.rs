//! A set that only grows.

use tribunal_histories::{Outcome, Value};

use super::{Dialogue, LATE_READ, bare, body, is_read, list, no_refusal};
use crate::generator::{Call, Generator, calls};
use crate::workload::{Entry, Probe, probe};

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "g-set",
        model: "set-full",
        about: "A grow-only set: clients add elements and read all of them; in the end every node has every element that \
                was acknowledged, once.",
        probes: &[
            Probe::new("an add was acknowledged", |history| {
                probe::ended(history, "add", Outcome::Ok)
            }),
            Probe::new("a read was answered at the end", |history| {
                probe::ended(history, "final-read", Outcome::Ok)
            }),
        ],
        operations: |_| {
            let mut added = 0;
            calls(move |draw| {
                if draw.chance(500_000) {
                    return Call::new("read", Value::Nil, Value::Nil);
                }
                added += 1;
                Call::new("add", Value::Nil, added)
            })
            .boxed()
        },
        keys: |_| vec![Value::Nil],
        last_read: LATE_READ,
    },
    bodies: &["add {element} → add_ok", "read → read_ok {value}"],
    greeting: None,
    request: |call| match call.function {
        "add" => body("add", "element", &call.value),
        _ => bare("read"),
    },
    result: |reply| {
        if is_read(reply) {
            return list(reply, "value").map(Some);
        }
        Ok(None)
    },
    refusal: no_refusal,
};
