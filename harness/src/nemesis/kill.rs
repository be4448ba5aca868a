//! Kills: processes die and come back; what they had written, the operating system still has.

use std::collections::BTreeSet;

use tribunal_histories::NodeId;

use super::fault::{Capability, DiskLoss, Fault};
use super::{Family, Plan, Round, Variant, target};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "kill",
    needs: &[Capability::Kill],
    about: "Kills processes and restarts each at a moment of its own. What was written is kept (`disk` is for what was \
            not); a node must come back with all that it promised, and nothing that it only remembered.",
    variants: &[
        Variant::new("one", "one node", |round| killed(round, target::one)),
        Variant::new("minority", "so many that a majority is left", |round| {
            killed(round, target::minority)
        }),
        Variant::new("majority", "so many that none is", |round| {
            killed(round, target::majority)
        }),
        Variant::new("all", "all nodes", |round| killed(round, target::all)),
        Variant::new("primaries", "whoever leads", |round| {
            killed(round, target::primaries)
        }),
    ],
};

fn killed(round: &mut Round<'_>, target: fn(&mut Round<'_>) -> BTreeSet<NodeId>) -> Plan {
    let nodes = target(round);
    crash(round, nodes, DiskLoss::Nothing)
}

/// Kills nodes at once; each comes back within the duration of the fault, at a moment of its own.
pub(super) fn crash(round: &mut Round<'_>, nodes: BTreeSet<NodeId>, loss: DiskLoss) -> Plan {
    let mut restarts: Plan = nodes
        .iter()
        .map(|node| {
            let at_us = round.draw.between(1, round.duration_us);
            (
                at_us,
                Fault::Restart {
                    nodes: BTreeSet::from([*node]),
                },
            )
        })
        .collect();
    restarts.sort();
    restarts.insert(0, (0, Fault::Kill { nodes, loss }));
    restarts
}
