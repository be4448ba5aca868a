//! Liveness of states: a cluster in which nothing goes wrong any more answers, from wherever it is; one that is stuck is
//! told apart, and only where somebody asks.

use tribunal_checkers::explore::{
    Budget, Found, Grain, NOT_LIVE, PATIENCES, Question, QuestionError, Recovery, Timeouts,
    recovery,
};
use tribunal_histories::NodeId;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::world::{Setup, SyncMode, World};
use tribunal_protocols::{Loss, Node, Step};

use super::searched::searched;

fn config(nodes: usize, bug: Option<&str>) -> <Raft as Node>::Config {
    let protocol = Protocol::named("raft").expect("it is in the registry");
    let bugs = protocol
        .bugs_named(bug)
        .expect("the bug is in its catalogue");
    let mut config = <Raft as Node>::Config::of(nodes).with_bugs(bugs);
    config.pre_vote = false;
    config
}

/// Two nodes, two terms and a write.
fn explored(bug: Option<&str>, finally: Option<&str>) -> Result<Found<Raft>, QuestionError> {
    let setup = Setup::fresh(config(2, bug), SyncMode::Immediate);
    let budget = Budget {
        operations: vec![vec!["write x 1".to_owned()]],
        term: Some(2),
        timeouts: Timeouts {
            others: Some(0),
            named: vec![("election".to_owned(), Some(2))],
        },
        grain: Grain::Exchanges,
        finally: finally.map(str::to_owned),
        ..Budget::default()
    };
    searched(Question::of(setup, budget))
}

#[test]
fn a_leader_that_never_commits_again_is_found_by_asking_for_an_answer() {
    let found = explored(Some("RF22"), Some("read x")).expect("it is a question");
    let way = found.counterexample.expect("it is stuck");
    assert_eq!(way.violated, NOT_LIVE);
    let silent = explored(Some("RF22"), None).expect("it is a question");
    assert!(silent.counterexample.is_none() && silent.healed == 0);
}

#[test]
fn a_correct_cluster_answers_from_every_state() {
    let found = explored(None, Some("read x")).expect("it is a question");
    assert!(found.counterexample.is_none() && found.cut.is_none());
    assert!(found.healed > 10, "{}", found.healed);
    assert!(found.healed <= found.progress.distinct);
}

#[test]
fn what_is_to_be_answered_is_one_of_the_protocol_s_operations() {
    let refused = explored(None, Some("juggle"));
    assert!(matches!(refused, Err(QuestionError::Operation { .. })));
}

#[test]
fn faults_end_before_anybody_asks() {
    let setup = Setup::<Raft>::fresh(config(3, None), SyncMode::Explicit);
    let mut world: World<Raft> = setup.start(&mut ());
    let all: Vec<_> = NodeId::all(3).collect();
    let cut = Step::Cut {
        from: all.clone(),
        to: all.clone(),
    };
    world.take(&cut, &mut ()).expect("anything can be cut");
    for node in all {
        let loss = Loss::Last(0);
        let crash = Step::Crash { node, loss };
        world.take(&crash, &mut ()).expect("it is up");
    }
    let before = world.clone();
    let request = "read x".parse().expect("it is an operation");
    let limit_us = PATIENCES * world.config().patience_us();
    match recovery(&world, &request) {
        Recovery::Answered { after_us } => assert!(after_us > 0 && after_us < limit_us),
        other => panic!("{other:?}"),
    }
    assert_eq!(world, before, "the state itself is left as it is");
    assert_eq!(recovery(&world, &request), recovery(&world, &request));
}
