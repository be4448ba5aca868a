//! From failures to the shortest traces: nothing can be taken out of them, and no search finds a shorter one.

use std::fs;

use tribunal::engine::{Engine, engine};
use tribunal::explore::Inquiry;
use tribunal::nearest::{Shortened, shorten, shortest_within, until};
use tribunal::plan::{Driver, Plan};
use tribunal::workload::Entry;
use tribunal_checkers::Limits;
use tribunal_checkers::explore::{Budget, Reach, Reductions, Strategy, Timeouts};
use tribunal_histories::{Trace, TraceLine};
use tribunal_protocols::Bugs;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::world::SyncMode;

use crate::invocation::Place;

fn bug(protocol: &Protocol, id: &str) -> Bugs {
    protocol.bugs_named([id]).expect("the bug is registered")
}

/// The trace of the first seed that fails on three nodes.
fn failure(protocol: &'static Protocol, id: &str) -> Trace {
    let engine = engine(protocol);
    let workload = Entry::find(engine.workloads()[0]).expect("it is registered");
    let plan = Plan {
        nodes: 3,
        bugs: bug(protocol, id),
        driver: Driver::Plain,
        ..Plan::usual(protocol, workload)
    };
    let fails = |seed: &u64| {
        !engine
            .run(&plan, *seed, false, &|| false)
            .violated
            .is_empty()
    };
    let seed = (0..100).find(fails).expect("the bug is found");
    let outcomes = engine.run(&plan, seed, true, &|| false);
    outcomes.trace.expect("the run was recorded")
}

fn shortest(engine: &dyn Engine, trace: &Trace, states: usize) -> Shortened {
    let never = || false;
    let mut watch = until(&never);
    shorten(
        engine,
        trace,
        Limits::default(),
        Some(states),
        &never,
        &mut watch,
    )
    .unwrap()
}

/// Takes every step out of a trace, one at a time: what is left must not fail for the same reason, or cannot be taken.
fn nothing_can_be_left_out(engine: &dyn Engine, trace: &Trace) {
    let limits = Limits::default();
    let places = trace.lines.iter().enumerate();
    let steps = places.filter(|(_, line)| matches!(line, TraceLine::Step(_)));
    for (place, line) in steps {
        let mut less = trace.clone();
        less.lines.remove(place);
        let again = engine.replay(&less, limits, &mut |_| {});
        let same = again.is_ok_and(|again| again.violated == trace.end.violated);
        assert!(!same, "{line:?} can be left out");
    }
    let again = engine.shrink(trace, limits, &|| false).unwrap();
    assert!(again.minimal && again.to == again.from, "{again:?}");
}

#[test]
fn a_failure_of_the_simulator_becomes_the_shortest_in_its_neighbourhood() {
    let raft = Protocol::named("raft").unwrap();
    let found = failure(raft, "RF2");
    let shortest = shortest(engine(raft), &found, 30_000);
    assert!(
        shortest.from > 100 && shortest.to <= shortest.shrunk,
        "{shortest:?}"
    );
    assert!(shortest.minimal);
    assert!(
        shortest_within(&shortest.searches) >= Some(Reach::Links),
        "{:?}",
        shortest.searches
    );
    let trace = &shortest.trace;
    assert_eq!(trace.end.violated, found.end.violated);
    assert_eq!(trace.end.steps, shortest.to);
    nothing_can_be_left_out(engine(raft), trace);
}

#[test]
fn the_neighbourhood_of_a_shortest_counterexample_has_no_shorter_one() {
    // Breadth-first and without reductions, the explorer's counterexample is the shortest of all.
    let raft = Protocol::named("raft").unwrap();
    let inquiry = Inquiry {
        nodes: 3,
        bugs: bug(raft, "RF5"),
        set: vec![("pre_vote".to_owned(), "false".to_owned())],
        sync: SyncMode::Immediate,
        budget: Budget {
            timeouts: Timeouts::of(2),
            crashes: 1,
            term: Some(1),
            ..Budget::default()
        },
        reductions: Reductions::NONE,
        properties: None,
        limits: tribunal_checkers::explore::Limits::default(),
        strategy: Strategy::BreadthFirst,
        threads: 1,
    };
    let never = || false;
    let explored = engine(raft).explore(&inquiry, &mut until(&never)).unwrap();
    let trace = explored.counterexample.expect("the bug is found");
    let shortest = shortest(engine(raft), &trace, 100_000);
    assert_eq!(
        (shortest.from, shortest.to),
        (trace.end.steps, trace.end.steps)
    );
    assert_eq!(shortest_within(&shortest.searches), Some(Reach::Everything));
    nothing_can_be_left_out(engine(raft), &shortest.trace);
}

#[test]
fn the_command_says_what_it_searched_and_refuses_what_does_not_fail() {
    let place = Place::new();
    place
        .run("simulate paxos --runtime plain --bugs BP3 --nodes 3 --seeds 0..100 --expect invalid --quiet")
        .with(0);
    let failures = fs::read_dir(place.latest().join("failures")).unwrap();
    let failure = failures.map(|entry| entry.unwrap().path()).next().unwrap();
    fs::copy(
        failure.join("trace.full.jsonl"),
        place.path().join("found.jsonl"),
    )
    .unwrap();
    let explored = place
        .run("explore --from found.jsonl -o short.jsonl --states 20000 -q")
        .with(1);
    assert!(
        explored.out.contains("the shortest with"),
        "{}",
        explored.out
    );
    place.run("replay short.jsonl").with(1);
    let shrunk = place
        .run("shrink found.jsonl -o small.jsonl --states 20000 -q")
        .with(0);
    assert!(
        shrunk.out.contains("no step can be left out"),
        "{}",
        shrunk.out
    );
    place.run("explore paxos --from found.jsonl").with(64);
    place
        .run("simulate paxos --runtime plain --seed 1 --nodes 3 --quiet")
        .with(0);
    let valid = place
        .run("explore --from target/tribunal/latest/trace.jsonl -q")
        .with(64);
    assert!(valid.err.contains("do not fail"), "{}", valid.err);
}
