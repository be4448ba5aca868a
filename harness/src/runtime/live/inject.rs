//! Faults, done to processes and connections that are real.

use std::collections::BTreeSet;

use super::{LiveCluster, LiveError};
use crate::nemesis::{Capability, DiskLoss, Fault, PacketRates};

/// What the live runtime can do to a cluster. It leaves clocks alone, and a killed process's writes are with the
/// operating system, which does not lose them.
pub fn capabilities() -> BTreeSet<Capability> {
    BTreeSet::from([
        Capability::Kill,
        Capability::Packet,
        Capability::Partition,
        Capability::Pause,
    ])
}

impl LiveCluster {
    /// Injects a fault, or ends one. Returns when it has come to be: a node that was restarted listens.
    ///
    /// # Errors
    /// If the system refuses, a node does not start, or the fault needs more than [`capabilities`].
    pub async fn inject(&mut self, fault: &Fault) -> Result<(), LiveError> {
        match fault {
            Fault::Partition(grudge) => {
                self.relay()
                    .cut(grudge.links().map(|(at, from)| (from, at)));
            }
            Fault::Heal => self.relay().cut([]),
            Fault::Packet(rates) => self.relay().disturb(*rates),
            Fault::PacketCalm => self.relay().disturb(PacketRates::default()),
            Fault::Kill {
                nodes,
                loss: DiskLoss::Nothing,
            } => {
                for node in nodes {
                    self.kill(*node).await?;
                }
            }
            Fault::Restart { nodes } => {
                for node in nodes {
                    self.restart(*node).await?;
                }
            }
            Fault::Pause { nodes } => {
                for node in nodes {
                    self.pause(*node)?;
                }
            }
            Fault::Resume { nodes } => {
                for node in nodes {
                    self.resume(*node)?;
                }
            }
            Fault::Kill { .. }
            | Fault::ClockRate { .. }
            | Fault::ClockBump { .. }
            | Fault::ClockReset
            | Fault::DiskSlow { .. }
            | Fault::DiskFast => {
                return Err(LiveError::CannotInject {
                    fault: fault.clone(),
                });
            }
        }
        Ok(())
    }
}
