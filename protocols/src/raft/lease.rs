//! Leases: reads that a leader answers without asking anybody (dissertation §6.4.1).
//!
//! A follower that hears from a leader does not vote for another for the least election timeout. So for that long
//! after a leader *sent* what a quorum then answered, nobody else can be elected; by the leader's own clock it must
//! count on less, for clocks differ. That is why leases are off by default: their safety rests on a bound of the drift
//! of clocks, and no pause or jump may hide the lease's end from the leader.
//!
//! A node has no clock, so a lease is a timer. It is armed when a question is sent, the lease is held from when a
//! quorum has answered it until the timer fires; there are two, so that one can be renewed while the other is held.
//! A leader has none from when it asks another to take over the lead: that election nobody keeps from happening.

use serde::{Deserialize, Serialize};

use super::message::Timer;
use super::{Cx, Raft, RaftBug, probes};
use crate::contract::TimerRange;

/// A lease, asked for or held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Lease {
    /// A quorum's answer to this round begins it; 0 if it is not asked for.
    round: u64,
    held: bool,
}

impl Raft {
    /// Whether this node may answer reads alone.
    pub(super) fn holds_lease(&self) -> bool {
        self.leadership.leases.iter().any(|lease| lease.held)
    }

    /// Makes the messages that are about to be sent a question for a lease, if there is one to be renewed.
    pub(super) fn ask_for_lease(&mut self, cx: &mut Cx<'_>) {
        let may_have_one = !self.leadership.handed_over || cx.has(RaftBug::LeaseSurvivesTransfer);
        if !cx.config().lease_reads || !may_have_one {
            return;
        }
        let mut leases = (0..).zip(&self.leadership.leases);
        let Some(number) = leases.find(|(_, lease)| !lease.held) else {
            return;
        };
        let number: u8 = number.0;
        self.leadership.round += 1;
        let round = self.leadership.round;
        self.leadership.leases[usize::from(number)] = Lease { round, held: false };
        let mut lasts = cx.config().lease();
        if cx.has(RaftBug::LeaseWithoutDrift) {
            let election_max_us = cx.config().election_max_us;
            lasts = TimerRange {
                min_us: election_max_us,
                max_us: election_max_us,
            };
        }
        cx.set_timer(Timer::Lease(number), lasts);
    }

    /// A follower answered.
    pub(super) fn renew_leases(&mut self, cx: &Cx<'_>) {
        for number in 0..self.leadership.leases.len() {
            let Lease { round, held } = self.leadership.leases[number];
            if round > 0 && !held {
                self.leadership.leases[number].held = self.is_answered(round, cx);
            }
        }
    }

    pub(super) fn end_lease(&mut self, number: u8) {
        self.leadership.leases[usize::from(number)] = Lease::default();
    }

    /// What a lease stands on no longer holds.
    pub(super) fn give_up_leases(&mut self, cx: &mut Cx<'_>) {
        if self.holds_lease() {
            cx.note(probes::LEASE_GIVEN_UP);
        }
        for number in [0, 1] {
            self.end_lease(number);
            cx.cancel_timer(Timer::Lease(number));
        }
    }
}
