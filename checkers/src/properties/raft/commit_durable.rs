//! RI7: a committed entry is on the disks of a majority, from then on.

use crate::properties::committed::Holdings;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Committed entries are durable: asked when an entry is committed, and whenever the end of a disk's log changes.
/// What a node compacted into a snapshot counts as held.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI7",
    name: "commit-durable",
    statement: "a committed entry is on the disks of a majority from the moment it is committed",
    source: "Raft §5.3 and figure 2 (log is persistent); ccfraft.tla ReplicationInv; \
             SandTable CommittedLogReplicatedMajority; etcdraft.tla CommittedIsDurableInv",
    gated_by: &["RF12", "RF13", "RF25", "RF26"],
    watch: || Box::new(CommitDurable::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct CommitDurable {
    on_disk: Holdings,
}

impl Property for CommitDurable {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let logs = moment.now.logs;
        let disk = |node| logs.durable_log(node);
        if !self.on_disk.refresh(moment, moment.disk_changed, disk) {
            return Ok(false);
        }
        if let Some((index, voters)) = self.on_disk.first_short(moment.committed) {
            return Err(INFO.broken(format!(
                "Because {} is on the disks of {}: a committed entry must stay on the disks of a majority of those \
                 who were voters then, {voters}.",
                moment.committed.describe(index),
                self.on_disk.holders(index),
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    #[test]
    fn what_a_minority_lacks_or_has_compacted_is_durable() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2]);
        script.commit(N1, 2);
        script.step(N1, |leader| leader.log.compact(2));
        script.sync(N1);
        script.restart(N2);
        script.replicate(N1, &[N3]);
        script.assert_holds();
        assert!(script.exercised("RI7") > 1);
    }

    #[test]
    fn an_entry_is_not_committed_by_copies_in_memory() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.sync(N1);
        for follower in [N2, N3] {
            script.step(follower, |actor| actor.log.append(1, "ab"));
            script.count(N1, follower, 2);
        }
        script.commit(N1, 2);
        script.assert_says(
            "RI7",
            "Because entry 1 of term 1, which n1 committed in term 1, is on the disks of only n1: a \
             committed entry must stay on the disks of a majority of those who were voters then, {n1 n2 n3}.",
        );
    }

    #[test]
    fn a_disk_may_not_lose_a_committed_entry() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.append("a"));
        script.replicate(N1, &[N2]);
        script.commit(N1, 1);
        script.actor(N2).disk.log.truncate(0);
        script.restart(N2);
        let first = script.monitor.violation().unwrap();
        assert_eq!(first.property, "RI7", "{first}");
    }
}
