//! Configurations of a group that changes its members: whose votes count.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::node::NodeId;
use crate::node_set::NodeSet;

/// A configuration: a set of nodes whose majority decides; or, while it is *joint*, two sets, both of whose majorities
/// must agree (Ongaro's dissertation, §4.3, `C_old,new`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Voters {
    /// The voters; of a joint configuration, those to come.
    pub incoming: NodeSet,
    /// Of a joint configuration, those to go or to stay; empty otherwise.
    pub outgoing: NodeSet,
}

impl Voters {
    /// The configuration of these nodes.
    pub const fn of(nodes: NodeSet) -> Self {
        Self {
            incoming: nodes,
            outgoing: NodeSet::EMPTY,
        }
    }

    /// The joint configuration between two sets of voters.
    pub const fn joint(outgoing: NodeSet, incoming: NodeSet) -> Self {
        Self { incoming, outgoing }
    }

    /// Whether two majorities are needed.
    pub fn is_joint(self) -> bool {
        !self.outgoing.is_empty()
    }

    /// All nodes whose votes count.
    pub fn all(self) -> NodeSet {
        self.incoming.or(self.outgoing)
    }

    /// Whether a node's vote counts.
    pub fn contains(self, node: NodeId) -> bool {
        self.all().contains(node)
    }

    /// Whether these nodes may decide: a majority of each of its sets is among them.
    pub fn has_quorum(self, among: NodeSet) -> bool {
        self.incoming.has_majority_in(among)
            && (!self.is_joint() || self.outgoing.has_majority_in(among))
    }

    /// Whether every quorum of this configuration meets every quorum of the other, because some majority that the one
    /// needs meets some majority that the other needs.
    pub fn meets(self, other: Self) -> bool {
        let sets = |voters: Self| {
            [voters.incoming, voters.outgoing]
                .into_iter()
                .filter(|set| !set.is_empty())
        };
        sets(self).any(|one| sets(other).any(|another| majorities_meet(one, another)))
    }
}

/// Whether every majority of the one set has a node in common with every majority of the other.
fn majorities_meet(one: NodeSet, other: NodeSet) -> bool {
    // Disjoint majorities take as many nodes as they can from outside of what the sets share.
    let shared = one.and(other).len();
    let from_shared = |set: NodeSet| (set.len() / 2 + 1).saturating_sub(set.len() - shared);
    from_shared(one) + from_shared(other) > shared
}

impl fmt::Display for Voters {
    /// `{n1 n2}`, or `{n1 n2}+{n2 n3}`: out of the one and into the other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_joint() {
            write!(f, "{}+", self.outgoing)?;
        }
        self.incoming.fmt(f)
    }
}

/// A configuration in a log.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct VotersRecord {
    /// The index of its entry.
    pub index: u64,
    /// The configuration.
    pub voters: Voters,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nodes: &[u16]) -> NodeSet {
        nodes.iter().map(|node| NodeId(*node)).collect()
    }

    #[test]
    fn a_joint_configuration_wants_both_majorities() {
        let joint = Voters::joint(set(&[0, 1, 2]), set(&[2, 3, 4]));
        assert!(joint.has_quorum(set(&[1, 2, 3])));
        assert!(!joint.has_quorum(set(&[0, 1, 3])));
        assert!(!joint.has_quorum(set(&[2, 3, 4])));
        assert_eq!(joint.to_string(), "{n1 n2 n3}+{n3 n4 n5}");
        assert!(joint.meets(Voters::of(set(&[0, 1, 2]))));
        assert!(joint.meets(Voters::of(set(&[2, 3, 4]))));
    }

    /// Compared with all pairs of sets, for all configurations of up to four nodes.
    #[test]
    fn meeting_is_what_trying_all_sets_says() {
        for one in (1..16).map(NodeSet::from_bits) {
            for other in (1..16).map(NodeSet::from_bits) {
                let all = set(&[0, 1, 2, 3]);
                let disjoint = (0..16).map(NodeSet::from_bits).any(|quorum| {
                    one.has_majority_in(quorum) && other.has_majority_in(all.without(quorum))
                });
                let meet = Voters::of(one).meets(Voters::of(other));
                assert_eq!(meet, !disjoint, "{one} and {other}");
            }
        }
    }
}
