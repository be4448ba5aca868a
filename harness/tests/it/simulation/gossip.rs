//! Gossip: it keeps what it promises, and not what it does not.

use std::collections::BTreeSet;

use tribunal::engine::engine;
use tribunal::judge::LINEARIZABILITY;
use tribunal::plan::{Driver, Plan};
use tribunal::workload::Entry;
use tribunal_checkers::Answer;
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::gossip::PROBES;
use tribunal_protocols::registry::Protocol;

use super::on_two_threads;

fn plan(workload: &str, nodes: usize) -> Plan {
    let protocol = Protocol::named("gossip").expect("gossip is registered");
    let workload = Entry::find(workload).expect("the workload is registered");
    Plan {
        nodes,
        driver: Driver::Plain,
        ..Plan::usual(protocol, workload)
    }
}

#[test]
fn correct_gossip_converges_and_everything_is_tested() {
    let mut seen = BTreeSet::new();
    for nodes in [3, 5] {
        let plan = plan("dissemination", nodes);
        let seeds: Vec<u64> = (0..150).collect();
        let outcomes = on_two_threads(&seeds, |seed| {
            let outcomes = engine(plan.protocol).run(&plan, seed, false, &|| false);
            let why = &outcomes.verdict.sentences;
            let answer = outcomes.verdict.answer();
            assert_eq!(answer, Answer::Valid, "{nodes} nodes, seed {seed}: {why:?}");
            outcomes.probes.into_iter().chain(outcomes.exercised)
        });
        let hit = outcomes
            .into_iter()
            .flatten()
            .filter(|(_, count)| *count > 0);
        seen.extend(hit.map(|(name, _)| name));
    }
    // The workload has no compare-and-set.
    let probes = PROBES
        .iter()
        .copied()
        .filter(|probe| !probe.starts_with("a compare-and-set"));
    let properties = properties_for("gossip").expect("gossip has properties");
    let must: BTreeSet<_> = probes
        .chain(properties.iter().map(|info| info.id))
        .collect();
    let missed: Vec<_> = must.difference(&seen).collect();
    assert!(missed.is_empty(), "never seen: {missed:?}");
}

#[test]
fn a_register_spread_by_gossip_is_not_linearizable() {
    let plan = plan("register", 3);
    let seeds: Vec<u64> = (0..20).collect();
    let violated = on_two_threads(&seeds, |seed| {
        engine(plan.protocol)
            .run(&plan, seed, false, &|| false)
            .violated
    });
    assert!(
        violated
            .iter()
            .all(|what| what.is_empty() || what == LINEARIZABILITY),
        "{violated:?}"
    );
    assert!(
        violated
            .iter()
            .filter(|what| *what == LINEARIZABILITY)
            .count()
            > 10,
        "{violated:?}"
    );
}
