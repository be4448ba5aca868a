//! RI20: what was applied makes the state.

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Equal states: two nodes that have applied the same entries have the same objects and sessions, whenever that was.
/// What comes from a snapshot is for snapshot-sound to judge.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI20",
    name: "same-state",
    statement: "nodes that have applied the entries up to an index have the same state there, now and ever",
    source: "Raft figure 3, State Machine Safety, said of the machines; Schneider 1990 §3",
    gated_by: &["SN3", "CL8"],
    watch: || Box::new(SameState),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SameState;

impl Property for SameState {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view, before) = (moment.now.node, &moment.now.view, moment.before);
        if moment.loaded_snapshot() {
            return Ok(false);
        }
        if view.applied_index == before.applied_index && !moment.restarted() {
            if view.state == before.state {
                return Ok(false);
            }
            return Err(INFO.broken(format!(
                "Because the state of {node}, in term {}, which had applied the entries up to {}, went from {} to {} \
                 without a further entry: a state machine must change by applying entries, and by nothing else.",
                view.term, view.applied_index, before.state, view.state,
            )));
        }
        if let Some((state, first)) = moment.states.contradicts(view) {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, has the state {} after entry {}, where {first} had the state {state}: \
                 the same entries must come to the same state on all nodes.",
                view.term, view.state, view.applied_index,
            )));
        }
        Ok(moment.states.after(view.applied_index).is_some())
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Digest;

    use crate::properties::script::{N1, N2, Script};

    #[test]
    fn nodes_that_apply_the_same_agree() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N1, |node| node.apply(1, Digest(5)));
        script.step(N1, |node| node.apply(2, Digest(6)));
        script.commit(N2, 2);
        script.step(N2, |node| node.apply(2, Digest(6)));
        script.assert_holds();
        assert_eq!(script.exercised("RI20"), 1);
    }

    #[test]
    fn a_state_of_its_own_is_seen() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N1, |node| node.apply(2, Digest(6)));
        script.commit(N2, 2);
        script.step(N2, |node| node.apply(2, Digest(7)));
        script.assert_says(
            "RI20",
            "Because n2, in term 1, has the state 0000000000000007 after entry 2, where n1 had the state \
             0000000000000006: the same entries must come to the same state on all nodes.",
        );
    }

    #[test]
    fn a_state_does_not_change_by_itself() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N1, |node| node.apply(2, Digest(6)));
        script.step(N1, |node| node.apply(2, Digest(1)));
        script.assert_breaks("RI20");
    }
}
