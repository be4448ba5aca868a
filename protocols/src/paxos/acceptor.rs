//! The acceptor: it promises and votes, and remembers both (Paxos Made Simple §2.2, phases 1b and 2b).

use tribunal_histories::NodeId;

use super::ballot::Ballot;
use super::disk::{Proposal, Write};
use super::message::Message;
use super::{Cx, Paxos, PaxosBug, nodes, probes};

impl Paxos {
    /// Phase 1b: promises a ballot that is not below its promise, and tells its last vote.
    ///
    /// The same ballot is promised again, for the first answer may be lost. That is safe as long as no two proposers,
    /// and no two lives of one, share a ballot.
    pub(super) fn prepare(&self, from: NodeId, ballot: Ballot, cx: &mut Cx<'_>) {
        if let Some(value) = self.learner.value()
            && !cx.config().fresh_ballots
        {
            return cx.send(from, Message::Chosen { value });
        }
        let (promised, accepted) = (promised(cx), cx.durable().accepted);
        if ballot < promised {
            cx.note(probes::PREPARE_REFUSED);
            return refuse(from, ballot, promised, cx);
        }
        if ballot == promised {
            cx.note(probes::PROMISED_AGAIN);
        } else if cx.has(PaxosBug::PromiseNotDurable) {
            cx.write_but_forget_to_persist(&Write::Promise(ballot));
        } else {
            cx.write(Write::Promise(ballot));
        }
        let accepted = match accepted {
            Some(vote) if cx.has(PaxosBug::OneBallotForBoth) => Some(Proposal {
                ballot: promised,
                ..vote
            }),
            vote => vote,
        };
        cx.send(from, Message::Promise { ballot, accepted });
    }

    /// Phase 2b: votes, unless it has promised a higher ballot, and tells the learners.
    pub(super) fn accept(&self, from: NodeId, proposal: Proposal, cx: &mut Cx<'_>) {
        let (promised, voted) = (promised(cx), cx.durable().accepted);
        let must_exceed = cx.has(PaxosBug::AcceptAbovePromiseOnly) && proposal.ballot == promised;
        let below = proposal.ballot < promised && !cx.has(PaxosBug::AcceptUnchecked);
        if below || must_exceed {
            cx.note(probes::ACCEPT_REFUSED);
            return refuse(from, proposal.ballot, promised, cx);
        }
        let vote = match voted {
            Some(old) if cx.has(PaxosBug::OldValueKept) => Proposal {
                ballot: proposal.ballot,
                ..old
            },
            _ => proposal,
        };
        if voted.is_some_and(|old| old.value != vote.value) {
            cx.note(probes::VOTE_CHANGED);
        }
        if voted != Some(vote) {
            let write = Write::Accept(vote);
            if cx.has(PaxosBug::VoteNotDurable) {
                cx.write_but_forget_to_persist(&write);
            } else {
                cx.write(write);
            }
        }
        let all = cx.config().votes_to_all;
        for learner in nodes(cx).filter(|node| all || *node == from) {
            cx.send(learner, Message::Accepted(vote));
        }
        self.wait_to_learn(cx);
    }
}

/// Below this ballot the acceptor takes part in none.
fn promised(cx: &Cx<'_>) -> Ballot {
    if cx.has(PaxosBug::VoteIsNoPromise) {
        return cx.durable().promise;
    }
    cx.durable().promised()
}

fn refuse(proposer: NodeId, ballot: Ballot, promised: Ballot, cx: &mut Cx<'_>) {
    if cx.config().refusals {
        cx.send(proposer, Message::Refused { ballot, promised });
    }
}
