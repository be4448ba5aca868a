//! GM-I5: no two nodes own a slot under the same epoch.

use std::collections::BTreeMap;

use tribunal_histories::{NodeId, Ownership};

use super::members;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// One owner a slot and epoch, ever; and of what a node knows the higher epoch counts, until it restarts.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GM-I5",
    name: "epoch-unique",
    statement: "a slot has one owner in an epoch, and the higher epoch wins",
    source: "Redis Cluster specification, Configuration epoch: last failover wins",
    gated_by: &["GM11"],
    watch: || Box::new(EpochUnique::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct EpochUnique {
    /// By slot and epoch, the owner, and who showed it first.
    owners: BTreeMap<(usize, u64), (NodeId, NodeId)>,
    /// By node, what it showed.
    before: Vec<Vec<Ownership>>,
}

impl Property for EpochUnique {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let Some(view) = members(moment.now) else {
            return Ok(false);
        };
        let node = moment.now.node;
        self.before
            .resize_with(moment.nodes().max(self.before.len()), Vec::new);
        let before = &mut self.before[node.index()];
        if moment.restarted() {
            before.clear();
        }
        if before == view.slots {
            return Ok(false);
        }
        for (slot, claim) in view.slots.iter().enumerate() {
            let Ownership { epoch, owner } = *claim;
            let (first, by) = *self.owners.entry((slot, epoch)).or_insert((owner, node));
            if first != owner {
                return Err(INFO.broken(format!(
                    "Because slot s{slot} is {owner}'s in epoch {epoch} for {node}, and was {first}'s in that epoch for \
                     {by}: an epoch must be one node's alone, or nothing says whose data is the newer."
                )));
            }
            if let Some(known) = before.get(slot)
                && known.epoch > epoch
            {
                return Err(INFO.broken(format!(
                    "Because {node} gave slot s{slot} from {} in epoch {} back to {owner} in epoch {epoch}: of two \
                     claims the higher epoch must win.",
                    known.owner, known.epoch
                )));
            }
        }
        let tested = !before.is_empty();
        before.clear();
        before.extend_from_slice(view.slots);
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Retraction;

    use crate::properties::membership::script::{N1, N2, N3, Script};

    #[test]
    fn an_epoch_has_one_owner() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.own(N2, 0, 5);
        script.learn_slot(N1, 0, N2, 5);
        script.assert_holds();
        script.own(N3, 0, 5);
        script.assert_says(
            "GM-I5",
            "Because slot s0 is n3's in epoch 5 for n3, and was n2's in that epoch for n2: an epoch must be one node's \
             alone, or nothing says whose data is the newer.",
        );
    }

    #[test]
    fn the_higher_epoch_wins() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.own(N2, 0, 5);
        script.own(N3, 0, 6);
        script.learn_slot(N1, 0, N3, 6);
        script.assert_holds();
        script.learn_slot(N1, 0, N2, 5);
        script.assert_breaks("GM-I5");
    }
}
