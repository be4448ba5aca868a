//! Elections: who may lead, and in which term (paper §5.2 and §5.4.1; pre-vote: dissertation §9.6).

use tribunal_histories::{ByNode, NodeId, NodeSet, PeerProgress, Role};

use super::log::{Entry, Index, Payload, Term, Write};
use super::message::{Campaign, Message, Timer};
use super::{Cx, Leadership, Raft, RaftBug, probes};
use crate::state_machine::StateMachine;

/// How up to date a log is: the term of its last entry, then its length. Compared in this order (paper §5.4.1).
type LogEnd = (Term, Index);

impl Raft {
    /// The election timer fired: this node has not heard from a leader, or has not won.
    pub(super) fn campaign(&mut self, cx: &mut Cx<'_>) {
        if !cx.has(RaftBug::LeaderNeverForgotten) {
            self.leader = None;
        }
        self.loyal = false;
        self.votes = NodeSet::of(cx.me());
        cx.set_timer(Timer::Election, cx.config().election_timeout());
        if !self.may_lead(cx) {
            self.role = Role::Follower;
            return;
        }
        if !cx.config().pre_vote {
            return self.start_election(Campaign::Election, cx);
        }
        self.role = Role::PreCandidate;
        if cx.has(RaftBug::PreVoteRaisesTerm) {
            let term = cx.durable().term + 1;
            let voted_for = None;
            cx.write(Write::Vote { term, voted_for });
        }
        self.ask_for_votes(cx.durable().term + 1, Campaign::PreVote, cx);
        if self.is_elected(cx) {
            self.start_election(Campaign::Election, cx);
        }
    }

    pub(super) fn start_election(&mut self, campaign: Campaign, cx: &mut Cx<'_>) {
        let term = cx.durable().term + 1;
        cx.note(probes::ELECTION_BEGAN);
        cx.write(Write::Vote {
            term,
            voted_for: Some(cx.me()),
        });
        self.role = Role::Candidate;
        self.votes = NodeSet::of(cx.me());
        self.ask_for_votes(term, campaign, cx);
    }

    /// The vote for itself may be all that a candidate needs. It counts once it is on the disk: a crash before that
    /// would let the node vote again in that term.
    pub(super) fn count_own_vote(&mut self, cx: &mut Cx<'_>) {
        let on_disk =
            (cx.synced().term, cx.synced().voted_for) == (cx.durable().term, Some(cx.me()));
        if self.role == Role::Candidate && on_disk && self.is_elected(cx) {
            self.lead(cx);
        }
    }

    fn ask_for_votes(&self, term: Term, campaign: Campaign, cx: &mut Cx<'_>) {
        let (last_term, last_index) = log_end(cx);
        let asked = if cx.has(RaftBug::StrangersVote) {
            NodeSet::all(cx.config().nodes)
        } else {
            self.voters(cx).all()
        };
        for peer in asked.without(NodeSet::of(cx.me())).iter() {
            cx.send(
                peer,
                Message::RequestVote {
                    term,
                    last_index,
                    last_term,
                    campaign,
                },
            );
        }
    }

    /// Whether this node stands by a leader. While it does, who asks for its vote does not disturb it (dissertation
    /// §4.2.3), unless it is the leader who wants that; what a lease stands on. With leases, a node that has just
    /// started may have stood by one before.
    fn is_loyal(&self, to_all_but: NodeId, cx: &Cx<'_>) -> bool {
        let stands = self.role == Role::Leader || self.loyal;
        stands
            && self.leader != Some(to_all_but)
            && cx.config().sticks_to_leaders()
            && !cx.has(RaftBug::RemovedNodeDisrupts)
    }

    /// Whether a message changes nothing, not even the term.
    pub(super) fn ignores(&self, from: NodeId, message: &Message, cx: &Cx<'_>) -> bool {
        let asks_for_vote = matches!(
            message,
            Message::RequestVote {
                campaign: Campaign::Election,
                ..
            }
        );
        asks_for_vote && self.is_loyal(from, cx) || self.is_retired(cx)
    }

    /// Grants a pre-vote if the asker could win and this node, too, has not heard from a leader since its own
    /// election timer last fired; or if it was the leader itself. It changes nothing.
    pub(super) fn answer_pre_vote(
        &self,
        from: NodeId,
        term: Term,
        candidate: LogEnd,
        cx: &mut Cx<'_>,
    ) {
        let current = cx.durable().term;
        let led = match self.leader {
            None => false,
            Some(leader) => leader != from || cx.has(RaftBug::LeaderNeverForgotten),
        };
        let follows = match self.role {
            Role::Leader => !cx.has(RaftBug::LeaderGrantsPreVote),
            _ => led && !cx.has(RaftBug::RemovedNodeDisrupts),
        };
        let granted = term > current && !follows && candidate >= log_end(cx);
        let term = if granted { term } else { current };
        cx.send(
            from,
            Message::Vote {
                term,
                granted,
                pre: true,
            },
        );
    }

