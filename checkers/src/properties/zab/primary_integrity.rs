//! ZI7: a primary that broadcasts has delivered all that is ever delivered of earlier epochs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use tribunal_histories::{NodeId, Zxid};

use super::delivery::{Deliveries, primaries};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Primary integrity: of what anyone delivered before the broadcast, and of what anyone delivers after it. (The
/// published form compares a leader with the followers that are connected to it at that moment.)
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI7",
    name: "primary-integrity",
    statement: "a primary that broadcasts in an epoch has delivered every transaction of an earlier epoch that anyone \
                delivers, ever",
    source: "Zab §4, Primary integrity; Remix (EuroSys 2025), table 2, I-7, over the whole run",
    gated_by: &["ZB1", "ZB10", "ZB16", "ZB17", "ZB18"],
    watch: || Box::new(PrimaryIntegrity::default()),
};

/// A primary when it first broadcast, and what it had delivered then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Primary {
    node: NodeId,
    /// By place; not known if it is in a snapshot.
    delivered: Vec<Option<Zxid>>,
}

impl Primary {
    /// Whether it had delivered a transaction, as far as that can be known: what others delivered at a place that it
    /// knows only from a snapshot, it had delivered.
    fn has(&self, zxid: Zxid, place: usize) -> bool {
        self.delivered.contains(&Some(zxid)) || self.delivered.get(place) == Some(&None)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct PrimaryIntegrity {
    delivered: Deliveries,
    /// All that was delivered, where and by whom first.
    ever: BTreeMap<Zxid, (usize, NodeId)>,
    /// By epoch.
    primaries: BTreeMap<u64, Primary>,
}

impl Property for PrimaryIntegrity {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let mut tested = false;
        for place in self.delivered.refresh(moment) {
            let Some(zxid) = self.delivered.of(node)[place].zxid else {
                continue;
            };
            if let Entry::Vacant(first) = self.ever.entry(zxid) {
                first.insert((place, node));
                let mut later = self.primaries.range(zxid.epoch + 1..);
                tested |= later.clone().next().is_some();
                if let Some((epoch, primary)) = later.find(|(_, primary)| !primary.has(zxid, place))
                {
                    return Err(broken(*epoch, primary.node, zxid, node));
                }
            }
        }
        let epoch = primaries(moment).epoch;
        let broadcasts = moment.leads_on() && moment.now.view.log.last_index() > moment.kept;
        if !broadcasts || self.primaries.contains_key(&epoch) {
            return Ok(tested);
        }
        let all = self.delivered.of(node).iter();
        let delivered = all.map(|known| known.zxid).collect();
        let primary = Primary { node, delivered };
        let missed = self
            .ever
            .iter()
            .find(|(zxid, (place, _))| zxid.epoch < epoch && !primary.has(**zxid, *place));
        if let Some((zxid, (_, by))) = missed {
            return Err(broken(epoch, node, *zxid, *by));
        }
        self.primaries.insert(epoch, primary);
        Ok(true)
    }
}

fn broken(epoch: u64, primary: NodeId, zxid: Zxid, by: NodeId) -> Violation {
    INFO.broken(format!(
        "Because {primary} broadcast in epoch {epoch} without having delivered {zxid}, which {by} delivered: a primary \
         must have delivered all of earlier epochs before it broadcasts."
    ))
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, N3, Script};

    /// n1 broadcast 1:1 and n2 has it, n1 or n3 delivers it or not; then n3 is the primary of epoch 2.
    fn deposed(delivers: bool) -> Script {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[]);
        if delivers {
            script.deliver(N1, 1);
        }
        script.establish(N3, 2, &[N2]);
        script
    }

    #[test]
    fn what_nobody_delivers_may_be_lost() {
        let mut script = deposed(false);
        script.broadcast(N3, &[N2]);
        script.deliver(N3, 1);
        script.assert_holds();
        assert!(script.exercised("ZI7") > 0);
    }

    #[test]
    fn a_primary_that_lacks_what_was_delivered_may_not_broadcast() {
        let mut script = deposed(true);
        script.broadcast(N3, &[]);
        script.assert_says(
            "ZI7",
            "Because n3 broadcast in epoch 2 without having delivered 1:1, which n1 delivered: a primary must have \
             delivered all of earlier epochs before it broadcasts.",
        );
    }

    #[test]
    fn nor_may_it_be_delivered_afterwards() {
        let mut script = deposed(false);
        script.broadcast(N3, &[]);
        script.deliver(N1, 1);
        script.assert_breaks("ZI7");
    }
}
