//! Correct membership under everything that the swarm has, in both styles: no verdict but Valid, and nothing left
//! untested.

use std::collections::BTreeMap;

use tribunal::plan::{Driver, Plan};
use tribunal::workload::Entry;
use tribunal_checkers::Answer;
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::registry::Protocol;

use super::{on_two_threads, run};

const SEEDS: u64 = 200;

#[test]
fn correct_membership_is_valid_and_everything_is_tested() {
    let membership = Protocol::named("membership").expect("it is registered");
    let churn = Entry::find("churn").expect("it is registered");
    let plan = Plan {
        driver: Driver::Plain,
        ..Plan::usual(membership, churn)
    };
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let counts = on_two_threads(&seeds, |seed| {
        let outcomes = run(&plan, seed);
        let why = &outcomes.verdict.sentences;
        assert_eq!(
            outcomes.verdict.answer(),
            Answer::Valid,
            "seed {seed}: {why:?}"
        );
        (outcomes.probes, outcomes.exercised)
    });
    let mut sums = BTreeMap::<&str, u64>::new();
    for (probes, exercised) in counts {
        for (name, count) in probes.into_iter().chain(exercised) {
            *sums.entry(name).or_default() += count;
        }
    }
    let properties = properties_for("membership").expect("there are some");
    let wanted = membership.probes.iter().copied();
    let wanted = wanted.chain(churn.probes.iter().map(|probe| probe.name));
    let wanted = wanted.chain(properties.iter().map(|property| property.id));
    for name in wanted {
        assert!(
            sums.get(name).is_some_and(|count| *count > 0),
            "{name}: never in {SEEDS} seeds"
        );
    }
}
