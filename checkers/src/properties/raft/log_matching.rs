//! RI4: index and term name an entry and all before it.

use rustc_hash::FxHashMap;
use tribunal_histories::{Digest, LogRecord, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Log matching, over all logs that ever were: an entry that was overwritten since still counts.
///
/// A prefix digest stands for an entry and all before it, so that one lookup for every appended entry suffices.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI4",
    name: "log-matching",
    statement: "logs that ever had an entry of the same index and term are the same up to it",
    source: "Raft §5.3 and figure 3; dissertation lemma 4 (allLogs); etcdraft.tla LogMatchingInv, made historical",
    gated_by: &["RF14", "RF15"],
    watch: || Box::new(LogMatching::default()),
};

#[derive(Clone, Debug, Default)]
struct LogMatching {
    /// By index and term: the prefix that ends there, and who was first seen with it.
    ever: FxHashMap<(u64, u64), (Digest, NodeId)>,
}

impl LogMatching {
    /// Whether the entry was known already.
    fn check(&mut self, node: NodeId, index: u64, record: LogRecord) -> Result<bool, Violation> {
        let LogRecord { term, prefix } = record;
        let Some((first, holder)) = self.ever.insert((index, term), (prefix, node)) else {
            return Ok(false);
        };
        if first != prefix {
            return Err(INFO.broken(format!(
                "Because the log of {node} up to its entry {index} of term {term} (prefix {prefix}) differs from the \
                 log that {holder} had up to its entry {index} of term {term} (prefix {first}): \
                 an index and a term must name one entry and all before it."
            )));
        }
        Ok(true)
    }
}

impl Property for LogMatching {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, log) = (moment.now.node, &moment.now.view.log);
        let mut tested = false;
        if log.start != moment.before.log().start && log.start > 0 {
            tested |= self.check(node, log.start, log.base)?;
        }
        for (index, record) in moment.appended() {
            tested |= self.check(node, index, record)?;
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    #[test]
    fn logs_may_differ_in_terms_and_in_what_is_compacted() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N2, |follower| follower.log.append(1, "c"));
        script.step(N3, |follower| {
            follower.follow(2);
            follower.log.append(2, "d");
            follower.commit_index = 2;
            follower.log.compact(2);
        });
        script.assert_holds();
        assert!(script.exercised("RI4") > 0);
    }

    #[test]
    fn an_entry_that_is_gone_still_counts() {
        let mut script = Script::raft(3);
        script.step(N1, |node| {
            node.follow(1);
            node.append("a");
        });
        script.step(N1, |node| node.log.truncate(0));
        script.step(N2, |node| {
            node.follow(1);
            node.append("b");
        });
        let violation = script.assert_breaks("RI4");
        let start = "Because the log of n2 up to its entry 1 of term 1";
        assert!(violation.sentence.starts_with(start), "{violation}");
    }

    #[test]
    fn a_snapshot_is_compared_by_its_base() {
        let mut script = Script::with_committed(3, "abc");
        script.step(N3, |node| {
            node.log = Default::default();
            node.log.append(1, "abx");
            node.log.compact(3);
        });
        let first = script.monitor.violation().unwrap();
        assert_eq!(first.property, "RI4", "{first}");
    }
}
