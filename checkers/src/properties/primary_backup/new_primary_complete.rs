//! PB-I3: a new primary has all that was acknowledged.

use crate::properties::committed::describe_record;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Nothing that a client was told is lost with a change of view (VR-I1 of viewstamped replication).
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PB-I3",
    name: "new-primary-complete",
    statement: "the primary of a view has every operation that was acknowledged in an earlier view",
    source: "Oki and Liskov 1988, §4.2; Liskov and Cowling 2012, §8",
    gated_by: &["PB2"],
    watch: || Box::new(NewPrimaryComplete),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct NewPrimaryComplete;

impl Property for NewPrimaryComplete {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !moment.was_elected() {
            return Ok(false);
        }
        let (node, view, committed) = (moment.now.node, &moment.now.view, moment.committed);
        // The last such operation speaks for all before it, by its prefix digest.
        let Some((last, _)) = committed.last_before(view.term) else {
            return Ok(false);
        };
        if committed.agrees(&view.log, last) {
            return Ok(true);
        }
        let index = committed.first_missing(&view.log);
        let acknowledged = committed.at(index).map_or(0, |commit| commit.term);
        Err(INFO.broken(format!(
            "Because {node}, primary of view {}, has {} in place of what was acknowledged there in view \
             {acknowledged}: a new primary must have all that was acknowledged.",
            view.term,
            describe_record(&view.log, index),
        )))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::primary_backup::acted::{acknowledge, begin_view, replicas, replicate};
    use crate::properties::script::{N1, N2, N3};

    #[test]
    fn a_stale_backup_is_no_primary() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2]);
        replicate(&mut script, N1, "a", &[N2]);
        acknowledge(&mut script, N1, 1, "a");
        script.assert_holds();
        begin_view(&mut script, N3, 2, &[N1, N3]);
        script.assert_says(
            "PB-I3",
            "Because n3, primary of view 2, has nothing at index 1 in place of what was acknowledged there in view 1: \
             a new primary must have all that was acknowledged.",
        );
    }
}
