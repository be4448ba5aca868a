//! Elections: who may lead, and in which term (paper §5.2 and §5.4.1; pre-vote: dissertation §9.6).

use tribunal_histories::{NodeId, PeerProgress, Role};

use super::log::{Entry, Index, Payload, Term, Write};
use super::message::{Message, Timer};
use super::{Cx, Leadership, Raft, RaftBug, probes};

/// How up to date a log is: the term of its last entry, then its length. Compared in this order (paper §5.4.1).
type LogEnd = (Term, Index);

impl Raft {
    /// The election timer fired: this node has not heard from a leader, or has not won.
    pub(super) fn campaign(&mut self, cx: &mut Cx<'_>) {
        self.leader = None;
        self.votes = 1 << cx.me().index();
        cx.set_timer(Timer::Election, cx.config().election_timeout());
        if !cx.config().pre_vote {
            return self.start_election(cx);
        }
        self.role = Role::PreCandidate;
        self.ask_for_votes(cx.durable().term + 1, true, cx);
        if self.has_majority(cx) {
            self.start_election(cx);
        }
    }

    fn start_election(&mut self, cx: &mut Cx<'_>) {
        let term = cx.durable().term + 1;
        cx.note(probes::ELECTION_BEGAN);
        cx.write(Write::Vote {
            term,
            voted_for: Some(cx.me()),
        });
        self.role = Role::Candidate;
        self.votes = 1 << cx.me().index();
        self.ask_for_votes(term, false, cx);
        if self.has_majority(cx) {
            self.lead(cx);
        }
    }

    fn ask_for_votes(&self, term: Term, pre: bool, cx: &mut Cx<'_>) {
        let (last_term, last_index) = log_end(cx);
        for peer in peers(cx) {
            cx.send(
                peer,
                Message::RequestVote {
                    term,
                    last_index,
                    last_term,
                    pre,
                },
            );
        }
    }

    /// Grants a pre-vote if the asker could win and this node, too, has not heard from a leader since its own
    /// election timer last fired. It changes nothing.
    pub(super) fn answer_pre_vote(
        &self,
        from: NodeId,
        term: Term,
        candidate: LogEnd,
        cx: &mut Cx<'_>,
    ) {
        let current = cx.durable().term;
        let granted = term > current && self.leader.is_none() && candidate >= log_end(cx);
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
        cx: &mut Cx<'_>,
    ) {
        let (current, voted_for) = (cx.durable().term, cx.durable().voted_for);
        let free = voted_for.is_none_or(|node| node == from);
        let granted = term == current && free && up_to_date(candidate, log_end(cx), cx);
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
        self.votes |= 1 << from.index();
        if self.has_majority(cx) {
            if pre {
                self.start_election(cx)
            } else {
                self.lead(cx)
            }
        }
    }

    fn has_majority(&self, cx: &Cx<'_>) -> bool {
        let needed = if cx.has(RaftBug::HalfIsEnough) {
            cx.config().nodes.div_ceil(2)
        } else {
            cx.config().majority()
        };
        self.votes.count_ones() as usize >= needed
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
        self.role = Role::Leader;
        self.leader = Some(cx.me());
        self.votes = 0;
        self.leadership = Leadership {
            peers: vec![
                PeerProgress {
                    match_index: 0,
                    next_index: last_index + 1
                };
                cx.config().nodes
            ],
            answered_rounds: vec![0; cx.config().nodes],
            first_index: last_index + 1,
            ..Leadership::default()
        };
        cx.cancel_timer(Timer::Election);
        cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        let payload = Payload::Noop;
        cx.write(
            cx.durable()
                .log
                .append(last_index, vec![Entry { term, payload }]),
        );
        self.send_to_all(cx);
    }
}

/// All nodes but this one.
pub(super) fn peers(cx: &Cx<'_>) -> impl Iterator<Item = NodeId> + use<> {
    let me = cx.me();
    NodeId::all(cx.config().nodes).filter(move |node| *node != me)
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
