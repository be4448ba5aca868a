//! One register that is read, written, and compared and set.

use tribunal_histories::Value;

use super::distinct::{Distinct, Weights};
use super::{Entry, Options, READ, probe};
use crate::generator::{Call, Generator, once, reserve};

/// The registry's line.
pub(crate) const ENTRY: Entry = Entry {
    name: "register",
    model: "cas-register",
    about: "One register. Two of five clients only read; the others write and compare-and-set, and read a little. No \
            number is written twice, so a read says exactly which write it saw, and every compare-and-set that \
            succeeds pins down the order of writes. Finds stale reads, lost updates, and writes that were \
            acknowledged and then forgotten. (After Jepsen's linearizable-register.)",
    probes: &[
        probe::CAS_SUCCEEDED,
        probe::CAS_FAILED,
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys: |_| vec![Value::Nil],
    last_read: READ,
};

const WEIGHTS: Weights = Weights {
    read: 1,
    write: 2,
    cas: 2,
    delete: 0,
};

fn operations(options: &Options) -> Box<dyn Generator> {
    // Readers of their own go on reading while writers wait for a leader.
    let readers = options.concurrency * 2 / 5;
    let reads = once(Call::new("read", Value::Nil, Value::Nil)).repeat();
    let changes = Distinct::new(vec![Value::Nil], WEIGHTS);
    reserve([(readers, reads.boxed())], changes.boxed()).boxed()
}
