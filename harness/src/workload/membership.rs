//! A register, while the nodes that replicate it change.

use tribunal_histories::Value;

use super::distinct::{Distinct, Weights};
use super::{Entry, Options, READ, probe};
use crate::draw::Draw;
use crate::generator::{Call, Generator, calls, once, reserve};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "membership",
    model: "cas-register",
    about: "One register, as in `register`, while one client more asks for other voters again and again: any set of the \
            nodes, one node more, one less, or another leader. Histories show these requests as the nemesis's, for no \
            model judges them. Finds quorums that do not meet, entries that go with a configuration, and clusters that \
            cannot go on after a change.",
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
    read: 2,
    write: 2,
    cas: 2,
    delete: 0,
};

/// How likely each node is among the next voters, per million.
const VOTES_PPM: u32 = 600_000;

fn operations(options: &Options) -> Box<dyn Generator> {
    // With one client there would be nothing but changes.
    let administrators = usize::from(options.concurrency > 1);
    let readers = (options.concurrency - administrators) / 3;
    let names = (1..=options.nodes).map(|number| Value::text(&format!("n{number}")));
    let names: Vec<_> = names.collect();
    let changes = calls(move |draw| change(&names, draw));
    let reads = once(Call::new("read", Value::Nil, Value::Nil)).repeat();
    let writes = Distinct::new(vec![Value::Nil], WEIGHTS);
    let reserved = [(administrators, changes.boxed()), (readers, reads.boxed())];
    reserve(reserved, writes.boxed()).boxed()
}

fn change(names: &[Value], draw: &mut Draw) -> Call {
    let function = [
        "reconfigure",
        "add-node",
        "remove-node",
        "transfer-leadership",
    ][draw.weighted(&[4, 1, 1, 2])];
    let one = draw.pick(names).clone();
    let others = names
        .iter()
        .filter(|name| function == "reconfigure" && **name != one && draw.chance(VOTES_PPM));
    let nodes: Vec<_> = others.cloned().chain([one.clone()]).collect();
    Call::new(function, Value::Nil, Value::list(nodes))
}
