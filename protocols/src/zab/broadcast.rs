//! Phase 3, broadcast: the leader proposes, followers acknowledge what is on their disks, and what a quorum has is
//! committed and delivered in order (paper §5, steps l.3.1 to f.3.3).

use tribunal_histories::{NodeId, Phase, Zxid};

use super::config::exactly;
use super::history::{Epoch, Index, Transaction};
use super::message::{Message, Place, Response, Timer};
use super::{Cx, Stage, Zab, ZabBug, last_place, place_at, probes};
use crate::quorum::NodeSet;
use crate::state_machine::Output;

impl Zab {
    /// Sends a follower the transactions that it is not known to have.
    pub(super) fn send_missing(&mut self, to: NodeId, cx: &mut Cx<'_>) {
        let Stage::Leading(leading) = &self.stage else {
            return;
        };
        let (epoch, Some(stored)) = (leading.epoch, leading.stored.get(&to).copied()) else {
            return;
        };
        for index in stored + 1..=cx.durable().history.last_index() {
            propose(to, epoch, index, cx);
        }
    }

    /// The followers that have taken over the leader's history.
    pub(super) fn followers(&self, cx: &Cx<'_>) -> Vec<NodeId> {
        let Stage::Leading(leading) = &self.stage else {
            return Vec::new();
        };
        let followers = leading.stored.keys().copied();
        followers.filter(|node| *node != cx.me()).collect()
    }

    /// Sends a transaction that was just written to all who follow.
    pub(super) fn broadcast(&mut self, epoch: Epoch, cx: &mut Cx<'_>) {
        let last = last_place(cx);
        for follower in self.followers(cx) {
            propose(follower, epoch, last.index, cx);
        }
        cx.send(cx.me(), Message::Ack { epoch, last });
    }

    /// A follower accepts a proposal if it has the one before it; else that is still to come.
    pub(super) fn accept(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        after: Zxid,
        transaction: Transaction,
        cx: &mut Cx<'_>,
    ) {
        let takes_part = self
            .following(from, epoch)
            .is_some_and(|following| following.synchronized);
        let still_logs = cx.has(ZabBug::LogsAfterShutdown) && epoch == cx.durable().current_epoch;
        if !takes_part && !still_logs {
            return;
        }
        let last = cx.durable().history.last_zxid();
        if after == last || cx.has(ZabBug::GapAccepted) && transaction.zxid > last {
            let write = cx.durable().history.append(vec![transaction]);
            if cx.has(ZabBug::AckBeforeSync) {
                let index = cx.durable().history.last_index() + 1;
                let zxid = transaction.zxid;
                let last = Place { zxid, index };
                cx.send(from, Message::Ack { epoch, last });
                return cx.write(write);
            }
            cx.write(write);
            if cx.has(ZabBug::DeliversProposals) {
                self.commit_to(cx.durable().history.last_index(), cx);
            }
        } else if transaction.zxid > last {
            return cx.note(probes::PROPOSAL_WITH_GAP);
        }
        let last = last_place(cx);
        cx.send(from, Message::Ack { epoch, last });
    }

    /// The leader hears up to where a follower has its history.
    pub(super) fn note_stored(&mut self, from: NodeId, epoch: Epoch, last: Place, cx: &mut Cx<'_>) {
        let last_index = cx.durable().history.last_index();
        let Some(leading) = self.leading(epoch) else {
            return;
        };
        let Some(stored) = leading.stored.get_mut(&from) else {
            return;
        };
        *stored = last.index.min(last_index).max(*stored);
        leading.heard.insert(from);
        self.advance_commit(cx);
    }

    /// Commits what a quorum has on its disks.
    pub(super) fn advance_commit(&mut self, cx: &mut Cx<'_>) {
        let Stage::Leading(leading) = &self.stage else {
            return;
        };
        if leading.phase != Phase::Broadcast {
            return;
        }
        let epoch = leading.epoch;
        let has = |index: Index| -> NodeSet {
            let holders = leading.stored.iter().filter(|(_, up_to)| **up_to >= index);
            holders.map(|(node, _)| *node).collect()
        };
        let reached = leading.stored.values().copied();
        let decided = reached
            .filter(|index| cx.config().is_quorum(has(*index)))
            .max();
        let Some(index) = decided.filter(|index| *index > self.committed) else {
            return;
        };
        self.commit_to(index, cx);
        let committed = place_at(index, cx);
        for follower in self.followers(cx) {
            cx.send(follower, Message::Commit { epoch, committed });
        }
    }

    pub(super) fn learn_commit(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        committed: Place,
        cx: &mut Cx<'_>,
    ) {
        let Some(following) = self.following(from, epoch) else {
            return;
        };
        if following.phase != Phase::Broadcast {
            return;
        }
        cx.set_timer(Timer::Leader, cx.config().sync_limit());
        if cx.has(ZabBug::CommitsOutOfOrder)
            && committed.index > self.applied + 1
            && cx.durable().history.index_of(committed.zxid).is_some()
        {
            self.applied = committed.index - 1;
        }
        self.commit_place(committed, cx);
    }

