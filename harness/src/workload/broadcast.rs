//! Messages that everyone delivers in one order.

use tribunal_histories::{Outcome, Value};

use super::{Entry, LastRead, Options, Probe, probe};
use crate::generator::{Call, Generator, calls};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "broadcast",
    model: "total-order",
    about: "Total order broadcast: clients append messages, each its own, to one sequence, and each reads what a node \
            of its own has delivered, which may be old. When all faults are healed and the nodes have had six seconds \
            to catch up, every client reads once more. Finds nodes that deliver in different orders, twice, with gaps, \
            or what failed, and acknowledged messages that somebody never delivers. It needs as many clients as nodes \
            to see all of them, and nodes that, after a crash, do not answer before they have delivered again what \
            they had delivered before. (After Défago, Schiper and Urbán, ACM Computing Surveys 2004.)",
    probes: &[
        Probe::new("a broadcast was acknowledged", |history| {
            probe::ended(history, "append", Outcome::Ok)
        }),
        Probe::new("a node told of what it had delivered", |history| {
            history.operations().any(|operation| {
                history.function(operation.function) == "local-read"
                    && operation.outcome == Outcome::Ok
                    && !operation.output.is_nil()
            })
        }),
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys: |_| vec![Value::Nil],
    last_read: LastRead {
        function: "local-read",
        value: None,
        after_us: SETTLED_US,
    },
};

/// The time that nodes have to catch up before the last reads: twenty of the longest election timeouts that are usual.
const SETTLED_US: u64 = 6_000_000;

fn operations(_: &Options) -> Box<dyn Generator> {
    let mut appended = 0;
    calls(move |draw| {
        if draw.chance(400_000) {
            return Call::new("local-read", Value::Nil, Value::Nil);
        }
        appended += 1;
        Call::new("append", Value::Nil, appended)
    })
    .boxed()
}
