//! What a cluster starts from: with it and the names of the steps, a run can be taken again.

use serde::{Deserialize, Serialize};

use super::{Observer, World};
use crate::contract::{Configuration, Node};
use crate::disk::Disk;

/// When a write reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// At once: a crash loses writes only in the middle of a step ([`Step::CrashDuring`](super::Step::CrashDuring)).
    Immediate,
    /// When [`Step::Sync`](super::Step::Sync) says so.
    Explicit,
}

/// What a cluster starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Setup<N: Node> {
    /// When writes reach the disk.
    pub sync: SyncMode,
    /// The nodes' configuration.
    pub config: N::Config,
    /// What the disks hold, by node; those of further nodes hold nothing.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<N::Durable>,
}

impl<N: Node> Setup<N> {
    /// A cluster with empty disks.
    pub fn fresh(config: N::Config, sync: SyncMode) -> Self {
        Self {
            sync,
            config,
            disks: Vec::new(),
        }
    }

    /// Starts the nodes, each from its disk, in order.
    pub fn start(&self, observer: &mut dyn Observer) -> World<N> {
        let mut disks: Vec<_> = self.disks.iter().cloned().map(Disk::holding).collect();
        disks.resize(self.config.nodes(), Disk::default());
        World::new(self.config.clone(), self.sync, disks, observer)
    }
}
