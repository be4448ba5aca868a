//! RI4: index and term name an entry and all before it.

use rustc_hash::FxHashMap;
use tribunal_histories::{Bag, Cause, Digest, LogRecord, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Log matching, over all logs that ever were: an entry that was overwritten since still counts. Only what a crash
/// took from the one node that had it never was: it did not reach a disk, so it was not sent either.
///
/// A prefix digest stands for an entry and all before it, so that one lookup for every appended entry suffices.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI4",
    name: "log-matching",
    statement: "logs that ever had an entry of the same index and term are the same up to it",
    source: "Raft §5.3 and figure 3; dissertation lemma 4 (allLogs); etcdraft.tla LogMatchingInv, made historical",
    gated_by: &["RF14", "RF15", "SN1"],
    watch: || Box::new(LogMatching::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct LogMatching {
    /// By index and term.
    ever: Bag<FxHashMap<(u64, u64), Seen>>,
}

/// An entry that some log had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Seen {
    prefix: Digest,
    first: NodeId,
    /// Whether a second node had it too.
    shared: bool,
}

impl LogMatching {
    /// Whether the entry was known already.
    fn check(&mut self, node: NodeId, index: u64, record: LogRecord) -> Result<bool, Violation> {
        let LogRecord { term, prefix } = record;
        let Some(seen) = self.ever.get_mut(&(index, term)) else {
            let first = node;
            let shared = false;
            self.ever.insert(
                (index, term),
                Seen {
                    prefix,
                    first,
                    shared,
                },
            );
            return Ok(false);
        };
        if seen.prefix != prefix {
            return Err(INFO.broken(format!(
                "Because the log of {node} up to its entry {index} of term {term} (prefix {prefix}) differs from the \
                 log that {} had up to its entry {index} of term {term} (prefix {}): \
                 an index and a term must name one entry and all before it.",
                seen.first, seen.prefix,
            )));
        }
        seen.shared |= seen.first != node;
        Ok(true)
    }

    /// A crash took an entry from a node.
    fn forget(&mut self, node: NodeId, index: u64, term: u64) {
        let only = |seen: &Seen| seen.first == node && !seen.shared;
        if self.ever.get(&(index, term)).is_some_and(only) {
            self.ever.remove(&(index, term));
        }
    }
}

impl Property for LogMatching {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, log) = (moment.now.node, &moment.now.view.log);
        if moment.now.cause == Cause::Crash {
            for (index, lost) in moment.removed() {
                self.forget(node, index, lost.term);
            }
        }
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
    fn an_entry_that_its_only_holder_lost_in_a_crash_never_was() {
        let mut script = Script::raft(3);
        for payload in ["a", "b"] {
            script.step(N1, |node| {
                node.follow(1);
                node.append(payload);
            });
            script.restart(N1);
        }
        script.assert_holds();
    }

    #[test]
    fn an_entry_that_another_node_has_outlives_a_crash() {
        let mut script = Script::raft(3);
        for node in [N1, N2] {
            script.step(node, |node| {
                node.follow(1);
                node.append("a");
            });
        }
        script.restart(N1);
        script.step(N1, |node| {
            node.follow(1);
            node.append("b");
        });
        script.assert_breaks("RI4");
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
