//! RI15: to ask whether one would be voted for, and to answer that, changes nothing and disturbs no leader.

use tribunal_histories::{Cause, Claim, Role};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Pre-votes are questions. Whoever leads, or hears from a leader that is not the asker, answers no.
///
/// Judged where question and answer leave in the very step that they come from: what waited for the disk says nothing
/// about the node as it is by then.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI15",
    name: "pre-vote",
    statement: "a pre-vote changes neither term nor vote, and nobody grants one who leads or hears from a leader",
    source: "dissertation §9.6 and §4.2.3; daos-stack/raft#70",
    gated_by: &["MC11", "PV1", "PV4"],
    watch: || Box::new(PreVote),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PreVote;

impl Property for PreVote {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        if moment.now.cause != Cause::Step {
            return Ok(false);
        }
        let before = moment.before;
        if view.role == Role::PreCandidate && view.term != before.term {
            return Err(INFO.broken(format!(
                "Because {node} went from term {} to term {} when it asked whether it would be voted for: only an \
                 election may raise the term.",
                before.term, view.term,
            )));
        }
        let mut tested = false;
        for sent in moment.now.sent {
            let Some(Claim::WouldVote { term }) = sent.claims.first() else {
                continue;
            };
            tested = true;
            let follows = match (before.role, before.leader) {
                (Role::Leader, _) => "it led itself".to_owned(),
                (_, Some(leader)) if leader != sent.to => format!("it heard from {leader}"),
                _ if (view.term, view.voted_for) != (before.term, before.voted_for) => {
                    return Err(INFO.broken(format!(
                        "Because {node} changed its term or vote when it told {} that it would vote for it in term \
                         {term}: a pre-vote must change nothing.",
                        sent.to,
                    )));
                }
                _ => continue,
            };
            return Err(INFO.broken(format!(
                "Because {node} told {} that it would vote for it in term {term}, although {follows} in term {}: who \
                 has a leader must help nobody to replace it.",
                sent.to, before.term,
            )));
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{Claim, Role};

    use crate::properties::script::{N1, N2, N3, Script, claim};

    #[test]
    fn who_hears_from_nobody_would_vote() {
        let mut script = Script::raft(3);
        script.step(N1, |asker| asker.role = Role::PreCandidate);
        script.would_vote(N2, 1, N1);
        script.step(N2, |node| node.leader = Some(N1));
        script.would_vote(N2, 1, N1);
        script.assert_holds();
        assert_eq!(script.exercised("RI15"), 2);
    }

    #[test]
    fn a_leader_grants_none() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.would_vote(N1, 2, N3);
        script.assert_says(
            "RI15",
            "Because n1 told n3 that it would vote for it in term 2, although it led itself in term 1: who has a \
             leader must help nobody to replace it.",
        );
    }

    #[test]
    fn who_has_a_leader_grants_none() {
        let mut script = Script::raft(3);
        script.step(N2, |node| node.leader = Some(N1));
        script.would_vote(N2, 1, N3);
        script.assert_breaks("RI15");
    }

    #[test]
    fn nothing_changes() {
        let mut script = Script::raft(3);
        script.step(N1, |asker| {
            asker.role = Role::PreCandidate;
            asker.term = 1;
        });
        script.assert_breaks("RI15");
        let mut script = Script::raft(3);
        let granted = claim(N1, Claim::WouldVote { term: 1 });
        script.step_and_send(N2, |voter| voter.follow(1), &[granted]);
        script.assert_breaks("RI15");
    }
}
