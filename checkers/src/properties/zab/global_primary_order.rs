//! ZI6: what an earlier primary broadcast is delivered before what a later one broadcast.

use super::delivery::Deliveries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Global primary order: epochs never decrease in what a node delivers.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI6",
    name: "global-primary-order",
    statement: "a node delivers the transactions of an earlier epoch before those of a later one",
    source: "Zab §4, Global primary order; Remix (EuroSys 2025), table 2, I-6",
    gated_by: &["ZB25"],
    watch: || Box::new(GlobalPrimaryOrder::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct GlobalPrimaryOrder {
    delivered: Deliveries,
}

impl Property for GlobalPrimaryOrder {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let new = self.delivered.refresh(moment);
        let delivered = self.delivered.of(node);
        let mut tested = false;
        for place in new.filter(|place| *place > 0) {
            let (Some(before), Some(zxid)) = (delivered[place - 1].zxid, delivered[place].zxid)
            else {
                continue;
            };
            tested = true;
            if before.epoch > zxid.epoch {
                return Err(INFO.broken(format!(
                    "Because {node} delivered {zxid} after {before}: what an earlier primary broadcast must be \
                     delivered first."
                )));
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, Script};

    #[test]
    fn later_epochs_come_later() {
        let mut script = Script::with_disks(3, &[(1, 1), (3, 1)]);
        script.establish(N1, 4, &[N2]);
        script.deliver(N1, 2);
        script.assert_holds();
        assert!(script.exercised("ZI6") > 0);
    }

    #[test]
    fn an_earlier_epoch_may_not_come_later() {
        let mut script = Script::with_disks(3, &[(3, 1), (2, 1)]);
        script.establish(N1, 4, &[N2]);
        script.deliver(N1, 2);
        script.assert_says(
            "ZI6",
            "Because n1 delivered 2:1 after 3:1: what an earlier primary broadcast must be delivered first.",
        );
    }
}
