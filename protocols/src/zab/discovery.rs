//! Phase 1, discovery: a quorum promises to take part in a new epoch and in none before it, and tells how new its
//! histories are (paper §5, steps l.1.1 to f.1.2; ZooKeeper: `getEpochToPropose`, `waitForEpochAck`).

use tribunal_histories::{NodeId, Phase, Zxid};

use super::config::exactly;
use super::election::{epoch_of_history, newness};
use super::history::{Epoch, Write};
use super::message::{Message, Timer};
use super::{Cx, Stage, Zab, ZabBug, last_place, probes};

impl Zab {
    /// A follower says again what its leader has not answered.
    pub(super) fn ask_leader_again(&mut self, cx: &mut Cx<'_>) {
        let Stage::Following(following) = &self.stage else {
            return;
        };
        let (leader, epoch) = (following.leader, following.epoch);
        let question = match following.phase {
            Phase::Broadcast => return,
            Phase::Synchronization if following.synchronized => Message::AckNewLeader {
                epoch,
                last: last_place(cx),
            },
            Phase::Synchronization => self.ack_epoch(epoch, leader, cx),
            Phase::Election | Phase::Discovery => Message::FollowerInfo {
                accepted: cx.durable().accepted_epoch,
            },
        };
        cx.send(leader, question);
        cx.set_timer(Timer::Retry, exactly(cx.config().retry_us));
    }

    pub(super) fn ack_epoch(&self, epoch: Epoch, leader: NodeId, cx: &Cx<'_>) -> Message {
        Message::AckEpoch {
            epoch,
            current: epoch_of_history(cx),
            last: cx.durable().history.last_zxid(),
            promises: self.promised == Some(leader),
        }
    }

    /// The leader hears which epoch a follower promised last. Of a quorum's it takes the newest, and adds one.
    pub(super) fn take_info(&mut self, from: NodeId, accepted: Epoch, cx: &mut Cx<'_>) {
        let Stage::Leading(leading) = &mut self.stage else {
            return;
        };
        if leading.epoch == 0 {
            leading.informed.insert(from);
            leading.newest = leading.newest.max(accepted);
            if !cx.config().is_quorum(leading.informed) {
                return;
            }
            leading.epoch = leading.newest + 1;
            let (epoch, informed, me) = (leading.epoch, leading.informed, cx.me());
            self.accept_epoch(epoch, me, cx);
            let promise = self.ack_epoch(epoch, me, cx);
            cx.send(me, promise);
            for follower in informed.iter().filter(|node| *node != me) {
                cx.send(follower, Message::NewEpoch { epoch });
            }
            return;
        }
        let epoch = leading.epoch;
        if accepted > epoch && !cx.has(ZabBug::LaterEpochIgnored) {
            // It will never follow this leader; a new election finds an epoch that it will take part in.
            return self.look_for_leader(cx);
        }
        if from != cx.me() {
            cx.send(from, Message::NewEpoch { epoch });
        }
    }

    fn accept_epoch(&mut self, epoch: Epoch, leader: NodeId, cx: &mut Cx<'_>) {
        self.promised = Some(leader);
        let promise = Write::Accepted(epoch);
        if cx.has(ZabBug::AcceptedEpochNotDurable) {
            cx.write_but_forget_to_persist(&promise);
        } else {
            cx.write(promise);
        }
    }

    /// A follower hears of the leader's epoch. It promises an epoch once: a second leader that found the same number
    /// may lead, but not on this node's word (ZooKeeper: `registerWithLeader`, the epoch −1).
    pub(super) fn promise(&mut self, from: NodeId, epoch: Epoch, cx: &mut Cx<'_>) {
        let Stage::Following(following) = &mut self.stage else {
            return;
        };
        let accepted = cx.durable().accepted_epoch;
        if following.leader != from || following.phase != Phase::Discovery {
            return;
        }
        if epoch < accepted {
            return self.look_for_leader(cx);
        }
        following.epoch = epoch;
        following.phase = Phase::Synchronization;
        if epoch > accepted {
            self.accept_epoch(epoch, from, cx);
        } else if self.promised != Some(from) {
            cx.note(probes::NO_SECOND_PROMISE);
        }
        self.ask_leader_again(cx);
    }

    /// The leader hears of a promise. With a quorum of them its initial history is settled: its own, unless one of
    /// them has a newer one.
    pub(super) fn take_promise(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        end: (Epoch, Zxid),
        promises: bool,
        cx: &mut Cx<'_>,
    ) {
        let Some(leading) = self.leading(epoch) else {
            return;
        };
        leading.ends.insert(from, end);
        if leading.phase != Phase::Discovery {
            if from != cx.me() {
                self.bring_up_to_date(from, cx);
            }
            return;
        }
        if !promises {
            return;
        }
        leading.promised.insert(from);
        let promised = leading.promised;
        let own = (epoch_of_history(cx), cx.durable().history.last_zxid());
        if newness(end, cx) > newness(own, cx) {
            cx.note(probes::FOLLOWER_AHEAD);
            return self.look_for_leader(cx);
        }
        if cx.config().is_quorum(promised) {
            self.begin_synchronization(cx);
        }
    }
}
