//! MP6: replicas that have applied as much are in the same state.

use tribunal_histories::{Digest, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The state machine is deterministic, and its state is a function of what was applied: across replicas, and across
/// their restarts.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "MP6",
    name: "same-state",
    statement: "two replicas that have applied equally much are in the same state",
    source: "Schneider, \"Implementing Fault-Tolerant Services Using the State Machine Approach\" (1990); Lamport, \
             Paxos Made Simple (2001) §3",
    gated_by: &["MP18"],
    watch: || Box::new(SameState::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct SameState {
    /// By how much is applied: the state, and who was the first to be in it.
    states: Vec<Option<(Digest, NodeId)>>,
}

impl Property for SameState {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let news = moment.restarted() || view.applied_index != moment.before.applied_index;
        if !news || view.state == Digest::default() {
            return Ok(false);
        }
        let place = usize::try_from(view.applied_index).unwrap_or(usize::MAX);
        if place >= self.states.len() {
            self.states.resize(place + 1, None);
        }
        let (state, first) = *self.states[place].get_or_insert((view.state, node));
        if state != view.state {
            let who = if first == node {
                "it was in itself before".to_owned()
            } else {
                format!("{first} was in")
            };
            return Err(INFO.broken(format!(
                "Because {node}, with {place} values applied, is in another state than {who} with as many: equal \
                 commands must lead to equal states."
            )));
        }
        Ok(first != node)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::multi_paxos::script::{Cluster, N1, N2};

    #[test]
    fn equally_much_applied_is_the_same_state() {
        let mut cluster = Cluster::of(3);
        cluster.is_in_state(N1, 1, 7);
        cluster.is_in_state(N1, 2, 8);
        cluster.is_in_state(N2, 2, 8);
        cluster.restarts(N2);
        cluster.is_in_state(N2, 1, 7);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("MP6"), 2);
    }

    #[test]
    fn equally_much_applied_may_not_be_another_state() {
        let mut cluster = Cluster::of(3);
        cluster.is_in_state(N1, 3, 7);
        cluster.is_in_state(N2, 3, 9);
        cluster.assert_says(
            "MP6",
            "Because n2, with 3 values applied, is in another state than n1 was in with as many: equal commands must \
             lead to equal states.",
        );
    }
}
