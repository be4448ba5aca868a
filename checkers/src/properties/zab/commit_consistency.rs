//! ZI9: who serves in an epoch has delivered its initial history.

use std::collections::BTreeMap;

use tribunal_histories::{LogRecord, Phase};

use super::delivery::primaries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Commit consistency: asked of every node that is in the broadcast phase of an established epoch.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI9",
    name: "commit-consistency",
    statement: "a node in the broadcast phase of an epoch has delivered the initial history of that epoch",
    source: "Zab §5, claim 4; Remix (EuroSys 2025), table 2, I-9",
    gated_by: &["ZB33"],
    watch: || Box::new(CommitConsistency::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct CommitConsistency {
    /// By epoch, the end of the initial history.
    established: BTreeMap<u64, (u64, LogRecord)>,
    /// By node, the epoch in which it was found to serve rightly.
    serves: Vec<u64>,
}

impl Property for CommitConsistency {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view, shown) = (moment.now.node, &moment.now.view, primaries(moment));
        self.serves.resize(moment.nodes().max(self.serves.len()), 0);
        if moment.was_elected() {
            let end = (view.log.last_index(), view.log.last());
            self.established.entry(shown.epoch).or_insert(end);
        }
        let known = &mut self.serves[node.index()];
        if shown.phase != Phase::Broadcast {
            *known = 0;
            return Ok(false);
        }
        let Some((index, record)) = self.established.get(&shown.epoch).copied() else {
            return Ok(false);
        };
        if *known == shown.epoch {
            return Ok(false);
        }
        let has = index < view.log.start || view.log.at(index) == Some(record);
        if view.applied_index < index || !has {
            return Err(INFO.broken(format!(
                "Because {node} serves in epoch {} and has delivered {} transactions, but not the {index} of the \
                 initial history: who serves must have delivered that.",
                shown.epoch, view.applied_index
            )));
        }
        *known = shown.epoch;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, N3, Script};

    #[test]
    fn who_has_delivered_the_initial_history_may_serve() {
        let mut script = Script::with_disks(3, &[(1, 1)]);
        script.establish(N1, 2, &[N2, N3]);
        script.assert_holds();
        assert_eq!(script.exercised("ZI9"), 3);
    }

    #[test]
    fn who_has_not_may_not() {
        let mut script = Script::with_disks(3, &[(1, 1), (1, 2)]);
        script.establish(N1, 2, &[N2]);
        script.step(N3, |actor| {
            actor.follow(2);
            actor.applied_index = 0;
        });
        script.assert_says(
            "ZI9",
            "Because n3 serves in epoch 2 and has delivered 0 transactions, but not the 2 of the initial history: who \
             serves must have delivered that.",
        );
    }
}
