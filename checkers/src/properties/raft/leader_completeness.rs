//! RI5: a new leader has every entry that was committed in an earlier term.

use crate::properties::committed::describe_record;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Leader completeness, asked when a node is elected.
///
/// What counts is the term of the leader that committed the entry, not the entry's own: a leader of term 2 may
/// rightly lack an entry of term 1 that is committed later, under term 3.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI5",
    name: "leader-completeness",
    statement: "a node elected in a term has every entry that was committed by a leader of an earlier term",
    source: "Raft §5.4.3 and figure 3; replaces etcdraft.tla LeaderCompletenessInv, which correct Raft breaks",
    gated_by: &["RF1", "RF2", "RF3", "RF4", "RF12", "RF13"],
    watch: || Box::new(LeaderCompleteness),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct LeaderCompleteness;

impl Property for LeaderCompleteness {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !moment.was_elected() {
            return Ok(false);
        }
        let (node, view, committed) = (moment.now.node, &moment.now.view, moment.committed);
        // The last such entry speaks for all before it, by its prefix digest.
        let Some((last, _)) = committed.last_before(view.term) else {
            return Ok(false);
        };
        if !committed.agrees(&view.log, last) {
            let index = committed.first_missing(&view.log);
            return Err(INFO.broken(format!(
                "Because {node}, elected in term {}, has {}, where {} belongs: \
                 a leader must have every entry that was committed in an earlier term.",
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
    use tribunal_histories::Role;

    use crate::properties::script::{N1, N2, N3, N4, N5, Script};

    /// Correct Raft, which etcd's invariant of the same name calls wrong: n2 wins term 2 when the entry of term 1 has
    /// been committed already, but by the leader of term 3.
    #[test]
    fn a_late_leader_may_lack_what_was_committed_in_a_later_term() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.append("a"));
        script.step(N2, |candidate| {
            candidate.follow(2);
            candidate.role = Role::Candidate;
            candidate.voted_for = Some(N2);
        });
        script.sync(N2);
        script.grant(N3, 2, N2);
        script.elect(N1, 3, &[N3]);
        script.step(N1, |leader| leader.append("b"));
        script.replicate(N1, &[N3]);
        script.commit(N1, 2);
        script.lead(N2);
        script.assert_holds();
        assert_eq!(script.exercised("RI5"), 0);
    }

    #[test]
    fn a_new_leader_may_have_compacted_what_was_committed() {
        let mut script = Script::with_committed(3, "abc");
        script.commit(N2, 3);
        script.step(N2, |node| node.log.compact(3));
        script.elect(N2, 2, &[N3]);
        script.assert_holds();
        assert_eq!(script.exercised("RI5"), 1);
    }

    #[test]
    fn a_new_leader_may_not_lack_what_was_committed_before() {
        let mut script = Script::raft(5);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2, N3]);
        script.commit(N1, 2);
        script.elect(N4, 2, &[N3, N5]);
        script.assert_says(
            "RI5",
            "Because n4, elected in term 2, has nothing at index 1, where entry 1 of term 1, which n1 \
             committed in term 1, belongs: a leader must have every entry that was committed in an earlier \
             term.",
        );
    }
}
