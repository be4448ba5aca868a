//! RI18: while a leader holds a lease there is no newer leader.

use tribunal_histories::{ByNode, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Leases are exclusive: whoever holds one is the newest leader that was ever elected, so at most one node holds one.
///
/// It rests on clocks, as no other property of Raft does: it holds as long as they differ no more than was allowed for.
/// Put to the test when a node is elected while another still believes to lead, and when a lease begins.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI18",
    name: "lease",
    statement: "at most one node holds a lease, and it is the newest leader",
    source: "dissertation §6.4.1",
    gated_by: &["RD4", "RD5", "RD8"],
    watch: || Box::new(Lease::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Lease {
    /// By node, the term in which it leads, as far as it knows, and whether it holds a lease.
    leads: ByNode<Option<(u64, bool)>>,
    /// The newest leader and its term.
    newest: Option<(u64, NodeId)>,
}

impl Property for Lease {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, term) = (moment.now.node, moment.now.view.term);
        if self.leads.len() < moment.nodes() {
            self.leads.resize(moment.nodes(), None);
        }
        let held = moment.group().is_some_and(|group| group.lease);
        let leads = moment.leads().then_some((term, held));
        let before = std::mem::replace(&mut self.leads[node.index()], leads);
        if leads.is_none() || leads == before {
            return Ok(false);
        }
        if self.newest.is_none_or(|(newest, _)| newest < term) {
            self.newest = Some((term, node));
        }
        let others = NodeId::all(self.leads.len()).zip(&self.leads);
        let others = others.filter_map(|(other, leads)| Some((other, (*leads)?)));
        let mut tested = held;
        for (other, (older, held)) in others.filter(|(other, _)| *other != node) {
            tested = true;
            if held && older < term {
                return Err(broken(other, older, (term, node)));
            }
        }
        match self.newest {
            Some((newest, leader)) if held && newest > term => {
                Err(broken(node, term, (newest, leader)))
            }
            _ => Ok(tested),
        }
    }
}

fn broken(holder: NodeId, term: u64, (newer, leader): (u64, NodeId)) -> Violation {
    INFO.broken(format!(
        "Because {holder} holds a lease of term {term}, and {leader} leads term {newer}: while a node may answer reads \
         without asking anybody, nobody may be elected."
    ))
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    #[test]
    fn a_lease_ends_before_the_next_election() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.lease = true);
        script.step(N1, |leader| leader.lease = false);
        script.elect(N2, 2, &[N3]);
        script.step(N2, |leader| leader.lease = true);
        script.assert_holds();
        assert_eq!(script.exercised("RI18"), 3);
    }

    #[test]
    fn nobody_is_elected_while_a_lease_is_held() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.lease = true);
        script.elect(N2, 2, &[N3]);
        script.assert_says(
            "RI18",
            "Because n1 holds a lease of term 1, and n2 leads term 2: while a node may answer reads without asking \
             anybody, nobody may be elected.",
        );
    }

    #[test]
    fn a_deposed_leader_gets_no_lease() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.elect(N2, 2, &[N3]);
        script.assert_holds();
        script.step(N1, |leader| leader.lease = true);
        script.assert_breaks("RI18");
    }
}
