//! RI1: a term has at most one leader.

use std::collections::BTreeMap;

use tribunal_histories::NodeId;

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Election safety. Asked over the whole run: a leader that is gone when the second one appears still counts.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI1",
    name: "election-safety",
    statement: "a term has at most one leader, ever",
    source: "Raft §5.2 and figure 3; dissertation lemma 2; etcdraft.tla MoreThanOneLeaderInv, made historical",
    gated_by: &[
        "RF5", "RF6", "RF7", "RF8", "RF10", "RF24", "RF27", "MC1", "MC2", "MC3", "MC4", "MC6",
        "MC8",
    ],
    watch: || Box::new(ElectionSafety::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct ElectionSafety {
    leaders: BTreeMap<u64, NodeId>,
}

impl Property for ElectionSafety {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !moment.was_elected() {
            return Ok(false);
        }
        let (node, term) = (moment.now.node, moment.now.view.term);
        let leader = *self.leaders.entry(term).or_insert(node);
        if leader != node {
            return Err(INFO.broken(format!(
                "Because {node} leads term {term}, which {leader} led before: \
                 a term must have at most one leader over the whole run."
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Voters;

    use crate::properties::script::{N1, N2, N3, N4, N5, Script};

    #[test]
    fn terms_may_have_different_leaders() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.elect(N2, 2, &[N3]);
        script.step(N1, |leader| leader.append("a"));
        script.assert_holds();
        assert_eq!(script.exercised("RI1"), 2);
    }

    #[test]
    fn a_second_leader_of_a_term_is_wrong_even_when_the_first_is_gone() {
        let mut script = Script::raft(5);
        // They do not count by the same voters.
        script.actor(N1).initial = Voters::of([N1, N2].into_iter().collect());
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.follow(2));
        script.elect(N3, 1, &[N4, N5]);
        script.assert_says(
            "RI1",
            "Because n3 leads term 1, which n1 led before: a term must have at most one leader over the \
             whole run.",
        );
    }
}
