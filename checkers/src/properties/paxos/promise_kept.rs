//! PX3: who promised a ballot votes in none below it.

use tribunal_histories::{ByNode, Claim};

use super::ledger::{Votes, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Promises are kept, across crashes too.
///
/// A vote that was cast before the promise may be announced again after it. (That an acceptance is itself a promise
/// is not asked for: an acceptor may as well keep the vote of the highest ballot.)
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX3",
    name: "promise-kept",
    statement: "after it has promised a ballot, an acceptor casts no vote under a lower one",
    source: "Lamport, Paxos Made Simple (2001) §2.2, P1a; Paxos.tla: MsgInv, 1b",
    gated_by: &["BP5", "BP7", "MP3", "MP15"],
    watch: || Box::new(PromiseKept::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct PromiseKept {
    /// By node, the highest ballot that it promised.
    promised: ByNode<u64>,
    votes: Votes,
}

impl Property for PromiseKept {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        if self.promised.len() < moment.nodes() {
            self.promised.resize(moment.nodes(), 0);
        }
        let promised = &mut self.promised[node.index()];
        if moment.recovered() {
            *promised = 0;
        }
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            match claim {
                Claim::Promised {
                    ballot, accepted, ..
                } => {
                    *promised = (*promised).max(*ballot);
                    // What the promise tells of was cast before it, though perhaps never announced.
                    for vote in accepted.iter().filter(|vote| vote.ballot < *ballot) {
                        self.votes.cast(node, vote);
                    }
                }
                Claim::Accepted(vote) if self.votes.cast(node, vote).is_some() => {
                    tested |= *promised > 0;
                    if vote.ballot < *promised {
                        return Err(INFO.broken(format!(
                            "Because {node} accepted {} under ballot {}{} after it had promised ballot {promised}: \
                             it must not vote below its promise, whether or not it crashed in between.",
                            vote.value,
                            vote.ballot,
                            in_slot(vote.slot)
                        )));
                    }
                }
                _ => {}
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        moment.recovered()
            || moment.claims(|claim| matches!(claim, Claim::Accepted(_) | Claim::Promised { .. }))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn an_old_vote_may_be_announced_after_a_promise() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.accepts(&[N2], 1, 5);
        cluster.assert_holds();
    }

    #[test]
    fn a_vote_that_the_promise_told_of_may_be_announced_late() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.accepts(&[N2], 1, 5);
        cluster.assert_holds();
    }

    #[test]
    fn a_crash_does_not_free_from_a_promise() {
        let mut cluster = Cluster::of(3);
        cluster.prepares(N1, 1, &[N1, N2]);
        cluster.proposes(N1, 1, 5);
        cluster.promises(N2, N3, 3, None);
        cluster.restart(N2);
        cluster.accepts(&[N2], 1, 5);
        cluster.assert_says(
            "PX3",
            "Because n2 accepted 5 under ballot 1 after it had promised ballot 3: it must not vote below its promise, \
             whether or not it crashed in between.",
        );
    }
}
