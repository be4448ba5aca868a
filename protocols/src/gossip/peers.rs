//! Whom a node may talk to, and how a driver's choice becomes one of them.

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::config::Config;

/// Who knows whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Everybody knows everybody.
    #[default]
    Complete,
    /// A node knows the two beside it, and the last and the first know each other.
    Ring,
    /// A node knows the two beside it; the first and the last know one.
    Line,
}

/// How many peers there are to choose from. `excluded` is in order and names no node twice.
pub(super) fn count(config: &Config, me: NodeId, excluded: &[NodeId]) -> u64 {
    let count = match neighbours(config, me, excluded) {
        None => config.nodes.saturating_sub(excluded.len()),
        Some(known) => known.len(),
    };
    count as u64
}

/// The peer of a choice, `None` if there is none to choose.
pub(super) fn pick(
    config: &Config,
    me: NodeId,
    excluded: &[NodeId],
    choice: u64,
) -> Option<NodeId> {
    let place = choice.checked_rem(count(config, me, excluded))?;
    let mut place = usize::try_from(place).ok()?;
    if let Some(known) = neighbours(config, me, excluded) {
        return known.get(place).copied();
    }
    for node in excluded {
        place += usize::from(node.index() <= place);
    }
    Some(NodeId::from_index(place))
}

/// The nodes that a node knows, in order; `None` for all.
fn neighbours(config: &Config, me: NodeId, excluded: &[NodeId]) -> Option<Vec<NodeId>> {
    let (nodes, me) = (config.nodes, me.index());
    let mut beside: Vec<_> = match config.topology {
        Topology::Complete => return None,
        Topology::Line => me.checked_sub(1).into_iter().chain([me + 1]).collect(),
        Topology::Ring => vec![(me + nodes - 1) % nodes, (me + 1) % nodes],
    };
    beside.retain(|node| *node < nodes && *node != me);
    beside.sort_unstable();
    beside.dedup();
    let known = beside.into_iter().map(NodeId::from_index);
    Some(known.filter(|node| !excluded.contains(node)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Configuration;

    fn all(config: &Config, me: u16, excluded: &[NodeId]) -> Vec<u16> {
        let me = NodeId(me);
        let choices = 0..count(config, me, excluded);
        let mut picked: Vec<_> = choices
            .map(|choice| pick(config, me, excluded, choice).unwrap().0)
            .collect();
        picked.sort_unstable();
        picked
    }

    #[test]
    fn every_peer_has_one_choice() {
        let config = Config::of(6);
        let excluded = [NodeId(0), NodeId(2), NodeId(5)];
        assert_eq!(all(&config, 2, &excluded), [1, 3, 4]);
        assert_eq!(all(&config, 2, &excluded[1..2]), [0, 1, 3, 4, 5]);
        assert_eq!(pick(&Config::of(1), NodeId(0), &[NodeId(0)], 0), None);
    }

    #[test]
    fn a_line_has_two_ends_and_a_ring_has_none() {
        let of = |topology, nodes| Config {
            topology,
            ..Config::of(nodes)
        };
        let line = of(Topology::Line, 4);
        assert_eq!(all(&line, 0, &[NodeId(0)]), [1]);
        assert_eq!(all(&line, 1, &[NodeId(1)]), [0, 2]);
        assert_eq!(all(&line, 1, &[NodeId(0), NodeId(1)]), [2]);
        assert_eq!(all(&line, 3, &[NodeId(3)]), [2]);
        let ring = of(Topology::Ring, 4);
        assert_eq!(all(&ring, 0, &[NodeId(0)]), [1, 3]);
        assert_eq!(all(&of(Topology::Ring, 2), 0, &[NodeId(0)]), [1]);
        assert_eq!(all(&of(Topology::Ring, 1), 0, &[NodeId(0)]), [0_u16; 0]);
    }
}
