//! ZI12: a follower's disk has the leader's history before it has the leader's epoch, and both before it says so.

use std::collections::BTreeMap;

use tribunal_histories::{Cause, Claim, Digest, HistoryClaim};

use super::delivery::primaries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The order of a follower's writes: what ZooKeeper's issues 4643 and 4646 are about.
///
/// A promise and an acknowledgement that went out bind their sender for ever; epochs that were only in memory bind it
/// until it crashes. A disk whose current epoch is the last that it accepted must have that epoch's history; once it
/// has accepted a later one, its history may be that of the next leader.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI12",
    name: "epoch-order",
    statement: "the current epoch is at most the accepted one; neither decreases; and the leader's history is on the \
                disk before its epoch is, and both before NEWLEADER is acknowledged",
    source: "Zab §5, steps f.1.1 and f.2.1; ZOOKEEPER-4643 and ZOOKEEPER-4646",
    gated_by: &["ZB1", "ZB2", "ZB5", "ZB9", "ZB19"],
    watch: || Box::new(EpochOrder::default()),
};

/// Epochs of a node: the accepted and the current one.
type Epochs = (u64, u64);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct EpochOrder {
    /// By node, what its messages bind it to.
    bound: Vec<Epochs>,
    /// By node, what it showed last in this life.
    shown: Vec<Epochs>,
    /// By epoch and index, the history that its leader told.
    led: BTreeMap<(u64, u64), Digest>,
}

impl Property for EpochOrder {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node.index(), primaries(moment));
        self.bound
            .resize(moment.nodes().max(self.bound.len()), (0, 0));
        self.shown
            .resize(moment.nodes().max(self.shown.len()), (0, 0));
        let epochs = (view.accepted_epoch, view.current_epoch);
        if epochs.1 > epochs.0 {
            return Err(INFO.broken(format!(
                "Because the current epoch of {} is {} and its accepted epoch is {}: a node must accept an epoch \
                 before it takes over its history.",
                moment.now.node, epochs.1, epochs.0
            )));
        }
        if moment.restarted() {
            goes_back(moment, self.bound[node], epochs)?;
        } else {
            goes_back(moment, self.shown[node], epochs)?;
        }
        let mut tested = epochs != self.shown[node];
        self.shown[node] = epochs;
        for sent in moment.now.sent {
            if sent.grants_vote {
                self.bound[node].0 = self.bound[node].0.max(sent.term);
            }
            for claim in &sent.claims {
                match claim {
                    Claim::Leads(claim) => self.learn(moment, claim),
                    Claim::Follows(claim) => {
                        self.bound[node].1 = self.bound[node].1.max(claim.epoch);
                        self.has_history(
                            moment,
                            claim.epoch,
                            claim.index,
                            "it acknowledged NEWLEADER",
                        )?;
                        tested = true;
                    }
                    _ => {}
                }
            }
        }
        if moment.now.cause == Cause::Crash && epochs.0 == epochs.1 {
            // The least that the leader told is its initial history.
            if let Some(((_, index), _)) =
                self.led.range((epochs.1, 0)..=(epochs.1, u64::MAX)).next()
            {
                self.has_history(moment, epochs.1, *index, "its disk names that epoch")?;
                tested = true;
            }
        }
        Ok(tested)
    }
}

impl EpochOrder {
    fn learn(&mut self, moment: &Moment<'_>, claim: &HistoryClaim) {
        if let Some(record) = moment.now.view.log.at(claim.index) {
            let place = (claim.epoch, claim.index);
            self.led.entry(place).or_insert(record.prefix);
        }
    }

    /// Whether the disk of the observed node has the history of an epoch up to an index.
    fn has_history(
        &self,
        moment: &Moment<'_>,
        epoch: u64,
        index: u64,
        why: &str,
    ) -> Result<(), Violation> {
        let node = moment.now.node;
        let disk = moment.now.logs.durable_log(node);
        let Some(history) = self.led.get(&(epoch, index)) else {
            return Ok(());
        };
        let held = disk.at(index).map(|record| record.prefix);
        if index < disk.start || held == Some(*history) {
            return Ok(());
        }
        Err(INFO.broken(format!(
            "Because {node} does not have the {index} transactions on its disk with which the leader of epoch {epoch} \
             began, and {why}: the history must be on the disk first."
        )))
    }
}

fn goes_back(moment: &Moment<'_>, before: Epochs, now: Epochs) -> Result<(), Violation> {
    let (what, before, now) = match () {
        () if now.0 < before.0 => ("accepted", before.0, now.0),
        () if now.1 < before.1 => ("current", before.1, now.1),
        () => return Ok(()),
    };
    let node = moment.now.node;
    Err(INFO.broken(format!(
        "Because the {what} epoch of {node} went back from {before} to {now}: it must never decrease once others know \
         of it."
    )))
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Claim;

    use crate::properties::zab::script::{N1, N2, Script, claim};

    fn synchronized(on_disk: bool) -> Script {
        let mut script = Script::with_disks(3, &[(1, 1)]);
        script.step(N2, |actor| actor.truncate(0));
        script.sync(N2);
        script.send(N1, N2, Claim::Leads(claim(2, 1, 1)));
        script.step(N2, |actor| {
            actor.append(1, 1);
            (actor.accepted, actor.current) = (2, 2);
        });
        if on_disk {
            script.sync(N2);
        }
        script
    }

    #[test]
    fn history_then_epoch_then_the_acknowledgement_is_right() {
        let mut script = synchronized(true);
        script.send(N2, N1, Claim::Follows(claim(2, 1, 1)));
        script.crash(N2);
        script.assert_holds();
        assert!(script.exercised("ZI12") > 0);
        // What nobody heard of may be lost.
        let mut script = synchronized(false);
        script.crash(N2);
        script.assert_holds();
    }

    #[test]
    fn an_acknowledgement_before_the_history_is_found() {
        let mut script = synchronized(false);
        script.send(N2, N1, Claim::Follows(claim(2, 1, 1)));
        script.assert_says(
            "ZI12",
            "Because n2 does not have the 1 transactions on its disk with which the leader of epoch 2 began, and it \
             acknowledged NEWLEADER: the history must be on the disk first.",
        );
    }

    #[test]
    fn an_epoch_before_the_history_is_found_when_the_node_crashes() {
        let mut script = synchronized(false);
        script.actor(N2).disk_epochs(2, 2);
        script.crash(N2);
        script.assert_says(
            "ZI12",
            "Because n2 does not have the 1 transactions on its disk with which the leader of epoch 2 began, and its \
             disk names that epoch: the history must be on the disk first.",
        );
    }

    #[test]
    fn what_was_promised_or_acknowledged_may_not_be_forgotten() {
        let mut script = Script::zab(3);
        script.promise(N2, 4, N1);
        script.actor(N2).disk_epochs(3, 0);
        script.crash(N2);
        script.assert_says(
            "ZI12",
            "Because the accepted epoch of n2 went back from 4 to 3: it must never decrease once others know of it.",
        );
        let mut script = synchronized(true);
        script.send(N2, N1, Claim::Follows(claim(2, 1, 1)));
        script.actor(N2).disk_epochs(2, 1);
        script.crash(N2);
        script.assert_breaks("ZI12");
    }

    #[test]
    fn a_current_epoch_was_accepted() {
        let mut script = Script::zab(3);
        script.step(N1, |actor| actor.current = 1);
        script.assert_breaks("ZI12");
    }
}
