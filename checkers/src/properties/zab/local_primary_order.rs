//! ZI5: what a primary broadcasts is delivered in the order of its broadcasts, without gaps.

use super::delivery::{Deliveries, primaries};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Local primary order, for all transactions. (The published `LocalPrimaryOrder` of `Zab.tla` says that there are two
/// that are delivered in order, which two equal ones always are.) A primary's transactions are counted from 1, so
/// whoever delivers one must have delivered the one before it directly before, or something of an earlier primary
/// before the first.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI5",
    name: "local-primary-order",
    statement: "whoever delivers a transaction of a primary has delivered all that this primary broadcast before it",
    source: "Zab §4, Local primary order; Remix (EuroSys 2025), table 2, I-5, with ∀ for ∃",
    gated_by: &["ZB24", "ZB25"],
    watch: || Box::new(LocalPrimaryOrder::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct LocalPrimaryOrder {
    delivered: Deliveries,
}

impl Property for LocalPrimaryOrder {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let new = self.delivered.refresh(moment);
        let (applied, count) = (moment.now.view.applied_index, primaries(moment).deliveries);
        if !new.is_empty() && count < applied {
            return Err(INFO.broken(format!(
                "Because {node} delivered the transaction at index {applied}, and {count} in all: whoever delivers a \
                 transaction of a primary must have delivered all before it."
            )));
        }
        let delivered = self.delivered.of(node);
        let mut tested = false;
        for place in new {
            let before = place.checked_sub(1).map(|before| delivered[before].zxid);
            let (Some(zxid), None | Some(Some(_))) = (delivered[place].zxid, before) else {
                continue;
            };
            let before = before.flatten();
            let of_same = before.filter(|before| before.epoch == zxid.epoch);
            tested |= of_same.is_some();
            if zxid.counter != of_same.map_or(1, |before| before.counter + 1) {
                let before = before.map_or_else(|| "nothing".to_owned(), |zxid| zxid.to_string());
                return Err(INFO.broken(format!(
                    "Because {node} delivered {zxid} after {before}: the transactions of a primary must be delivered \
                     in the order of its broadcasts, and all of them."
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
    fn transactions_in_order_are_right() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.deliver(N1, 2);
        script.assert_holds();
        assert!(script.exercised("ZI5") > 0);
    }

    #[test]
    fn a_gap_is_found() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N3]);
        script.broadcast(N1, &[]);
        script.broadcast(N1, &[]);
        script.step(N2, |actor| actor.append(1, 2));
        script.deliver(N2, 1);
        script.assert_some_says(
            "Because n2 delivered 1:2 after nothing: the transactions of a primary must be delivered in the order of \
             its broadcasts, and all of them.",
        );
    }

    #[test]
    fn a_transaction_that_is_left_out_is_found_by_how_many_there_were() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.deliver(N1, 2);
        script.assert_holds();
        script.step(N2, |actor| {
            actor.deliver(2);
            actor.deliveries = 1;
        });
        script.assert_says(
            "ZI5",
            "Because n2 delivered the transaction at index 2, and 1 in all: whoever delivers a transaction of a \
             primary must have delivered all before it.",
        );
    }
}