    /// The leader lets itself be heard, and says again what was not acknowledged.
    pub(super) fn ping(&mut self, cx: &mut Cx<'_>) {
        let Stage::Leading(leading) = &self.stage else {
            return;
        };
        let epoch = leading.epoch;
        let committed = place_at(self.committed, cx);
        for follower in self.followers(cx) {
            if !cx.has(ZabBug::ProposalsDuringSyncLost) {
                self.send_missing(follower, cx);
            }
            cx.send(follower, Message::Ping { epoch, committed });
        }
        cx.set_timer(Timer::Ping, exactly(cx.config().ping_us));
    }

    /// A follower hears its leader, and answers.
    pub(super) fn hear_leader(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        committed: Place,
        cx: &mut Cx<'_>,
    ) {
        let last = last_place(cx);
        let Some(following) = self.following(from, epoch) else {
            return;
        };
        if following.phase != Phase::Broadcast {
            return;
        }
        cx.set_timer(Timer::Leader, cx.config().sync_limit());
        cx.send(from, Message::Pong { epoch, last });
        self.commit_place(committed, cx);
    }

    /// A leader that is not established in time, or no longer hears from a quorum, gives up. Who is silent no longer
    /// follows, until it comes back.
    pub(super) fn look_for_followers(&mut self, cx: &mut Cx<'_>) {
        let me = cx.me();
        let Stage::Leading(leading) = &mut self.stage else {
            return;
        };
        let mut heard = std::mem::take(&mut leading.heard);
        heard.insert(me);
        if leading.phase != Phase::Broadcast || !cx.config().is_quorum(heard) {
            cx.note(probes::LEADER_GAVE_UP);
            return self.look_for_leader(cx);
        }
        leading
            .stored
            .retain(|follower, _| heard.contains(*follower));
        cx.set_timer(Timer::Quorum, cx.config().sync_limit());
    }

    /// Delivers up to a place in the leader's history, of which this node's is the beginning.
    pub(super) fn commit_place(&mut self, committed: Place, cx: &mut Cx<'_>) {
        let index = cx.durable().history.last_not_after(committed.zxid);
        self.commit_to(index, cx);
    }

    /// Learns that transactions up to `index` are committed, and delivers them in order.
    pub(super) fn commit_to(&mut self, index: Index, cx: &mut Cx<'_>) {
        self.committed = self.committed.max(index);
        if cx.has(ZabBug::DeliversNewestFirst) {
            let pending = cx.durable().history.behind(self.applied).to_vec();
            let count = self.committed.saturating_sub(self.applied);
            let count = usize::try_from(count)
                .unwrap_or(usize::MAX)
                .min(pending.len());
            self.applied += count as u64;
            for transaction in pending[..count].iter().rev() {
                self.deliver(transaction, cx);
            }
        }
        while self.applied < self.committed {
            let Some(transaction) = cx.durable().history.transaction(self.applied + 1).copied()
            else {
                break;
            };
            self.applied += 1;
            self.deliver(&transaction, cx);
        }
        self.compact(cx);
    }

    fn deliver(&mut self, transaction: &Transaction, cx: &mut Cx<'_>) {
        let Transaction {
            client,
            sequence,
            command,
            ..
        } = *transaction;
        self.delivered = self.delivered.then(transaction);
        self.deliveries += 1;
        let output = if cx.has(ZabBug::NoSessions) {
            Some(self.machine.apply_again(command))
        } else {
            self.machine.apply(client, sequence, command)
        };
        if self.is_established()
            && let Some(output) = output
        {
            if output == Output::Mismatch {
                cx.note(probes::CAS_MISMATCH);
            }
            cx.reply(client, sequence, Response::Answer(output));
        }
    }

    /// Makes a snapshot when many transactions were delivered since the last. A leader keeps what a follower may lack.
    fn compact(&mut self, cx: &mut Cx<'_>) {
        let (history, window) = (&cx.durable().history, cx.config().window);
        let lacking = match &self.stage {
            Stage::Leading(leading) => leading.stored.values().copied().min(),
            _ => None,
        };
        let delivered = self.applied.min(history.last_index());
        let to = lacking
            .unwrap_or(delivered)
            .min(delivered.saturating_sub(window));
        if to > history.start() + window
            && let Some(write) = history.compact(to)
        {
            cx.note(probes::COMPACTED);
            cx.write(write);
        }
    }
}

fn propose(to: NodeId, epoch: Epoch, index: Index, cx: &mut Cx<'_>) {
    let history = &cx.durable().history;
    let (Some(transaction), Some(after)) = (
        history.transaction(index).copied(),
        history.zxid_at(index - 1),
    ) else {
        return;
    };
    let place = place_at(index, cx);
    let proposal = Message::Propose {
        epoch,
        after,
        transaction,
        place,
    };
    cx.send(to, proposal);
}
