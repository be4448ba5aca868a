//! FPX: whoever let a ballot go on includes somebody of everybody who has chosen under a lower one.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, Claim, NodeId, NodeSet};

use super::ledger::{Quorums, Votes, in_slot};
use crate::properties::kept::Kept;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The quorums of the two phases meet, which is all that Paxos asks of them (Flexible Paxos).
///
/// Whether a configuration's quorums meet can be told without a run. This asks whether those meet that came to be: the
/// promises behind a proposal, and the votes by which a value was chosen before.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "FPX",
    name: "quorums-meet",
    statement: "those who promised a ballot before its proposal include somebody of every quorum that had chosen \
                under a lower ballot",
    source: "Howard, Malkhi and Spiegelman, Flexible Paxos (OPODIS 2016) §4; Voting.tla: QuorumAssumption",
    gated_by: &["BP17"],
    watch: || Box::new(QuorumsMeet::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct QuorumsMeet {
    quorums: Quorums,
    /// By ballot and proposer, who promised, each with the first slot that the promise tells of: of ballots under which
    /// something may yet be proposed for the first time.
    promised: Kept<Bag<Promised>>,
    votes: Votes,
    /// By slot, the highest ballot under which something was proposed and judged.
    judged: BTreeMap<u64, u64>,
}

type Promised = BTreeMap<(u64, NodeId, NodeId), u64>;

impl QuorumsMeet {
    fn promised_to(&self, proposer: NodeId, slot: u64, ballot: u64) -> NodeSet {
        let promises = self.promised.iter();
        let of_it = promises.filter(|((under, to, _), first)| {
            *under == ballot && *to == proposer && **first <= slot
        });
        of_it.map(|((_, _, acceptor), _)| *acceptor).collect()
    }
}

impl Property for QuorumsMeet {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        self.quorums.listen(&moment.now.view);
        let (node, nodes) = (moment.now.node, moment.nodes());
        let mut tested = false;
        for sent in moment.now.sent {
            for claim in &sent.claims {
                match claim {
                    Claim::Promised {
                        ballot, first_slot, ..
                    } => {
                        let judged = self.judged.get(first_slot).copied();
                        let place = (*ballot, sent.to, node);
                        let may_count = judged.is_none_or(|judged| judged < *ballot);
                        if may_count && !self.promised.contains_key(&place) {
                            self.promised.change().insert(place, *first_slot);
                        }
                    }
                    Claim::Accepted(vote) => {
                        self.votes.cast(node, vote);
                    }
                    Claim::Proposed(vote) => {
                        let (slot, ballot) = (vote.slot, vote.ballot);
                        let judged = self.judged.entry(slot).or_default();
                        if *judged >= ballot {
                            continue;
                        }
                        *judged = ballot;
                        let promised = self.promised_to(node, slot, ballot);
                        if slot == 0 && self.promised.keys().any(|(lower, ..)| *lower <= ballot) {
                            // There is but one decision: no further proposal will rest on these.
                            let promised = self.promised.change();
                            promised.retain(|(lower, ..), _| *lower > ballot);
                        }
                        // A proposal without a quorum is not the quorums' fault.
                        if !self.quorums.may_propose(promised, nodes) {
                            continue;
                        }
                        for (lower, acceptors) in self.votes.below(slot, ballot) {
                            if !self.quorums.choose(acceptors, nodes) {
                                continue;
                            }
                            tested = true;
                            let missed = acceptors.without(promised);
                            if self.quorums.choose(missed, nodes) {
                                let slot = in_slot(slot);
                                return Err(INFO.broken(format!(
                                    "Because {node} proposed under ballot {ballot}{slot} with promises of {promised} \
                                     alone, although {missed} had chosen a value under ballot {lower}: every \
                                     quorum of promises must share an acceptor with every quorum that chooses."
                                )));
                            }
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
    use crate::properties::paxos::script::{Cluster, N1, N2, N3, N4, N5};

    #[test]
    fn a_small_quorum_that_chooses_needs_a_large_one_that_promises() {
        let mut cluster = Cluster::counting(5, 4, 2);
        cluster.prepares(N1, 1, &[N1, N2, N3, N4]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N1, N2], 1, 5);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.prepares(N3, 3, &[N3, N4, N5]);
        cluster.proposes(N3, 3, 5);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("FPX"), 1);
    }

    #[test]
    fn quorums_that_do_not_meet_do_not_see_each_other() {
        let mut cluster = Cluster::counting(5, 3, 2);
        cluster.prepares(N1, 1, &[N1, N2, N3]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N1, N2], 1, 5);
        cluster.prepares(N3, 3, &[N3, N4, N5]);
        cluster.proposes(N3, 3, 7);
        cluster.assert_says(
            "FPX",
            "Because n3 proposed under ballot 3 with promises of {n3 n4 n5} alone, although {n1 n2} had chosen a \
             value under ballot 1: every quorum of promises must share an acceptor with every quorum that chooses.",
        );
    }
}
