//! What the nemesis does to a simulated cluster.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{NodeId, Role};
use tribunal_protocols::{Durable, Loss, Node, Step};

use super::cluster::{Cluster, Event};
use crate::draw::{Domain, Draw};
use crate::nemesis::{DiskLoss, Fault, Grudge, Nemesis, NemesisContext, NextFault, PacketRates};

/// One in so many kills strikes in the middle of a step.
const CUT_SHORT_ONE_IN: u64 = 4;
/// And leaves at most so many of its effects.
const EFFECTS_KEPT_MAX: u64 = 8;

/// The nemesis of a run, and what it did.
#[derive(Debug)]
pub struct Faults {
    nemesis: Nemesis,
    kills: u64,
    /// How often each kind of fault was injected.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// Faults as this nemesis wants them.
    pub fn of(nemesis: Nemesis) -> Self {
        Self {
            nemesis,
            kills: 0,
            counts: BTreeMap::new(),
        }
    }
}

impl<N: Node> Cluster<N> {
    fn nemesis_context(&self) -> NemesisContext {
        let nodes = NodeId::all(self.nodes());
        NemesisContext {
            time_us: self.now_ns() / 1_000,
            nodes: self.nodes(),
            leaders: self.leaders(),
            up: nodes
                .clone()
                .filter(|node| self.places[node.index()].up)
                .collect(),
            paused: nodes
                .clone()
                .filter(|node| self.places[node.index()].paused)
                .collect(),
            amnesic: nodes
                .filter(|node| self.disks[node.index()].synced().view().role == Role::Recovering)
                .collect(),
        }
    }

    /// Injects the faults whose time has come, and arranges to ask again.
    pub(super) fn inject_faults(&mut self) {
        loop {
            let context = self.nemesis_context();
            match self.faults.nemesis.next(&context) {
                NextFault::Inject(fault) => self.apply(fault),
                NextFault::Wait { until_us } => {
                    if let Some(until_us) = until_us {
                        self.agenda
                            .push_at((until_us * 1_000).max(self.now_ns() + 1), Event::Fault);
                    }
                    return;
                }
            }
        }
    }

    /// Ends all faults: from now on nothing goes wrong, and everything happens by time.
    pub(super) fn heal(&mut self) {
        self.places.iter_mut().for_each(|place| place.doomed = None);
        let context = self.nemesis_context();
        for fault in self.faults.nemesis.heal(&context) {
            self.apply(fault);
        }
        self.agenda.calm();
    }

    fn apply(&mut self, fault: Fault) {
        if let Fault::Restart { nodes } = &fault {
            // One who was to die in its next step and has not taken it, lives.
            for node in nodes {
                self.places[node.index()].doomed = None;
            }
        }
        let Some(fault) = fault.possible(&self.nemesis_context()) else {
            return;
        };
        *self.faults.counts.entry(fault.kind()).or_default() += 1;
        match fault {
            Fault::Partition(grudge) => self.partition(&grudge),
            Fault::Heal => {
                self.network.heal();
                self.record(Step::Heal);
            }
            Fault::Kill { nodes, loss } => nodes.into_iter().for_each(|node| self.kill(node, loss)),
            Fault::Restart { nodes } => nodes.into_iter().for_each(|node| self.restart(node)),
            timed => {
                self.record(Step::Remark(timed.to_string()));
                self.apply_timed(timed);
            }
        }
    }

    /// Faults of time: without a clock they have no meaning but the order of what follows.
    fn apply_timed(&mut self, fault: Fault) {
        match fault {
            Fault::Pause { nodes } => {
                nodes
                    .into_iter()
                    .for_each(|node| self.places[node.index()].paused = true);
            }
            Fault::Resume { nodes } => nodes.into_iter().for_each(|node| self.resume(node)),
            Fault::ClockRate { nodes, rate_ppm } => {
                nodes
                    .into_iter()
                    .for_each(|node| self.places[node.index()].clock_ppm = rate_ppm.into());
            }
            Fault::ClockBump { nodes, ahead_us } => {
                nodes.into_iter().for_each(|node| self.bump(node, ahead_us));
            }
            Fault::ClockReset => self
                .places
                .iter_mut()
                .for_each(|place| place.clock_ppm = 1_000_000),
            Fault::Packet(rates) => self.network.set_rates(rates),
            Fault::PacketCalm => self.network.set_rates(PacketRates::default()),
            Fault::DiskSlow { nodes, delay_us } => {
                nodes
                    .into_iter()
                    .for_each(|node| self.places[node.index()].slow_disk_us = delay_us);
            }
            Fault::DiskFast => self
                .places
                .iter_mut()
                .for_each(|place| place.slow_disk_us = 0),
            Fault::Partition(_) | Fault::Heal | Fault::Kill { .. } | Fault::Restart { .. } => {}
        }
    }

    fn partition(&mut self, grudge: &Grudge) {
        self.network.heal();
        self.record(Step::Heal);
        let mut dropped: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
        for (to, from) in grudge.links() {
            self.network.cut(from, to);
            dropped.entry(to).or_default().insert(from);
        }
        // Receivers that drop the same senders are one cut.
        let mut cuts: BTreeMap<BTreeSet<NodeId>, Vec<NodeId>> = BTreeMap::new();
        for (to, from) in dropped {
            cuts.entry(from).or_default().push(to);
        }
        for (from, to) in cuts {
            self.record(Step::Cut {
                from: from.into_iter().collect(),
                to,
            });
        }
    }

    fn kill(&mut self, node: NodeId, disk_loss: DiskLoss) {
        self.faults.kills += 1;
        let mut draw = Draw::keyed(
            self.settings.seed,
            Domain::Disk,
            256 + node.index() as u64,
            self.faults.kills,
        );
        let unsynced = self.disk(node).unsynced_count() as u64;
        let some = u16::try_from(draw.below(unsynced + 1)).unwrap_or(u16::MAX);
        let loss = match disk_loss {
            DiskLoss::Nothing => Loss::Last(0),
            DiskLoss::All => Loss::All,
            DiskLoss::Suffix => Loss::Last(some),
            DiskLoss::Torn => Loss::Torn(some),
            DiskLoss::Reorder => Loss::Some(draw.next_u64()),
            DiskLoss::Disk => Loss::Disk,
        };
        let effects = draw.below(EFFECTS_KEPT_MAX) as usize;
        let cut_short = draw.below(CUT_SHORT_ONE_IN) == 0 && !self.places[node.index()].paused;
        // A disk is lost at once: whoever counts those without memory must see it.
        if cut_short && loss != Loss::Disk {
            self.places[node.index()].doomed = Some((effects, loss));
        } else {
            self.record(Step::Crash { node, loss });
            self.crash(node, loss);
        }
    }
}
