//! What a search leaves out must make no difference: the reduced and the full search of a small cluster give the same
//! verdict, with and without a planted bug, for each reduction alone and for all together.

use tribunal_checkers::explore::{Asked, Budget, Grain, Question, Reductions, Strategy, Timeouts};
use tribunal_protocols::contract::{Configuration, with_fields};
use tribunal_protocols::explored::Explored;
use tribunal_protocols::multi_paxos::MultiPaxos;
use tribunal_protocols::paxos::Paxos;
use tribunal_protocols::primary_backup::PrimaryBackup;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::two_phase_commit::TwoPhaseCommit;
use tribunal_protocols::world::{Setup, SyncMode};
use tribunal_protocols::zab::Zab;

use super::searched;

/// A small cluster, and what it is up to.
struct Small {
    nodes: usize,
    set: &'static [(&'static str, &'static str)],
    budget: Budget,
}

/// What a search came to: whether it was complete, what is violated, and how many states it has.
fn searched<N: Explored>(
    small: &Small,
    bug: Option<&str>,
    reductions: Reductions,
) -> (bool, bool, usize) {
    let protocol = Protocol::named(N::NAME).expect("it is in the registry");
    let bugs = protocol
        .bugs_named(bug)
        .expect("the bug is in its catalogue");
    let config = with_fields(&N::Config::of(small.nodes), small.set.iter().copied());
    let config = config.expect("the fields exist").with_bugs(bugs);
    let setup = Setup::<N>::fresh(config, SyncMode::Immediate);
    let question = Question {
        reductions,
        strategy: Strategy::DepthFirst,
        ..Question::of(setup, small.budget.clone())
    };
    let found = searched::searched(question).expect("the operations are the protocol's");
    let complete = found.cut.is_none();
    (
        complete,
        found.counterexample.is_some(),
        found.progress.distinct,
    )
}

/// All reductions together, each of them alone, and all but each.
fn assert_same_verdicts<N: Explored>(small: &Small, bug: &str) {
    let (complete, violated, full) = searched::<N>(small, None, Reductions::NONE);
    assert!(
        complete && !violated,
        "{}: the full search is valid",
        N::NAME
    );
    let (_, violated, _) = searched::<N>(small, Some(bug), Reductions::NONE);
    assert!(violated, "{}: the full search finds {bug}", N::NAME);
    let mut choices = vec![Reductions::ALL];
    for name in Reductions::NAMES {
        let (mut alone, mut without) = (Reductions::NONE, Reductions::ALL);
        *alone.named(name).expect("it is one of the names") = true;
        *without.named(name).expect("it is one of the names") = false;
        choices.extend([alone, without]);
    }
    for reductions in choices {
        let (complete, violated, states) = searched::<N>(small, None, reductions);
        assert!(complete && !violated, "{}: {reductions:?}", N::NAME);
        assert!(
            states <= full,
            "{}: {reductions:?}: {states} > {full}",
            N::NAME
        );
        let (_, violated, _) = searched::<N>(small, Some(bug), reductions);
        assert!(violated, "{}: {bug} is hidden by {reductions:?}", N::NAME);
    }
    let (.., reduced) = searched::<N>(small, None, Reductions::ALL);
    assert!(reduced < full, "{}: {reduced} of {full} states", N::NAME);
}

fn clients(operations: &[&str]) -> Vec<Vec<String>> {
    let each = operations
        .iter()
        .map(|operation| vec![(*operation).to_owned()]);
    each.collect()
}

#[test]
fn paxos_packet_by_packet() {
    let small = Small {
        nodes: 2,
        set: &[("refusals", "false"), ("votes_to_all", "false")],
        budget: Budget {
            operations: clients(&["propose 1", "propose 2"]),
            asked: Asked::Own,
            term: Some(2),
            timeouts: Timeouts::of(0),
            ..Budget::default()
        },
    };
    assert_same_verdicts::<Paxos>(&small, "BP3");
}

