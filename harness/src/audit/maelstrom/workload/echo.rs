//! Echo: what comes back is what was sent.

use tribunal_histories::{Outcome, Value};

use super::{Dialogue, NO_LAST_READ, body, field, no_refusal};
use crate::generator::{Call, Generator, calls};
use crate::workload::{Entry, Probe, probe};

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "echo",
        model: "echo",
        about: "Clients send texts, and the node sends each back: the first program that one writes for Maelstrom, and a \
                test of the connection to it.",
        probes: &[Probe::new("an echo came back", |history| {
            probe::ended(history, "echo", Outcome::Ok)
        })],
        operations: |_| {
            calls(|draw| {
                let text = format!("please echo {}", draw.below(128));
                Call::new("echo", Value::Nil, Value::text(&text))
            })
            .boxed()
        },
        keys: |_| Vec::new(),
        last_read: NO_LAST_READ,
    },
    bodies: &["echo {echo} → echo_ok {echo}"],
    greeting: None,
    request: |call| body("echo", "echo", &call.value),
    result: |reply| field(reply, "echo").map(Some),
    refusal: no_refusal,
};
