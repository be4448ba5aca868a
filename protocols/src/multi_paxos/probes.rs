//! Multi-Paxos's probes: what must have happened in some run, or the runs have not tested the protocol.

macro_rules! probes {
    ($($(#[doc = $about:literal])* $name:ident $text:literal;)*) => {
        $($(#[doc = $about])* pub(super) const $name: &str = $text;)*

        /// All of them.
        pub const PROBES: &[&str] = &[$($name),*];
    };
}

probes! {
    /// A candidate has the promises of a majority.
    LEADER_ELECTED "a leader was elected";
    /// A leader learned of a higher ballot.
    LEADER_STEPPED_DOWN "a leader stepped down";
    /// It did so while it had not yet answered a read.
    DEPOSED_DURING_READ "a leader was deposed while a read was in flight";
    /// A new leader proposed again what promises told of, or what it had learned behind a gap.
    VALUE_ADOPTED "a new leader adopted a value";
    /// A new leader proposed a no-op in a slot of which no promise told.
    GAP_FILLED "a new leader filled a gap with a no-op";
    /// Phase 2 ran for several slots at once.
    SEVERAL_SLOTS_IN_FLIGHT "several slots were in flight at once";
    /// A command waited for a slot.
    PIPELINE_FULL "a command waited because the pipeline was full";
    /// A slot was decided before one that comes before it.
    CHOSEN_BEHIND_A_GAP "a value was chosen behind a gap";
    /// An acceptor refused a proposal of a ballot lower than its promise.
    LATE_PROPOSAL_REFUSED "an acceptor refused a proposal of a lower ballot";
    /// A node did not take its vote of an older ballot for what was chosen.
    OLD_VOTE_NOT_TAKEN "a vote of an older ballot was not taken for chosen";
    /// A node that lagged behind was told what was chosen.
    CAUGHT_UP "a node that lagged behind caught up";
    /// A command was chosen in two slots.
    CHOSEN_TWICE_APPLIED_ONCE "a command was chosen twice and executed once";
    /// A compare-and-set did nothing.
    CAS_MISMATCH "a compare-and-set found another value";
    /// A command came again after it was applied.
    ANSWERED_FROM_SESSION "a retried command was answered from its session";
    /// A node passed a command on to the leader.
    COMMAND_FORWARDED "a command was forwarded to the leader";
    /// A node that does not lead sent a client away.
    SENT_ELSEWHERE "a client was sent elsewhere";
    /// A read came before all that a new leader inherited was applied.
    READ_WAITED "a read waited for what a new leader inherited";
    /// A node that lost its disk began to re-learn.
    RECOVERY_BEGAN "a node that lost its disk began to recover";
    /// It takes part again.
    RECOVERED "a node that lost its disk recovered";
}

/// A promise that was made on a disk that is lost did not count. Rare, and not asked of every sweep.
pub(super) const PROMISE_OF_A_LOST_DISK: &str = "a promise made on a lost disk did not count";
/// An acceptor kept silent because a leader may hold a lease. Only with leases, and so not asked of every sweep.
pub(super) const LEASE_KEPT_A_CANDIDATE_OUT: &str = "a lease kept a candidate out";
