//! ZI10: the histories of those who take part in an epoch continue each other.

use std::collections::BTreeMap;

use tribunal_histories::{Digest, NodeId, Phase};

use super::delivery::primaries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// History consistency: delivered or not, what one node in the broadcast phase of an epoch accepted, all did.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI10",
    name: "history-consistency",
    statement: "of the histories of any two nodes in the broadcast phase of an epoch, one is the beginning of the other",
    source: "Zab §5, claim 5; Remix (EuroSys 2025), table 2, I-10",
    gated_by: &["ZB6", "ZB10", "ZB22"],
    watch: || Box::new(HistoryConsistency::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct HistoryConsistency {
    /// By epoch and index, the history up to there, and whose it was first.
    first: BTreeMap<(u64, u64), (Digest, NodeId)>,
    /// By node, the epoch in whose broadcast phase it was seen last.
    seen: Vec<u64>,
}

impl Property for HistoryConsistency {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, log, shown) = (moment.now.node, moment.now.view.log, primaries(moment));
        self.seen.resize(moment.nodes().max(self.seen.len()), 0);
        let known = &mut self.seen[node.index()];
        if shown.phase != Phase::Broadcast {
            *known = 0;
            return Ok(false);
        }
        let from = if *known == shown.epoch {
            moment.kept
        } else {
            log.start
        };
        *known = shown.epoch;
        let indexes = from.max(log.start) + 1..=log.last_index();
        let tested = !indexes.is_empty();
        for index in indexes {
            let Some(record) = log.at(index) else {
                continue;
            };
            let place = (shown.epoch, index);
            let (prefix, other) = *self.first.entry(place).or_insert((record.prefix, node));
            if prefix != record.prefix {
                return Err(INFO.broken(format!(
                    "Because {node} and {other} took part in epoch {} with different transactions at index {index}: \
                     of their histories one must be the beginning of the other.",
                    shown.epoch
                )));
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, N3, Script};

    #[test]
    fn one_may_have_more() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2, N3]);
        script.broadcast(N1, &[N2]);
        script.broadcast(N1, &[]);
        script.assert_holds();
        assert!(script.exercised("ZI10") > 0);
    }

    #[test]
    fn none_may_have_something_else() {
        let mut script = Script::zab(3);
        script.establish(N1, 2, &[N2, N3]);
        script.broadcast(N1, &[]);
        script.step(N2, |actor| actor.append(1, 7));
        script.assert_says(
            "ZI10",
            "Because n2 and n1 took part in epoch 2 with different transactions at index 1: of their histories one \
             must be the beginning of the other.",
        );
    }
}
