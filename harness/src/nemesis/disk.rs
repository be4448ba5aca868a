//! Disks: the power fails, and what was not synced is lost, torn or half there; or syncs are slow.

use super::fault::{Capability, DiskLoss, Fault};
use super::kill::crash;
use super::{Family, Plan, Round, Variant, target};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "disk",
    needs: &[Capability::Disk, Capability::Kill],
    about: "Kills nodes as a power failure does: what they had written but not synced is lost, or some of it is. \
            Whoever answered before a sync has promised what it no longer knows. After LazyFS (Ramos and others, \
            VLDB 2024), which does this to real disks, and the crash states of ALICE (Pillai and others, OSDI 2014).",
    variants: &[
        Variant::new("lose", "all unsynced writes are lost", |round| {
            power_failure(round, DiskLoss::All)
        }),
        Variant::new("suffix", "the last unsynced writes are lost", |round| {
            power_failure(round, DiskLoss::Suffix)
        }),
        Variant::new(
            "torn",
            "as `suffix`, and of one write a part is there",
            |round| power_failure(round, DiskLoss::Torn),
        ),
        Variant::new(
            "reorder",
            "any unsynced writes are lost, whatever their order",
            |round| power_failure(round, DiskLoss::Reorder),
        ),
        Variant::new(
            "slow",
            "the syncs of some nodes take up to a tenth of a second longer",
            slow,
        ),
    ],
};

fn power_failure(round: &mut Round<'_>, loss: DiskLoss) -> Plan {
    let targets = [
        target::one,
        target::minority,
        target::majority,
        target::all,
        target::primaries,
    ];
    let target = *round.draw.pick(&targets);
    let nodes = target(round);
    crash(round, nodes, loss)
}

fn slow(round: &mut Round<'_>) -> Plan {
    let nodes = target::any(round);
    let delay_us = round.draw.between(1_000, 100_000);
    round.lasting(Fault::DiskSlow { nodes, delay_us }, Fault::DiskFast)
}
