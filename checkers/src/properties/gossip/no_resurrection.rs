//! GI5: what was deleted at a node does not come back there.

use std::collections::BTreeMap;

use tribunal_histories::{Cause, Facet};

use super::tables::{Cell, Named, Stamp, Tables, cell, stamp};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// No resurrection.
///
/// Once a node has shown a tombstone, or has emptied a cell, it shows no value there that is not newer; the tombstone
/// itself may come back. A crash that takes a tombstone which had not reached the disk takes it for this property too.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GI5",
    name: "no-resurrection",
    statement: "a value that a delete has overtaken at a node never appears there again, tombstone or no tombstone",
    source: "Demers et al. (PODC 1987) §2: death certificates, and what happens when they are discarded too early",
    gated_by: &["GD7", "GD8"],
    watch: || Box::new(NoResurrection::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct NoResurrection {
    tables: Tables,
    /// By node and cell, the newest that was deleted.
    buried: Vec<BTreeMap<Cell, Stamp>>,
}

impl Property for NoResurrection {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let changes = self.tables.changes(moment);
        if self.buried.len() < moment.nodes() {
            self.buried.resize_with(moment.nodes(), BTreeMap::new);
        }
        let node = moment.now.node;
        let buried = &mut self.buried[node.index()];
        if let (Cause::Crash | Cause::Boot, Facet::Table(kept)) =
            (moment.now.cause, moment.now.view.facet)
        {
            let tombstones = kept.iter().filter(|entry| entry.value.is_none());
            *buried = tombstones
                .map(|entry| (cell(entry), stamp(entry)))
                .collect();
            return Ok(false);
        }
        let mut tested = false;
        for change in changes {
            let dead = match (change.before, change.after) {
                (_, Some(after)) if after.value.is_some() => {
                    let Some(newest) = buried.get(&cell(&after)) else {
                        continue;
                    };
                    tested = true;
                    if stamp(&after) <= *newest {
                        let (named, (time, author)) = (Named(cell(&after)), newest);
                        return Err(INFO.broken(format!(
                            "Because {node} holds a value of {named} with the stamp {}@{} again, after what it held \
                             there was deleted under {time}@{author}: the dead must stay dead.",
                            after.time, after.author
                        )));
                    }
                    continue;
                }
                (_, Some(tombstone)) => tombstone,
                (Some(before), None) => before,
                (None, None) => continue,
            };
            let newest = buried.entry(cell(&dead)).or_insert_with(|| stamp(&dead));
            *newest = stamp(&dead).max(*newest);
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::gossip::script::{N1, N2, Script, deleted, wrote};

    fn deleted_at_n1() -> Script {
        let mut script = Script::of(2);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N2, &[wrote(0, 1, N1, 'a')]);
        script.holds(N1, &[deleted(0, 2, N1)]);
        script
    }

    #[test]
    fn a_tombstone_may_go_and_come_and_a_newer_value_may_follow() {
        let mut script = deleted_at_n1();
        script.holds(N1, &[]);
        script.holds(N1, &[deleted(0, 2, N1)]);
        script.holds(N1, &[]);
        script.holds(N1, &[wrote(0, 3, N1, 'b')]);
        script.assert_holds();
        assert_eq!(script.exercised("GI5"), 1);
    }

    #[test]
    fn a_crash_may_take_a_tombstone_that_was_in_memory() {
        let mut script = deleted_at_n1();
        script.crashes(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N1, &[]);
        script.assert_holds();
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.assert_breaks("GI5");
    }

    #[test]
    fn the_dead_stay_dead_without_a_tombstone() {
        let mut script = deleted_at_n1();
        script.holds(N1, &[]);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.assert_says(
            "GI5",
            "Because n1 holds a value of x with the stamp 1@n1 again, after what it held there was deleted under \
             2@n1: the dead must stay dead.",
        );
    }
}
