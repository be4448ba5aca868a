//! Every planted bug is found, in every way in which it is expected to be: within its budget, and for a reason that the
//! registry states.

use tribunal::hunt::{WAYS, hunt};
use tribunal_protocols::bugs::FoundBy;
use tribunal_protocols::registry::PROTOCOLS;

use super::on_two_threads;

#[test]
fn every_planted_bug_is_found() {
    let bugs: Vec<_> = PROTOCOLS
        .iter()
        .flat_map(|protocol| protocol.bugs.iter().map(move |bug| (protocol, bug)))
        .collect();
    assert!(!bugs.is_empty());
    let missed: Vec<String> = on_two_threads(&bugs, |(protocol, bug)| {
        // Explorations have a test of their own.
        let ways = WAYS.iter().filter(|way| **way != FoundBy::Exploration);
        let attempts = ways.filter_map(|way| {
            hunt(protocol, bug, *way, false, &|| false).expect("the hunt can be run")
        });
        let missed = attempts.filter(|attempt| attempt.found.is_none());
        missed
            .map(|attempt| format!("{}: {attempt:?}", bug.id))
            .collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
