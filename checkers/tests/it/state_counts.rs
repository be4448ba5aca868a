//! The adapter's self-test: models as their specifications have them, with as many states as TLC counts.
//!
//! A search that disagrees is a bug of ours. Paxos with 4 ballots takes minutes: `ci/specifications.sh`.

use tribunal_checkers::explore::Strategy;

use crate::searched::searched;
use crate::specifications::paxos::Paxos;
use crate::specifications::two_phase::TwoPhase;
use crate::specifications::{Encoding, Specification, Specified};

/// Every search of a model of this size comes to so many distinct states.
fn assert_has<S: Specification>(size: u8, distinct: usize, searches: &[(Encoding, Strategy)]) {
    for (encoding, strategy) in searches {
        let question = Specified::<S>::question(size, *encoding, *strategy);
        let found = searched(question).expect("nobody asks for anything");
        assert_eq!(found.cut, None);
        assert_eq!(
            found.progress.distinct,
            distinct,
            "{} of size {size}, {encoding:?}, {strategy:?}",
            S::NAME
        );
    }
}

const ALL: &[(Encoding, Strategy)] = &[
    (Encoding::Choices, Strategy::BreadthFirst),
    (Encoding::Choices, Strategy::DepthFirst),
    (Encoding::Packets, Strategy::BreadthFirst),
    (Encoding::Packets, Strategy::DepthFirst),
];

/// For those that take long: each encoding and each strategy once.
const SOME: &[(Encoding, Strategy)] = &[
    (Encoding::Choices, Strategy::BreadthFirst),
    (Encoding::Packets, Strategy::DepthFirst),
];

#[test]
fn two_phase_commit_with_3_resource_managers_has_288_states() {
    assert_has::<TwoPhase>(3, 288, ALL);
}

#[test]
fn two_phase_commit_with_5_resource_managers_has_8_832_states() {
    assert_has::<TwoPhase>(5, 8_832, ALL);
}

#[test]
fn two_phase_commit_with_7_resource_managers_has_296_448_states() {
    assert_has::<TwoPhase>(7, 296_448, SOME);
}

#[test]
fn paxos_with_2_ballots_has_3_921_states() {
    assert_has::<Paxos>(2, 3_921, ALL);
}

#[test]
fn paxos_with_3_ballots_has_185_369_states() {
    assert_has::<Paxos>(3, 185_369, SOME);
}
