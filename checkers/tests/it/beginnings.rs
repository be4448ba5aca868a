//! A search that begins further on: the steps before it are taken once, cost no budget, and stand in the trace.

use tribunal_checkers::explore::{Asked, Budget, Found, Grain, Question, QuestionError, Timeouts};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::world::{Setup, SyncMode};
use tribunal_protocols::zab::Zab;

use super::searched::searched;

const ESTABLISHED: [&str; 3] = ["fire n3 decide", "fire n2 decide", "fire n1 decide"];

/// The probe that the steps of [`ESTABLISHED`] hit.
const ELECTED: &str = "a leader was elected";

/// A cluster whose followers deliver out of order, in which no timer fires.
fn setup() -> Setup<Zab> {
    let protocol = Protocol::named("zab").expect("it is in the registry");
    let bugs = protocol.bugs_named(Some("ZB24"));
    let config = <Zab as tribunal_protocols::Node>::Config::of(3);
    let config = config.with_bugs(bugs.expect("the bug is in its catalogue"));
    Setup::fresh(config, SyncMode::Immediate)
}

fn beginning_with(steps: &[&str]) -> Result<Found<Zab>, QuestionError> {
    let writes = ["write x 1".to_owned(), "write x 2".to_owned()];
    searched(Question::of(
        setup(),
        Budget {
            operations: vec![Vec::new(), Vec::new(), writes.to_vec()],
            asked: Asked::Own,
            timeouts: Timeouts::of(0),
            grain: Grain::Elections,
            begin: steps.iter().map(|step| (*step).to_owned()).collect(),
            ..Budget::default()
        },
    ))
}

#[test]
fn what_needs_a_leader_is_found_without_a_budget_for_electing_it() {
    let found = beginning_with(&[]).expect("nothing is refused");
    assert!(found.counterexample.is_none() && found.cut.is_none());
    assert!(!found.probes.contains(&ELECTED), "{:?}", found.probes);

    let found = beginning_with(&ESTABLISHED).expect("the steps can be taken");
    assert!(found.probes.contains(&ELECTED), "{:?}", found.probes);
    let way = found.counterexample.expect("the planted bug is found");
    assert_eq!(way.violated, "ZI5");
    let names: Vec<_> = way.steps.iter().map(ToString::to_string).collect();
    let fired = names.iter().filter(|name| name.starts_with("fire"));
    assert_eq!(fired.collect::<Vec<_>>(), ESTABLISHED.each_ref());

    // The trace is one from the start of the cluster.
    let mut world = setup().start(&mut ());
    for name in &names {
        let step = world.find(name).expect("the step is there");
        world.take(&step, &mut ()).expect("it can be taken");
    }
}

#[test]
fn a_step_that_cannot_be_taken_is_told_with_those_that_can() {
    let refused = beginning_with(&["fire n3 decide", "fire n3 decide"]);
    let refused = refused.expect_err("it has decided").to_string();
    assert!(
        refused.contains("`fire n3 decide` cannot happen here"),
        "{refused}"
    );
    assert!(refused.contains("fire n2 decide"), "{refused}");
}
