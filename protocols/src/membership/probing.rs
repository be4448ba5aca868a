//! Failure detection in the style of SWIM: each period one member is probed, and who does not answer is suspected.
//!
//! Section numbers are those of the DSN 2002 paper. Beliefs about one life of a member are ordered as
//! Alive(i) < Suspect(i) < Dead(i) < Alive(i + 1) (§4.2, with memberlist's refutation of death): only the member
//! itself takes a higher incarnation.

use tribunal_histories::{MemberStatus, MemberView, NodeId};

use super::config::Config;
use super::message::{Message, Timer};
use super::table::Write;
use super::{Cx, Membership, MembershipBug, probes};
use crate::quorum::NodeSet;

/// Whom a node is probing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Probing {
    /// The number of the last probe.
    number: u64,
    /// The member that was probed in this period and has not answered.
    target: Option<NodeId>,
    /// Whether others were asked to ping it.
    asked: bool,
    /// The members that were not probed in this round.
    waiting: NodeSet,
}

impl Probing {
    /// A member begins another life, or ends it: what was before does not count.
    pub(super) fn forget(&mut self, member: NodeId, cx: &mut Cx<'_>) {
        if self.target == Some(member) {
            self.target = None;
        }
        cx.cancel_timer(Timer::Suspicion(member));
    }
}

impl Membership {
    pub(super) fn watch_by_probes(&mut self, cx: &mut Cx<'_>) {
        self.arm_period(cx);
    }

    fn arm_period(&self, cx: &mut Cx<'_>) {
        let (period, choices) = (cx.config().period_us, cx.config().nodes as u64);
        cx.set_timer_to_choose(Timer::Period, Config::about(period), choices);
    }

    /// A period ends: who has not answered, directly or by way of others, is suspected. The next one is drawn from
    /// those that were not yet probed in this round, so that everyone is probed in bounded time (§4.3). Also who is
    /// dead is probed: it may be back, and would not know that it has something to refute. A node whose own disk lags
    /// accuses nobody: what it has sent may be waiting for the disk.
    pub(super) fn next_probe(&mut self, choice: u64, cx: &mut Cx<'_>) {
        self.arm_period(cx);
        if !self.is_at_work(choice, cx) {
            return;
        }
        if self.probing.target.is_some() && !self.probing.asked {
            // Its timers may go as they please, but nobody is accused before others were asked, if there are any.
            self.ask_helpers(choice, cx);
            if self.probing.asked {
                return;
            }
        }
        let unanswered = self.probing.target.take();
        if let Some(&silent) = unanswered.and_then(|target| self.table.find(target))
            && silent.status == MemberStatus::Alive
            && cx.durable() == cx.synced()
        {
            cx.note(probes::SUSPECTED);
            let accused = MemberView {
                incarnation: silent.incarnation
                    + u64::from(cx.has(MembershipBug::AccuserRaisesIncarnation)),
                status: MemberStatus::Suspect,
                ..silent
            };
            self.believe(accused, cx);
        }
        let mut others = self.table.present();
        others.remove(cx.me());
        let waiting = self.probing.waiting.and(others);
        let waiting = if waiting.is_empty() { others } else { waiting };
        let drawn = usize::try_from(choice).unwrap_or(0) % waiting.len().max(1);
        let Some(target) = waiting.iter().nth(drawn) else {
            return;
        };
        self.probing.waiting = waiting.without(NodeSet::of(target));
        self.probing.number += 1;
        self.probing.target = Some(target);
        self.probing.asked = false;
        let (number, behalf) = (self.probing.number, None);
        self.tell(target, cx, |news| Message::Ping {
            number,
            behalf,
            news,
        });
        let (answer, choices) = (cx.config().answer_us, cx.config().nodes as u64);
        cx.set_timer_to_choose(Timer::Answer, Config::exactly(answer), choices);
    }

