//! Lists that grow at their end and are read whole.

use tribunal_histories::{Outcome, Value};

use super::{Entry, Options, Probe, READ, keys, probe};
use crate::generator::{Call, Generator, calls};

/// The registry's line.
pub(crate) const ENTRY: Entry = Entry {
    name: "append",
    model: "list-append",
    about: "Lists, one a key: clients append numbers that are never used twice, and read whole lists. A read shows \
            the order of all appends before it, so this finds most per operation: lost, duplicated and reordered \
            appends, and stale reads. (After Elle's list-append, Kingsbury and Alvaro, VLDB 2020; here with one \
            operation a transaction, checked as a linearizable object.)",
    probes: &[
        Probe::new("an append succeeded", |history| {
            probe::ended(history, "append", Outcome::Ok)
        }),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys,
    last_read: READ,
};

fn operations(options: &Options) -> Box<dyn Generator> {
    let keys = keys(options);
    let mut appended = 0;
    calls(move |draw| {
        let key = draw.pick(&keys).clone();
        if draw.chance(500_000) {
            return Call::new("read", key, Value::Nil);
        }
        appended += 1;
        Call::new("append", key, appended)
    })
    .boxed()
}
