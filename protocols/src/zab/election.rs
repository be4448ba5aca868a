//! Phase 0: who is to lead (ZooKeeper's `FastLeaderElection`).
//!
//! Every node votes for itself first, takes over each better vote that it hears of, and tells all when its vote
//! changes: votes converge on the greatest. A vote is greater by current epoch, then last transaction, then node
//! (`totalOrderPredicate`). Nothing here is needed for safety: that is what phase 1 is for.

use std::collections::BTreeMap;

use tribunal_histories::{NodeId, Phase, Zxid};

use super::config::exactly;
use super::message::{Message, Standing, Timer, Vote};
use super::{Cx, Following, Leading, Stage, Zab, ZabBug, peers, probes};
use crate::quorum::NodeSet;

/// The votes of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Election {
    /// Of those that look for a leader in the same round.
    votes: BTreeMap<NodeId, Vote>,
    /// Whom those follow that look no longer; they lead if it is themselves.
    settled: BTreeMap<NodeId, NodeId>,
    /// Whether a quorum agrees with this node, which waits for better votes.
    agreed: bool,
}

/// What makes a history newer than another: the paper's order (§5, phase 1), by the epoch whose leader's history it
/// was taken over from and only then by its last transaction.
pub(super) fn newness((epoch, zxid): (u64, Zxid), cx: &Cx<'_>) -> (u64, u64, u64) {
    if cx.has(ZabBug::OwnHistoryKept) {
        return (0, 0, 0);
    }
    if cx.has(ZabBug::NewestByZxid) {
        return (0, zxid.epoch, zxid.counter);
    }
    if cx.has(ZabBug::NewestByCounter) {
        return (0, 0, zxid.counter);
    }
    (epoch, zxid.epoch, zxid.counter)
}

/// The epoch by which this node's history is compared.
pub(super) fn epoch_of_history(cx: &Cx<'_>) -> u64 {
    if cx.has(ZabBug::NewestByAcceptedEpoch) {
        cx.durable().accepted_epoch
    } else {
        cx.durable().current_epoch
    }
}

pub(super) fn own_vote(cx: &Cx<'_>) -> Vote {
    Vote {
        epoch: epoch_of_history(cx),
        zxid: cx.durable().history.last_zxid(),
        leader: cx.me(),
    }
}

fn is_better(vote: Vote, than: Vote, cx: &Cx<'_>) -> bool {
    let rank = |vote: Vote| {
        let tie = if cx.has(ZabBug::VotesTie) {
            NodeId(0)
        } else {
            vote.leader
        };
        let electable = cx.config().is_electable(vote.leader);
        (electable, newness((vote.epoch, vote.zxid), cx), tie)
    };
    rank(vote) > rank(than)
}

impl Zab {
    /// Begins to look for a leader, in a round of its own.
    pub(super) fn look_for_leader(&mut self, cx: &mut Cx<'_>) {
        for timer in [Timer::Leader, Timer::Ping, Timer::Quorum, Timer::Decide] {
            cx.cancel_timer(timer);
        }
        self.round += 1;
        self.vote = own_vote(cx);
        self.stage = Stage::Looking(Election::default());
        self.vote_again(cx);
        self.count_votes(cx);
    }

    fn standing(&self) -> Standing {
        match &self.stage {
            Stage::Looking(_) => Standing::Looking,
            Stage::Following(_) => Standing::Following,
            Stage::Leading(_) => Standing::Leading,
        }
    }

    fn notification(&self) -> Message {
        Message::Notification {
            round: self.round,
            vote: self.vote,
            standing: self.standing(),
        }
    }

    /// Tells all how it votes, now and again until somebody leads.
    pub(super) fn vote_again(&mut self, cx: &mut Cx<'_>) {
        for peer in peers(cx) {
            cx.send(peer, self.notification());
        }
        cx.set_timer(Timer::Retry, exactly(cx.config().retry_us));
    }

