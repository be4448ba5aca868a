//! RI12: commit indexes stay within the log, and next indexes above match indexes.

use tribunal_histories::NodeId;

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Index bounds, local to a node. A node that has just started may not yet know what its snapshot covers.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI12",
    name: "index-bounds",
    statement: "a commit index lies between the snapshot and the end of the log; next index > match index",
    source: "Raft figure 2 and §7; SandTable CommitIdxLELogLen, NextIdxGtMatchIdx, SnapshotIdxLECommitIdx",
    gated_by: &["RF12", "SN6"],
    watch: || Box::new(IndexBounds),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct IndexBounds;

impl Property for IndexBounds {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        if view.commit_index > view.log.last_index() {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, has commit index {} but its log ends at {}: \
                 a node must not count entries as committed that it does not have.",
                view.term,
                view.commit_index,
                view.log.last_index(),
            )));
        }
        if view.commit_index < view.log.start && !moment.restarted() {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, has commit index {} but has compacted its log up to {}: \
                 only committed entries may be compacted.",
                view.term, view.commit_index, view.log.start,
            )));
        }
        if moment.leads() {
            for (peer, progress) in NodeId::all(view.peers.len()).zip(view.peers) {
                if peer != node && progress.next_index <= progress.match_index {
                    return Err(INFO.broken(format!(
                        "Because {node}, leading term {}, would send {peer} entry {} next, though it knows that \
                         {peer} holds all up to {}: the next index must be above the match index.",
                        view.term, progress.next_index, progress.match_index,
                    )));
                }
            }
        }
        Ok(view.commit_index > 0 || !view.peers.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, Script};

    #[test]
    fn a_node_that_just_started_need_not_know_what_its_snapshot_covers() {
        let mut script = Script::with_committed(3, "abc");
        script.commit(N2, 3);
        script.step(N2, |node| node.log.compact(2));
        script.sync(N2);
        script.restart(N2);
        script.assert_holds();
        script.step(N2, |node| node.commit_index = 2);
        script.assert_holds();
    }

    #[test]
    fn a_node_that_runs_must_know_it() {
        let mut script = Script::with_committed(3, "abc");
        script.commit(N2, 3);
        script.step(N2, |node| node.log.compact(2));
        script.sync(N2);
        script.restart(N2);
        script.commit(N2, 1);
        script.assert_says(
            "RI12",
            "Because n2, in term 1, has commit index 1 but has compacted its log up to 2: only committed \
             entries may be compacted.",
        );
    }

    #[test]
    fn a_commit_index_may_not_exceed_the_log() {
        let mut script = Script::raft(3);
        script.commit(N2, 1);
        script.assert_says(
            "RI12",
            "Because n2, in term 0, has commit index 1 but its log ends at 0: a node must not count entries \
             as committed that it does not have.",
        );
    }

    #[test]
    fn a_next_index_may_not_fall_to_the_match_index() {
        let mut script = Script::with_committed(3, "abc");
        script.step(N1, |leader| leader.peers[1].next_index = 3);
        script.assert_says(
            "RI12",
            "Because n1, leading term 1, would send n2 entry 3 next, though it knows that n2 holds all up to \
             3: the next index must be above the match index.",
        );
    }
}
