//! ZI1: an epoch has one primary.

use std::collections::BTreeMap;

use tribunal_histories::NodeId;

use super::delivery::primaries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Primary uniqueness, over the whole run: a primary that is gone still is the one of its epoch.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI1",
    name: "primary-uniqueness",
    statement: "at most one node is ever established as the primary of an epoch",
    source: "Zab §5, claim 1; Remix (EuroSys 2025), table 2, I-1",
    gated_by: &["ZB34"],
    watch: || Box::new(PrimaryUniqueness::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct PrimaryUniqueness {
    primaries: BTreeMap<u64, NodeId>,
}

impl Property for PrimaryUniqueness {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !moment.was_elected() {
            return Ok(false);
        }
        let (node, epoch) = (moment.now.node, primaries(moment).epoch);
        let first = *self.primaries.entry(epoch).or_insert(node);
        if first != node {
            return Err(INFO.broken(format!(
                "Because {node} was established in epoch {epoch}, in which {first} had been established: an epoch must \
                 have one primary."
            )));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, N3, Script};

    #[test]
    fn an_epoch_has_one_primary_and_the_next_may_have_another() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.establish(N3, 2, &[N2]);
        script.assert_holds();
    }

    #[test]
    fn two_primaries_of_an_epoch_are_found_though_the_first_is_gone() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.crash(N1);
        script.establish(N3, 1, &[]);
        script.assert_says(
            "ZI1",
            "Because n3 was established in epoch 1, in which n1 had been established: an epoch must have one primary.",
        );
    }
}
