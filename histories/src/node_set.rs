//! Sets of nodes, as bits: what votes and configurations are counted by.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::node::NodeId;

/// The most nodes of a set.
pub const NODES_MAX: usize = 64;

/// A set of nodes, of which a cluster that votes has at most [`NODES_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeSet(u64);

impl NodeSet {
    /// No node.
    pub const EMPTY: Self = Self(0);

    /// The nodes of a cluster of this size.
    ///
    /// # Panics
    /// Beyond [`NODES_MAX`] nodes.
    pub fn all(nodes: usize) -> Self {
        NodeId::all(nodes).collect()
    }

    /// The nodes whose places are the bits of a number.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The nodes' places as the bits of a number.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// This node alone.
    pub fn of(node: NodeId) -> Self {
        [node].into_iter().collect()
    }

    /// Adds a node; whether it is new.
    ///
    /// # Panics
    /// If the node's place is not below [`NODES_MAX`].
    pub fn insert(&mut self, node: NodeId) -> bool {
        assert!(
            node.index() < NODES_MAX,
            "a set has at most {NODES_MAX} nodes"
        );
        let before = self.0;
        self.0 |= 1 << node.index();
        self.0 != before
    }

    /// Takes a node out.
    pub fn remove(&mut self, node: NodeId) {
        if node.index() < NODES_MAX {
            self.0 &= !(1 << node.index());
        }
    }

    /// Whether a node is in it.
    pub fn contains(self, node: NodeId) -> bool {
        node.index() < NODES_MAX && self.0 >> node.index() & 1 == 1
    }

    /// How many nodes are in it.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether no node is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its nodes, in order.
    pub fn iter(self) -> impl Iterator<Item = NodeId> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let lowest = rest.trailing_zeros();
            rest &= rest.checked_sub(1)?;
            Some(NodeId::from_index(lowest as usize))
        })
    }

    /// The nodes that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The nodes that are in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The nodes that are in this set and not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a majority of these nodes are in `among`.
    pub fn has_majority_in(self, among: Self) -> bool {
        self.and(among).len() > self.len() / 2
    }
}

/// Names, and no number: see [`symmetry`](crate::symmetry).
impl Hash for NodeSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_i128(i128::from(self.0));
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        let mut set = Self::EMPTY;
        for node in nodes {
            set.insert(node);
        }
        set
    }
}

impl fmt::Display for NodeSet {
    /// `{n1 n2}`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, node) in self.iter().enumerate() {
            write!(f, "{}{node}", if place > 0 { " " } else { "" })?;
        }
        f.write_str("}")
    }
}
