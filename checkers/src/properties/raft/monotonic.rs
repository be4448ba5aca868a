//! RI9: terms, commit, applied and match indexes never decrease.

use tribunal_histories::{ByNode, Cause};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Monotonicity.
///
/// While a node runs, its term, commit index and applied index never decrease, nor does what it knows of a peer while
/// it leads a term. A restart takes away what was volatile, and a term of which nobody heard may be lost too; but not
/// a term in which the node granted a vote, or which its disk kept in an earlier crash.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI9",
    name: "monotonic",
    statement: "term, commit index and applied index never decrease, nor match indexes within a leadership",
    source: "Raft figure 2; dissertation lemma 1; ccfraft.tla MonotonicTermProp, MonotonicCommitIndexProp, \
             MonotonicMatchIndexProp",
    gated_by: &["RF6", "RF16", "RF27", "SN2"],
    watch: || Box::new(Monotonic::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Monotonic {
    /// By node, the term from which it must not go back, whatever happens to it.
    bound: ByNode<u64>,
}

impl Property for Monotonic {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (view, before) = (&moment.now.view, moment.before);
        let lowest = self.bind(moment);
        if moment.restarted() {
            rises(moment, "term", lowest, view.term)?;
            return Ok(lowest > 0);
        }
        rises(moment, "term", before.term, view.term)?;
        rises(
            moment,
            "commit index",
            before.commit_index,
            view.commit_index,
        )?;
        rises(
            moment,
            "applied index",
            before.applied_index,
            view.applied_index,
        )?;
        if moment.leads_on() {
            match_indexes_rise(moment)?;
        }
        Ok(view.term != before.term
            || view.commit_index != before.commit_index
            || view.applied_index != before.applied_index
            || view.peers != before.peers)
    }
}

impl Monotonic {
    /// The term to which the node was bound before this moment, and takes in what binds it from now on.
    fn bind(&mut self, moment: &Moment<'_>) -> u64 {
        let (now, view) = (moment.now, &moment.now.view);
        if self.bound.len() < moment.nodes() {
            self.bound.resize(moment.nodes(), 0);
        }
        let bound = &mut self.bound[now.node.index()];
        let lowest = *bound;
        if now.cause == Cause::Crash {
            *bound = view.term.max(*bound);
        }
        for granted in now.sent.iter().filter(|sent| sent.grants_vote) {
            *bound = granted.term.max(*bound);
        }
        lowest
    }
}

fn rises(moment: &Moment<'_>, what: &str, before: u64, now: u64) -> Result<(), Violation> {
    if now >= before {
        return Ok(());
    }
    let (node, term) = (moment.now.node, moment.now.view.term);
    Err(INFO.broken(format!(
        "Because the {what} of {node}, in term {term}, went back from {before} to {now}: it must never decrease."
    )))
}

fn match_indexes_rise(moment: &Moment<'_>) -> Result<(), Violation> {
    let (node, view) = (moment.now.node, &moment.now.view);
    let peers = moment.before.peers.iter().zip(view.peers);
    for ((peer, _), (before, now)) in moment.past().zip(peers) {
        if now.match_index < before.match_index {
            return Err(INFO.broken(format!(
                "Because {node}, leading term {}, lowered its match index for {peer} from {} to {}: \
                 what a peer was once known to hold it still holds while the leadership lasts.",
                view.term, before.match_index, now.match_index,
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script, grant};

    #[test]
    fn a_restart_may_lose_what_is_volatile_and_a_term_of_which_nobody_heard() {
        let mut script = Script::with_committed(3, "abc");
        script.commit(N2, 3);
        script.step(N2, |node| node.applied_index = 3);
        script.step(N2, |node| node.follow(7));
        script.restart(N2);
        script.elect(N3, 2, &[N2]);
        script.elect(N1, 3, &[N2]);
        script.assert_holds();
        assert!(script.exercised("RI9") > 0);
    }

    #[test]
    fn a_term_in_which_a_node_voted_may_not_be_lost() {
        let mut script = Script::raft(3);
        script.step(N2, |voter| voter.follow(4));
        script.sync_and_send(N2, &[grant(4, N1)]);
        script.actor(N2).disk.term = 3;
        script.restart(N2);
        script.assert_says(
            "RI9",
            "Because the term of n2, in term 3, went back from 4 to 3: it must never decrease.",
        );
    }

    #[test]
    fn a_commit_index_may_not_decrease() {
        let mut script = Script::with_committed(3, "abc");
        script.commit(N1, 2);
        script.assert_breaks("RI9");
    }

    #[test]
    fn a_match_index_may_not_decrease_within_a_leadership() {
        let mut script = Script::with_committed(3, "abc");
        script.count(N1, N3, 2);
        script.assert_says(
            "RI9",
            "Because n1, leading term 1, lowered its match index for n3 from 3 to 2: what a peer was once \
             known to hold it still holds while the leadership lasts.",
        );
    }
}
