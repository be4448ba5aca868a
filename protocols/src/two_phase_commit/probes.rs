//! The probes of two-phase commit: what must have happened in some run, or the runs have not tested the protocol.

/// A client asked a node that is not its home.
pub(super) const SENT_ELSEWHERE: &str = "a client was sent to its home";
/// A client asked again for a transaction that was decided.
pub(super) const ASKED_AGAIN: &str = "a client was answered again";
/// A coordinator committed.
pub(super) const COMMITTED: &str = "a transaction was committed";
/// A coordinator aborted.
pub(super) const ABORTED: &str = "a transaction was aborted";
/// It did so because of a no.
pub(super) const ABORTED_BY_NO: &str = "a participant's no aborted a transaction";
/// It did so because votes were missing.
pub(super) const VOTES_TIMED_OUT: &str = "a coordinator gave up waiting for votes";
/// A read was aborted and begun anew.
pub(super) const READ_AGAIN: &str = "an aborted read was tried again";
/// A transaction found an account locked by a younger one.
pub(super) const WAITED_FOR_A_LOCK: &str = "a transaction waited for a lock";
/// A transaction found an account locked by an older one.
pub(super) const DIED_FOR_A_LOCK: &str = "a transaction died for a lock";
/// A transfer would have overdrawn an account.
pub(super) const REFUSED_AN_OVERDRAFT: &str = "a participant refused an overdraft";
/// A participant asked for an outcome.
pub(super) const IN_DOUBT: &str = "a participant in doubt asked";
/// It heard nothing, and asked again: it is blocked.
pub(super) const STAYED_IN_DOUBT: &str = "a participant in doubt was not answered: it is blocked";
/// A coordinator that knew nothing of a transaction said that it is aborted.
pub(super) const PRESUMED_ABORTED: &str = "a transaction was presumed aborted";
/// A coordinator came back to a transaction that it had not decided.
pub(super) const RECOVERED: &str = "a coordinator recovered an undecided transaction";
/// All participants acknowledged.
pub(super) const FORGOTTEN: &str = "a decision was forgotten, for all knew it";
/// A backup aborted a transaction that its coordinator had not decided.
pub(super) const BACKUP_ABORTED: &str = "a backup aborted for a participant in doubt";
/// A coordinator wanted another decision than its backup had written down.
pub(super) const BACKUP_DECIDED_OTHERWISE: &str = "a coordinator was overruled by its backup";

/// All of them.
pub const PROBES: &[&str] = &[
    SENT_ELSEWHERE,
    ASKED_AGAIN,
    COMMITTED,
    ABORTED,
    ABORTED_BY_NO,
    VOTES_TIMED_OUT,
    READ_AGAIN,
    WAITED_FOR_A_LOCK,
    DIED_FOR_A_LOCK,
    REFUSED_AN_OVERDRAFT,
    IN_DOUBT,
    STAYED_IN_DOUBT,
    PRESUMED_ABORTED,
    RECOVERED,
    FORGOTTEN,
    BACKUP_ABORTED,
    BACKUP_DECIDED_OTHERWISE,
];
