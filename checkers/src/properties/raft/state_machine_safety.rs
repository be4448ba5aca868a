//! RI6: no two nodes ever take different entries at one index for committed.

use crate::properties::committed::{covered, describe_record};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// State machine safety: what a node commits or applies is compared with all that was ever committed.
///
/// A node that restarts begins to commit and apply anew, and must come to the same entries. While it runs it must
/// not remove from its log what it knows to be committed.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI6",
    name: "state-machine-safety",
    statement: "all entries ever committed or applied at an index are the same, on all nodes and across restarts",
    source: "Raft §5.4.3 and figure 3; dissertation theorem 1; ccfraft.tla CommittedLogAppendOnlyProp",
    gated_by: &["RF11", "RF13", "RF14"],
    watch: || Box::new(StateMachineSafety),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StateMachineSafety;

impl Property for StateMachineSafety {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view, committed) = (moment.now.node, &moment.now.view, moment.committed);
        let before = if moment.restarted() {
            0
        } else {
            moment.before.commit_index.max(moment.before.applied_index)
        };
        if view.log.last_index() < before {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, cut its log off at entry {} though it knew all up to {} committed: \
                 a committed entry must never be removed.",
                view.term,
                view.log.last_index(),
                before,
            )));
        }
        // Beyond what was committed before this moment the node is the first, and there is nothing to compare with.
        let known = covered(view)
            .max(before)
            .min(view.log.last_index())
            .min(moment.committed_before);
        if known <= before && known <= moment.kept {
            return Ok(false);
        }
        if !committed.agrees(&view.log, known) {
            let index = committed
                .first_missing(&view.log)
                .min(known.max(view.log.start));
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, takes {} for committed, where {} belongs: \
                 all nodes must commit and apply the same entries.",
                view.term,
                describe_record(&view.log, index),
                committed.describe(index),
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, N4, N5, Script};

    #[test]
    fn a_node_may_learn_late_and_again_after_a_restart() {
        let mut script = Script::with_committed(3, "abc");
        script.commit(N2, 2);
        script.step(N2, |follower| follower.applied_index = 2);
        script.restart(N2);
        script.commit(N2, 3);
        script.step(N2, |follower| follower.applied_index = 3);
        script.commit(N3, 1);
        script.assert_holds();
        assert_eq!(script.exercised("RI6"), 3);
    }

    #[test]
    fn a_node_may_not_commit_what_others_did_not() {
        let mut script = Script::raft(5);
        script.elect(N4, 1, &[N3, N5]);
        script.step(N4, |leader| leader.append("x"));
        script.elect(N1, 2, &[N2, N3]);
        script.step(N1, |leader| leader.append("a"));
        script.replicate(N1, &[N2, N3]);
        script.commit(N1, 1);
        script.step(N4, |follower| {
            follower.follow(2);
            follower.commit_index = 1;
        });
        let violation = script.assert_breaks("RI6");
        let end = "where entry 1 of term 2, which n1 committed in term 2, belongs: \
                   all nodes must commit and apply the same entries.";
        assert!(violation.sentence.ends_with(end), "{violation}");
    }

    #[test]
    fn a_node_may_not_commit_more_upon_a_wrong_prefix() {
        let mut script = Script::with_committed(3, "a");
        script.step(N3, |follower| {
            follower.follow(2);
            follower.log.truncate(0);
            follower.log.append(2, "xy");
            follower.commit_index = 2;
        });
        let first = script.monitor.violation().unwrap();
        assert_eq!(first.property, "RI6", "{first}");
    }

    #[test]
    fn a_node_may_not_remove_what_it_knows_committed() {
        let mut script = Script::with_committed(5, "ab");
        script.commit(N2, 2);
        script.step(N2, |follower| {
            follower.follow(2);
            follower.log.truncate(1);
            follower.commit_index = 2;
        });
        let first = script.monitor.violation().unwrap();
        assert_eq!(
            first.sentence,
            "Because n2, in term 2, cut its log off at entry 1 though it knew all up to 2 committed: a committed \
             entry must never be removed.",
        );
    }
}
