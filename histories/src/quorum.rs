//! Quorums: which sets of nodes may decide, and whether any two of them meet.
//!
//! Every consensus protocol counts by these, and the properties that judge one count by what it says it goes by. What
//! makes a quorum system safe is intersection alone (Lamport's Paxos; Gifford, *Weighted Voting*, SOSP 1979;
//! ZooKeeper's `QuorumHierarchical`; Howard, Malkhi and Spiegelman, *Flexible Paxos*, OPODIS 2016: only quorums of
//! different phases need to meet): [`Quorum::meets`] decides it.

use serde::{Deserialize, Serialize};

use crate::node::NodeId;
use crate::node_set::NodeSet;

/// Which sets of a cluster's nodes may decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quorum {
    /// More than half of the nodes.
    #[default]
    Majority,
    /// At least so many nodes, whichever: for flexible quorums, where another phase needs the more of them.
    AtLeast(usize),
    /// More than half of the weight; by node. A node without weight never counts.
    Weighted(Vec<u32>),
    /// More than half of the weight in more than half of the groups (ZooKeeper's hierarchical quorums). Groups without
    /// weight do not count.
    Hierarchical {
        /// By node, its group.
        groups: Vec<u16>,
        /// By node, its weight.
        weights: Vec<u32>,
    },
}

impl Quorum {
    /// Whether these nodes, of a cluster of this size, may decide.
    pub fn is_reached(&self, set: NodeSet, nodes: usize) -> bool {
        match self {
            Self::Majority => NodeSet::all(nodes).has_majority_in(set),
            Self::AtLeast(count) => set.len() >= *count,
            Self::Weighted(weights) => {
                is_more_than_half(weights, |node| set.contains(NodeId::from_index(node)))
            }
            Self::Hierarchical { groups, weights } => {
                let mut names: Vec<_> = groups.clone();
                names.sort_unstable();
                names.dedup();
                let of = |group: u16| -> Vec<u32> {
                    let weight = |node| weights.get(node).copied().unwrap_or(0);
                    let members = groups.iter().enumerate();
                    members
                        .map(|(node, name)| if *name == group { weight(node) } else { 0 })
                        .collect()
                };
                let counting: Vec<_> = names
                    .into_iter()
                    .map(of)
                    .filter(|weights| weights.iter().any(|weight| *weight > 0))
                    .collect();
                let won = counting.iter().filter(|weights| {
                    is_more_than_half(weights, |node| set.contains(NodeId::from_index(node)))
                });
                won.count() * 2 > counting.len()
            }
        }
    }

    /// Whether every quorum of this system meets every quorum of the other, in a cluster of this size: decided by
    /// trying all sets, so for clusters of up to some twenty nodes.
    pub fn meets(&self, other: &Self, nodes: usize) -> bool {
        let all = NodeSet::all(nodes);
        // If two quorums are disjoint, so are the first and the complement of the first, which contains the second.
        (0..1_u64 << nodes)
            .map(NodeSet::from_bits)
            .filter(|set| self.is_reached(*set, nodes))
            .all(|set| !other.is_reached(all.without(set), nodes))
    }
}

fn is_more_than_half(weights: &[u32], is_in: impl Fn(usize) -> bool) -> bool {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let won = weights.iter().enumerate().filter(|(node, _)| is_in(*node));
    won.map(|(_, weight)| u64::from(*weight)).sum::<u64>() * 2 > total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(nodes: &[u16]) -> NodeSet {
        nodes.iter().map(|node| NodeId(*node)).collect()
    }

    #[test]
    fn majorities_meet_and_halves_do_not() {
        for nodes in 1..=8 {
            assert!(Quorum::Majority.meets(&Quorum::Majority, nodes), "{nodes}");
        }
        let half = Quorum::AtLeast(2);
        assert!(!half.meets(&half, 4));
        assert!(half.meets(&Quorum::AtLeast(3), 4));
        assert!(!Quorum::AtLeast(3).meets(&Quorum::AtLeast(2), 5));
    }

    #[test]
    fn a_heavy_node_decides_alone() {
        let quorum = Quorum::Weighted(vec![3, 1, 1]);
        assert!(quorum.is_reached(set(&[0]), 3));
        assert!(!quorum.is_reached(set(&[1, 2]), 3));
        assert!(quorum.meets(&quorum, 3));
    }

    #[test]
    fn a_hierarchy_wants_majorities_of_a_majority_of_groups() {
        let quorum = Quorum::Hierarchical {
            groups: vec![0, 0, 0, 1, 1, 1, 2, 2, 2],
            weights: vec![1; 9],
        };
        assert!(quorum.is_reached(set(&[0, 1, 3, 4]), 9));
        assert!(!quorum.is_reached(set(&[0, 1, 2, 3, 6]), 9));
        assert!(quorum.meets(&quorum, 9));
    }

    #[test]
    fn sets_print_and_count() {
        let mut nodes = set(&[2, 0]);
        assert_eq!((nodes.to_string().as_str(), nodes.len()), ("{n1 n3}", 2));
        assert!(!nodes.insert(NodeId(2)));
        nodes.remove(NodeId(0));
        assert_eq!(nodes, NodeSet::of(NodeId(2)));
        assert!(set(&[0, 1, 2]).has_majority_in(set(&[0, 2, 4])));
    }

    proptest! {
        /// The claim of note 003 about weights: whatever they are, quorums meet.
        #[test]
        fn weighted_and_hierarchical_quorums_meet(
            members in proptest::collection::vec((0..3_u16, 0..4_u32), 1..8),
        ) {
            let nodes = members.len();
            let (groups, weights): (Vec<_>, Vec<_>) = members.into_iter().unzip();
            let weighted = Quorum::Weighted(weights.clone());
            prop_assert!(weighted.meets(&weighted, nodes));
            let hierarchical = Quorum::Hierarchical { groups, weights };
            prop_assert!(hierarchical.meets(&hierarchical, nodes));
        }
    }
}
