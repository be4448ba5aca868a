//! Every planted bug that a simulation is expected to find is found, within its hunt's seeds and for a reason that the
//! registry states.

use tribunal::engine::engine;
use tribunal::plan::{Driver, Plan};
use tribunal_checkers::Answer;
use tribunal_protocols::bugs::{Bug, FoundBy};
use tribunal_protocols::registry::{PROTOCOLS, Protocol};

use super::{on_two_threads, plan, run};

/// The plan of a bug's hunt.
fn hunt(protocol: &'static Protocol, bug: &Bug) -> Plan {
    let hunt = bug.hunt;
    let workload = match hunt.workload {
        "" => engine(protocol).workloads()[0],
        named => named,
    };
    let set = hunt.set.iter();
    Plan {
        protocol,
        nodes: hunt.nodes,
        bugs: protocol.bugs_named([bug.id]).expect("the bug is planted"),
        set: set
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        nemesis: hunt.nemesis.parse().expect("the hunt's nemesis is one"),
        ..plan(workload, Driver::Plain)
    }
}

/// Whether one of the ways to find it is a simulated run.
fn shows_in_simulation(bug: &&Bug) -> bool {
    let ways = [FoundBy::Simulation, FoundBy::History, FoundBy::Liveness];
    bug.found_by.iter().any(|by| ways.contains(by))
}

#[test]
fn every_planted_bug_is_found() {
    let bugs: Vec<_> = PROTOCOLS
        .iter()
        .flat_map(|protocol| protocol.bugs.iter().map(move |bug| (protocol, bug)))
        .filter(|(_, bug)| shows_in_simulation(bug))
        .collect();
    assert!(!bugs.is_empty());
    let missed: Vec<String> = on_two_threads(&bugs, |(protocol, bug)| {
        let plan = hunt(protocol, bug);
        engine(protocol).check(&plan).expect("the hunt can be run");
        let found = (0..bug.hunt.seeds)
            .map(|seed| (seed, run(&plan, seed)))
            .find(|(_, outcomes)| outcomes.verdict.answer() != Answer::Valid);
        let id = bug.id;
        match found {
            None => Some(format!("{id}: not in {} seeds", bug.hunt.seeds)),
            Some((seed, outcomes)) => {
                let right = outcomes.verdict.answer() == Answer::Invalid
                    && bug.breaks.contains(&outcomes.violated.as_str());
                (!right).then(|| format!("{id}, seed {seed}: {:?}", outcomes.verdict.sentences))
            }
        }
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
