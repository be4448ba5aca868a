//! The probes of gossip: what must have happened in some run, or the runs have not tested the protocol.

/// A record came that a node had, or had newer.
pub(super) const HEARD_AGAIN: &str = "a node heard what it knew";
/// Two records of the same time met.
pub(super) const TIE_BROKEN: &str = "a tie of times was broken by the author";
/// A rumour was told for the last time.
pub(super) const LOST_INTEREST: &str = "a node lost interest in a rumour";
/// A tombstone was thrown away.
pub(super) const TOMBSTONE_COLLECTED: &str = "a tombstone was collected";
/// A message was refused that could have brought back what was deleted.
pub(super) const CAME_TOO_LATE: &str = "a message came too late";
/// A compare-and-set found another value at its node.
pub(super) const CAS_MISMATCH: &str = "a compare-and-set found another value";
/// A change came again after it was made.
pub(super) const ANSWERED_FROM_SESSION: &str = "a retried change was answered from its session";

/// All of them.
pub const PROBES: &[&str] = &[
    HEARD_AGAIN,
    TIE_BROKEN,
    LOST_INTEREST,
    TOMBSTONE_COLLECTED,
    CAME_TOO_LATE,
    CAS_MISMATCH,
    ANSWERED_FROM_SESSION,
];
