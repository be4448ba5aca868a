//! ZI2: what is delivered was broadcast.

use std::collections::BTreeSet;

use tribunal_histories::Zxid;

use super::delivery::{Deliveries, appended_zxids, primaries};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Integrity. What a node has on its disk when it is seen first was broadcast before the run.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI2",
    name: "integrity",
    statement: "a transaction is delivered only if a primary broadcast it",
    source: "Zab §4, Integrity; Remix (EuroSys 2025), table 2, I-2",
    gated_by: &["ZB31"],
    watch: || Box::new(Integrity::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Integrity {
    broadcast: BTreeSet<Zxid>,
    seen: Vec<bool>,
    delivered: Deliveries,
}

impl Property for Integrity {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        self.seen.resize(moment.nodes().max(self.seen.len()), false);
        if !std::mem::replace(&mut self.seen[node.index()], true) {
            self.broadcast.extend(primaries(moment).zxids);
        } else if moment.leads_on() && moment.log_changed() {
            self.broadcast.extend(appended_zxids(moment));
        }
        let new = self.delivered.refresh(moment);
        let tested = !new.is_empty();
        for delivery in &self.delivered.of(node)[new] {
            if let Some(zxid) = delivery.zxid.filter(|zxid| !self.broadcast.contains(zxid)) {
                return Err(INFO.broken(format!(
                    "Because {node} delivered {zxid}, which no primary broadcast: only what was broadcast may be \
                     delivered."
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
    fn what_was_broadcast_or_on_disks_before_may_be_delivered() {
        let mut script = Script::with_disks(3, &[(1, 1), (1, 2)]);
        script.establish(N1, 2, &[N2]);
        script.deliver(N1, 2);
        script.broadcast(N1, &[N2]);
        script.deliver(N2, 3);
        script.assert_holds();
        assert!(script.exercised("ZI2") > 0);
    }

    #[test]
    fn what_nobody_broadcast_may_not() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2, N3]);
        script.step(N2, |actor| actor.append(1, 1));
        script.deliver(N2, 1);
        script.assert_first(
            "ZI2",
            "Because n2 delivered 1:1, which no primary broadcast: only what was broadcast may be delivered.",
        );
    }
}
