//! What nodes show of a broadcast with primaries that succeed each other (ZAB).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a transaction: the epoch of the primary that broadcast it, and a count within that epoch, from 1
/// (ZooKeeper: `zxid`). Printed as `2:5`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Zxid {
    /// The primary's epoch.
    pub epoch: u64,
    /// Which of its transactions.
    pub counter: u64,
}

impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.counter)
    }
}

/// The phases of ZAB (Junqueira, Reed and Serafini, DSN 2011, §5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Phase 0: it looks for a leader.
    #[default]
    Election,
    /// Phase 1: an epoch is agreed on, and who has the newest history.
    Discovery,
    /// Phase 2: histories become that of the leader.
    Synchronization,
    /// Phase 3: the leader is established, and its transactions are delivered.
    Broadcast,
}

/// What a node shows of a broadcast with primaries. Its log is the history of accepted transactions, of which those up
/// to the applied index are delivered; [`View::state`](crate::View::state) is a digest of what it delivered, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrimariesView<'a> {
    /// The last epoch that it promised to take part in (`f.p`; ZooKeeper: `acceptedEpoch`).
    pub accepted_epoch: u64,
    /// The last epoch whose leader's history it took over (`f.a`; ZooKeeper: `currentEpoch`).
    pub current_epoch: u64,
    /// Its phase.
    pub phase: Phase,
    /// The epoch that it leads or follows in; 0 if none is agreed on.
    pub epoch: u64,
    /// How many transactions it delivered, those in the snapshot that it began with included.
    pub deliveries: u64,
    /// The names of the transactions in its log, in order.
    pub zxids: &'a [Zxid],
}

/// What a participant of a broadcast with primaries claims about its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryClaim {
    /// The epoch in which it claims so.
    pub epoch: u64,
    /// The last transaction that the claim is about.
    pub zxid: Zxid,
    /// Its place in the history: the sender's log tells the rest.
    pub index: u64,
}