    pub(super) fn take_vote(
        &mut self,
        from: NodeId,
        round: u64,
        vote: Vote,
        standing: Standing,
        cx: &mut Cx<'_>,
    ) {
        let Stage::Looking(election) = &mut self.stage else {
            // One that looks for a leader is told who leads here.
            if standing == Standing::Looking {
                cx.send(from, self.notification());
            }
            return;
        };
        if standing != Standing::Looking {
            election.settled.insert(from, vote.leader);
            return self.join(vote.leader, round, cx);
        }
        if round < self.round {
            return cx.send(from, self.notification());
        }
        let mut candidate = self.vote;
        if round > self.round {
            self.round = round;
            *election = Election::default();
            cx.cancel_timer(Timer::Decide);
            candidate = own_vote(cx);
        }
        election.votes.insert(from, vote);
        if is_better(vote, candidate, cx) {
            cx.note(probes::BETTER_VOTE);
            candidate = vote;
        }
        if candidate != self.vote {
            self.vote = candidate;
            self.vote_again(cx);
        }
        self.count_votes(cx);
    }

    /// Waits for better votes if a quorum agrees with this node.
    fn count_votes(&mut self, cx: &mut Cx<'_>) {
        let vote = self.vote;
        let Stage::Looking(election) = &mut self.stage else {
            return;
        };
        election.votes.insert(cx.me(), vote);
        let agree = election.votes.iter().filter(|(_, other)| **other == vote);
        let agreed = cx
            .config()
            .is_quorum(agree.map(|(node, _)| *node).collect());
        if agreed && !election.agreed {
            cx.set_timer(Timer::Decide, exactly(cx.config().decide_us));
        } else if !agreed {
            cx.cancel_timer(Timer::Decide);
        }
        election.agreed = agreed;
    }

    /// A quorum agreed, and no better vote came.
    pub(super) fn decide(&mut self, cx: &mut Cx<'_>) {
        let leader = self.vote.leader;
        if leader == cx.me() {
            self.lead(cx);
        } else {
            self.follow(leader, cx);
        }
    }

    /// Joins those that have a leader, if they are a quorum and the leader says that it is one (`checkLeader`).
    fn join(&mut self, leader: NodeId, round: u64, cx: &mut Cx<'_>) {
        let Stage::Looking(election) = &self.stage else {
            return;
        };
        let settled = election.settled.iter().filter(|(_, of)| **of == leader);
        let voters = election
            .votes
            .iter()
            .filter(|(_, vote)| vote.leader == leader);
        let supporters: NodeSet = settled
            .map(|(node, _)| *node)
            .chain(voters.map(|(node, _)| *node))
            .collect();
        let leads = election.settled.get(&leader) == Some(&leader);
        if leads && leader != cx.me() && cx.config().is_quorum(supporters) {
            cx.note(probes::LEADER_FOUND);
            self.round = self.round.max(round);
            self.vote.leader = leader;
            self.follow(leader, cx);
        }
    }

    fn follow(&mut self, leader: NodeId, cx: &mut Cx<'_>) {
        cx.cancel_timer(Timer::Decide);
        self.stage = Stage::Following(Following {
            leader,
            phase: Phase::Discovery,
            epoch: 0,
            synchronized: false,
        });
        cx.set_timer(Timer::Leader, cx.config().init_limit());
        self.ask_leader_again(cx);
    }

    fn lead(&mut self, cx: &mut Cx<'_>) {
        cx.cancel_timer(Timer::Retry);
        self.stage = Stage::Leading(Leading {
            phase: Phase::Discovery,
            epoch: 0,
            newest: 0,
            informed: NodeSet::EMPTY,
            promised: NodeSet::EMPTY,
            ends: BTreeMap::new(),
            initial: 0,
            stored: BTreeMap::new(),
            heard: NodeSet::EMPTY,
        });
        cx.note(probes::LEADER_ELECTED);
        cx.set_timer(Timer::Quorum, cx.config().init_limit());
        let accepted = cx.durable().accepted_epoch;
        cx.send(cx.me(), Message::FollowerInfo { accepted });
    }
}
