//! Partitions: links are cut, and later healed.

use tribunal_histories::NodeId;

use super::fault::{Capability, Fault};
use super::{Family, Grudge, Plan, Round, Variant, target};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "partition",
    needs: &[Capability::Partition],
    about: "Cuts links and heals them. A leader that is cut off must not answer, a majority must go on, and what the \
            minority did must not survive.",
    variants: &[
        Variant::new("one", "one node alone, against all others", one),
        Variant::new(
            "halves",
            "two halves; with an even number of nodes neither has a majority",
            halves,
        ),
        Variant::new(
            "majority",
            "a random minority cut off from the majority",
            majority,
        ),
        Variant::new(
            "majorities-ring",
            "every node sees a majority, and no two the same",
            |round| cut(round, |nodes, _| Grudge::majorities_ring(&nodes)),
        ),
        Variant::new(
            "bridge",
            "two halves that one node alone can see, and they it",
            |round| cut(round, |nodes, _| Grudge::bridge(&nodes)),
        ),
        Variant::new(
            "primaries",
            "whoever leads is alone; if nobody does, one node is",
            primaries,
        ),
        Variant::new(
            "one-way",
            "some nodes are deaf to the others, which hear them",
            one_way,
        ),
    ],
};

fn cut(round: &mut Round<'_>, shape: impl FnOnce(Vec<NodeId>, &mut Round<'_>) -> Grudge) -> Plan {
    let nodes = round.shuffled();
    let grudge = shape(nodes, round);
    round.lasting(Fault::Partition(grudge), Fault::Heal)
}

/// The first `count` nodes against the rest.
fn split(mut nodes: Vec<NodeId>, count: usize) -> Grudge {
    let rest = nodes.split_off(count.min(nodes.len()));
    Grudge::complete(&[nodes, rest])
}

fn one(round: &mut Round<'_>) -> Plan {
    cut(round, |nodes, _| split(nodes, 1))
}

fn halves(round: &mut Round<'_>) -> Plan {
    cut(round, |nodes, _| {
        let half = nodes.len() / 2;
        split(nodes, half)
    })
}

fn majority(round: &mut Round<'_>) -> Plan {
    let minority = target::minority(round).len();
    cut(round, |nodes, _| split(nodes, minority))
}

fn primaries(round: &mut Round<'_>) -> Plan {
    let primaries = target::primaries(round);
    cut(round, |mut nodes, _| {
        nodes.retain(|node| !primaries.contains(node));
        let alone = primaries.iter().map(|primary| vec![*primary]);
        let groups: Vec<_> = alone.chain([nodes]).collect();
        Grudge::complete(&groups)
    })
}

fn one_way(round: &mut Round<'_>) -> Plan {
    cut(round, |nodes, round| {
        let (deaf, others) = nodes.split_at(
            nodes
                .len()
                .min(1 + round.draw.index(nodes.len().saturating_sub(1))),
        );
        Grudge::one_way(deaf, others)
    })
}
