//! Topologies: which nodes a `broadcast` node is told are its neighbours. After Maelstrom's `--topology`.

use std::fmt;

use tribunal_histories::NodeId;

/// A shape of the network that the workload suggests.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// A square as near as can be, each node with up to four neighbours
    Grid,
    /// Each node with the one before and the one after it
    Line,
    /// Every node with every other
    Total,
    /// A tree, two children a node
    Tree,
    /// The same
    Tree2,
    /// A tree, three children a node
    Tree3,
    /// A tree, four children a node
    Tree4,
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grid => "grid",
            Self::Line => "line",
            Self::Total => "total",
            Self::Tree => "tree",
            Self::Tree2 => "tree2",
            Self::Tree3 => "tree3",
            Self::Tree4 => "tree4",
        })
    }
}

impl Topology {
    /// The neighbours of each of so many nodes.
    pub(super) fn neighbours(self, nodes: usize) -> Vec<Vec<NodeId>> {
        let are_neighbours = |a: usize, b: usize| match self {
            Self::Line => b - a == 1,
            Self::Total => true,
            Self::Grid => {
                let width = (1..).find(|width| width * width >= nodes).unwrap_or(1);
                b - a == width || b - a == 1 && !b.is_multiple_of(width)
            }
            Self::Tree | Self::Tree2 => (b - 1) / 2 == a,
            Self::Tree3 => (b - 1) / 3 == a,
            Self::Tree4 => (b - 1) / 4 == a,
        };
        let neighbour = |node: usize, other: usize| {
            node != other && are_neighbours(node.min(other), node.max(other))
        };
        let of = |node| {
            let others = (0..nodes).filter(move |other| neighbour(node, *other));
            others.map(NodeId::from_index).collect()
        };
        (0..nodes).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(topology: Topology, nodes: usize) -> String {
        let names = |others: &Vec<NodeId>| {
            let names: Vec<_> = others.iter().map(NodeId::to_string).collect();
            names.join("+")
        };
        let all = topology.neighbours(nodes);
        all.iter().map(names).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn neighbours_of_each_shape() {
        assert_eq!(drawn(Topology::Line, 3), "n2 n1+n3 n2");
        assert_eq!(drawn(Topology::Total, 3), "n2+n3 n1+n3 n1+n2");
        assert_eq!(drawn(Topology::Grid, 5), "n2+n4 n1+n3+n5 n2 n1+n5 n2+n4");
        assert_eq!(drawn(Topology::Tree, 5), "n2+n3 n1+n4+n5 n1 n2 n2");
        assert_eq!(drawn(Topology::Tree4, 6), "n2+n3+n4+n5 n1+n6 n1 n1 n1 n2");
        assert_eq!(drawn(Topology::Grid, 1), "");
    }
}
