//! A counter that is added to and taken from.

use tribunal_histories::{Outcome, Value};

use super::{Dialogue, LATE_READ, bare, body, integer, is_read, no_refusal};
use crate::draw::Draw;
use crate::generator::{Call, Generator, calls};
use crate::workload::{Entry, Probe, probe};

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "pn-counter",
        model: "pn-counter",
        about: "A counter to which clients add numbers from -5 to 5; in the end every node's count has every addition that \
                was acknowledged, once, and perhaps some whose outcome nobody knows. Finds additions that are lost or \
                counted twice.",
        probes: PROBES,
        operations: |_| additions(|draw| draw.below(11).cast_signed() - 5),
        keys: |_| vec![Value::Nil],
        last_read: LATE_READ,
    },
    bodies: &["add {delta} → add_ok", "read → read_ok {value}"],
    greeting: None,
    request: |call| match call.function {
        "add" => body("add", "delta", &call.value),
        _ => bare("read"),
    },
    result: |reply| {
        if is_read(reply) {
            return integer(reply, "value").map(Some);
        }
        Ok(None)
    },
    refusal: no_refusal,
};

/// What must have been seen of any counter.
pub(super) const PROBES: &[Probe] = &[
    Probe::new("an addition was acknowledged", |history| {
        probe::ended(history, "add", Outcome::Ok)
    }),
    Probe::new("a read was answered at the end", |history| {
        probe::ended(history, "final-read", Outcome::Ok)
    }),
];

/// Additions and reads, as many of either.
pub(super) fn additions(amount: fn(&mut Draw) -> i64) -> Box<dyn Generator> {
    calls(move |draw| match draw.chance(500_000) {
        true => Call::new("read", Value::Nil, Value::Nil),
        false => Call::new("add", Value::Nil, amount(draw)),
    })
    .boxed()
}
