//! The name of a node.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A node of a cluster, counted from 0 in code and from 1 in every text: `NodeId(0)` is `n1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl NodeId {
    /// The nodes of a cluster of `count` nodes, in order.
    pub fn all(count: usize) -> impl DoubleEndedIterator<Item = Self> + Clone {
        (0..count).map(Self::from_index)
    }

    /// The node at a position of a per-node table.
    ///
    /// # Panics
    /// Beyond 65,536 nodes, which no cluster of ours has.
    pub fn from_index(index: usize) -> Self {
        Self(u16::try_from(index).expect("a cluster has at most 65,536 nodes"))
    }

    /// The node's position in a per-node table.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A name, and no number: see [`symmetry`](crate::symmetry).
impl Hash for NodeId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_i16(self.0.cast_signed());
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", u32::from(self.0) + 1)
    }
}

/// The text was not `n1`, `n2`, … `n65536`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a node: nodes are n1, n2, …")]
pub struct NotANode(pub String);

impl FromStr for NodeId {
    type Err = NotANode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix('n')
            .and_then(|digits| digits.parse::<u32>().ok())
            .and_then(|number| u16::try_from(number.checked_sub(1)?).ok())
            .map(Self)
            .ok_or_else(|| NotANode(text.to_owned()))
    }
}
