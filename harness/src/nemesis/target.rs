//! Which nodes a fault is for. After the node specifications of `jepsen.nemesis.combined`.

use std::collections::BTreeSet;

use tribunal_histories::NodeId;

use super::Round;

/// One random node.
pub(super) fn one(round: &mut Round<'_>) -> BTreeSet<NodeId> {
    some(round, 1)
}

/// So many random nodes that a majority is left; none where that takes all.
pub(super) fn minority(round: &mut Round<'_>) -> BTreeSet<NodeId> {
    let most = round.context.nodes.saturating_sub(1) / 2;
    let count = most.min(1 + round.draw.index(most));
    some(round, count)
}

/// So many random nodes that no majority is left.
pub(super) fn majority(round: &mut Round<'_>) -> BTreeSet<NodeId> {
    let least = round.context.nodes / 2 + 1;
    let count = least + round.draw.index(round.context.nodes - least);
    some(round, count)
}

/// All nodes.
pub(super) fn all(round: &mut Round<'_>) -> BTreeSet<NodeId> {
    NodeId::all(round.context.nodes).collect()
}

/// Those that lead, or one random node if none does.
pub(super) fn primaries(round: &mut Round<'_>) -> BTreeSet<NodeId> {
    let leaders: BTreeSet<NodeId> = round.context.leaders.iter().copied().collect();
    if leaders.is_empty() {
        one(round)
    } else {
        leaders
    }
}

/// Some nodes, how many is drawn.
pub(super) fn any(round: &mut Round<'_>) -> BTreeSet<NodeId> {
    round
        .draw
        .subset(NodeId::all(round.context.nodes))
        .into_iter()
        .collect()
}

fn some(round: &mut Round<'_>, count: usize) -> BTreeSet<NodeId> {
    round.shuffled().into_iter().take(count).collect()
}
