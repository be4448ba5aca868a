//! The learner: it counts votes, and asks when it has missed some (Paxos Made Simple §2.3).

use tribunal_histories::{ByNode, Learned, NodeId, NodeSet, Value};

use super::disk::Proposal;
use super::message::{Message, Timer};
use super::proposer::Phase;
use super::{Cx, Paxos, PaxosBug, nodes, probes};

/// What a learner has heard and learned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Learner {
    /// By acceptor, its last vote as far as this node has heard.
    heard: ByNode<Option<Proposal>>,
    learned: Option<Learned>,
}

impl Learner {
    /// The value that is chosen, if it knows.
    pub(super) fn value(&self) -> Option<i64> {
        self.learned
            .as_ref()
            .and_then(|learned| learned.value.as_int())
    }

    /// The same, as properties see it.
    pub(super) fn learned(&self) -> &[Learned] {
        self.learned.as_slice()
    }

    /// Forgets the votes that it has heard of, if it knows what is chosen; whether there were any.
    pub(super) fn forget_votes(&mut self) -> bool {
        self.learned.is_some() && !std::mem::take(&mut *self.heard).is_empty()
    }

    /// Hears of a vote: who, as far as it knows, voted last under that ballot.
    fn hear(&mut self, acceptor: NodeId, vote: Proposal, cx: &Cx<'_>) -> NodeSet {
        self.heard.resize(cx.config().nodes, None);
        let last = &mut self.heard[acceptor.index()];
        if last.is_none_or(|last| last.ballot < vote.ballot) {
            *last = Some(vote);
        }
        let counts = |heard: Proposal| match cx.has(PaxosBug::VotesAddedAcrossBallots) {
            true => heard.value == vote.value,
            false => heard == vote,
        };
        nodes(cx)
            .zip(&self.heard)
            .filter(|(_, heard)| heard.is_some_and(counts))
            .map(|(acceptor, _)| acceptor)
            .collect()
    }
}

impl Paxos {
    /// An acceptor has voted: if a quorum has under this ballot, the value is chosen.
    pub(super) fn count_vote(&mut self, acceptor: NodeId, vote: Proposal, cx: &mut Cx<'_>) {
        let voters = self.learner.hear(acceptor, vote, cx);
        if super::reached(&self.quorums.accept, voters, cx) || cx.has(PaxosBug::OneVoteIsEnough) {
            self.learn(vote.value, cx);
            if self.proposer.phase == Phase::Proposing(vote) && !cx.config().votes_to_all {
                self.tell_others(vote.value, cx);
            }
            self.decided(vote.value, cx);
        } else {
            self.wait_to_learn(cx);
        }
    }

    /// Only this node has heard of the votes.
    fn tell_others(&self, value: i64, cx: &mut Cx<'_>) {
        let me = cx.me();
        for learner in nodes(cx).filter(|node| *node != me) {
            cx.send(learner, Message::Chosen { value });
        }
    }

    /// Another learner knows.
    pub(super) fn be_told(&mut self, value: i64, cx: &mut Cx<'_>) {
        if self.learner.learned.is_none() {
            cx.note(probes::CAUGHT_UP);
        }
        self.learn(value, cx);
        self.decided(value, cx);
    }

    fn learn(&mut self, value: i64, cx: &mut Cx<'_>) {
        if self.learner.learned.is_none() {
            let value = Value::Int(value);
            self.learner.learned = Some(Learned { slot: 0, value });
            cx.cancel_timer(Timer::Learn);
        }
    }

    /// Votes are about: it should hear before long what comes of them.
    pub(super) fn wait_to_learn(&self, cx: &mut Cx<'_>) {
        if self.learner.learned.is_none() {
            cx.set_timer(Timer::Learn, cx.config().learn());
        }
    }

    /// It did not hear.
    pub(super) fn ask_what_is_chosen(&self, cx: &mut Cx<'_>) {
        let me = cx.me();
        for learner in nodes(cx).filter(|node| *node != me) {
            cx.send(learner, Message::Ask);
        }
        self.wait_to_learn(cx);
    }

    /// Tells a learner what is chosen, or at least how this node voted.
    pub(super) fn answer_learner(&self, from: NodeId, cx: &mut Cx<'_>) {
        if let Some(value) = self.learner.value() {
            cx.send(from, Message::Chosen { value });
        } else if let Some(vote) = cx.durable().accepted {
            cx.send(from, Message::Accepted(vote));
        }
    }
}
