//! GI4: a stamp names one value, at all nodes and for ever.

use std::collections::BTreeMap;

use tribunal_histories::{Cause, Digest, Facet, NodeId};

use super::tables::{Cell, Named, Stamp, Tables, cell, stamp};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// What can be seen of it that merging is a join.
///
/// A merge takes one of the two records as it is and never makes a third; then nodes that have heard of the same
/// updates, in whatever order and however often, are equal. That the merge of tables is idempotent, commutative and
/// associative is tested on the function itself; of a run one sees that equal stamps mean equal values. A stamp of which
/// nobody heard may be given again after a crash.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GI4",
    name: "one-value-a-stamp",
    statement: "two records of a cell with one stamp have one value, whichever nodes hold them and whenever",
    source: "Shapiro et al. (SSS 2011) theorem 1: a merge that is a join makes replicas converge",
    gated_by: &["GD10", "GD11", "GD12"],
    watch: || Box::new(OneValueAStamp::default()),
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shown {
    value: Option<Digest>,
    by: NodeId,
    /// Another than its author has held it.
    spread: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct OneValueAStamp {
    tables: Tables,
    shown: BTreeMap<(Cell, Stamp), Shown>,
}

impl Property for OneValueAStamp {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        if moment.now.cause == Cause::Crash {
            self.forget_what_nobody_heard(moment);
        }
        let mut tested = false;
        for entry in self
            .tables
            .changes(moment)
            .iter()
            .filter_map(|change| change.after)
        {
            let spread = entry.author != node;
            let shown = self
                .shown
                .entry((cell(&entry), stamp(&entry)))
                .or_insert(Shown {
                    value: entry.value,
                    by: node,
                    spread,
                });
            tested |= shown.by != node;
            shown.spread |= spread;
            if shown.value != entry.value {
                let (named, time, author) = (Named(cell(&entry)), entry.time, entry.author);
                return Err(INFO.broken(format!(
                    "Because {node} holds a record of {named} with the stamp {time}@{author} and another value than \
                     the one that {} held under this stamp: a merge must take one of two records as it is.",
                    shown.by
                )));
            }
        }
        Ok(tested)
    }
}

impl OneValueAStamp {
    fn forget_what_nobody_heard(&mut self, moment: &Moment<'_>) {
        let Facet::Table(kept) = moment.now.view.facet else {
            return;
        };
        let node = moment.now.node;
        self.shown.retain(|(place, when), shown| {
            let on_disk = || {
                kept.iter()
                    .any(|entry| cell(entry) == *place && stamp(entry) == *when)
            };
            when.1 != node || shown.spread || on_disk()
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::gossip::script::{N1, N2, Script, deleted, wrote};

    #[test]
    fn a_stamp_of_which_nobody_heard_may_be_given_again() {
        let mut script = Script::of(2);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.crashes(N1, &[]);
        script.holds(N1, &[wrote(0, 1, N1, 'b')]);
        script.holds(N2, &[wrote(0, 1, N1, 'b')]);
        script.assert_holds();
        assert_eq!(script.exercised("GI4"), 1);
    }

    #[test]
    fn a_stamp_that_spread_names_its_value_for_ever() {
        let mut script = Script::of(2);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N2, &[wrote(0, 1, N1, 'a')]);
        script.crashes(N1, &[]);
        script.holds(N1, &[wrote(0, 1, N1, 'b')]);
        script.assert_says(
            "GI4",
            "Because n1 holds a record of x with the stamp 1@n1 and another value than the one that n1 held under \
             this stamp: a merge must take one of two records as it is.",
        );
    }

    #[test]
    fn a_tombstone_is_a_value_too() {
        let mut script = Script::of(2);
        script.holds(N1, &[deleted(0, 1, N1)]);
        script.holds(N2, &[wrote(0, 2, N2, 'a')]);
        script.assert_holds();
        script.holds(N1, &[deleted(0, 2, N2)]);
        script.assert_breaks("GI4");
    }
}
