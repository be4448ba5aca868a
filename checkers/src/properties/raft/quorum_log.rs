//! RI13: every quorum has a member that holds all that is committed.

use tribunal_histories::{NodeId, NodeSet};

use crate::properties::committed::Holdings;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The quorum log: whatever majority elects the next leader, one of them can keep it from losing a committed entry.
///
/// Unlike commit-durable it speaks of the logs that nodes work with, and so answer votes from, synced or not. The
/// nodes without the entries must be too few for a majority.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI13",
    name: "quorum-log",
    statement: "every majority has a node whose log holds all committed entries",
    source: "Raft §5.4.3; etcdraft.tla QuorumLogInv",
    gated_by: &["RF12", "RF13"],
    watch: || Box::new(QuorumLog::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct QuorumLog {
    in_logs: Holdings,
}

impl Property for QuorumLog {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let logs = moment.now.logs;
        let changed = moment.log_changed();
        if !self.in_logs.refresh(moment, changed, |node| logs.log(node)) {
            return Ok(false);
        }
        let all = NodeSet::all(moment.nodes());
        for node in NodeId::all(moment.nodes()) {
            let (voters, index) = (moment.voters(node), moment.commit_index(node));
            if !voters.has_quorum(all.without(self.in_logs.at(index))) {
                continue;
            }
            let mut indexes = 1..=index;
            let lacks = |index: &u64| voters.has_quorum(all.without(self.in_logs.at(*index)));
            let index = indexes.find(lacks).unwrap_or(index);
            return Err(INFO.broken(format!(
                "Because {} is in the logs of {}, so that a majority without it could elect a leader: \
                 every majority of the voters that {node} counts by, {voters}, must have a node that holds it.",
                moment.committed.describe(index),
                self.in_logs.holders(index),
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, N4, Script};

    fn committed_by_two_of_three() -> Script {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2]);
        script.commit(N1, 2);
        script
    }

    #[test]
    fn a_minority_may_lack_what_is_committed() {
        let mut script = committed_by_two_of_three();
        script.step(N3, |node| {
            node.follow(2);
            node.append("x");
        });
        script.step(N3, |node| node.log.truncate(0));
        script.assert_holds();
        assert_eq!(script.exercised("RI13"), 3);
    }

    #[test]
    fn half_of_the_nodes_are_in_every_majority_of_an_even_number() {
        let mut script = Script::with_committed(4, "ab");
        for node in [N3, N4] {
            script.step(node, |node| {
                node.follow(2);
                node.log.truncate(1);
            });
        }
        script.assert_holds();
    }

    #[test]
    fn a_majority_may_not_lack_it_even_before_their_disks_do() {
        let mut script = committed_by_two_of_three();
        script.step(N2, |node| {
            node.follow(2);
            node.log.truncate(1);
        });
        script.assert_says(
            "RI13",
            "Because entry 2 of term 1, which n1 committed in term 1, is in the logs of only n1, so that a \
             majority without it could elect a leader: every majority of the voters that n1 counts by, \
             {n1 n2 n3}, must have a node that holds it.",
        );
    }
}