#[test]
fn raft_in_exchanges() {
    let small = Small {
        nodes: 3,
        set: &[("pre_vote", "false")],
        budget: Budget {
            operations: clients(&["write x 1"]),
            term: Some(2),
            timeouts: Timeouts::of(3),
            grain: Grain::Exchanges,
            ..Budget::default()
        },
    };
    assert_same_verdicts::<Raft>(&small, "RF1");
}

#[test]
fn raft_packet_by_packet_with_a_crash() {
    let small = Small {
        nodes: 3,
        set: &[("pre_vote", "false")],
        budget: Budget {
            term: Some(1),
            timeouts: Timeouts::of(2),
            actors: Some(2),
            crashes: 1,
            ..Budget::default()
        },
    };
    assert_same_verdicts::<Raft>(&small, "RF5");
}

#[test]
fn multi_paxos_in_exchanges() {
    let small = Small {
        nodes: 3,
        set: &[],
        budget: Budget {
            operations: clients(&["write x 1"]),
            asked: Asked::Own,
            actors: Some(2),
            term: Some(2),
            timeouts: Timeouts::of(2),
            grain: Grain::Exchanges,
            ..Budget::default()
        },
    };
    assert_same_verdicts::<MultiPaxos>(&small, "MP2");
}

#[test]
fn two_phase_commit_packet_by_packet() {
    let small = Small {
        nodes: 2,
        set: &[],
        budget: Budget {
            operations: clients(&["transfer a b 5"]),
            actors: Some(1),
            timeouts: Timeouts::of(1),
            crashes: 1,
            ..Budget::default()
        },
    };
    assert_same_verdicts::<TwoPhaseCommit>(&small, "TP2");
}

#[test]
fn primary_backup_in_exchanges() {
    let small = Small {
        nodes: 2,
        set: &[("silent_heartbeats_max", "1")],
        budget: Budget {
            operations: clients(&["write x 1"]),
            term: Some(1),
            timeouts: Timeouts::of(2),
            grain: Grain::Exchanges,
            ..Budget::default()
        },
    };
    assert_same_verdicts::<PrimaryBackup>(&small, "PB1");
}

#[test]
fn zab_in_exchanges_with_a_crash() {
    let small = Small {
        nodes: 3,
        set: &[],
        budget: Budget {
            term: Some(1),
            timeouts: Timeouts {
                others: Some(0),
                named: vec![
                    ("retry".to_owned(), Some(1)),
                    ("decide".to_owned(), Some(3)),
                ],
            },
            crashes: 1,
            grain: Grain::Exchanges,
            silent_start: true,
            ..Budget::default()
        },
    };
    assert_same_verdicts::<Zab>(&small, "ZB19");
}

/// What is one step makes no difference to verdicts either, where it is recommended.
fn assert_same_verdicts_in<N: Explored>(grains: &[Grain], small: &Small, bug: &str) {
    for grain in grains {
        let budget = Budget {
            grain: *grain,
            ..small.budget.clone()
        };
        let small = Small { budget, ..*small };
        let (complete, violated, _) = searched::<N>(&small, None, Reductions::ALL);
        assert!(complete && !violated, "{}, {grain:?}", N::NAME);
        let (_, violated, _) = searched::<N>(&small, Some(bug), Reductions::ALL);
        assert!(violated, "{}, {grain:?} does not find {bug}", N::NAME);
    }
}

#[test]
fn steps_of_all_sizes_find_the_same() {
    let paxos = Small {
        nodes: 3,
        set: &[("refusals", "false"), ("votes_to_all", "false")],
        budget: Budget {
            operations: clients(&["propose 1", "propose 2"]),
            asked: Asked::Own,
            actors: Some(2),
            term: Some(2),
            timeouts: Timeouts::of(0),
            ..Budget::default()
        },
    };
    // An exchange among the same nodes in both phases cannot show these.
    let all = [
        Grain::Packets,
        Grain::Answers,
        Grain::Elections,
        Grain::Rounds,
    ];
    for bug in ["BP1", "BP3"] {
        assert_same_verdicts_in::<Paxos>(&all, &paxos, bug);
    }
}
