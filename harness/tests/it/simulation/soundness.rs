//! Correct Raft under everything that the swarm has: no verdict but Valid, and nothing left untested.

use std::collections::BTreeMap;

use tribunal::plan::Driver;
use tribunal_checkers::Answer;

use super::{WORKLOADS, on_two_threads, plan, run};

const SEEDS: u64 = 150;

#[test]
fn correct_raft_is_valid_and_everything_is_tested() {
    for workload in WORKLOADS {
        let plan = plan(workload, Driver::Plain);
        let seeds: Vec<u64> = (0..SEEDS).collect();
        let counts = on_two_threads(&seeds, |seed| {
            let outcomes = run(&plan, seed);
            let why = &outcomes.verdict.sentences;
            assert_eq!(
                outcomes.verdict.answer(),
                Answer::Valid,
                "{workload}, seed {seed}: {why:?}"
            );
            (outcomes.probes, outcomes.exercised, outcomes.faults)
        });
        let mut sums = BTreeMap::<&str, u64>::new();
        for (probes, exercised, faults) in counts {
            for (name, count) in probes.into_iter().chain(exercised).chain(faults) {
                *sums.entry(name).or_default() += count;
            }
        }
        let missed: Vec<_> = sums.iter().filter(|(_, count)| **count == 0).collect();
        assert!(
            missed.is_empty(),
            "{workload}: never seen in {SEEDS} seeds: {missed:?}"
        );
        for probe in plan.workload.probes {
            assert!(
                sums.contains_key(probe.name),
                "{workload}: {} was not asked",
                probe.name
            );
        }
        for property in tribunal_checkers::properties::raft::PROPERTIES {
            assert!(
                sums.contains_key(property.id),
                "{} was not watched",
                property.id
            );
        }
    }
}
