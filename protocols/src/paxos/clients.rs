//! What a node does for clients: it answers what was chosen, whoever proposed it. When it cannot tell, it says nothing.

use super::ballot::Ballot;
use super::message::{Request, Response};
use super::proposer::Phase;
use super::{Cx, Paxos, PaxosBug, Proposal, probes};
use crate::contract::ClientId;

/// A client that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    client: ClientId,
    sequence: u32,
    request: Request,
    /// The last ballot that this node had begun when the request came: that ballot's promises may be older than the
    /// request.
    since: Ballot,
}

impl Waiting {
    fn value(&self) -> Option<i64> {
        match self.request {
            Request::Propose(value) => Some(value),
            Request::Read => None,
        }
    }
}

impl Paxos {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        request: Request,
        cx: &mut Cx<'_>,
    ) {
        let known = self.learner.value();
        if request == Request::Read && cx.has(PaxosBug::ReadFromMemory) {
            let response = known.map_or(Response::Undecided, Response::Chosen);
            return cx.reply(client, sequence, response);
        }
        let waiting = Waiting {
            client,
            sequence,
            request,
            since: cx.durable().ballot,
        };
        if let Some(value) = known
            && !cx.config().fresh_ballots
        {
            cx.note(probes::ANSWERED_FROM_MEMORY);
            return answer(&waiting, value, cx);
        }
        // A client has one operation at a time: what it asked before it no longer waits for. The same, sent again, has
        // its place already.
        self.waiting
            .retain(|other| other.client != client || other.sequence >= sequence);
        if self.waiting.iter().any(|other| other.client == client) {
            return;
        }
        let busy = !self.waiting.is_empty();
        self.waiting.push(waiting);
        match (self.proposer.phase.clone(), request) {
            (Phase::Proposing(proposal), Request::Propose(value))
                if cx.has(PaxosBug::ValueChangedWithinBallot) =>
            {
                self.propose(Proposal { value, ..proposal }, cx);
            }
            (Phase::Idle, _) if !busy => self.begin_ballot(cx),
            _ => {}
        }
    }

    /// The value that this node proposes when it is free to.
    pub(super) fn own_value(&self) -> Option<i64> {
        self.waiting.iter().find_map(Waiting::value)
    }

    /// Tells every client that waits what was chosen.
    pub(super) fn answer_chosen(&mut self, value: i64, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            answer(&waiting, value, cx);
        }
    }

    /// Tells the readers who came before this ballot that nothing was chosen then.
    pub(super) fn answer_undecided(&mut self, ballot: Ballot, cx: &mut Cx<'_>) {
        let early = |waiting: &mut Waiting| {
            let in_time = waiting.since < ballot || cx.has(PaxosBug::ReadByEarlierBallot);
            waiting.request == Request::Read && in_time
        };
        let answered: Vec<_> = self.waiting.extract_if(.., early).collect();
        for Waiting {
            client, sequence, ..
        } in answered
        {
            cx.note(probes::READ_FOUND_NOTHING);
            cx.reply(client, sequence, Response::Undecided);
        }
    }

    /// Planted bug: as if what got no majority of answers were not accepted.
    pub(super) fn reject_proposals(&mut self, cx: &mut Cx<'_>) {
        let proposals = self
            .waiting
            .extract_if(.., |waiting| waiting.value().is_some());
        for waiting in proposals.collect::<Vec<_>>() {
            cx.reply(waiting.client, waiting.sequence, Response::Rejected);
        }
    }
}

fn answer(waiting: &Waiting, chosen: i64, cx: &mut Cx<'_>) {
    let mut value = chosen;
    if let Some(own) = waiting.value().filter(|own| *own != chosen) {
        cx.note(probes::PROPOSAL_LOST);
        if cx.has(PaxosBug::OwnValueConfirmed) {
            value = own;
        }
    }
    cx.reply(waiting.client, waiting.sequence, Response::Chosen(value));
}
