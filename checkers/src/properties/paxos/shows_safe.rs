//! PX5: a proposal rests on a quorum of promises that shows its value to be safe.

use std::collections::BTreeSet;

use tribunal_histories::{Bag, Claim, NodeId, NodeSet, Value, Vote};

use super::ledger::{Promises, Quorums, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// A proposal is safe: among the promises of its ballot there is a quorum of which none tells of a vote, or of which
/// the vote of the highest ballot is for the proposal's value.
///
/// Which promises the proposer heard cannot be seen. So the property asks whether it can have heard such a quorum of
/// those that were made to it: if not, the proposal is wrong whatever it heard.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX5",
    name: "shows-safe-at",
    statement: "a value is proposed under a ballot only if a quorum has promised the ballot and shows the value safe",
    source: "Lamport, Paxos Made Simple (2001) §2.2, P2c; Voting.tla: ShowsSafeAt; Paxos.tla: MsgInv, 2a",
    gated_by: &["BP1", "BP2", "BP3", "BP4", "BP11", "BP14", "MP2", "MP7"],
    watch: || Box::new(ShowsSafe::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct ShowsSafe {
    quorums: Quorums,
    promises: Promises,
    /// Proposals that were judged, by slot, ballot and proposer: they are sent to every acceptor.
    judged: Bag<BTreeSet<(u64, u64, NodeId, Value)>>,
}

impl ShowsSafe {
    fn is_safe(&self, proposer: NodeId, vote: &Vote, nodes: usize) -> bool {
        let promises = self.promises.to(proposer, vote.slot, vote.ballot);
        // Were the highest vote that it heard of this one, it heard none of those who told of a higher.
        let may_rest_on = |highest: u64| -> NodeSet {
            let lower = promises.clone().filter(|promise| {
                promise
                    .report(vote.slot)
                    .is_none_or(|(ballot, _)| *ballot <= highest)
            });
            lower.map(|promise| promise.acceptor).collect()
        };
        let reports = promises
            .clone()
            .filter_map(|promise| promise.report(vote.slot));
        reports
            .filter(|(_, value)| *value == vote.value)
            .map(|(ballot, _)| *ballot)
            .chain([0])
            .any(|highest| self.quorums.may_propose(may_rest_on(highest), nodes))
    }

    fn broken(&self, proposer: NodeId, vote: &Vote) -> Violation {
        let promises = self.promises.to(proposer, vote.slot, vote.ballot);
        let told: Vec<_> = promises
            .map(|promise| match promise.report(vote.slot) {
                None => format!("{} (no vote)", promise.acceptor),
                Some((ballot, value)) => {
                    format!(
                        "{} (a vote for {value} under ballot {ballot})",
                        promise.acceptor
                    )
                }
            })
            .collect();
        let told = match &told[..] {
            [] => "nobody".to_owned(),
            told => told.join(", "),
        };
        INFO.broken(format!(
            "Because {proposer} proposed {} under ballot {}{}, which it had been promised by {told}: among them must be \
             a quorum whose highest vote is for that value, or which has none.",
            vote.value,
            vote.ballot,
            in_slot(vote.slot)
        ))
    }
}

impl Property for ShowsSafe {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        self.quorums.listen(&moment.now.view);
        let node = moment.now.node;
        let mut tested = false;
        for sent in moment.now.sent {
            for claim in &sent.claims {
                match claim {
                    Claim::Promised {
                        ballot,
                        first_slot,
                        accepted,
                    } => {
                        let of = (*ballot, *first_slot);
                        self.promises.add(node, sent.to, of, accepted);
                    }
                    Claim::Proposed(vote) => {
                        let proposal = (vote.slot, vote.ballot, node, vote.value.clone());
                        if !self.judged.insert(proposal) {
                            continue;
                        }
                        tested = true;
                        if !self.is_safe(node, vote, moment.nodes()) {
                            return Err(self.broken(node, vote));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        !self.quorums.are_told()
            || moment.claims(|claim| matches!(claim, Claim::Promised { .. } | Claim::Proposed(_)))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3, N4, N5};

    #[test]
    fn a_proposal_takes_over_the_value_of_the_highest_vote() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.promises(N3, N3, 3, None);
        cluster.proposes(N3, 3, 5);
        cluster.assert_holds();
    }

    #[test]
    fn the_proposer_may_not_have_heard_everybody() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N2], 1, 5);
        cluster.promises(N1, N3, 3, None);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.promises(N3, N3, 3, None);
        cluster.proposes(N3, 3, 7);
        cluster.assert_holds();
    }

    #[test]
    fn the_proposers_own_value_must_give_way() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.promises(N3, N3, 3, None);
        cluster.proposes(N3, 3, 7);
        cluster.assert_says(
            "PX5",
            "Because n3 proposed 7 under ballot 3, which it had been promised by n2 (a vote for 5 under ballot 1), n3 \
             (no vote): among them must be a quorum whose highest vote is for that value, or which has none.",
        );
    }

    #[test]
    fn a_majority_of_reports_is_not_the_highest_vote() {
        let mut cluster = Cluster::of(5);
        cluster.prepares(N1, 1, &[N1, N2, N3]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N1, N2], 1, 5);
        cluster.prepares(N2, 2, &[N3, N4, N5]);
        cluster.proposes(N2, 2, 7);
        cluster.accepts(&[N3], 2, 7);
        cluster.promises(N1, N3, 3, Some((1, 5)));
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.promises(N3, N3, 3, Some((2, 7)));
        cluster.proposes(N3, 3, 5);
        cluster.assert_breaks("PX5");
    }

    #[test]
    fn without_a_quorum_of_promises_nothing_is_safe() {
        let mut cluster = Cluster::of(3);
        cluster.proposes(N1, 1, 5);
        cluster.assert_says(
            "PX5",
            "Because n1 proposed 5 under ballot 1, which it had been promised by nobody: among them must be a quorum \
             whose highest vote is for that value, or which has none.",
        );
        let mut cluster = Cluster::of(4);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.assert_breaks("PX5");
    }

    #[test]
    fn a_promise_counts_for_the_slots_that_it_tells_of() {
        let mut cluster = Cluster::of(3);
        cluster.in_slot(3).prepares(N1, 1, &[N1, N2]);
        cluster.in_slot(7).proposes(N1, 1, 5);
        cluster.assert_holds();
        cluster.in_slot(2).proposes(N1, 1, 5);
        cluster.assert_breaks("PX5");
    }
}
