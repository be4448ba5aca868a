//! GI1: what a node holds, someone wrote.

use std::collections::BTreeSet;

use tribunal_histories::{Cause, Digest, NodeId};

use super::tables::{Cell, Named, Tables, cell};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Validity.
///
/// A value that a node holds with another's name on it was held before by that other. What is on a disk from the start
/// counts as written.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GI1",
    name: "validity",
    statement: "every value that a node holds was written by the node whose name it bears",
    source: "Demers et al. (PODC 1987) §1.1: updates are injected at a single site and spread from there",
    gated_by: &["GD10"],
    watch: || Box::new(Validity::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Validity {
    tables: Tables,
    written: BTreeSet<(Cell, NodeId, Digest)>,
}

impl Property for Validity {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let given = matches!(moment.now.cause, Cause::Boot | Cause::Crash);
        let mut tested = false;
        for change in self.tables.changes(moment) {
            let Some(entry) = change.after else { continue };
            let Some(value) = entry.value else { continue };
            let written = (cell(&entry), entry.author, value);
            if given || entry.author == node {
                self.written.insert(written);
                continue;
            }
            tested = true;
            if !self.written.contains(&written) {
                let (named, time, author) = (Named(cell(&entry)), entry.time, entry.author);
                return Err(INFO.broken(format!(
                    "Because {node} holds a value of {named} with the stamp {time}@{author} that {author} never had: \
                     a node must hold only what someone wrote."
                )));
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::gossip::script::{N1, N2, N3, Script, deleted, share, wrote};

    #[test]
    fn what_is_passed_on_is_what_was_written() {
        let mut script = Script::of(3);
        script.holds(N1, &[wrote(0, 1, N1, 'a')]);
        script.holds(N2, &[wrote(0, 1, N1, 'a')]);
        script.holds(N3, &[wrote(0, 1, N1, 'a'), wrote(1, 4, N3, 'b')]);
        script.holds(N1, &[wrote(0, 1, N1, 'a'), wrote(1, 4, N3, 'b')]);
        script.holds(N1, &[deleted(0, 5, N1), wrote(1, 4, N3, 'b')]);
        script.assert_holds();
        assert_eq!(script.exercised("GI1"), 3);
    }

    #[test]
    fn nobody_makes_up_a_value() {
        let mut script = Script::of(2);
        script.holds(N1, &[share(0, 2, N1, 'a')]);
        script.holds(N2, &[share(0, 3, N1, 'b')]);
        script.assert_says(
            "GI1",
            "Because n2 holds a value of n1's share of counter x with the stamp 3@n1 that n1 never had: a node must \
             hold only what someone wrote.",
        );
    }
}
