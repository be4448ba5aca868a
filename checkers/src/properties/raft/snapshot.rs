//! RI16: a snapshot stands for committed entries, and for the state that they came to.

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Snapshots. A node that takes one, gets one from its leader or starts from one has compacted only committed entries,
/// never goes back to an older one while it runs, and has the state, sessions and all, that other nodes have there.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI16",
    name: "snapshot-sound",
    statement: "a snapshot covers committed entries only and holds the state that they came to, sessions included",
    source: "Raft §7 and figures 12, 13; dissertation §5.1 to §5.3 and §6.3",
    gated_by: &["RF28", "SN5", "SN7"],
    watch: || Box::new(SnapshotSound),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SnapshotSound;

impl Property for SnapshotSound {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let (start, before) = (view.log.start, moment.before.log().start);
        if start < before && !moment.restarted() {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, had compacted its log up to {before} and now only up to {start}: \
                 a node must not go back to an older snapshot.",
                view.term,
            )));
        }
        if start > before && start > moment.committed.last_index() {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, has compacted its log up to {start} when only the entries up to {} are \
                 committed: a snapshot must cover committed entries only.",
                view.term,
                moment.committed.last_index(),
            )));
        }
        if !moment.loaded_snapshot() {
            return Ok(start > before);
        }
        if let Some((state, first)) = moment.states.contradicts(view) {
            return Err(INFO.broken(format!(
                "Because {node}, in term {}, has from a snapshot the state {} after entry {}, where {first} had the \
                 state {state}: a snapshot must hold what the entries up to it came to, with the clients' sessions.",
                view.term, view.state, view.applied_index,
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Digest;

    use crate::properties::script::{N1, N2, N3, Script};

    /// n1 has applied two entries and compacted them; n3 lacks them.
    fn compacted() -> Script {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2]);
        script.commit(N1, 2);
        script.step(N1, |leader| leader.apply(2, Digest(7)));
        script.step(N1, |leader| leader.log.compact(2));
        script
    }

    /// n3 has the log and the commit index of n1's snapshot, and this state.
    fn install(script: &mut Script, state: Digest) {
        let log = script.actor(N1).log.clone();
        script.step(N3, |follower| {
            follower.follow(1);
            follower.log = log;
            follower.commit_index = 2;
            follower.apply(2, state);
        });
    }

    #[test]
    fn a_snapshot_brings_the_state_that_others_have() {
        let mut script = compacted();
        install(&mut script, Digest(7));
        script.assert_holds();
        assert!(script.exercised("RI16") > 0);
    }

    #[test]
    fn a_snapshot_that_lacks_something_is_not_the_state() {
        let mut script = compacted();
        install(&mut script, Digest(8));
        script.assert_says(
            "RI16",
            "Because n3, in term 1, has from a snapshot the state 0000000000000008 after entry 2, where n1 had the \
             state 0000000000000007: a snapshot must hold what the entries up to it came to, with the clients' \
             sessions.",
        );
    }

    #[test]
    fn a_restart_from_a_snapshot_is_judged_too() {
        let mut script = compacted();
        install(&mut script, Digest(7));
        script.sync(N3);
        script.restart(N3);
        script.assert_holds();
        script.restart_with(N3, |node| {
            node.commit_index = 2;
            node.apply(2, Digest(9));
        });
        script.assert_breaks("RI16");
    }

    #[test]
    fn an_older_snapshot_must_not_come_back() {
        let mut script = compacted();
        let old = script.actor(N1).log.clone();
        script.step(N1, |leader| leader.append("c"));
        script.replicate(N1, &[N2]);
        script.commit(N1, 3);
        let mut log = script.actor(N1).log.clone();
        script.step(N1, |leader| leader.log.compact(3));
        script.assert_holds();
        log.truncate(3);
        assert_eq!(old.view().start, 2);
        script.step(N1, |leader| leader.log = log);
        script.assert_breaks("RI16");
    }

    #[test]
    fn what_is_not_committed_must_not_be_compacted() {
        let mut script = compacted();
        script.step(N1, |leader| {
            leader.append("c");
            leader.log.compact(3);
            leader.commit_index = 3;
        });
        // Its own copy is the only one: others complain as well.
        let broken = script.monitor.violations();
        assert!(!broken.is_empty(), "{broken:?}");
    }
}
