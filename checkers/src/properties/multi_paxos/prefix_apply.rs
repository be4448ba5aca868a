//! MP2: what nodes apply are prefixes of one sequence.

use tribunal_histories::{Digest, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Everybody applies the same values in the same order and leaves none out, before and after a crash.
///
/// Equal prefix digests are equal sequences of values; the ballots under which nodes learned them may differ.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "MP2",
    name: "prefix-apply",
    statement: "what any two nodes have applied, ever, is a prefix of the other, without a gap",
    source: "Lamport, Paxos Made Simple (2001) §3: servers execute commands in the order of their numbers",
    gated_by: &["MP5", "MP6"],
    watch: || Box::new(PrefixApply::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct PrefixApply {
    /// By place from 1 on: the digest of all that was applied up to it, and who was the first to.
    applied: Vec<(Digest, NodeId)>,
}

impl Property for PrefixApply {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let before = if moment.restarted() {
            0
        } else {
            moment.before.applied_index.min(moment.kept)
        };
        if view.applied_index == before {
            return Ok(false);
        }
        if view.applied_index > view.log.last_index() {
            return Err(INFO.broken(format!(
                "Because {node} applied up to {}, of which it knows only {} values: nothing may be left out.",
                view.applied_index,
                view.log.last_index(),
            )));
        }
        for index in before + 1..=view.applied_index {
            let Some(record) = view.log.at(index) else {
                continue;
            };
            let place = usize::try_from(index - 1).unwrap_or(usize::MAX);
            match self.applied.get(place) {
                None => self.applied.push((record.prefix, node)),
                Some((prefix, _)) if *prefix == record.prefix => {}
                Some((_, first)) => {
                    return Err(INFO.broken(format!(
                        "Because {node} applied a value as number {index} of its sequence where {first} applied \
                         another: all nodes must apply the same values in the same order."
                    )));
                }
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::multi_paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn a_node_may_lag_and_start_again() {
        let mut cluster = Cluster::of(3);
        cluster.applies(N1, 1, "abc");
        cluster.applies(N2, 4, "a");
        cluster.restarts(N2);
        cluster.applies(N2, 7, "ab");
        cluster.applies(N3, 7, "abcd");
        cluster.assert_holds();
        assert_eq!(cluster.exercised("MP2"), 4);
    }

    #[test]
    fn a_hole_may_not_be_left_out() {
        let mut cluster = Cluster::of(3);
        cluster.applies(N1, 1, "abc");
        cluster.applies(N2, 1, "ac");
        cluster.assert_says(
            "MP2",
            "Because n2 applied a value as number 2 of its sequence where n1 applied another: all nodes must apply \
             the same values in the same order.",
        );
    }

    #[test]
    fn what_was_applied_before_a_crash_counts() {
        let mut cluster = Cluster::of(3);
        cluster.applies(N1, 1, "ab");
        cluster.restarts(N1);
        cluster.applies(N1, 1, "ax");
        cluster.assert_breaks("MP2");
    }
}
