//! RI3: a leader only appends to its log.

use crate::properties::committed::describe_record;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Leader append-only. Compaction removes entries from the front, which is not a change of the log.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI3",
    name: "leader-append-only",
    statement: "while a node leads a term it removes and overwrites no entry of its log",
    source: "Raft §5.3 and figure 3; dissertation lemma 3; SandTable LeaderAppendOnly",
    gated_by: &["RF17"],
    watch: || Box::new(LeaderAppendOnly),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct LeaderAppendOnly;

impl Property for LeaderAppendOnly {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !moment.leads_on() {
            return Ok(false);
        }
        let (node, view) = (moment.now.node, &moment.now.view);
        let before = moment.before.log();
        if moment.dropped_entries() {
            let index = moment.kept + 1;
            return Err(INFO.broken(format!(
                "Because {node}, leading term {}, now has {} where it had {}: \
                 a leader must only append to its log.",
                view.term,
                describe_record(&view.log, index),
                describe_record(&before, index),
            )));
        }
        Ok(view.log.last_index() > before.last_index())
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    #[test]
    fn a_leader_may_append_and_compact_and_a_follower_may_truncate() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N1, |leader| leader.append("c"));
        script.step(N1, |leader| leader.log.compact(2));
        script.step(N1, |leader| leader.append("d"));
        script.step(N1, |follower| {
            follower.follow(2);
            follower.log.truncate(2);
        });
        script.elect(N1, 3, &[N2, N3]);
        script.assert_holds();
        assert_eq!(script.exercised("RI3"), 3);
    }

    #[test]
    fn a_leader_may_not_remove_an_entry() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.append("ab"));
        script.step(N1, |leader| leader.log.truncate(1));
        let violation = script.assert_breaks("RI3");
        let start = "Because n1, leading term 1, now has nothing at index 2 where it had an entry of term 1";
        assert!(violation.sentence.starts_with(start), "{violation}");
    }
}
