//! Membership: who votes, and how that changes while the cluster works (dissertation chapter 4).
//!
//! A configuration is an entry of the log, and the last one in a node's log is in force, committed or not; when it is
//! cut off, the one before it is again. New members are first sent the log, without a vote, until they have caught up
//! (§4.2.1). Then the leader goes on in steps, each a configuration whose quorums meet those of the one before, each
//! committed before the next: by one node at a time, or through a joint configuration. No step comes before an entry of
//! the leader's own term is committed: without that rule two leaders could change different things from the same
//! beginning (D. Ongaro, *bug in single-server membership changes*, raft-dev, July 2015).

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeSet, Role, Voters, VotersRecord};

use super::config::MembershipChange;
use super::log::{Entry, Payload};
use super::message::{Response, Timer};
use super::{Change, Cx, Raft, RaftBug, probes};
use crate::contract::ClientId;

/// A change of the voters that a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PendingChange {
    pub(super) client: ClientId,
    pub(super) sequence: u32,
    /// The voters that there are to be.
    target: NodeSet,
}

impl Raft {
    /// The configuration in force: the last in the log.
    pub(super) fn configuration(&self, cx: &Cx<'_>) -> VotersRecord {
        let changes = cx.durable().log.changes();
        let known = if cx.has(RaftBug::ConfigurationOnApply) {
            changes.partition_point(|change| change.index <= self.applied)
        } else {
            changes.len()
        };
        let initial = VotersRecord {
            index: 0,
            voters: self.initial_voters,
        };
        let last = changes[..known].last().copied().unwrap_or(initial);
        if cx.has(RaftBug::ConfigurationNotRolledBack) && self.in_force.index > last.index {
            return self.in_force;
        }
        last
    }

    /// The voters in force.
    pub(super) fn voters(&self, cx: &Cx<'_>) -> Voters {
        self.configuration(cx).voters
    }

    /// Whether these nodes may decide.
    pub(super) fn is_quorum(&self, nodes: NodeSet, cx: &Cx<'_>) -> bool {
        let voters = self.voters(cx);
        if cx.has(RaftBug::UnionQuorum) {
            return voters.all().has_majority_in(nodes);
        }
        if cx.has(RaftBug::RemovedLeaderCounts) && !voters.contains(cx.me()) {
            return nodes.and(voters.all().or(NodeSet::of(cx.me()))).len() > voters.all().len() / 2;
        }
        voters.has_quorum(nodes)
    }

    /// Whether this node should try to lead: as a voter; and as a node that is to be none any longer, for it may be
    /// needed until that is committed (§4.2.2).
    pub(super) fn may_lead(&self, cx: &Cx<'_>) -> bool {
        let VotersRecord { index, voters } = self.configuration(cx);
        voters.contains(cx.me()) || index > self.commit && !cx.has(RaftBug::PrematureRetirement)
    }

    /// Whether it takes part no more at all: which no node may decide for itself.
    pub(super) fn is_retired(&self, cx: &Cx<'_>) -> bool {
        let VotersRecord { index, voters } = self.configuration(cx);
        cx.has(RaftBug::PrematureRetirement) && index > 0 && !voters.contains(cx.me())
    }

    /// A client wants another cluster.
    pub(super) fn serve_change(
        &mut self,
        client: ClientId,
        sequence: u32,
        change: Change,
        cx: &mut Cx<'_>,
    ) {
        if self.role != Role::Leader {
            cx.note(probes::SENT_ELSEWHERE);
            return cx.reply(client, sequence, Response::NotLeader(self.leader));
        }
        let voters = self.voters(cx).incoming;
        let target = match change {
            Change::Transfer(to) => return self.transfer(client, sequence, to, cx),
            Change::Reconfigure(nodes) => nodes,
            Change::Add(node) => voters.or(NodeSet::of(node)),
            Change::Remove(node) => voters.without(NodeSet::of(node)),
        };
        if target.is_empty() || !target.without(NodeSet::all(cx.config().nodes)).is_empty() {
            return cx.reply(client, sequence, Response::Impossible);
        }
        match self.leadership.change {
            Some(pending) if (pending.client, pending.sequence) == (client, sequence) => {}
            Some(_) => cx.reply(client, sequence, Response::NotNow),
            None => {
                self.leadership.change = Some(PendingChange {
                    client,
                    sequence,
                    target,
                });
                cx.set_timer(Timer::CatchUp, cx.config().catch_up_timeout());
                self.advance_change(cx);
            }
        }
    }

