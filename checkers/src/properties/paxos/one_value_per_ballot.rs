//! PX2: all who vote in a ballot vote for the same value.

use tribunal_histories::Claim;

use super::ledger::{Votes, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// One value a ballot: it shows a ballot that was used twice before that leads to disagreement.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX2",
    name: "one-value-per-ballot",
    statement: "no two acceptors accept different values in a slot under one ballot",
    source: "Voting.tla: OneValuePerBallot; Lamport, Paxos Made Simple (2001) §2.2: different proposals have \
             different numbers",
    gated_by: &["BP21", "BP22"],
    watch: || Box::new(OneValuePerBallot::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct OneValuePerBallot {
    votes: Votes,
}

impl Property for OneValuePerBallot {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            let Claim::Accepted(vote) = claim else {
                continue;
            };
            if self.votes.cast(node, vote).is_none() {
                continue;
            }
            tested = true;
            let cast = self.votes.under(vote.slot, vote.ballot);
            if let Some((value, acceptors)) = cast.iter().find(|(value, _)| *value != vote.value) {
                return Err(INFO.broken(format!(
                    "Because {node} accepted {} under ballot {}{}, under which {acceptors} accepted {value}: a ballot \
                     must stand for one value.",
                    vote.value,
                    vote.ballot,
                    in_slot(vote.slot)
                )));
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        moment.claims(|claim| matches!(claim, Claim::Accepted(_)))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn a_vote_may_be_announced_again() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.accepts(&[N1, N2, N3], 1, 5);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("PX2"), 3);
    }

    #[test]
    fn a_proposer_must_not_change_its_mind_within_a_ballot() {
        let mut cluster = Cluster::of(3);
        cluster.in_slot(8).prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N1], 1, 5);
        cluster.proposes(N1, 1, 7);
        cluster.assert_holds();
        cluster.accepts(&[N2], 1, 7);
        cluster.assert_says(
            "PX2",
            "Because n2 accepted 7 under ballot 1 in slot 8, under which {n1} accepted 5: a ballot must stand for \
             one value.",
        );
    }
}
