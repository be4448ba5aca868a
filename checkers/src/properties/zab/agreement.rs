//! ZI3: of any two nodes, what one has delivered is the beginning of what the other has.

use std::collections::BTreeMap;

use tribunal_histories::{Digest, NodeId};

use super::delivery::Deliveries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Agreement, over the whole run: what a node delivered before it crashed counts.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI3",
    name: "agreement",
    statement: "of what any two nodes ever delivered, one is the beginning of the other",
    source: "Zab §4, Agreement; Remix (EuroSys 2025), table 2, I-3",
    gated_by: &["ZB8", "ZB26"],
    watch: || Box::new(Agreement::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Agreement {
    /// By index, what was delivered up to there, and by whom first.
    first: BTreeMap<usize, (Digest, NodeId)>,
    delivered: Deliveries,
}

impl Property for Agreement {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let new = self.delivered.refresh(moment);
        let tested = !new.is_empty();
        for place in new {
            let delivery = self.delivered.of(node)[place];
            let Some(prefix) = delivery.prefix else {
                continue;
            };
            let (other, by) = *self.first.entry(place).or_insert((prefix, node));
            if other != prefix {
                let what = delivery
                    .zxid
                    .map_or_else(|| "a snapshot".to_owned(), |zxid| zxid.to_string());
                return Err(INFO.broken(format!(
                    "Because {node} delivered {what} as number {}, where {by} had delivered something else: of any \
                     two sequences one must be the beginning of the other.",
                    place + 1
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
    fn one_may_be_behind() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2, N3]);
        script.broadcast(N1, &[N2, N3]);
        script.broadcast(N1, &[N2]);
        script.deliver(N1, 2);
        script.deliver(N3, 1);
        script.assert_holds();
        assert!(script.exercised("ZI3") > 1);
    }

    #[test]
    fn two_may_not_part_though_one_has_crashed() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N3]);
        script.broadcast(N1, &[]);
        script.deliver(N1, 1);
        script.crash(N1);
        script.step(N2, |actor| actor.append(1, 2));
        script.deliver(N2, 1);
        script.assert_some_says(
            "Because n2 delivered 1:2 as number 1, where n1 had delivered something else: of any two sequences one \
             must be the beginning of the other.",
        );
    }
}
