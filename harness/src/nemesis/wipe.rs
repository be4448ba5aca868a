//! Wipes: a disk is lost whole, and its node comes back with another.

use super::fault::{Capability, DiskLoss};
use super::kill::crash;
use super::{Family, Plan, Round, Variant, target};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "wipe",
    needs: &[Capability::Kill, Capability::Wipe],
    about: "Kills nodes and replaces their disks by empty ones: what a node promised and voted for is forgotten, and it \
            must not act as if it had promised nothing. At most a minority is without its memory at a time. Only for \
            protocols that claim to survive this. After Paxos Made Live (Chandra and others, PODC 2007), §5.1.",
    variants: &[
        Variant::new("one", "one node", |round| wiped(round, target::one)),
        Variant::new("minority", "so many that a majority is left", |round| {
            wiped(round, target::minority)
        }),
        Variant::new("primaries", "whoever leads", |round| {
            wiped(round, target::primaries)
        }),
    ],
};

fn wiped(
    round: &mut Round<'_>,
    target: fn(&mut Round<'_>) -> std::collections::BTreeSet<tribunal_histories::NodeId>,
) -> Plan {
    let nodes = target(round);
    crash(round, nodes, DiskLoss::Disk)
}
