//! Phase 2, synchronisation: a quorum takes over the leader's history, and the epoch is established (paper §5, steps
//! l.2.1 to f.2.2; ZooKeeper: `LearnerHandler.syncFollower`, `Learner.syncWithLeader`).
//!
//! A follower is told what its history lacks (DIFF), what it has too much (TRUNC), or all of it (SNAP). Each is made
//! for one end of the follower's history and says so; should that have changed, it is not for this follower any more.
//! On a follower's disk there is first the history, then the epoch, and only then the acknowledgement goes out.

use tribunal_histories::{NodeId, Phase, Zxid};

use super::config::exactly;
use super::election::epoch_of_history;
use super::history::{Epoch, Snapshot, Write};
use super::message::{Message, Place, Sync, Timer};
use super::{Cx, Stage, Zab, ZabBug, last_place, place_at, probes};

impl Zab {
    /// The leader's initial history is settled.
    pub(super) fn begin_synchronization(&mut self, cx: &mut Cx<'_>) {
        if cx.has(ZabBug::HistoryRenamed) {
            self.rename_uncommitted(cx);
        }
        let last = last_place(cx);
        let Stage::Leading(leading) = &mut self.stage else {
            return;
        };
        leading.phase = Phase::Synchronization;
        leading.initial = last.index;
        let epoch = leading.epoch;
        let followers: Vec<_> = leading.ends.keys().copied().collect();
        let follows = Some(cx.durable().history.end());
        cx.write(Write::Current { epoch, follows });
        cx.send(cx.me(), Message::AckNewLeader { epoch, last });
        let me = cx.me();
        for follower in followers.into_iter().filter(|node| *node != me) {
            self.bring_up_to_date(follower, cx);
        }
        if cx.has(ZabBug::ServesBeforeQuorum) {
            self.establish(cx);
        }
    }

    /// Gives the transactions that this node does not know to be committed names of the new epoch: for a planted bug.
    fn rename_uncommitted(&self, cx: &mut Cx<'_>) {
        let epoch = cx.durable().accepted_epoch;
        let mut renamed = cx.durable().history.behind(self.applied).to_vec();
        let Some(write) = cx.durable().history.truncate(self.applied) else {
            return;
        };
        for (counter, transaction) in (1..).zip(&mut renamed) {
            transaction.zxid = Zxid { epoch, counter };
        }
        cx.write(write);
        cx.write(cx.durable().history.append(renamed));
    }

    /// Sends a follower what makes its history the leader's, and what says that it now is.
    pub(super) fn bring_up_to_date(&mut self, follower: NodeId, cx: &mut Cx<'_>) {
        let Stage::Leading(leading) = &self.stage else {
            return;
        };
        let (epoch, Some(answers)) = (leading.epoch, leading.ends.get(&follower).copied()) else {
            return;
        };
        let how = self.way_to_own_history(answers.1, cx);
        cx.note(match &how {
            Sync::Diff(_) => probes::DIFF,
            Sync::Trunc(_) => probes::TRUNC,
            Sync::Snap(..) => probes::SNAP,
        });
        let goes_on = matches!(how, Sync::Trunc(_));
        cx.send(
            follower,
            Message::Sync {
                epoch,
                answers,
                how,
            },
        );
        if !goes_on {
            let last = last_place(cx);
            cx.send(follower, Message::NewLeader { epoch, last });
        }
    }

    /// DIFF if this history has the follower's last transaction, TRUNC if it does not but goes back as far, else SNAP.
    fn way_to_own_history(&self, last: Zxid, cx: &Cx<'_>) -> Sync {
        let history = &cx.durable().history;
        if let Some(index) = history.index_of(last) {
            return Sync::Diff(history.behind(index).to_vec());
        }
        let start = history.zxid_at(history.start()).unwrap_or_default();
        if last > start {
            let shared = history.last_not_after(last);
            if cx.has(ZabBug::NoTruncation) {
                return Sync::Diff(history.behind(shared).to_vec());
            }
            return Sync::Trunc(history.zxid_at(shared).unwrap_or_default());
        }
        if cx.has(ZabBug::DiffWithHole) {
            return Sync::Diff(history.behind(history.start()).to_vec());
        }
        let snapshot = history.snapshot().clone();
        let transactions = history.behind(snapshot.index);
        if cx.has(ZabBug::SnapshotOfUncommitted) {
            return Sync::Snap(Box::new(after_all(snapshot, cx)), Vec::new());
        }
        Sync::Snap(Box::new(snapshot), transactions.to_vec())
    }

    /// A follower's history becomes the leader's.
    pub(super) fn take_over(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        answers: (Epoch, Zxid),
        how: Sync,
        cx: &mut Cx<'_>,
    ) {
        let own = (epoch_of_history(cx), cx.durable().history.last_zxid());
        let awaited = self.following(from, epoch).is_some_and(|following| {
            following.phase == Phase::Synchronization && !following.synchronized
        });
        if !awaited || answers != own {
            return;
        }
        let is_cut = matches!(how, Sync::Trunc(_));
        let is_diff = matches!(how, Sync::Diff(_));
        if (cx.has(ZabBug::AckNewLeaderBeforeSync) || cx.has(ZabBug::AckDiffBeforeSync) && is_diff)
            && let Some(last) = end_after(&how, cx)
        {
            cx.send(from, Message::AckNewLeader { epoch, last });
        }
        if cx.has(ZabBug::EpochBeforeHistory) && !is_cut {
            let follows = None;
            cx.write(Write::Current { epoch, follows });
        }
        match how {
            Sync::Diff(missing) => {
                if !missing.is_empty() {
                    cx.write(cx.durable().history.append(missing));
                }
            }
            Sync::Trunc(to) => {
                let kept = cx.durable().history.last_not_after(to);
                if let Some(write) = cx.durable().history.truncate(kept) {
                    cx.write(write);
                }
            }
            Sync::Snap(snapshot, transactions) => self.install(snapshot, transactions, cx),
        }
        self.recalled = self.recalled.min(cx.durable().history.last_index());
        if is_cut {
            self.ask_leader_again(cx);
        }
    }

