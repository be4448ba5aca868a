//! PB-I5: the same operations lead to the same state.

use std::collections::BTreeMap;

use tribunal_histories::{Digest, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Replaying operations is deterministic.
///
/// Note 004 says: the same initial state and the same operations give the same state. That is so if an operation does
/// not look at anything else: no clock, no random number, not who executes it.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PB-I5",
    name: "deterministic",
    statement: "replicas that have applied the same operations are in the same state",
    source: "Schneider, Implementing Fault-Tolerant Services (1990), §2; Ongaro's dissertation, chapter 11",
    gated_by: &["PB8"],
    watch: || Box::new(Deterministic::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Deterministic {
    /// By the operations applied, the state and who was in it first.
    states: BTreeMap<(u64, Digest), (Digest, NodeId)>,
}

impl Property for Deterministic {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let index = view.applied_index;
        let unchanged = !moment.restarted() && index == moment.before.applied_index;
        let Some(record) = view.log.at(index).filter(|_| index > 0 && !unchanged) else {
            return Ok(false);
        };
        let entry = self.states.entry((index, record.prefix));
        let (state, first) = *entry.or_insert((view.state, node));
        if state != view.state {
            return Err(INFO.broken(format!(
                "Because {node} is in another state than {first} was after the same {index} operations: what an \
                 operation does must depend on nothing but the state."
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::primary_backup::acted::{acknowledge, begin_view, replicas, replicate};
    use crate::properties::script::{N1, N2};

    #[test]
    fn an_operation_that_asks_a_clock() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2]);
        replicate(&mut script, N1, "ab", &[N2]);
        acknowledge(&mut script, N1, 1, "a");
        acknowledge(&mut script, N1, 2, "ab");
        acknowledge(&mut script, N2, 2, "ab");
        script.assert_holds();
        acknowledge(&mut script, N2, 1, "a at noon");
        script.assert_says(
            "PB-I5",
            "Because n2 is in another state than n1 was after the same 1 operations: what an operation does must \
             depend on nothing but the state.",
        );
    }
}
