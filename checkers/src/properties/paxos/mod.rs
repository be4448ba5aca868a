//! The properties of Paxos, one file each: the steps of its proof, so that the step that went wrong is named before
//! two values are chosen.
//!
//! They speak of slots, and so judge every protocol that runs Paxos in each slot of a log; a single decision is slot
//! 0. All they look at are the claims of messages, and by which quorums nodes say they go
//! ([`Facet::Ballots`](tribunal_histories::Facet::Ballots); majorities, if they do not say).
//!
//! After L. Lamport, "Paxos Made Simple", ACM SIGACT News 32(4), 2001, and the TLA+ specifications `Voting.tla` and
//! `Paxos.tla` (tlaplus/Examples). PX2 to PX5, PX8 and FPX together imply PX1.

pub mod agreement;
pub mod ballot_unique;
pub mod honest_promise;
pub mod learn_only_chosen;
pub mod one_value_per_ballot;
pub mod promise_kept;
pub mod quorums_meet;
pub mod shows_safe;
pub mod validity;

mod ledger;
#[cfg(test)]
mod script;

use super::PropertyInfo;

/// The properties of Paxos: PX1 to PX8, and FPX.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &agreement::INFO,
    &one_value_per_ballot::INFO,
    &promise_kept::INFO,
    &honest_promise::INFO,
    &shows_safe::INFO,
    &validity::INFO,
    &learn_only_chosen::INFO,
    &ballot_unique::INFO,
    &quorums_meet::INFO,
];

#[cfg(test)]
mod tests {
    use tribunal_histories::Renamings;

    use super::script::{Cluster, N1, N2, N3};

    /// Three ballots of correct Paxos: a vote of a minority, a crash, a value that is taken over, a late learner.
    fn three_ballots() -> Cluster {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N1], 1, 5);
        cluster.restart(N1);
        cluster.chooses(N2, 2, 7, &[N2, N3]);
        cluster.learns(N2, 7);
        cluster.promises(N1, N3, 3, Some((1, 5)));
        cluster.promises(N2, N3, 3, Some((2, 7)));
        cluster.proposes(N3, 3, 7);
        cluster.accepts(&[N1, N2, N3], 3, 7);
        cluster.tells(N2, N1, 7);
        cluster.learns(N1, 7);
        cluster
    }

    #[test]
    fn correct_paxos_tests_every_property_and_breaks_none() {
        let cluster = three_ballots();
        cluster.assert_holds();
        for exercise in cluster.monitor.exercised() {
            assert!(exercise.count > 0, "{} was never tested", exercise.property);
        }
    }

    #[test]
    fn a_slot_is_judged_as_a_decision_is() {
        let mut cluster = Cluster::of(3);
        for slot in 1..4 {
            cluster.in_slot(slot).chooses(N1, 1, 5, &[N1, N2]);
            cluster.learns(N1, 5);
        }
        cluster.assert_holds();
        cluster.in_slot(2).proposes(N3, 3, 7);
        cluster.assert_breaks("PX5");
    }

    #[test]
    fn ids_and_names_differ() {
        let mut names = std::collections::BTreeSet::new();
        for info in super::PROPERTIES {
            assert!(
                names.insert(info.id) && names.insert(info.name),
                "{}",
                info.id
            );
        }
    }

    #[test]
    fn a_cloned_monitor_goes_its_own_way() {
        let names = Renamings::none(3);
        let before = three_ballots();
        let mut after = before.clone();
        let [first, second] =
            [&before, &after].map(|cluster| cluster.monitor.fingerprint(&names, 0));
        assert_eq!(first, second);
        after.learns(N3, 5);
        after.assert_breaks("PX7");
        before.assert_holds();
    }
}
