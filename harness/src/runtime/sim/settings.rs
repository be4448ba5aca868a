//! What a simulated run is made of, besides the cluster and the clients. Times are in microseconds.

use super::agenda::Choice;

/// The knobs of a run; all of them follow from its seed and the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Names the run.
    pub seed: u64,
    /// How the next event is chosen.
    pub choice: Choice,
    /// How long a packet is on its way, at least and at most.
    pub latency_us: (u64, u64),
    /// How long a write takes to reach the disk, at least and at most.
    pub sync_us: (u64, u64),
    /// After how long a client that heard nothing asks another node.
    pub retry_us: u64,
    /// After how long a client that found no leader asks again.
    pub redirect_us: u64,
    /// After how long a client gives up.
    pub operation_timeout_us: u64,
    /// Within how long the cluster must answer after all faults are healed.
    pub liveness_us: u64,
    /// A bound on the events of a run: past it the run is stopped and its verdict is unknown.
    pub events_max: u64,
}
