//! Correct protocols under everything that the swarm has: no verdict but Valid, every probe hit, every property tested.

use std::collections::BTreeMap;

use tribunal::engine::engine;
use tribunal::plan::{Driver, Plan};
use tribunal_checkers::Answer;
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::registry::Protocol;

use super::{on_two_threads, plan, run};

const PROTOCOLS: [&str; 4] = ["paxos", "primary_backup", "two_phase_commit", "zab"];
const SEEDS: u64 = 120;

#[test]
fn correct_protocols_are_valid_and_everything_is_tested() {
    for name in PROTOCOLS {
        let protocol = Protocol::named(name).expect("it is registered");
        let mut seen = BTreeMap::<String, u64>::new();
        for workload in engine(protocol).workloads() {
            for nodes in [3, 5] {
                let plan = Plan {
                    protocol,
                    nodes,
                    ..plan(workload, Driver::Plain)
                };
                count_what_is_seen(&plan, &mut seen);
            }
        }
        let properties = properties_for(name).expect("it has properties");
        let tested = properties.iter().map(|info| info.id);
        for fact in protocol.probes.iter().copied().chain(tested) {
            assert!(
                seen.get(fact).is_some_and(|count| *count > 0),
                "{name}: never seen: {fact}"
            );
        }
    }
}

/// Runs the seeds of a plan, which must all be valid, and adds up probes and tests of properties.
fn count_what_is_seen(plan: &Plan, seen: &mut BTreeMap<String, u64>) {
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let counts = on_two_threads(&seeds, |seed| {
        let outcomes = run(plan, seed);
        let (name, workload, nodes) = (plan.protocol.name, plan.workload.name, plan.nodes);
        assert_eq!(
            outcomes.verdict.answer(),
            Answer::Valid,
            "{name}, {workload}, {nodes} nodes, seed {seed}: {:?}",
            outcomes.verdict.sentences
        );
        (outcomes.probes, outcomes.exercised)
    });
    for (probes, exercised) in counts {
        for (fact, count) in probes.into_iter().chain(exercised) {
            *seen.entry(fact.to_owned()).or_default() += count;
        }
    }
}
