//! PB-I4: a backup has a prefix of its primary's operations.

use std::collections::BTreeMap;

use tribunal_histories::{Cause, Digest, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// No gap, no repetition, no other order.
///
/// The operations of a view are numbered by its one primary. So two logs that have an operation of the same view at the
/// same index have the same operations up to there; a prefix digest tells.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PB-I4",
    name: "same-operations",
    statement: "logs that ever had an operation of the same view at the same index are the same up to it",
    source: "Alsberg and Day 1976, §3: the order of the primary; Raft's log matching",
    gated_by: &["PB7"],
    watch: || Box::new(SameOperations::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct SameOperations {
    /// By index and view, the operations up to there and who had them first.
    ever: BTreeMap<(u64, u64), (Digest, NodeId)>,
}

impl Property for SameOperations {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        if moment.now.cause == Cause::Crash {
            // What a crash took before it reached a disk was never sent, and its place is used again.
            for (index, record) in moment.removed() {
                let key = (index, record.term);
                if self.ever.get(&key).is_some_and(|(_, first)| *first == node) {
                    self.ever.remove(&key);
                }
            }
        }
        if !moment.log_changed() {
            return Ok(false);
        }
        for (index, record) in moment.appended() {
            let entry = self.ever.entry((index, record.term));
            let (prefix, first) = *entry.or_insert((record.prefix, node));
            if prefix != record.prefix {
                return Err(INFO.broken(format!(
                    "Because {node} has other operations up to the one of view {} at index {index} than {first} had: a \
                     backup must take each operation of its primary once, in order.",
                    record.term,
                )));
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::primary_backup::acted::{begin_view, replicas, replicate};
    use crate::properties::script::{N1, N2, N3};

    #[test]
    fn an_operation_is_taken_twice() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2, N3]);
        replicate(&mut script, N1, "ab", &[N2]);
        script.assert_holds();
        script.step(N3, |backup| {
            backup.follow(1);
            backup.append("aa");
        });
        script.assert_says(
            "PB-I4",
            "Because n3 has other operations up to the one of view 1 at index 2 than n1 had: a backup must take each \
             operation of its primary once, in order.",
        );
    }

    #[test]
    fn what_never_reached_a_disk_was_never_there() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2, N3]);
        script.sync(N1);
        script.step(N1, |primary| primary.append("a"));
        script.restart(N1);
        script.step(N1, |primary| primary.append("b"));
        script.assert_holds();
    }
}
