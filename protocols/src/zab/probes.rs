//! ZAB's probes: what must have happened in some run, or the runs have not tested the protocol.

/// A node that does not lead got a request.
pub(super) const SENT_ELSEWHERE: &str = "a client was sent elsewhere";
/// A node was asked what it had delivered, and was not up to date with a leader.
pub(super) const NOT_SERVING: &str = "a local read waited for its node to catch up";
/// A compare-and-set did nothing.
pub(super) const CAS_MISMATCH: &str = "a compare-and-set found another value";
/// A command came again after it was delivered.
pub(super) const ANSWERED_FROM_SESSION: &str = "a retried command was answered from its session";
/// A node changed its vote.
pub(super) const BETTER_VOTE: &str = "a vote gave way to a better one";
/// A node joined others that had a leader already.
pub(super) const LEADER_FOUND: &str = "a node found others that follow a leader";
/// Votes converged on a node.
pub(super) const LEADER_ELECTED: &str = "a leader was elected";
/// A leader was told of a history that is newer than its own.
pub(super) const FOLLOWER_AHEAD: &str = "a follower was ahead of the elected leader";
/// A follower had promised its leader's epoch to another leader, or in a former life.
pub(super) const NO_SECOND_PROMISE: &str = "an epoch was not promised twice";
/// A follower lacked transactions.
pub(super) const DIFF: &str = "a history was continued (DIFF)";
/// A follower had transactions that are gone.
pub(super) const TRUNC: &str = "a history was cut off (TRUNC)";
/// A follower lacked transactions that the leader had compacted.
pub(super) const SNAP: &str = "a history was replaced (SNAP)";
/// A quorum took over a leader's history.
pub(super) const ESTABLISHED: &str = "an epoch was established";
/// And not the first.
pub(super) const LATER_EPOCH: &str = "a later epoch was established";
/// A proposal overtook another.
pub(super) const PROPOSAL_WITH_GAP: &str = "a proposal came before the one before it";
/// A follower did not hear from its leader.
pub(super) const LEADER_LOST: &str = "a follower lost its leader";
/// A leader did not hear from a quorum.
pub(super) const LEADER_GAVE_UP: &str = "a leader lost its quorum";
/// Transactions became a snapshot.
pub(super) const COMPACTED: &str = "a history was compacted";
/// An epoch had no number left.
pub(super) const COUNTER_ROLLED_OVER: &str = "the counter ended an epoch";

/// All of them.
pub const PROBES: &[&str] = &[
    SENT_ELSEWHERE,
    NOT_SERVING,
    CAS_MISMATCH,
    ANSWERED_FROM_SESSION,
    BETTER_VOTE,
    LEADER_FOUND,
    LEADER_ELECTED,
    FOLLOWER_AHEAD,
    NO_SECOND_PROMISE,
    DIFF,
    TRUNC,
    SNAP,
    ESTABLISHED,
    LATER_EPOCH,
    PROPOSAL_WITH_GAP,
    LEADER_LOST,
    LEADER_GAVE_UP,
    COMPACTED,
    COUNTER_ROLLED_OVER,
];
