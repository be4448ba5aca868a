//! The steps of a trace taken elsewhere: by nodes under madsim, and by real processes.

use std::fs;

use crate::invocation::Place;

#[cfg(madsim)]
mod under_madsim {
    use tribunal::cross_replay::Performer;
    use tribunal::engine::engine;
    use tribunal::plan::{Driver, Plan};
    use tribunal::scenario::trace_of;
    use tribunal::workload::Entry;
    use tribunal_checkers::Limits;
    use tribunal_histories::Trace;
    use tribunal_protocols::registry::{PROTOCOLS, Protocol};
    use tribunal_protocols::scenario::SCENARIOS;

    fn agree(trace: &Trace, what: &str) {
        let protocol = Protocol::named(&trace.header.protocol).unwrap();
        let agreed = engine(protocol).cross_replay(trace, &Performer::Madsim);
        let agreed = agreed.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(agreed.parting, None, "{what}");
        assert_eq!(agreed.steps, trace.end.steps, "{what}");
        assert_eq!(agreed.events, trace.events().count(), "{what}");
        assert!(agreed.views >= agreed.steps / 8, "{what}: {agreed:?}");
    }

    #[test]
    fn every_scenario_is_the_same_under_madsim() {
        for scenario in SCENARIOS {
            agree(&trace_of(scenario, Limits::default()).unwrap(), scenario.id);
        }
    }

    #[test]
    fn a_run_of_every_protocol_is_the_same_under_madsim() {
        for protocol in PROTOCOLS {
            let engine = engine(protocol);
            let plan = Plan {
                driver: Driver::Plain,
                ..Plan::usual(protocol, Entry::find(engine.workloads()[0]).unwrap())
            };
            let outcomes = engine.run(&plan, 2, true, &|| false);
            agree(&outcomes.trace.unwrap(), protocol.name);
        }
    }
}

/// A place with the trace of a run, `trace.jsonl`.
fn with_run(arguments: &str, code: i32) -> Place {
    let place = Place::new();
    let simulate = "simulate --runtime plain --shrink off --quiet";
    place.run(&format!("{simulate} {arguments}")).with(code);
    fs::copy(
        place.latest().join("trace.jsonl"),
        place.path().join("trace.jsonl"),
    )
    .unwrap();
    place
}

#[test]
fn real_processes_take_the_steps_of_a_simulated_run() {
    let place = with_run("--nodes 3 --seed 3 --nemesis partition,packet --ops 20", 0);
    let same = place.run("replay trace.jsonl --runtime live").with(0).out;
    assert!(same.contains("real processes: the same"), "{same}");
    assert!(same.contains("3 log files"), "{same}");
    let same = place.run("replay trace.jsonl --runtime madsim");
    if cfg!(madsim) {
        assert!(same.with(0).out.contains("madsim: the same"));
    } else {
        same.with(69);
    }
}

#[test]
fn real_processes_crash_and_start_again_where_the_explorer_says_so() {
    let place = Place::new();
    place
        .run("explore raft --bugs RF5 --set pre_vote=false --crashes 1 --terms 1 --timeouts 2 -q -o found.jsonl")
        .with(1);
    let trace = fs::read_to_string(place.path().join("found.jsonl")).unwrap();
    assert!(trace.contains("restart "), "{trace}");
    let same = place.run("replay found.jsonl --runtime live").with(1).out;
    assert!(same.contains("real processes: the same"), "{same}");
}

#[test]
fn what_real_processes_cannot_do_is_refused() {
    let place = Place::new();
    for (scenario, why) in [
        ("figure-7", "processes begin with empty logs"),
        ("wiped", "keeps its disk"),
    ] {
        let refused = place
            .run(&format!("replay {scenario} --runtime live"))
            .with(64);
        assert!(
            refused.err.contains("cannot be produced"),
            "{}",
            refused.err
        );
        assert!(refused.err.contains(why), "{}", refused.err);
    }
}
