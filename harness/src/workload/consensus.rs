//! One decision, which every client wants to make.

use tribunal_histories::{History, Outcome, Value};

use super::{Entry, LastRead, Options, Probe, probe};
use crate::generator::{Call, Generator, calls};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "consensus",
    model: "consensus",
    about: "One decision. Clients propose values, none twice, and are told what was decided; some only read. From \
            the first moment all propose at once, and they go on when the decision is made: it must stay what it \
            is, through every fault. At the end each proposes once more. Finds two decisions, a decision \
            that nobody proposed or that was said to have failed, and one that is forgotten.",
    probes: &[
        Probe::new("a proposal was decided on", |history| {
            told(history, |own| own)
        }),
        Probe::new("a proposal found another decided", |history| {
            told(history, |own| !own)
        }),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys: |_| vec![Value::Nil],
    // Who proposes is told what is decided, and shows that deciding is still possible: a read would not.
    last_read: LastRead {
        function: "propose",
        value: Some(-1),
        after_us: 0,
    },
};

fn operations(_options: &Options) -> Box<dyn Generator> {
    let mut proposed = 0;
    calls(move |draw| {
        if draw.chance(300_000) {
            return Call::new("read", Value::Nil, Value::Nil);
        }
        proposed += 1;
        Call::new("propose", Value::Nil, proposed)
    })
    .boxed()
}

/// Whether a proposer was told of its own value, or of another.
fn told(history: &History, wanted: fn(bool) -> bool) -> bool {
    history.operations().any(|operation| {
        history.function(operation.function) == "propose"
            && operation.outcome == Outcome::Ok
            && wanted(operation.output == operation.input)
    })
}
