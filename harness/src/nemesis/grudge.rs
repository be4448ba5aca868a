//! Who drops whose packets, and the shapes that such grudges take. After `jepsen.nemesis`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::fault::names;

/// For each node, the nodes whose packets it drops: so a link may be cut in one direction only.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grudge {
    drops: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

impl Grudge {
    /// The grudge that cuts every link between nodes of different groups. Jepsen's `complete-grudge`.
    pub fn complete(groups: &[Vec<NodeId>]) -> Self {
        let mut grudge = Self::default();
        for group in groups {
            for (at, from) in pairs(
                group,
                groups.iter().filter(|other| *other != group).flatten(),
            ) {
                grudge.cut(at, from);
            }
        }
        grudge
    }

    /// Half of the nodes on either side, and the node in the middle, which sees all and is seen by all. Jepsen's
    /// `bridge`; the bridge is the first of the second half.
    pub fn bridge(nodes: &[NodeId]) -> Self {
        let (left, right) = nodes.split_at(nodes.len() / 2);
        let beyond = right.get(1..).unwrap_or_default();
        Self::complete(&[left.to_vec(), beyond.to_vec()])
    }

    /// Every node sees a majority, and no two see the same one: each sees its neighbours on a ring, as many on
    /// either side as make a majority. Jepsen's `majorities-ring`.
    ///
    /// Jepsen's may cut a link in one direction, so that no two-way majority is left; this one never does. With
    /// three nodes, where neighbours are everybody, one link is cut.
    pub fn majorities_ring(nodes: &[NodeId]) -> Self {
        let count = nodes.len();
        let reach = (count / 2).div_ceil(2);
        let mut grudge = Self::default();
        for (place, at) in nodes.iter().enumerate() {
            for (other, from) in nodes.iter().enumerate() {
                let gap = place.abs_diff(other);
                let is_ends = count == 3 && gap == 2;
                if gap.min(count - gap) > reach || is_ends {
                    grudge.cut(*at, *from);
                }
            }
        }
        grudge
    }

    /// The nodes of the first set hear nothing from the others, which hear them. Also: the others are mute.
    pub fn one_way(deaf: &[NodeId], others: &[NodeId]) -> Self {
        let mut grudge = Self::default();
        for (at, from) in pairs(deaf, others) {
            grudge.cut(at, from);
        }
        grudge
    }

    /// Makes one node drop the packets of another.
    fn cut(&mut self, at: NodeId, from: NodeId) {
        self.drops.entry(at).or_default().insert(from);
    }

    /// Whether the node drops packets from the other.
    pub fn drops(&self, at: NodeId, from: NodeId) -> bool {
        self.drops
            .get(&at)
            .is_some_and(|dropped| dropped.contains(&from))
    }

    /// The links that are cut: who drops, and whose packets.
    pub fn links(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.drops
            .iter()
            .flat_map(|(at, dropped)| dropped.iter().map(|from| (*at, *from)))
    }

    /// Whether no link is cut.
    pub fn is_empty(&self) -> bool {
        self.drops.is_empty()
    }

    /// The groups of a complete grudge; `None` if it is none, or says too little to tell.
    fn groups(&self) -> Option<Vec<Vec<NodeId>>> {
        let mut groups: BTreeMap<&BTreeSet<NodeId>, Vec<NodeId>> = BTreeMap::new();
        for (node, dropped) in &self.drops {
            groups.entry(dropped).or_default().push(*node);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort();
        (*self == Self::complete(&groups)).then_some(groups)
    }
}

/// Each of the first with each of the second.
fn pairs<'a, A, B>(first: A, second: B) -> impl Iterator<Item = (NodeId, NodeId)>
where
    A: IntoIterator<Item = &'a NodeId>,
    B: IntoIterator<Item = &'a NodeId> + Clone,
{
    first
        .into_iter()
        .flat_map(move |one| second.clone().into_iter().map(|other| (*one, *other)))
}

/// Groups where there are: `n1 n2 | n3 n4 n5`; else who drops whose packets: `n1 drops n3, n2 drops n3 n4`. Nodes
/// that are not named lose nothing.
impl fmt::Display for Grudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, separator): (Vec<String>, _) = match self.groups() {
            Some(groups) => (groups.iter().map(names).collect(), " | "),
            None => {
                let drops = self.drops.iter();
                let drops = drops.map(|(node, dropped)| format!("{node} drops {}", names(dropped)));
                (drops.collect(), ", ")
            }
        };
        f.write_str(&parts.join(separator))
    }
}
