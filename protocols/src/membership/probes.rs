//! The probes: what must have happened in some run, or the runs have not tested the protocol.

macro_rules! probes {
    ($($(#[doc = $about:literal])* $name:ident $text:literal;)*) => {
        $($(#[doc = $about])* pub(super) const $name: &str = $text;)*

        /// All of them.
        pub const PROBES: &[&str] = &[$($name),*];
    };
}

probes! {
    /// A node was invited to a life.
    OWN_LIFE_BEGAN "an invited node became a member";
    /// A node that was never a member was invited.
    JOINED "a node joined";
    /// A node whose life had ended was invited to another.
    JOINED_AGAIN "a removed node joined again, in a new life";
    /// A member's life was ended.
    REMOVED "a member was removed";
    /// By itself.
    LEFT "a member left";
    /// And it knows that.
    OWN_LIFE_ENDED "a member learned that it was removed";
    /// And somebody knows all that it knew.
    TOOK_LEAVE "a removed member handed over what it knew";
    /// Redis: one node suspects.
    MARKED_PFAIL "a silent member was marked PFAIL";
    /// Redis: and it was wrong, or the member is back.
    PFAIL_TAKEN_BACK "a PFAIL was taken back";
    /// Redis: a majority suspects.
    MARKED_FAIL "a majority of masters marked a member FAIL";
    /// Redis: another told of it.
    HEARD_OF_FAIL "a node was told of a FAIL";
    /// Redis: the member is back.
    FAIL_CLEARED "a FAIL was cleared";
    /// Redis: a report was too old to count.
    REPORT_EXPIRED "a failure report expired";
    /// Redis: a slot changed hands.
    SLOT_TAKEN "a slot was taken over";
    /// Redis: two wanted the same epoch.
    VOTE_REFUSED "a vote was refused";
    /// SWIM: a direct ping was not answered.
    ASKED_HELPERS "others were asked to ping a member";
    /// SWIM: and they reached it.
    REACHED_INDIRECTLY "a member was reached by way of another";
    /// SWIM: nor an indirect one.
    SUSPECTED "a member was suspected";
    /// SWIM: a member was suspected, or even declared dead, and answered with a higher incarnation.
    REFUTED "a member refuted a suspicion";
    /// SWIM: a member did not.
    DECLARED_DEAD "a suspected member was declared dead";
    /// SWIM: a member that was dead is alive.
    BACK_FROM_THE_DEAD "a dead member came back";
}
