//! Several keys that are read, written, compared and set, and deleted.

use tribunal_histories::Outcome;

use super::distinct::{Distinct, Weights};
use super::{Entry, Probe, READ, keys, probe};
use crate::generator::Generator;

/// The registry's line.
pub(crate) const ENTRY: Entry = Entry {
    name: "kv",
    model: "kv",
    about: "A key-value store: reads, writes, compare-and-sets and deletes of a few keys. No number is written twice, \
            so a read says exactly which write it saw. Finds what `register` finds, keys that are mixed up, and \
            deletes that come undone.",
    probes: &[
        probe::CAS_SUCCEEDED,
        probe::CAS_FAILED,
        Probe::new("a delete succeeded", |history| {
            probe::ended(history, "delete", Outcome::Ok)
        }),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations: |options| Distinct::new(keys(options), WEIGHTS).boxed(),
    keys,
    last_read: READ,
};

const WEIGHTS: Weights = Weights {
    read: 5,
    write: 3,
    cas: 3,
    delete: 1,
};