    /// Grants at most one vote a term, only to a candidate whose log is at least as up to date as this node's.
    pub(super) fn answer_vote(
        &mut self,
        from: NodeId,
        term: Term,
        candidate: LogEnd,
        campaign: Campaign,
        cx: &mut Cx<'_>,
    ) {
        let (current, voted_for) = (cx.durable().term, cx.durable().voted_for);
        let free = voted_for.is_none_or(|node| node == from);
        let trusted = campaign == Campaign::Transfer && cx.has(RaftBug::TransferTrusted);
        let granted =
            term == current && free && (trusted || up_to_date(candidate, log_end(cx), cx));
        if granted {
            let vote = Write::Vote {
                term,
                voted_for: Some(from),
            };
            if cx.has(RaftBug::VoteNotDurable) {
                cx.write_but_forget_to_persist(&vote);
            } else if voted_for.is_none() {
                cx.write(vote);
            }
            cx.set_timer(Timer::Election, cx.config().election_timeout());
        }
        cx.send(
            from,
            Message::Vote {
                term: current,
                granted,
                pre: false,
            },
        );
    }

    pub(super) fn count_vote(
        &mut self,
        from: NodeId,
        term: Term,
        granted: bool,
        pre: bool,
        cx: &mut Cx<'_>,
    ) {
        let current = cx.durable().term;
        let awaited = match self.role {
            Role::PreCandidate => pre && term == current + 1,
            Role::Candidate => !pre && (term == current || cx.has(RaftBug::StaleVoteCounted)),
            Role::Follower | Role::Leader | Role::Recovering => false,
        };
        if !(awaited && granted) {
            return;
        }
        self.votes.insert(from);
        if self.is_elected(cx) {
            if pre {
                self.start_election(Campaign::Election, cx)
            } else {
                self.lead(cx)
            }
        }
    }

    /// Whether the votes are a quorum. This node's own counts if it is a voter.
    fn is_elected(&self, cx: &Cx<'_>) -> bool {
        let voters = self.voters(cx).all();
        if cx.has(RaftBug::HalfIsEnough) {
            return self.votes.and(voters).len() >= voters.len().div_ceil(2);
        }
        if cx.has(RaftBug::StrangersVote) {
            return self.votes.len() > voters.len() / 2;
        }
        self.is_quorum(self.votes, cx)
    }

    /// Takes the lead and appends a no-op: only an entry of its own term tells a leader what is committed
    /// (paper §5.4.2, §8).
    fn lead(&mut self, cx: &mut Cx<'_>) {
        let term = cx.durable().term;
        let last_index = cx.durable().log.last_index();
        cx.note(probes::LEADER_ELECTED);
        if term > 1 {
            cx.note(probes::LEADERSHIP_CHANGED);
        }
        if cx.has(RaftBug::FailoverLosesState) {
            self.machine = StateMachine::default();
        }
        self.role = Role::Leader;
        self.leader = Some(cx.me());
        self.votes = NodeSet::EMPTY;
        self.leadership = Leadership {
            peers: ByNode(vec![
                PeerProgress {
                    match_index: 0,
                    next_index: last_index + 1
                };
                cx.config().nodes
            ]),
            answered_rounds: ByNode(vec![0; cx.config().nodes]),
            first_index: last_index + 1,
            ..Leadership::default()
        };
        cx.cancel_timer(Timer::Election);
        cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        if cx.config().check_quorum {
            cx.set_timer(Timer::CheckQuorum, cx.config().election_timeout());
        }
        let payload = Payload::Noop;
        cx.write(
            cx.durable()
                .log
                .append(last_index, vec![Entry { term, payload }]),
        );
        self.ask_for_lease(cx);
        self.send_to_all(cx);
    }

    /// A leader that no quorum has answered for an election timeout has been cut off: it steps down, so that clients
    /// look elsewhere and nobody keeps by it (dissertation §6.2).
    pub(super) fn check_quorum(&mut self, cx: &mut Cx<'_>) {
        let heard = std::mem::take(&mut self.leadership.heard).or(NodeSet::of(cx.me()));
        if self.is_quorum(heard, cx) {
            cx.set_timer(Timer::CheckQuorum, cx.config().election_timeout());
        } else {
            cx.note(probes::LEADER_WITHOUT_QUORUM);
            self.follow(cx.durable().term, None, cx);
        }
    }
}

fn log_end(cx: &Cx<'_>) -> LogEnd {
    let log = &cx.durable().log;
    (log.last_term(), log.last_index())
}

fn up_to_date(candidate: LogEnd, own: LogEnd, cx: &Cx<'_>) -> bool {
    if cx.has(RaftBug::VoteWithoutLogCheck) {
        return true;
    }
    if cx.has(RaftBug::VoteByLengthOnly) {
        return candidate.1 >= own.1;
    }
    if cx.has(RaftBug::VoteByLastTermOnly) {
        return candidate.0 >= own.0;
    }
    candidate >= own
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::{Configuration, Effect, Input};
    use crate::raft::Config;
    use crate::{Disk, Host};

    /// Who grants a vote waits an election timeout before it asks for votes itself (paper §5.2; dissertation §3.4);
    /// who denies one does not.
    #[test]
    fn a_granted_vote_restarts_the_election_timer_and_a_denied_one_does_not() {
        let config = Arc::new(Config::of(3));
        let (mut disk, mut effects) = (Disk::<Raft>::default(), Vec::new());
        let mut host = Host::boot(NodeId(0), config, &mut disk, &mut effects);
        for (candidate, granted) in [(1, true), (2, false)] {
            effects.clear();
            let message = Message::RequestVote {
                term: 1,
                last_index: 0,
                last_term: 0,
                campaign: Campaign::Election,
            };
            let from = NodeId(candidate);
            host.step(Input::Message { from, message }, &mut disk, &mut effects);
            let restarts = effects.iter().any(|effect| {
                matches!(effect, Effect::SetTimer { timer, .. } if *timer == Timer::Election)
            });
            assert_eq!(restarts, granted, "{effects:?}");
        }
    }
}
