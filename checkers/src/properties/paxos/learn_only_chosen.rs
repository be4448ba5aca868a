//! PX7: a value is learned only when it is chosen.

use std::collections::BTreeMap;

use tribunal_histories::{ByNode, Claim, Facet, Learned, NodeId, Value};

use super::ledger::{Quorums, Votes, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Nobody learns what is not chosen at that time.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX7",
    name: "learn-only-chosen",
    statement: "a learner takes a value for chosen only when a quorum has accepted it under one ballot",
    source: "Lamport, Paxos Made Simple (2001) §2.1 and §2.3; Consensus.tla",
    gated_by: &["BP12", "BP14", "BP24"],
    watch: || Box::new(LearnOnlyChosen::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct LearnOnlyChosen {
    quorums: Quorums,
    votes: Votes,
    /// By slot, all that is chosen.
    chosen: BTreeMap<u64, Vec<Value>>,
    /// By node, how many of the values that it shows as learned were judged.
    judged: ByNode<usize>,
}

impl LearnOnlyChosen {
    fn check(&self, node: NodeId, learned: &Learned) -> Result<(), Violation> {
        let chosen = self.chosen.get(&learned.slot);
        if chosen.is_some_and(|chosen| chosen.contains(&learned.value)) {
            return Ok(());
        }
        let (value, slot) = (&learned.value, in_slot(learned.slot));
        let instead = match chosen.and_then(|chosen| chosen.first()) {
            None => "nothing is chosen yet".to_owned(),
            Some(other) => format!("{other} is chosen"),
        };
        Err(INFO.broken(format!(
            "Because {node} takes {value} for chosen{slot}, while {instead}: a value is chosen when a quorum has \
             accepted it under one ballot, and must not be learned before."
        )))
    }
}

impl Property for LearnOnlyChosen {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, nodes) = (moment.now.node, moment.nodes());
        self.quorums.listen(&moment.now.view);
        if self.judged.len() < nodes {
            self.judged.resize(nodes, 0);
        }
        if moment.restarted() {
            self.judged[node.index()] = 0;
        }
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            match claim {
                Claim::Accepted(vote) => {
                    let Some(acceptors) = self.votes.cast(node, vote) else {
                        continue;
                    };
                    if self.quorums.choose(acceptors, nodes) {
                        let chosen = self.chosen.entry(vote.slot).or_default();
                        if !chosen.contains(&vote.value) {
                            chosen.push(vote.value.clone());
                        }
                    }
                }
                Claim::Learned(learned) => {
                    tested = true;
                    self.check(node, learned)?;
                }
                _ => {}
            }
        }
        if let Facet::Ballots(shown) = moment.now.view.facet {
            let judged = self.judged[node.index()].min(shown.learned.len());
            for learned in &shown.learned[judged..] {
                tested = true;
                self.check(node, learned)?;
            }
            self.judged[node.index()] = shown.learned.len();
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        let shown = match moment.now.view.facet {
            Facet::Ballots(shown) => shown.learned.len(),
            _ => 0,
        };
        let judged = self.judged.get(moment.now.node.index());
        !self.quorums.are_told()
            || moment.restarted()
            || judged != Some(&shown)
            || moment.claims(|claim| matches!(claim, Claim::Accepted(_) | Claim::Learned(_)))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn what_a_quorum_accepted_may_be_learned() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.learns(N3, 5);
        cluster.tells(N3, N1, 5);
        cluster.restart(N3);
        cluster.learns(N3, 5);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("PX7"), 3);
    }

    #[test]
    fn votes_of_two_ballots_do_not_add_up() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.accepts(&[N1], 1, 5);
        cluster.promises(N1, N2, 2, Some((1, 5)));
        cluster.promises(N2, N2, 2, None);
        cluster.proposes(N2, 2, 5);
        cluster.accepts(&[N2], 2, 5);
        cluster.learns(N3, 5);
        cluster.assert_says(
            "PX7",
            "Because n3 takes 5 for chosen, while nothing is chosen yet: a value is chosen when a quorum has accepted \
             it under one ballot, and must not be learned before.",
        );
    }

    #[test]
    fn what_is_told_is_judged_as_well() {
        let mut cluster = Cluster::of(3);
        cluster.in_slot(4).chooses(N1, 1, 5, &[N1, N2]);
        cluster.tells(N2, N3, 7);
        cluster.assert_says(
            "PX7",
            "Because n2 takes 7 for chosen in slot 4, while 5 is chosen: a value is chosen when a quorum has accepted \
             it under one ballot, and must not be learned before.",
        );
    }
}
