//! Unique identifiers: no two calls are given the same one.

use tribunal_histories::{Outcome, Value};

use super::{Dialogue, NO_LAST_READ, bare, field, no_refusal};
use crate::generator::{Call, Generator, once};
use crate::workload::{Entry, Probe, probe};

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "unique-ids",
        model: "unique-ids",
        about: "Clients ask for identifiers. Finds generators that count in memory and begin again after a restart, or \
                that need one another and are cut off.",
        probes: &[Probe::new("an identifier was given", |history| {
            probe::ended(history, "generate", Outcome::Ok)
        })],
        operations: |_| {
            once(Call::new("generate", Value::Nil, Value::Nil))
                .repeat()
                .boxed()
        },
        keys: |_| Vec::new(),
        last_read: NO_LAST_READ,
    },
    bodies: &["generate → generate_ok {id}"],
    greeting: None,
    request: |_| bare("generate"),
    result: |reply| field(reply, "id").map(Some),
    refusal: no_refusal,
};
