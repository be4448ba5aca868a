//! Multi-Paxos: disks that are lost whole, and leases, which are right exactly as long as clocks keep their bound.

use tribunal::plan::{Driver, Plan};
use tribunal::workload::Entry;
use tribunal_checkers::Answer;
use tribunal_protocols::registry::Protocol;

use super::{on_two_threads, run};

fn plan(nodes: usize, nemesis: &str, reads: &str) -> Plan {
    let protocol = Protocol::named("multi_paxos").expect("Multi-Paxos is registered");
    Plan {
        nodes,
        driver: Driver::Plain,
        nemesis: nemesis.parse().expect("it is a selection"),
        set: vec![("reads".to_owned(), reads.to_owned())],
        ..Plan::usual(
            protocol,
            Entry::find("register").expect("the workload is registered"),
        )
    }
}

/// By seed, what was violated; empty where the run is valid.
fn violated(plan: &Plan, seeds: u64) -> Vec<String> {
    let seeds: Vec<u64> = (0..seeds).collect();
    on_two_threads(&seeds, |seed| {
        let outcomes = run(plan, seed);
        let is_valid = outcomes.verdict.answer() == Answer::Valid;
        assert_eq!(is_valid, outcomes.violated.is_empty(), "seed {seed}");
        outcomes.violated
    })
}

fn all_are_valid(plan: &Plan, seeds: u64) {
    for (seed, violated) in violated(plan, seeds).into_iter().enumerate() {
        assert_eq!(violated, "", "seed {seed}");
    }
}

#[test]
fn lost_disks_are_survived() {
    for nodes in [3, 5] {
        let plan = plan(nodes, "wipe,partition,packet", "quorum");
        all_are_valid(&plan, 100);
        let recovered = |seed| {
            let probes = run(&plan, seed).probes;
            let count = probes.get("a node that lost its disk recovered");
            count.is_some_and(|count| *count > 0)
        };
        assert!((0..20).any(recovered), "no node ever recovered");
    }
}

#[test]
fn leases_hold_while_clocks_keep_their_bound() {
    all_are_valid(&plan(5, "kill,partition,packet,disk,wipe", "lease"), 100);
}

#[test]
fn leases_do_not_hold_when_clocks_break_it() {
    let violated = violated(&plan(5, "clock,partition", "lease"), 100);
    assert!(violated.iter().any(|violated| violated == "MP5"));
}