    /// No answer in time: others may have a better way (§3.1, `ping-req`).
    pub(super) fn ask_helpers(&mut self, choice: u64, cx: &mut Cx<'_>) {
        let Some(target) = self.probing.target.filter(|_| !self.probing.asked) else {
            return;
        };
        let mut others = self
            .table
            .those(|member| matches!(member.status, MemberStatus::Alive | MemberStatus::Suspect));
        others.remove(cx.me());
        others.remove(target);
        if others.is_empty() {
            return;
        }
        self.probing.asked = true;
        if cx.has(MembershipBug::NoIndirectPing) {
            return;
        }
        cx.note(probes::ASKED_HELPERS);
        let offset = usize::try_from(choice).unwrap_or(0) % others.len();
        let by_chance = others.iter().chain(others.iter()).skip(offset);
        let number = self.probing.number;
        for helper in by_chance.take(cx.config().helpers.min(others.len())) {
            self.tell(helper, cx, |news| Message::PingFor {
                target,
                number,
                news,
            });
        }
    }

    /// A ping is answered: the node's own, or one that it sent for another.
    pub(super) fn take_answer(
        &mut self,
        from: NodeId,
        number: u64,
        behalf: Option<NodeId>,
        cx: &mut Cx<'_>,
    ) {
        if let Some(asker) = behalf {
            let target = from;
            return self.tell(asker, cx, |news| Message::Reached {
                target,
                number,
                news,
            });
        }
        self.answered(from, number, cx);
    }

    /// A helper has reached the member that is probed.
    pub(super) fn reached(&mut self, target: NodeId, number: u64, cx: &mut Cx<'_>) {
        if self.answered(target, number, cx) {
            cx.note(probes::REACHED_INDIRECTLY);
        }
    }

    fn answered(&mut self, target: NodeId, number: u64, cx: &mut Cx<'_>) -> bool {
        let is_probed = self.probing.target == Some(target) && self.probing.number == number;
        if is_probed {
            self.probing.target = None;
            cx.cancel_timer(Timer::Answer);
        }
        is_probed
    }

    /// Hears what another believes of a member in its present life.
    pub(super) fn weigh(&mut self, told: &MemberView, cx: &mut Cx<'_>) {
        let Some(&known) = self.table.find(told.member) else {
            return;
        };
        let rank = |member: &MemberView| (member.incarnation, member.status);
        if told.member == cx.me() {
            if told.status > MemberStatus::Alive && told.incarnation >= known.incarnation {
                self.refute(told, cx);
            }
        } else if rank(told) > rank(&known) {
            self.believe(*told, cx);
        }
    }

    /// What is said of this node is not so, and it says so with a higher incarnation, which nobody else may take
    /// (§4.2).
    fn refute(&mut self, told: &MemberView, cx: &mut Cx<'_>) {
        cx.note(probes::REFUTED);
        self.gossip.update(told.member);
        if cx.has(MembershipBug::RefutesWithoutIncarnation) {
            return;
        }
        let (generation, incarnation) = (told.generation, told.incarnation + 1);
        cx.write(Write::Incarnation {
            generation,
            incarnation,
        });
        if let Some(own) = self.table.find_mut(told.member) {
            own.incarnation = incarnation;
        }
    }

    /// Takes a belief over, and passes it on.
    fn believe(&mut self, told: MemberView, cx: &mut Cx<'_>) {
        let member = told.member;
        let Some(known) = self.table.find_mut(member) else {
            return;
        };
        let stale = cx.has(MembershipBug::IncarnationNotAdvanced);
        if known.status == MemberStatus::Dead && told.status == MemberStatus::Alive {
            cx.note(probes::BACK_FROM_THE_DEAD);
        }
        known.status = told.status;
        if !stale {
            known.incarnation = told.incarnation;
        }
        self.gossip.update(member);
        if told.status == MemberStatus::Suspect {
            let range = Config::about(cx.config().suspicion_us);
            cx.set_timer(Timer::Suspicion(member), range);
        } else {
            cx.cancel_timer(Timer::Suspicion(member));
        }
    }

    /// A suspicion was not refuted in time (§4.2).
    pub(super) fn give_up(&mut self, member: NodeId, cx: &mut Cx<'_>) {
        let known = self.table.find(member).copied();
        if let Some(suspected) = known.filter(|known| known.status == MemberStatus::Suspect) {
            cx.note(probes::DECLARED_DEAD);
            let status = MemberStatus::Dead;
            self.believe(
                MemberView {
                    status,
                    ..suspected
                },
                cx,
            );
        }
    }
}
