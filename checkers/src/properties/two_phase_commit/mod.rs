//! The properties of atomic commitment, one file each, over whole histories.
//!
//! After J. Gray and L. Lamport, *Consensus on Transaction Commit* (TODS 2006), and its specifications `TCommit.tla`
//! and `TwoPhase.tla`. They look at what nodes show as participants and coordinators
//! ([`CommitmentView`](tribunal_histories::CommitmentView)), and at what messages claim.
//!
//! TC7, that every transaction ends once all nodes are up and connected, is no property of steps: the watchdog of
//! simulated runs asks for it (`liveness`). The final reads of all accounts need every lock, so that a transaction
//! that never ends keeps them from being answered.

pub mod abort_valid;
pub mod blocking;
pub mod commit_valid;
pub mod consistent;
pub mod decision_durable;
pub mod prepared_durable;
pub mod stable;

use std::collections::BTreeMap;

use tribunal_histories::{
    Cause, Claim, CommitmentView, DecisionView, Facet, MessageView, NodeId, OutcomeView,
    TransactionId,
};

use super::{Moment, PropertyInfo};

/// The properties of atomic commitment, TC1 to TC6 and TC8.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &consistent::INFO,
    &commit_valid::INFO,
    &abort_valid::INFO,
    &stable::INFO,
    &prepared_durable::INFO,
    &decision_durable::INFO,
    &blocking::INFO,
];

/// `commit` or `abort`.
fn verb(commit: bool) -> &'static str {
    if commit { "commit" } else { "abort" }
}

/// `committed` or `aborted`.
fn done(commit: bool) -> &'static str {
    if commit { "committed" } else { "aborted" }
}

/// What a node shows of commitment.
fn commitment<'a>(moment: &Moment<'a>) -> CommitmentView<'a> {
    match moment.now.view.facet {
        Facet::Commitment(view) => view,
        _ => CommitmentView::default(),
    }
}

/// How much of its journals each node has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Shown {
    nodes: BTreeMap<NodeId, (usize, usize)>,
}

impl Shown {
    /// The outcomes and decisions that are new. A node that crashed shows all that its disk kept once more.
    fn news<'a>(&mut self, moment: &Moment<'a>) -> (&'a [OutcomeView], &'a [DecisionView]) {
        let CommitmentView {
            outcomes,
            decisions,
            ..
        } = commitment(moment);
        let shown = self.nodes.entry(moment.now.node).or_default();
        if moment.now.cause == Cause::Crash {
            *shown = (0, 0);
        }
        let before = std::mem::replace(shown, (outcomes.len(), decisions.len()));
        (
            &outcomes[before.0.min(outcomes.len())..],
            &decisions[before.1.min(decisions.len())..],
        )
    }
}

/// The yes votes that were sent now.
fn yes_votes(sent: &[MessageView]) -> impl Iterator<Item = TransactionId> + '_ {
    let claims = sent.iter().flat_map(|message| &message.claims);
    claims.filter_map(|claim| match claim {
        Claim::Prepared {
            transaction,
            yes: true,
        } => Some(*transaction),
        _ => None,
    })
}

#[cfg(test)]
mod acted;

#[cfg(test)]
mod tests {
    use super::acted::{Bank, N1, N2, T};

    #[test]
    fn a_commit_an_abort_and_a_recovery_test_everything_and_break_nothing() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.vote(N2, T, true);
        bank.decide(N1, T, true, &[N1, N2]);
        bank.crash(N1);
        bank.boot(N1);
        for node in [N1, N2] {
            bank.finish(node, T, true);
        }
        let next = bank.another();
        bank.ask(N2, next, &[N1, N2], N2);
        bank.vote(N1, next, true);
        bank.crash(N2);
        bank.boot(N2);
        bank.decide(N2, next, false, &[N1]);
        bank.finish(N1, next, false);
        bank.assert_holds();
        for exercise in bank.monitor.exercised() {
            assert!(exercise.count > 0, "{} was never tested", exercise.property);
        }
    }

    #[test]
    fn names_and_ids_differ() {
        let mut names = std::collections::BTreeSet::new();
        for info in super::PROPERTIES {
            assert!(
                names.insert(info.name) && names.insert(info.id),
                "{}",
                info.id
            );
        }
    }
}
