//! Paxos's probes: what must have happened in some run, or the runs have not tested the protocol.

/// A proposer's quorum told of no vote.
pub(super) const FREE_CHOICE: &str = "a proposer was free to choose its value";
/// A proposer's quorum told of a vote for another value than its own.
pub(super) const VALUE_ADOPTED: &str = "a proposer took over the value of a vote";
/// A proposer's quorum told of votes for different values.
pub(super) const VOTES_DIFFERED: &str = "a proposer was told of votes for different values";
/// An acceptor had promised a higher ballot than that of a prepare.
pub(super) const PREPARE_REFUSED: &str = "a prepare was refused";
/// An acceptor had promised a higher ballot than that of a proposal.
pub(super) const ACCEPT_REFUSED: &str = "a proposal was refused";
/// An acceptor got a prepare of the ballot that it had promised.
pub(super) const PROMISED_AGAIN: &str = "an acceptor promised the same ballot again";
/// An acceptor voted that had voted for another value.
pub(super) const VOTE_CHANGED: &str = "an acceptor changed its vote";
/// An answer came that was about an earlier ballot of the proposer.
pub(super) const STALE_PROMISE: &str = "a promise of an earlier ballot was left out";
/// A proposer heard in time from too few.
pub(super) const ROUND_IN_VAIN: &str = "a ballot came to nothing in time";
/// A proposer went on with a disk that says which ballots it has used.
pub(super) const BALLOT_REMEMBERED: &str = "a proposer started again and knew its last ballot";
/// A client's value was not the one.
pub(super) const PROPOSAL_LOST: &str = "a client was told that another value was chosen";
/// A client read before anything was decided.
pub(super) const READ_FOUND_NOTHING: &str = "a read found nothing decided";
/// A read found votes, of which it could not know whether they decide, and made them decide.
pub(super) const READ_DECIDED: &str = "a read had a ballot of its own carry a value";
/// A learner that had missed votes asked.
pub(super) const CAUGHT_UP: &str = "a learner was told what is chosen";
/// A request came when all was decided and known.
pub(super) const ANSWERED_FROM_MEMORY: &str = "a request was answered from what was learned";

/// All of them.
pub const PROBES: &[&str] = &[
    FREE_CHOICE,
    VALUE_ADOPTED,
    VOTES_DIFFERED,
    PREPARE_REFUSED,
    ACCEPT_REFUSED,
    PROMISED_AGAIN,
    VOTE_CHANGED,
    STALE_PROMISE,
    ROUND_IN_VAIN,
    BALLOT_REMEMBERED,
    PROPOSAL_LOST,
    READ_FOUND_NOTHING,
    READ_DECIDED,
    CAUGHT_UP,
    ANSWERED_FROM_MEMORY,
];
