//! PX8: a ballot belongs to one life of one proposer.

use std::collections::BTreeMap;

use tribunal_histories::{ByNode, Cause, Claim, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Ballots are unique: by round and node, and by the life of the node, for a proposer that started again does not
/// know what it proposed before.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX8",
    name: "ballot-unique",
    statement: "under one ballot, only one proposer proposes, and only in one life",
    source: "Lamport, Paxos Made Simple (2001) §2.5: proposers choose from disjoint sets of numbers and remember in \
             stable storage the highest that they used",
    gated_by: &["BP9", "BP10"],
    watch: || Box::new(BallotUnique::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct BallotUnique {
    /// By node, how often it has started.
    lives: ByNode<u32>,
    /// By ballot, whose it is: the node, and in which life.
    owners: BTreeMap<u64, (NodeId, u32)>,
}

impl Property for BallotUnique {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        if self.lives.len() < moment.nodes() {
            self.lives.resize(moment.nodes(), 0);
        }
        let life = &mut self.lives[node.index()];
        if moment.now.cause == Cause::Boot {
            *life += 1;
        }
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            let Claim::Proposed(vote) = claim else {
                continue;
            };
            tested = true;
            let (owner, its_life) = *self.owners.entry(vote.ballot).or_insert((node, *life));
            if (owner, its_life) != (node, *life) {
                let who = if owner == node {
                    "it did itself before it crashed".to_owned()
                } else {
                    format!("{owner} did")
                };
                return Err(INFO.broken(format!(
                    "Because {node} proposed under ballot {}, under which {who}: no ballot may be used twice, or it \
                     may come to stand for two values.",
                    vote.ballot
                )));
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        moment.now.cause == Cause::Boot
            || moment.claims(|claim| matches!(claim, Claim::Proposed(_)))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn a_proposer_may_propose_again() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.in_slot(2).proposes(N1, 1, 7);
        cluster.assert_holds();
    }

    #[test]
    fn two_proposers_need_two_ballots() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.prepares(N2, 1, &[N2, N3]);
        cluster.proposes(N1, 1, 5);
        cluster.proposes(N2, 1, 5);
        cluster.assert_says(
            "PX8",
            "Because n2 proposed under ballot 1, under which n1 did: no ballot may be used twice, or it may come to \
             stand for two values.",
        );
    }

    #[test]
    fn two_lives_need_two_ballots() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.restart(N1);
        cluster.proposes(N1, 1, 7);
        cluster.assert_says(
            "PX8",
            "Because n1 proposed under ballot 1, under which it did itself before it crashed: no ballot may be used \
             twice, or it may come to stand for two values.",
        );
    }
}
