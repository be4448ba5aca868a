//! Raft's probes: what must have happened in some run, or the runs have not tested the protocol.

/// A node that does not lead got a request.
pub(super) const SENT_ELSEWHERE: &str = "a client was sent elsewhere";
/// A compare-and-set did nothing.
pub(super) const CAS_MISMATCH: &str = "a compare-and-set found another value";
/// A follower's entries gave way to the leader's.
pub(super) const SUFFIX_CUT_OFF: &str = "a conflicting suffix was cut off";
/// A follower lacked the entry before the new ones.
pub(super) const ENTRIES_REFUSED: &str = "a follower refused entries that do not fit";
/// A leader went back to find where a follower's log agrees.
pub(super) const LEADER_BACKED_UP: &str = "a leader backed up";
/// A leader learned of a newer term.
pub(super) const LEADER_STEPPED_DOWN: &str = "a leader stepped down";
/// It did so while it had not yet answered a read.
pub(super) const DEPOSED_DURING_READ: &str = "a leader was deposed while a read was in flight";
/// A candidate won.
pub(super) const LEADER_ELECTED: &str = "a leader was elected";
/// A read came before the leader's first entry was applied.
pub(super) const READ_WAITED: &str = "a read waited for a new leader's first entry";
/// A command came again after it was applied.
pub(super) const ANSWERED_FROM_SESSION: &str = "a retried command was answered from its session";
/// A node asked for votes.
pub(super) const ELECTION_BEGAN: &str = "an election began";
/// A candidate won in a term after the first.
pub(super) const LEADERSHIP_CHANGED: &str = "the leadership changed";
/// A leader found that it is cut off.
pub(super) const LEADER_WITHOUT_QUORUM: &str = "a leader that no quorum answered stepped down";
/// A leader asked nobody.
pub(super) const READ_BY_LEASE: &str = "a read was answered by lease";
/// A leader handed over, or changed the voters.
pub(super) const LEASE_GIVEN_UP: &str = "a lease was given up before its end";
/// A node that is to vote was sent the log first.
pub(super) const MEMBER_CATCHES_UP: &str = "a new member had to catch up";
/// It did not get it in time, or the change did not get on.
pub(super) const CHANGE_GIVEN_UP: &str = "a change of the voters was given up";
/// A leader appended a configuration.
pub(super) const CONFIGURATION_CHANGED: &str = "the voters changed";
/// A leader appended a joint one.
pub(super) const JOINT_CONFIGURATION: &str = "two sets of voters decided together";
/// It led until its removal was committed.
pub(super) const LEADER_REMOVED: &str = "a leader removed itself";
/// A leader asked another to take over.
pub(super) const LEADER_HANDED_OVER: &str = "a leader handed over";
/// The other did not take over in time.
pub(super) const TRANSFER_GIVEN_UP: &str = "a transfer of the lead was given up";

/// A node took a snapshot.
pub(super) const LOG_COMPACTED: &str = "a log was compacted";
/// A follower took its leader's snapshot.
pub(super) const SNAPSHOT_INSTALLED: &str = "a leader's snapshot was installed";
/// A snapshot came to a follower that had its entries already.
pub(super) const SNAPSHOT_WAS_OLD: &str = "a snapshot came too late and was ignored";
/// Entries came that were in a follower's snapshot already.
pub(super) const ENTRIES_IN_SNAPSHOT: &str = "entries came that were compacted already";
/// A node started with a snapshot.
pub(super) const STARTED_FROM_SNAPSHOT: &str = "a node restarted from a snapshot";

/// All of them.
pub const PROBES: &[&str] = &[
    SENT_ELSEWHERE,
    CAS_MISMATCH,
    SUFFIX_CUT_OFF,
    ENTRIES_REFUSED,
    LEADER_BACKED_UP,
    LEADER_STEPPED_DOWN,
    DEPOSED_DURING_READ,
    LEADER_ELECTED,
    READ_WAITED,
    ANSWERED_FROM_SESSION,
    ELECTION_BEGAN,
    LEADERSHIP_CHANGED,
    LEADER_WITHOUT_QUORUM,
    READ_BY_LEASE,
    LEASE_GIVEN_UP,
    MEMBER_CATCHES_UP,
    CHANGE_GIVEN_UP,
    CONFIGURATION_CHANGED,
    JOINT_CONFIGURATION,
    LEADER_REMOVED,
    LEADER_HANDED_OVER,
    TRANSFER_GIVEN_UP,
    LOG_COMPACTED,
    SNAPSHOT_INSTALLED,
    SNAPSHOT_WAS_OLD,
    ENTRIES_IN_SNAPSHOT,
    STARTED_FROM_SNAPSHOT,
];
