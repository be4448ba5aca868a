//! Members that come and go.

use tribunal_histories::{Outcome, Value};

use super::{Entry, LastRead, Options, Probe, probe};
use crate::generator::{Call, Generator, calls};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "churn",
    model: "membership",
    about: "The members of a cluster: clients let nodes join and remove them (the first two stay), let nodes take slots, \
            and read the tables of single nodes. When all faults have ended and the cluster was left alone for a \
            while, every node is asked for its table. Finds members that are forgotten, taken for dead, or not to be \
            got rid of.",
    probes: &[
        Probe::new("a node joined", |history| {
            probe::ended(history, "join", Outcome::Ok)
        }),
        Probe::new("a member was removed at a client's request", |history| {
            probe::ended(history, "remove", Outcome::Ok)
        }),
        Probe::new("a table was read", |history| {
            probe::ended(history, "read", Outcome::Ok)
        }),
    ],
    operations,
    keys: |_| vec![Value::Nil],
    last_read: LastRead {
        function: "read",
        value: None,
        after_us: 5_000_000,
    },
};

/// Out of a hundred operations: joins, removals, takeovers; the rest are reads.
const JOINS: u32 = 20;
const REMOVALS: u32 = 4;
const TAKEOVERS: u32 = 12;

fn operations(options: &Options) -> Box<dyn Generator> {
    let members: Vec<_> = (3..=options.nodes.max(3))
        .map(|number| Value::text(&format!("n{number}")))
        .collect();
    let slots: Vec<_> = (0..2)
        .map(|slot| Value::text(&format!("s{slot}")))
        .collect();
    let reads = 100 - JOINS - REMOVALS - TAKEOVERS;
    calls(move |draw| {
        let (member, slot) = (draw.pick(&members).clone(), draw.pick(&slots).clone());
        match draw.weighted(&[reads, JOINS, REMOVALS, TAKEOVERS]) {
            0 => Call::new("read", Value::Nil, Value::Nil),
            1 => Call::new("join", member, Value::Nil),
            2 => Call::new("remove", member, Value::Nil),
            _ => Call::new("take", slot, Value::Nil),
        }
    })
    .boxed()
}
