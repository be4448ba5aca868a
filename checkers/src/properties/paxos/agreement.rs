//! PX1: at most one value is ever chosen.

use std::collections::BTreeMap;

use tribunal_histories::{Claim, Value};

use super::ledger::{Quorums, Votes, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Agreement, and with it stability: a value is chosen when a quorum has accepted it under one ballot, whether or not
/// anybody knows, and whatever becomes of the acceptors afterwards.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX1",
    name: "agreement",
    statement: "at most one value is ever chosen in a slot, over the whole history",
    source: "Lamport, Paxos Made Simple (2001) §2.1; Voting.tla: Consistency; Paxos.tla: V!Spec",
    gated_by: &["BP17", "MP19"],
    watch: || Box::new(Agreement::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Agreement {
    quorums: Quorums,
    votes: Votes,
    /// By slot, what was chosen first, and under which ballot.
    chosen: BTreeMap<u64, (u64, Value)>,
}

impl Property for Agreement {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        self.quorums.listen(&moment.now.view);
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            let Claim::Accepted(vote) = claim else {
                continue;
            };
            let Some(acceptors) = self.votes.cast(moment.now.node, vote) else {
                continue;
            };
            if !self.quorums.choose(acceptors, moment.nodes()) {
                continue;
            }
            tested = true;
            let first = self.chosen.entry(vote.slot);
            let (ballot, value) = first.or_insert_with(|| (vote.ballot, vote.value.clone()));
            if *value != vote.value {
                return Err(INFO.broken(format!(
                    "Because {acceptors} accepted {} under ballot {}{}, it is chosen, although {value} was chosen \
                     under ballot {ballot}: once a value is chosen, no other may ever be.",
                    vote.value,
                    vote.ballot,
                    in_slot(vote.slot)
                )));
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        !self.quorums.are_told() || moment.claims(|claim| matches!(claim, Claim::Accepted(_)))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3, N4, N5};

    #[test]
    fn a_value_may_be_chosen_again() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.chooses(N2, 2, 5, &[N2, N3]);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("PX1"), 2);
    }

    #[test]
    fn quorums_that_do_not_meet_choose_two_values() {
        let mut cluster = Cluster::counting(5, 3, 2);
        cluster.prepares(N1, 1, &[N1, N2, N3]);
        cluster.prepares(N2, 2, &[N3, N4, N5]);
        cluster.proposes(N2, 2, 7);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N4, N5], 2, 7);
        cluster.accepts(&[N1, N2], 1, 5);
        cluster.assert_says(
            "PX1",
            "Because {n1 n2} accepted 5 under ballot 1, it is chosen, although 7 was chosen under ballot 2: once a \
             value is chosen, no other may ever be.",
        );
    }

    #[test]
    fn what_a_crash_forgot_was_chosen_all_the_same() {
        let mut cluster = Cluster::counting(5, 3, 2);
        cluster.prepares(N1, 1, &[N1, N2, N3]);
        cluster.prepares(N3, 3, &[N3, N4, N5]);
        cluster.proposes(N1, 1, 5);
        cluster.proposes(N3, 3, 7);
        cluster.accepts(&[N1], 1, 5);
        cluster.restart(N1);
        cluster.accepts(&[N2], 1, 5);
        cluster.accepts(&[N4], 3, 7);
        cluster.assert_holds();
        cluster.accepts(&[N5], 3, 7);
        cluster.assert_breaks("PX1");
    }

    #[test]
    fn slots_are_apart() {
        let mut cluster = Cluster::of(3);
        cluster.in_slot(1).chooses(N1, 1, 5, &[N1, N2]);
        cluster.in_slot(2).chooses(N1, 4, 7, &[N1, N2]);
        cluster.assert_holds();
    }
}
