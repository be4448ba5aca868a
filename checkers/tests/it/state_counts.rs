//! The adapter's self-test: models as their specifications have them, with as many states as TLC counts.
//!
//! A search that disagrees is a bug of ours.

use tribunal_checkers::explore::{Budget, Explored, Limits, Question, Strategy, explore};

use crate::specifications::paxos::Paxos;
use crate::specifications::two_phase::TwoPhase;
use crate::specifications::{Encoding, Specification, Specified};

fn explored<S: Specification>(
    size: u8,
    encoding: Encoding,
    strategy: Strategy,
) -> Explored<Specified<S>> {
    let question = Question {
        setup: Specified::<S>::setup(size, encoding),
        budget: Budget {
            timeouts: u8::MAX,
            ..Budget::default()
        },
        limits: Limits::default(),
        strategy,
        threads: 1,
        model: "register".to_owned(),
    };
    explore(question, &mut |_| {
        std::thread::yield_now();
        None
    })
    .expect("no operations")
}

/// The number of distinct states, by both strategies and in both encodings.
fn assert_has<S: Specification>(size: u8, distinct: usize) {
    for encoding in [Encoding::Choices, Encoding::Packets] {
        for strategy in [Strategy::BreadthFirst, Strategy::DepthFirst] {
            let explored = explored::<S>(size, encoding, strategy);
            assert_eq!(explored.cut, None);
            assert_eq!(
                explored.progress.distinct,
                distinct,
                "{} of size {size}, {encoding:?}, {strategy:?}",
                S::NAME
            );
        }
    }
}

#[test]
fn two_phase_commit_with_3_resource_managers_has_288_states() {
    assert_has::<TwoPhase>(3, 288);
}

#[test]
fn two_phase_commit_with_5_resource_managers_has_8_832_states() {
    assert_has::<TwoPhase>(5, 8_832);
}

#[test]
fn two_phase_commit_with_7_resource_managers_has_296_448_states() {
    assert_has::<TwoPhase>(7, 296_448);
}

#[test]
fn paxos_with_2_ballots_has_3_921_states() {
    assert_has::<Paxos>(2, 3_921);
}

#[test]
fn paxos_with_3_ballots_has_185_369_states() {
    assert_has::<Paxos>(3, 185_369);
}
