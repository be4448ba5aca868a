//! MP5: while a node holds a lease, nobody becomes the leader of a later ballot.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, Facet, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// At most one lease is valid, and its holder is the newest leader.
///
/// A lease is judged by what its holder believes: it depends on clocks whether that is true. Who wins an earlier ballot
/// late, by promises that were on their way, does no harm: it can choose nothing. Without leases every election is asked
/// about all the same, and none can be wrong.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "MP5",
    name: "one-lease",
    statement: "while a node holds a lease, no other holds one, and none becomes the leader of a later ballot",
    source: "Chandra and others, Paxos Made Live (PODC 2007) §5.2; RI18 of Raft",
    gated_by: &["MP17"],
    watch: || Box::new(OneLease::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct OneLease {
    /// Who holds a lease, and in which ballot.
    holders: Bag<BTreeMap<NodeId, u64>>,
}

impl Property for OneLease {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, ballot) = (moment.now.node, moment.now.view.term);
        let holds = matches!(moment.now.view.facet, Facet::Replica(replica) if replica.holds_lease);
        let held = self.holders.contains_key(&node);
        if holds {
            self.holders.insert(node, ballot);
        } else if held {
            self.holders.remove(&node);
        }
        if !moment.was_elected() && (held || !holds) {
            return Ok(false);
        }
        let mut others = self.holders.iter().filter(|(other, _)| **other != node);
        if let Some((other, its)) = others.find(|(_, its)| holds || **its < ballot) {
            let does = if holds { "holds a lease" } else { "leads" };
            return Err(INFO.broken(format!(
                "Because {node} {does} in ballot {ballot} while {other} holds a lease in ballot {its}: until that has \
                 ended, nobody may lead in a later ballot."
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::multi_paxos::script::{Cluster, N1, N2};

    #[test]
    fn a_lease_may_pass_on_when_it_has_ended_or_its_holder_is_gone() {
        let mut cluster = Cluster::of(3);
        cluster.leads(N1, 1);
        cluster.lease(N1, true);
        cluster.lease(N1, false);
        cluster.leads(N2, 2);
        cluster.lease(N2, true);
        cluster.restarts(N2);
        cluster.leads(N1, 4);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("MP5"), 5);
    }

    #[test]
    fn an_earlier_ballot_may_be_won_late() {
        let mut cluster = Cluster::of(3);
        cluster.leads(N2, 2);
        cluster.lease(N2, true);
        cluster.leads(N1, 1);
        cluster.assert_holds();
        cluster.lease(N1, true);
        cluster.assert_breaks("MP5");
    }

    #[test]
    fn nobody_may_lead_beside_a_lease() {
        let mut cluster = Cluster::of(3);
        cluster.leads(N1, 1);
        cluster.lease(N1, true);
        cluster.leads(N2, 2);
        cluster.assert_says(
            "MP5",
            "Because n2 leads in ballot 2 while n1 holds a lease in ballot 1: until that has ended, nobody may lead in \
             a later ballot.",
        );
    }
}