    fn install(
        &mut self,
        snapshot: Box<Snapshot>,
        transactions: Vec<super::Transaction>,
        cx: &mut Cx<'_>,
    ) {
        if snapshot.index > self.applied {
            self.applied = snapshot.index;
            self.committed = self.committed.max(snapshot.index);
            self.machine = snapshot.machine.clone();
            self.delivered = snapshot.delivered;
            self.deliveries = snapshot.index;
        }
        let install = Write::Install {
            snapshot,
            transactions,
        };
        if cx.has(ZabBug::SnapshotNotDurable) {
            cx.write_but_forget_to_persist(&install);
        } else {
            cx.write(install);
        }
    }

    /// A follower that has the leader's history takes over its epoch, durably, and says so.
    pub(super) fn accept_leader(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        last: Place,
        cx: &mut Cx<'_>,
    ) {
        let own = last_place(cx);
        let Some(following) = self.following(from, epoch) else {
            return;
        };
        let complete = own.zxid == last.zxid || cx.has(ZabBug::NewLeaderBeforeHistory);
        if following.phase != Phase::Synchronization || following.synchronized || !complete {
            return;
        }
        following.synchronized = true;
        if cx.has(ZabBug::ServesBeforeUpToDate) {
            following.phase = Phase::Broadcast;
            cx.set_timer(Timer::Leader, cx.config().sync_limit());
        }
        let follows = Some(cx.durable().history.end());
        cx.write(Write::Current { epoch, follows });
        cx.send(from, Message::AckNewLeader { epoch, last });
        cx.set_timer(Timer::Retry, exactly(cx.config().retry_us));
    }

    /// The leader hears that a follower has its history up to a place. With a quorum of them it is established.
    pub(super) fn take_follower(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        last: Place,
        cx: &mut Cx<'_>,
    ) {
        let (start, last_index) = (
            cx.durable().history.start(),
            cx.durable().history.last_index(),
        );
        let Some(leading) = self.leading(epoch) else {
            return;
        };
        // An acknowledgement that comes so late that what follows it is compacted is of no use.
        let too_short = last.index < leading.initial.max(start);
        if leading.phase == Phase::Discovery || too_short {
            return;
        }
        let (phase, index) = (leading.phase, last.index.min(last_index));
        let stored = leading.stored.entry(from).or_default();
        *stored = index.max(*stored);
        leading.heard.insert(from);
        if phase == Phase::Synchronization {
            let followers = leading.stored.keys().copied().collect();
            if cx.config().is_quorum(followers) {
                self.establish(cx);
            }
            return;
        }
        let committed = place_at(self.committed, cx);
        if from != cx.me() {
            cx.send(from, Message::UpToDate { epoch, committed });
            if !cx.has(ZabBug::ProposalsDuringSyncLost) {
                self.send_missing(from, cx);
            }
        }
        self.advance_commit(cx);
    }

    /// A quorum has the leader's history and epoch: all of it is committed (paper §5, step l.2.2).
    fn establish(&mut self, cx: &mut Cx<'_>) {
        let Stage::Leading(leading) = &mut self.stage else {
            return;
        };
        leading.phase = Phase::Broadcast;
        let (epoch, initial) = (leading.epoch, leading.initial);
        cx.note(probes::ESTABLISHED);
        if epoch > 1 {
            cx.note(probes::LATER_EPOCH);
        }
        self.commit_to(initial, cx);
        let committed = place_at(initial, cx);
        for follower in self.followers(cx) {
            cx.send(follower, Message::UpToDate { epoch, committed });
        }
        cx.set_timer(Timer::Quorum, cx.config().sync_limit());
        self.ping(cx);
    }

    /// A follower may deliver what is committed, and serve.
    pub(super) fn serve_from_now(
        &mut self,
        from: NodeId,
        epoch: Epoch,
        committed: Place,
        cx: &mut Cx<'_>,
    ) {
        let Some(following) = self.following(from, epoch) else {
            return;
        };
        if following.phase != Phase::Synchronization || !following.synchronized {
            return;
        }
        following.phase = Phase::Broadcast;
        cx.cancel_timer(Timer::Retry);
        cx.set_timer(Timer::Leader, cx.config().sync_limit());
        self.commit_place(committed, cx);
    }
}

/// Where this node's history will end, if it is not only cut off.
fn end_after(how: &Sync, cx: &Cx<'_>) -> Option<Place> {
    let (behind, transactions) = match how {
        Sync::Diff(transactions) => (last_place(cx), transactions),
        Sync::Trunc(_) => return None,
        Sync::Snap(snapshot, transactions) => {
            let (zxid, index) = (snapshot.zxid, snapshot.index);
            (Place { zxid, index }, transactions)
        }
    };
    Some(Place {
        zxid: transactions.last().map_or(behind.zxid, |last| last.zxid),
        index: behind.index + transactions.len() as u64,
    })
}

/// The state after all of this node's history, committed or not.
fn after_all(mut snapshot: Snapshot, cx: &Cx<'_>) -> Snapshot {
    let history = &cx.durable().history;
    for transaction in history.behind(snapshot.index) {
        snapshot.deliver(transaction);
    }
    (snapshot.index, snapshot.record) = history.end();
    snapshot
}
