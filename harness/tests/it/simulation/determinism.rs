//! A seed names a run: on either driver, on any thread, and from its trace.

use tribunal::engine::engine;
use tribunal::plan::Driver;
use tribunal_histories::{Digest, EventRecord, Trace};

use super::{WORKLOADS, on_two_threads, plan, run};

/// What must be the same: every step, and all that clients saw and when.
fn identity(workload: &str, driver: Driver, seed: u64) -> (Digest, Vec<EventRecord>) {
    let outcomes = run(&plan(workload, driver), seed);
    (outcomes.digest, outcomes.history.records().collect())
}

fn seeds() -> Vec<(&'static str, u64)> {
    let of = |workload| (0..20).map(move |seed| (workload, seed));
    WORKLOADS.into_iter().flat_map(of).collect()
}

#[test]
fn a_seed_is_the_same_run_on_both_drivers_and_again() {
    on_two_threads(&seeds(), |(workload, seed)| {
        let first = identity(workload, Driver::Plain, seed);
        for driver in [Driver::Plain, Driver::Madsim, Driver::Madsim] {
            let again = identity(workload, driver, seed);
            assert_eq!(again, first, "{workload}, seed {seed}, {driver:?}");
        }
    });
}

#[test]
fn seeds_in_parallel_are_the_seeds_one_by_one() {
    let seeds = seeds();
    let digest = |(workload, seed)| identity(workload, Driver::Madsim, seed).0;
    let alone: Vec<Digest> = seeds.iter().copied().map(digest).collect();
    assert_eq!(on_two_threads(&seeds, digest), alone);
    let mut distinct = alone;
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(
        distinct.len(),
        seeds.len(),
        "every seed is a run of its own"
    );
}

#[test]
fn a_recorded_run_replays_from_its_file() {
    let checked = on_two_threads(&seeds(), |(workload, seed)| {
        let driver = if seed % 2 == 0 {
            Driver::Plain
        } else {
            Driver::Madsim
        };
        let plan = plan(workload, driver);
        let engine = engine(plan.protocol);
        let outcomes = engine.run(&plan, seed, true, &|| false);
        let mut file = Vec::new();
        let recorded = outcomes.trace.expect("the run was recorded");
        recorded.write(&mut file).unwrap();
        let trace = Trace::read(file.as_slice()).unwrap();
        assert_eq!(trace, recorded);
        let mut steps = 0;
        let replayed = engine.replay(&trace, plan.limits, &mut |_| steps += 1);
        let replayed = replayed.unwrap_or_else(|error| panic!("{workload}, seed {seed}: {error}"));
        assert!(replayed.faithful, "{workload}, seed {seed}");
        assert_eq!(replayed.digest, outcomes.digest, "{workload}, seed {seed}");
        assert_eq!(steps, trace.end.steps);
        let crash = |loss: &str| {
            trace
                .steps()
                .any(|step| step.starts_with("crash") && step.contains(loss))
        };
        [
            outcomes.tally.steps_cut > 0,
            outcomes.tally.writes_lost > 0,
            crash("tearing"),
            crash("losing writes"),
        ]
    });
    for (place, what) in [
        "a step cut short",
        "lost writes",
        "a torn write",
        "reordered writes",
    ]
    .iter()
    .enumerate()
    {
        assert!(checked.iter().any(|seen| seen[place]), "no run had {what}");
    }
}

#[test]
fn recording_changes_nothing() {
    let plan = plan("kv", Driver::Plain);
    for seed in 0..5 {
        let recorded = engine(plan.protocol).run(&plan, seed, true, &|| false);
        assert_eq!(recorded.digest, run(&plan, seed).digest);
    }
}

#[test]
fn a_run_that_is_stopped_is_unknown() {
    for driver in [Driver::Plain, Driver::Madsim] {
        // A history of lists is searched; those that a monitor decides are decided at once.
        let plan = plan("append", driver);
        let outcomes = engine(plan.protocol).run(&plan, 0, false, &|| true);
        assert_eq!(
            outcomes.verdict.answer(),
            tribunal_checkers::Answer::Unknown
        );
    }
}
