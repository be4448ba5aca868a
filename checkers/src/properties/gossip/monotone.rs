//! GI2: what a node holds only ever gets newer.

use tribunal_histories::Cause;

use super::tables::{Named, Tables, cell, stamp};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Monotonicity.
///
/// While a node runs, no record gives way to one with a lower stamp: its table climbs in the semilattice of tables. A
/// crash may take it back to what its disk has; what becomes of a cell that was emptied is GI5's.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GI2",
    name: "monotone",
    statement: "while a node runs, the stamp of a cell never decreases",
    source: "Shapiro et al. (SSS 2011) definition 4: the state only ever grows in the order of the semilattice",
    gated_by: &["GD2"],
    watch: || Box::new(Monotone::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Monotone {
    tables: Tables,
}

impl Property for Monotone {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let changes = self.tables.changes(moment);
        if matches!(moment.now.cause, Cause::Boot | Cause::Crash) {
            return Ok(false);
        }
        let mut tested = false;
        for change in changes {
            let (Some(before), Some(after)) = (change.before, change.after) else {
                continue;
            };
            tested = true;
            if stamp(&after) < stamp(&before) {
                let (node, named) = (moment.now.node, Named(cell(&after)));
                let text = |(time, author)| format!("{time}@{author}");
                return Err(INFO.broken(format!(
                    "Because {node} put a record of {named} with the stamp {} in place of one with {}: a record must \
                     give way only to a newer one.",
                    text(stamp(&after)),
                    text(stamp(&before)),
                )));
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::gossip::script::{N1, N2, Script, wrote};

    #[test]
    fn the_author_breaks_ties_and_a_crash_may_take_back() {
        let mut script = Script::of(2);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N2, &[wrote(0, 1, N2, 'b')]);
        script.holds(N1, &[wrote(0, 1, N2, 'b')]);
        script.crashes(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N1, &[wrote(0, 1, N2, 'b')]);
        script.assert_holds();
        assert_eq!(script.exercised("GI2"), 2);
    }

    #[test]
    fn an_older_record_may_not_come_back() {
        let mut script = Script::of(2);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N2, &[wrote(0, 1, N2, 'b')]);
        script.holds(N2, &[wrote(0, 1, N1, 'a')]);
        script.assert_says(
            "GI2",
            "Because n2 put a record of x with the stamp 1@n1 in place of one with 1@n2: a record must give way only \
             to a newer one.",
        );
    }
}
