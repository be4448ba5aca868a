//! RI8: a leader commits by counting only entries of its own term.

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The commit rule of figure 8. Older entries are committed by the way, when one of the leader's own term is.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI8",
    name: "current-term-commit",
    statement: "a leader raises its commit index only to an entry of its own term",
    source: "Raft §5.4.2 and figure 8; ccfraft.tla NeverCommitEntryPrevTermsProp",
    gated_by: &["RF4"],
    watch: || Box::new(CurrentTermCommit),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CurrentTermCommit;

impl Property for CurrentTermCommit {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let raised = view.commit_index > moment.before.commit_index;
        if !raised || !moment.leads() || moment.restarted() {
            return Ok(false);
        }
        match view.log.at(view.commit_index) {
            Some(record) if record.term != view.term => Err(INFO.broken(format!(
                "Because {node}, leading term {}, committed up to its entry {} of term {}: \
                 a leader must not commit entries of earlier terms by counting copies, \
                 only with an entry of its own term above them.",
                view.term, view.commit_index, record.term,
            ))),
            // A commit index beyond the log is for index-bounds to say.
            record => Ok(record.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    fn entry_of_an_earlier_term() -> Script {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.append("a"));
        script.elect(N1, 3, &[N3]);
        script
    }

    #[test]
    fn an_earlier_entry_is_committed_with_one_of_this_term() {
        let mut script = entry_of_an_earlier_term();
        script.step(N1, |leader| leader.append("b"));
        script.replicate(N1, &[N2, N3]);
        script.commit(N1, 2);
        script.commit(N2, 1);
        script.assert_holds();
        assert_eq!(script.exercised("RI8"), 1);
    }

    #[test]
    fn an_earlier_entry_is_not_committed_by_counting() {
        let mut script = entry_of_an_earlier_term();
        script.replicate(N1, &[N2, N3]);
        script.commit(N1, 1);
        script.assert_says(
            "RI8",
            "Because n1, leading term 3, committed up to its entry 1 of term 1: a leader must not commit \
             entries of earlier terms by counting copies, only with an entry of its own term above them.",
        );
    }
}
