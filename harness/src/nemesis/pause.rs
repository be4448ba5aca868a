//! Pauses: processes stand still, as in a long garbage collection or on a stalled virtual machine.

use std::collections::BTreeSet;

use tribunal_histories::NodeId;

use super::fault::{Capability, Fault};
use super::{Family, Plan, Round, Variant, target};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "pause",
    needs: &[Capability::Pause],
    about: "Stops processes and lets them go on, as SIGSTOP and SIGCONT do. A node that wakes up does not know that \
            time has passed: a leader that was deposed in its sleep must not answer from memory.",
    variants: &[
        Variant::new("one", "one node", |round| paused(round, target::one)),
        Variant::new("minority", "so many that a majority is left", |round| {
            paused(round, target::minority)
        }),
        Variant::new("majority", "so many that none is", |round| {
            paused(round, target::majority)
        }),
        Variant::new("all", "all nodes", |round| paused(round, target::all)),
        Variant::new("primaries", "whoever leads", |round| {
            paused(round, target::primaries)
        }),
    ],
};

fn paused(round: &mut Round<'_>, target: fn(&mut Round<'_>) -> BTreeSet<NodeId>) -> Plan {
    let nodes = target(round);
    let pause = Fault::Pause {
        nodes: nodes.clone(),
    };
    round.lasting(pause, Fault::Resume { nodes })
}
