//! ZI4: whoever delivers a transaction has delivered the same before it.

use std::collections::BTreeMap;

use tribunal_histories::{Digest, NodeId, Zxid};

use super::delivery::{Deliveries, primaries};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Total order, also of one transaction: to deliver `b` alone where another delivered `a` and then `b` is wrong.
/// (`Zab.tla`'s `TotalOrder` compares only nodes that delivered at least two.)
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI4",
    name: "total-order",
    statement: "two nodes that deliver a transaction have delivered the same before it, in the same order",
    source: "Zab §4, Total order; Remix (EuroSys 2025), table 2, I-4, for sequences of every length",
    gated_by: &["ZB32"],
    watch: || Box::new(TotalOrder::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct TotalOrder {
    /// By transaction, what came directly before it (nothing before the first), and for whom first.
    before: BTreeMap<Zxid, (Option<Zxid>, NodeId)>,
    /// By index, the digest of what a node delivered up to there, by its own account.
    accounts: BTreeMap<u64, (Digest, NodeId)>,
    delivered: Deliveries,
}

impl Property for TotalOrder {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let new = self.delivered.refresh(moment);
        if new.is_empty() {
            return Ok(false);
        }
        let delivered = self.delivered.of(node);
        for place in new {
            let before = place.checked_sub(1).map(|before| delivered[before].zxid);
            let (Some(zxid), None | Some(Some(_))) = (delivered[place].zxid, before) else {
                continue;
            };
            let before = before.flatten();
            let (other, by) = *self.before.entry(zxid).or_insert((before, node));
            // Two transactions of one name are not one transaction: the order of names is what they break.
            let is_second = || {
                delivered[..place]
                    .iter()
                    .any(|known| known.zxid == Some(zxid))
            };
            if other != before && !is_second() {
                return Err(INFO.broken(format!(
                    "Because {node} delivered {zxid} after {}, and {by} after {}: before a transaction all nodes must \
                     deliver the same.",
                    named(before),
                    named(other)
                )));
            }
        }
        let (index, count) = (view.applied_index, primaries(moment).deliveries);
        if count < index {
            // It left something out, which is against local primary order.
            return Ok(true);
        }
        let (account, by) = *self.accounts.entry(index).or_insert((view.state, node));
        if account != view.state {
            return Err(INFO.broken(format!(
                "Because {node} and {by} delivered different sequences up to number {index}, though their histories \
                 may agree: before a transaction all nodes must deliver the same."
            )));
        }
        Ok(true)
    }
}

fn named(zxid: Option<Zxid>) -> String {
    zxid.map_or_else(|| "nothing".to_owned(), |zxid| zxid.to_string())
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, N3, Script};

    #[test]
    fn the_same_before_the_same_is_right() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2, N3]);
        script.broadcast(N1, &[N2, N3]);
        script.broadcast(N1, &[N2, N3]);
        for node in [N1, N2, N3] {
            script.deliver(node, 2);
        }
        script.assert_holds();
        assert_eq!(script.exercised("ZI4"), 3);
    }

    #[test]
    fn one_transaction_alone_may_be_wrong() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.deliver(N2, 2);
        script.step(N3, |actor| actor.append(1, 2));
        script.deliver(N3, 1);
        script.assert_among("ZI4");
    }

    #[test]
    fn a_node_that_leaves_one_out_is_found_by_its_own_account() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.deliver(N1, 1);
        script.step(N2, |actor| {
            actor.deliver(1);
            actor.state = tribunal_histories::Digest::default().then("something else");
        });
        script.assert_breaks("ZI4");
    }
}