    /// Takes the next step of a change, if it is time for it.
    pub(super) fn advance_change(&mut self, cx: &mut Cx<'_>) {
        if self.role != Role::Leader {
            return;
        }
        let VotersRecord { index, voters } = self.configuration(cx);
        // One that is in the log and not in force, which is a planted bug, is to come first (etcd: `pendingConfIndex`).
        let changes = cx.durable().log.changes();
        let comes_first = changes.last().is_some_and(|change| change.index > index);
        let committed = index <= self.commit && !comes_first;
        let retires = committed || cx.has(RaftBug::PrematureRetirement);
        if index > 0 && retires && !voters.is_joint() && !voters.contains(cx.me()) {
            // It led the change to the end; now the others lead (§4.2.2).
            cx.note(probes::LEADER_REMOVED);
            self.finish_change(voters, cx);
            return self.follow(cx.durable().term, None, cx);
        }
        let may_go_on = committed
            || cx.has(RaftBug::UncommittedChanges)
            || voters.is_joint() && cx.has(RaftBug::JointLeftEarly);
        let knows = self.commit >= self.leadership.first_index;
        if !may_go_on || !knows && !cx.has(RaftBug::ChangeBeforeOwnCommit) {
            return;
        }
        self.finish_change(voters, cx);
        let Some(next) = self.next_configuration(voters, cx) else {
            return;
        };
        let newcomers = next.all().without(voters.all());
        let asked = std::mem::replace(&mut self.leadership.learners, newcomers);
        if self.has_caught_up(newcomers) || cx.has(RaftBug::EmptyNodeVotes) {
            return self.change_to(next, cx);
        }
        // From now on they are sent whatever the others are sent.
        for newcomer in newcomers.without(asked).iter() {
            cx.note(probes::MEMBER_CATCHES_UP);
            self.send_entries(newcomer, cx);
        }
    }

    /// The configuration that comes after this one; `None` if there is nothing to change.
    fn next_configuration(&self, voters: Voters, cx: &Cx<'_>) -> Option<Voters> {
        let Voters { incoming, .. } = voters;
        if voters.is_joint() {
            return Some(Voters::of(incoming));
        }
        let target = self.leadership.change?.target;
        if target == incoming {
            return None;
        }
        if cx.has(RaftBug::JumpsConfigurations) {
            return Some(Voters::of(target));
        }
        if cx.config().membership_change == MembershipChange::Joint {
            return Some(Voters::joint(incoming, target));
        }
        let added = target.without(incoming).iter().next();
        let removed = incoming.without(target).iter().next();
        Some(Voters::of(match (added, removed) {
            (Some(node), _) => incoming.or(NodeSet::of(node)),
            (None, Some(node)) => incoming.without(NodeSet::of(node)),
            (None, None) => incoming,
        }))
    }

    /// Whether these nodes have, but for what was appended just now, the leader's log.
    fn has_caught_up(&self, nodes: NodeSet) -> bool {
        let needed = self.commit.max(1);
        nodes
            .iter()
            .all(|node| self.leadership.peers[node.index()].match_index >= needed)
    }

    /// Appends a configuration, from when on it is in force. What a quorum of the one before has answered is no lease
    /// in the new one.
    fn change_to(&mut self, voters: Voters, cx: &mut Cx<'_>) {
        cx.note(if voters.is_joint() {
            probes::JOINT_CONFIGURATION
        } else {
            probes::CONFIGURATION_CHANGED
        });
        let entry = Entry {
            term: cx.durable().term,
            payload: Payload::Voters(voters),
        };
        let log = &cx.durable().log;
        cx.write(log.append(log.last_index(), vec![entry]));
        self.leadership.learners = NodeSet::EMPTY;
        self.give_up_leases(cx);
        self.send_to_all(cx);
        if cx.has(RaftBug::PrematureRetirement) || cx.has(RaftBug::UncommittedChanges) {
            self.advance_change(cx);
        }
    }

    /// Tells who asked for the change that it is done, if it is.
    fn finish_change(&mut self, voters: Voters, cx: &mut Cx<'_>) {
        let done = |change: &mut PendingChange| voters == Voters::of(change.target);
        if let Some(change) = self.leadership.change.take_if(done) {
            cx.cancel_timer(Timer::CatchUp);
            cx.reply(change.client, change.sequence, Response::Changed);
        }
    }

    /// It has taken too long. What has been appended goes on; the client may try again.
    pub(super) fn give_up_catching_up(&mut self, cx: &mut Cx<'_>) {
        self.leadership.learners = NodeSet::EMPTY;
        if let Some(change) = self.leadership.change.take() {
            cx.note(probes::CHANGE_GIVEN_UP);
            cx.reply(change.client, change.sequence, Response::NotNow);
        }
    }
}
