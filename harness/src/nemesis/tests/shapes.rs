//! What the variants of partitions and kills plan, for every number of nodes from three to seven.

use std::collections::BTreeMap;

use super::*;
use crate::draw::Domain;

/// All plans of a variant for a cluster, as far as this many draws show them.
fn plans(family: &Family, variant: &str, context: &NemesisContext) -> Vec<Plan> {
    let variant = family
        .variants
        .iter()
        .find(|other| other.name == variant)
        .expect(variant);
    (0..300)
        .map(|number| {
            (variant.plan)(&mut Round {
                context,
                draw: Draw::keyed(1, Domain::Nemesis, 0, number),
                duration_us: 100_000,
            })
        })
        .collect()
}

/// For each number of nodes, every grudge of a shape: who sees whom, as sets that contain the node itself.
fn sights(shape: &str) -> Vec<(NemesisContext, Vec<BTreeSet<NodeId>>)> {
    let contexts = (3..=7).flat_map(|count| {
        let followers = NemesisContext {
            leaders: vec![],
            ..context(count)
        };
        let rivals = NemesisContext {
            leaders: vec![NodeId(0), NodeId(2)],
            ..context(count)
        };
        [context(count), followers, rivals]
    });
    let mut sights = Vec::new();
    for context in contexts {
        for plan in plans(&partition::FAMILY, shape, &context) {
            let [(0, Fault::Partition(grudge)), (100_000, Fault::Heal)] = &plan[..] else {
                panic!("not a partition that is healed: {plan:?}");
            };
            assert!(
                grudge
                    .links()
                    .all(|(at, from)| at != from && grudge.drops(at, from))
            );
            assert!(!grudge.is_empty());
            let all = || NodeId::all(context.nodes);
            let sight = |at| all().filter(|from| !grudge.drops(at, *from)).collect();
            sights.push((context.clone(), all().map(sight).collect()));
        }
    }
    sights
}

fn is_two_way(sight: &[BTreeSet<NodeId>]) -> bool {
    let sees = |at: NodeId, from: NodeId| sight[at.index()].contains(&from);
    let all = || NodeId::all(sight.len());
    all().all(|one| all().all(|other| sees(one, other) == sees(other, one)))
}

/// The sizes of the groups of a complete grudge, smallest first.
fn group_sizes(sight: &[BTreeSet<NodeId>]) -> Vec<usize> {
    assert!(is_two_way(sight));
    let groups: BTreeSet<_> = sight.iter().collect();
    let mut sizes: Vec<_> = groups.iter().map(|group| group.len()).collect();
    assert_eq!(
        sizes.iter().sum::<usize>(),
        sight.len(),
        "the groups are disjoint"
    );
    sizes.sort_unstable();
    sizes
}

#[test]
fn one_half_and_majority_are_two_groups() {
    for (context, sight) in sights("one") {
        assert_eq!(group_sizes(&sight), [1, context.nodes - 1]);
    }
    for (context, sight) in sights("halves") {
        assert_eq!(
            group_sizes(&sight),
            [context.nodes / 2, context.nodes.div_ceil(2)]
        );
    }
    let mut seen = BTreeMap::new();
    for (context, sight) in sights("majority") {
        let sizes = group_sizes(&sight);
        assert_eq!(sizes.len(), 2);
        assert!(sizes[1] > context.nodes / 2);
        seen.entry(context.nodes)
            .or_insert_with(BTreeSet::new)
            .insert(sizes[0]);
    }
    let counts: Vec<_> = seen.values().map(BTreeSet::len).collect();
    assert_eq!(counts, [1, 1, 2, 2, 3], "every minority from one node up");
}

#[test]
fn a_majorities_ring_shows_each_node_a_majority_of_its_own() {
    for (context, sight) in sights("majorities-ring") {
        assert!(is_two_way(&sight));
        assert!(sight.iter().all(|seen| seen.len() > context.nodes / 2));
        let distinct: BTreeSet<_> = sight.iter().collect();
        assert_eq!(distinct.len(), context.nodes, "no two see the same");
    }
}

#[test]
fn a_bridge_sees_both_halves_and_they_only_it() {
    for (context, sight) in sights("bridge") {
        assert!(is_two_way(&sight));
        let bridges: Vec<_> = NodeId::all(context.nodes)
            .filter(|node| sight[node.index()].len() == context.nodes)
            .collect();
        let [bridge] = bridges[..] else {
            panic!("one node sees all: {sight:?}");
        };
        let halves: BTreeSet<BTreeSet<NodeId>> = NodeId::all(context.nodes)
            .filter(|node| *node != bridge)
            .map(|node| {
                sight[node.index()]
                    .iter()
                    .copied()
                    .filter(|seen| *seen != bridge)
                    .collect()
            })
            .collect();
        let sizes: Vec<_> = halves.iter().map(BTreeSet::len).collect();
        assert_eq!(sizes.len(), 2);
        assert_eq!(sizes.iter().sum::<usize>(), context.nodes - 1);
        assert!(sizes[0].abs_diff(sizes[1]) <= 1);
    }
}

#[test]
fn primaries_are_each_alone() {
    for (context, sight) in sights("primaries") {
        let alone = context.leaders.len().max(1);
        let mut sizes = vec![1; alone];
        sizes.push(context.nodes - alone);
        assert_eq!(group_sizes(&sight), sizes);
        assert!(
            context
                .leaders
                .iter()
                .all(|leader| sight[leader.index()].len() == 1)
        );
    }
}

#[test]
fn one_way_cuts_are_never_two_way() {
    for (context, sight) in sights("one-way") {
        let hearing = sight
            .iter()
            .filter(|seen| seen.len() == context.nodes)
            .count();
        assert!((1..context.nodes).contains(&hearing));
        let sees = |at: NodeId, from: NodeId| sight[at.index()].contains(&from);
        let all = || NodeId::all(context.nodes);
        assert!(all().all(|one| all().all(|other| sees(one, other) || sees(other, one))));
    }
}

#[test]
fn kills_leave_what_their_names_say_and_everybody_comes_back() {
    for count in 3..=7 {
        let context = context(count);
        for variant in kill::FAMILY.variants {
            for plan in plans(&kill::FAMILY, variant.name, &context) {
                let [
                    (
                        0,
                        Fault::Kill {
                            nodes,
                            loss: DiskLoss::Nothing,
                        },
                    ),
                    restarts @ ..,
                ] = &plan[..]
                else {
                    panic!("a kill comes first: {plan:?}");
                };
                let left = count - nodes.len();
                assert!(match variant.name {
                    "one" => nodes.len() == 1,
                    "minority" => left > count / 2 && left < count,
                    "majority" => left <= count / 2,
                    "all" => left == 0,
                    "primaries" => *nodes == super::nodes(&[0]),
                    other => panic!("a variant without a test: {other}"),
                });
                let restarted: BTreeSet<NodeId> = restarts
                    .iter()
                    .flat_map(|(at_us, fault)| match fault {
                        Fault::Restart { nodes } if (1..=100_000).contains(at_us) => nodes.clone(),
                        other => panic!("not a restart in time: {other}"),
                    })
                    .collect();
                assert_eq!(restarted, *nodes);
            }
        }
    }
}
