//! RI2: a node votes at most once a term, even if it crashes in between.

use std::collections::BTreeMap;

use tribunal_histories::{ByNode, Cause, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// One vote a term.
///
/// What binds a node for ever is a granted vote that went out, a vote that its disk kept in a crash, and a leader's
/// vote for itself. A vote that was only in memory binds it until it crashes: nobody learned of it, so it may be lost.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI2",
    name: "vote-once",
    statement: "a node votes for at most one candidate a term, across restarts",
    source: "Raft §5.2 and figure 2 (votedFor is persistent); dissertation §3.4 and §3.8",
    gated_by: &["RF5", "RF7"],
    watch: || Box::new(VoteOnce::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct VoteOnce {
    votes: ByNode<Votes>,
}

/// The votes of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Votes {
    /// By term, the votes that bind it for ever.
    cast: BTreeMap<u64, NodeId>,
    /// The last term in which it voted since it started, and for whom.
    in_memory: Option<(u64, NodeId)>,
}

impl Votes {
    /// For whom it voted in a term.
    fn of(&self, term: u64) -> Option<NodeId> {
        match self.in_memory {
            Some((voted, candidate)) if voted == term => Some(candidate),
            _ => self.cast.get(&term).copied(),
        }
    }

    fn check(&self, node: NodeId, term: u64, candidate: NodeId) -> Result<(), Violation> {
        match self.of(term) {
            Some(first) if first != candidate => Err(INFO.broken(format!(
                "Because {node} voted for {candidate} in term {term} after it had voted for {first} in that term: \
                 a node must vote at most once a term, whether or not it crashed in between."
            ))),
            _ => Ok(()),
        }
    }
}

impl Property for VoteOnce {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        if self.votes.len() < moment.nodes() {
            self.votes.resize_with(moment.nodes(), Votes::default);
        }
        let votes = &mut self.votes[node.index()];
        if moment.restarted() {
            votes.in_memory = None;
        }
        let mut tested = false;
        if let Some(candidate) = view.voted_for {
            if votes.in_memory != Some((view.term, candidate)) {
                votes.check(node, view.term, candidate)?;
                votes.in_memory = Some((view.term, candidate));
                tested = true;
            }
            if moment.now.cause == Cause::Crash || moment.was_elected() {
                votes.cast.insert(view.term, candidate);
            }
        }
        for granted in moment.now.sent.iter().filter(|sent| sent.grants_vote) {
            votes.check(node, granted.term, granted.to)?;
            votes.cast.insert(granted.term, granted.to);
            tested = true;
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    #[test]
    fn a_vote_of_which_nobody_heard_may_be_lost() {
        let mut script = Script::raft(3);
        script.step(N2, |voter| {
            voter.follow(1);
            voter.voted_for = Some(N1);
        });
        script.restart(N2);
        script.grant(N2, 1, N3);
        script.restart(N2);
        script.grant(N2, 1, N3);
        script.grant(N2, 2, N1);
        script.assert_holds();
    }

    #[test]
    fn a_vote_that_went_out_binds_across_a_restart() {
        let mut script = Script::raft(3);
        script.grant(N2, 1, N1);
        script.actor(N2).disk.voted_for = None;
        script.restart(N2);
        script.assert_holds();
        script.step(N2, |voter| voter.voted_for = Some(N3));
        script.assert_says(
            "RI2",
            "Because n2 voted for n3 in term 1 after it had voted for n1 in that term: a node must vote at \
             most once a term, whether or not it crashed in between.",
        );
    }

    #[test]
    fn a_candidate_that_steps_down_keeps_its_vote() {
        let mut script = Script::raft(3);
        script.step(N1, |candidate| {
            candidate.follow(1);
            candidate.voted_for = Some(N1);
        });
        script.step(N1, |follower| follower.voted_for = None);
        script.assert_holds();
        script.step(N1, |follower| follower.voted_for = Some(N2));
        script.assert_breaks("RI2");
    }
}
