//! Registers and counters that are spread without agreement.

use tribunal_histories::{History, Outcome, Value};

use super::{Entry, LastRead, Options, Probe, probe};
use crate::generator::{Call, Generator, calls};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "dissemination",
    model: "convergence",
    about: "Each client reads and changes registers, of which the last writer wins, and counters at a node of its own. \
            When all faults have ended and the nodes have gossiped for two seconds, each client reads everything at its \
            node: give it as many clients as there are nodes. Finds nodes that never agree, deletes that come undone, \
            writes that lose to what they overwrote, and increments that are lost or count twice.",
    probes: &[
        Probe::new("a delete succeeded", |history| {
            probe::ended(history, "delete", Outcome::Ok)
        }),
        Probe::new("an add succeeded", |history| {
            probe::ended(history, "add", Outcome::Ok)
        }),
        Probe::new("a final read found a value", final_read_found_a_value),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys: |options| {
        let counters = super::keys(options).into_iter();
        let counters =
            counters.map(|key| Value::text(&format!("+{}", key.as_name().unwrap_or("x"))));
        super::keys(options).into_iter().chain(counters).collect()
    },
    last_read: LastRead {
        function: "final-read",
        value: None,
        after_us: 2_000_000,
    },
};

fn final_read_found_a_value(history: &History) -> bool {
    history.operations().any(|operation| {
        history.function(operation.function) == "final-read" && !operation.output.is_nil()
    })
}

fn operations(options: &Options) -> Box<dyn Generator> {
    let keys = (ENTRY.keys)(options);
    let registers = keys.len() / 2;
    let mut written = 0;
    calls(move |draw| {
        let kind = draw.weighted(&[4, 4, 1, 2, 1]);
        let (of_counter, key) = (kind > 2, draw.index(registers));
        let key = keys[key + if of_counter { registers } else { 0 }].clone();
        match kind {
            1 => {
                // No number is written twice, so that a read says which write it saw.
                written += 1;
                Call::new("write", key, written)
            }
            2 => Call::new("delete", key, Value::Nil),
            3 => Call::new("add", key, *draw.pick(&[1_i64, 2, 5, -1, -3])),
            _ => Call::new("read", key, Value::Nil),
        }
    })
    .boxed()
}
