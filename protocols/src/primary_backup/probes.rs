//! The probes of primary-backup: what must have happened in some run, or the runs have not tested the protocol.

/// A node that is not the primary got a request.
pub(super) const SENT_ELSEWHERE: &str = "a client was sent to the primary";
/// A compare-and-set did nothing.
pub(super) const CAS_MISMATCH: &str = "a compare-and-set found another value";
/// An operation came again after it was applied.
pub(super) const ANSWERED_FROM_SESSION: &str = "a retried operation was answered from its session";
/// A node asked for a view.
pub(super) const VIEW_ASKED_FOR: &str = "a view was asked for";
/// A majority agreed.
pub(super) const VIEW_BEGAN: &str = "a view began";
/// A primary learned of a newer view.
pub(super) const PRIMARY_DEPOSED: &str = "a primary was deposed";
/// A primary wanted a view without a backup that was silent.
pub(super) const BACKUP_LEFT_OUT: &str = "a primary asked for a view without a silent backup";
/// A node answered a message of an earlier view.
pub(super) const FENCED: &str = "a message of an earlier view was fenced off";
/// A node voted for nobody, for its own log is ahead.
pub(super) const STALE_REFUSED: &str = "a node that lacks operations was refused a view";
/// A backup was brought into step.
pub(super) const SYNCHRONISED: &str = "a backup came into step";
/// Operations of its own gave way.
pub(super) const SUFFIX_CUT_OFF: &str = "a backup's own operations gave way to the primary's";
/// A node that was not a member of the view is one now.
pub(super) const REJOINED: &str = "a node joined a view that had begun without it";
/// Messages of the stream were lost or overtaken.
pub(super) const GAP: &str = "a backup found a gap in the stream";
/// The stream brought what was there already.
pub(super) const REPEATED: &str = "a backup got operations that it had";
/// A read came before the primary's log was known to be everywhere.
pub(super) const READ_WAITED: &str = "a read waited for a new view's members";

/// All of them.
pub const PROBES: &[&str] = &[
    SENT_ELSEWHERE,
    CAS_MISMATCH,
    ANSWERED_FROM_SESSION,
    VIEW_ASKED_FOR,
    VIEW_BEGAN,
    PRIMARY_DEPOSED,
    BACKUP_LEFT_OUT,
    FENCED,
    STALE_REFUSED,
    SYNCHRONISED,
    SUFFIX_CUT_OFF,
    REJOINED,
    GAP,
    REPEATED,
    READ_WAITED,
];
