//! PX4: a promise tells the acceptor's last vote.

use tribunal_histories::{Claim, NodeId, Vote};

use super::ledger::{Proposals, Votes, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Promises are honest: they tell of each slot the vote of the highest ballot.
///
/// A vote may be on a disk and never have been announced, for the acceptor crashed before it could. So a report of a
/// later vote than any that was announced is believed if it is for what was proposed under that ballot.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX4",
    name: "honest-promise",
    statement: "a promise of a ballot tells, of each slot, the vote of the highest ballot below it that the acceptor \
                ever cast",
    source: "Lamport, Paxos Made Simple (2001) §2.2, phase 1b; Paxos.tla: MsgInv, 1b",
    gated_by: &["BP6", "BP8", "BP13", "MP11"],
    watch: || Box::new(HonestPromise::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct HonestPromise {
    votes: Votes,
    proposals: Proposals,
}

impl HonestPromise {
    /// Whether the acceptor had a vote to tell of.
    fn check(
        &self,
        node: NodeId,
        (ballot, first_slot): (u64, u64),
        accepted: &[Vote],
    ) -> Result<bool, Violation> {
        let votes = self.votes.highest_below(node, ballot, first_slot);
        for (slot, (voted, value)) in &votes {
            let report = accepted.iter().find(|report| report.slot == *slot);
            let told = match report {
                None => "no vote".to_owned(),
                Some(report) if report.ballot < *voted => {
                    format!("ballot {} with {}", report.ballot, report.value)
                }
                Some(report) if report.ballot == *voted && report.value != **value => {
                    format!("{} under that ballot", report.value)
                }
                Some(_) => continue,
            };
            let slot = in_slot(*slot);
            return Err(INFO.broken(format!(
                "Because {node}, which accepted {value} under ballot {voted}{slot}, promised ballot {ballot} and told \
                 {told}: a promise must tell the last vote, or the proposer may overrule what is chosen."
            )));
        }
        for report in accepted {
            if !self.votes.has(node, report) && !self.proposals.has(report) {
                let slot = in_slot(report.slot);
                return Err(INFO.broken(format!(
                    "Because {node} promised ballot {ballot} and told that it had accepted {} under ballot {}{slot}, \
                     where nobody proposed that: a promise must tell the last vote as it was cast.",
                    report.value, report.ballot
                )));
            }
        }
        Ok(!votes.is_empty())
    }
}

impl Property for HonestPromise {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        if moment.recovered() {
            self.votes.forget(node);
        }
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            match claim {
                Claim::Promised {
                    ballot,
                    first_slot,
                    accepted,
                } => tested |= self.check(node, (*ballot, *first_slot), accepted)?,
                Claim::Proposed(vote) => self.proposals.add(vote),
                Claim::Accepted(vote) => {
                    self.votes.cast(node, vote);
                }
                _ => {}
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        moment.recovered()
            || moment.claims(|claim| {
                matches!(
                    claim,
                    Claim::Accepted(_) | Claim::Promised { .. } | Claim::Proposed(_)
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn a_vote_that_was_never_announced_may_be_told() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.assert_holds();
        assert_eq!(cluster.exercised("PX4"), 0);
    }

    #[test]
    fn a_vote_must_not_be_forgotten() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.promises(N2, N2, 2, Some((1, 5)));
        cluster.assert_holds();
        cluster.restart(N2);
        cluster.promises(N2, N3, 3, None);
        cluster.assert_says(
            "PX4",
            "Because n2, which accepted 5 under ballot 1, promised ballot 3 and told no vote: a promise must tell the \
             last vote, or the proposer may overrule what is chosen.",
        );
    }

    #[test]
    fn the_ballot_of_a_promise_is_not_that_of_a_vote() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.promises(N2, N2, 2, Some((1, 5)));
        cluster.promises(N2, N3, 3, Some((2, 5)));
        cluster.assert_says(
            "PX4",
            "Because n2 promised ballot 3 and told that it had accepted 5 under ballot 2, where nobody proposed that: \
             a promise must tell the last vote as it was cast.",
        );
    }

    #[test]
    fn an_older_vote_is_not_the_last() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.chooses(N2, 2, 5, &[N2, N3]);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.assert_breaks("PX4");
    }

    #[test]
    fn a_promise_need_not_tell_of_slots_that_it_was_not_asked_about() {
        let mut cluster = Cluster::of(3);
        cluster.in_slot(1).chooses(N1, 1, 5, &[N1, N2]);
        cluster.in_slot(2).promises(N2, N3, 3, None);
        cluster.assert_holds();
        cluster.in_slot(1).promises(N2, N3, 6, None);
        cluster.assert_breaks("PX4");
    }
}
