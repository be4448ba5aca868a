//! One register that is read, written, and compared and set.

use tribunal_histories::{Outcome, Value};

use super::{Entry, Options, Probe, probe};
use crate::generator::{Call, Generator, calls, mix, once, reserve};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "register",
    model: "cas-register",
    about: "One register. About half of the clients read; the others write and compare-and-set numbers from 0 to 4, as \
            Jepsen's linearizable-register does. So few numbers make many compare-and-sets succeed; each of those \
            pins down the order of writes. Finds stale reads, lost updates, and writes that were acknowledged and \
            then forgotten.",
    probes: &[
        Probe::new("a cas succeeded", |history| {
            probe::ended(history, "cas", Outcome::Ok)
        }),
        Probe::new("a cas failed", |history| {
            probe::ended(history, "cas", Outcome::Fail)
        }),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys: |_| vec![Value::Nil],
};

const VALUES: u64 = 5;

fn operations(options: &Options) -> Box<dyn Generator> {
    let reads = once(Call::new("read", Value::Nil, Value::Nil)).repeat();
    let writes = calls(|draw| Call::new("write", Value::Nil, number(draw.below(VALUES))));
    let sets = calls(|draw| {
        let [from, to] = [draw.below(VALUES), draw.below(VALUES)].map(number);
        Call::new("cas", Value::Nil, Value::list([from, to]))
    });
    let changes = mix([(1, writes.boxed()), (1, sets.boxed())]);
    if options.concurrency < 2 {
        return mix([(1, reads.boxed()), (1, changes.boxed())]).boxed();
    }
    reserve([(options.concurrency / 2, reads.boxed())], changes.boxed()).boxed()
}

fn number(value: u64) -> Value {
    Value::Int(value.cast_signed())
}
