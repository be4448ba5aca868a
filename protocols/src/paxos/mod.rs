//! Paxos: agreement on one value, whoever crashes and whatever is lost.
//!
//! After L. Lamport, *Paxos Made Simple* (ACM SIGACT News 32(4), 2001), with the quorums of the two phases apart as in
//! H. Howard, D. Malkhi and A. Spiegelman, *Flexible Paxos* (OPODIS 2016). Every node has all three roles, which talk
//! by messages though they are on one node; one file each: [`acceptor`], [`proposer`], [`learner`]. What survives a
//! crash is in [`disk`]; [`clients`] says what a client is told.
//!
//! A client proposes a value to any node, and is told what was chosen. If it is told nothing, its value may have been
//! chosen or may yet be: no node ever says that a proposal failed. A read is a ballot without a value of its own.

mod acceptor;
mod clients;
mod explored;
mod learner;
mod proposer;
mod staged;

pub mod ballot;
pub mod bugs;
pub mod config;
pub mod disk;
pub mod message;
pub mod probes;

use std::sync::Arc;

use tribunal_histories::{
    BallotView, Claim, Facet, Learned, MessageView, NodeId, Role, Value, View, Vote,
};

pub use ballot::Ballot;
pub use bugs::PaxosBug;
pub use config::Config;
pub use disk::{HardState, Proposal};
pub use message::{Message, Request, Response, Timer};
pub use probes::PROBES;

use crate::contract::{Configuration, Context, Input, Node, Reply};
use crate::quorum::{NodeSet, Quorum};
use clients::Waiting;
use config::Quorums;
use learner::Learner;
use proposer::{Phase, Proposer};

/// The volatile state of a Paxos node. (The acceptor has none.)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Paxos {
    quorums: Arc<Quorums>,
    proposer: Proposer,
    learner: Learner,
    /// The clients that wait for an answer, in the order in which they asked.
    waiting: Vec<Waiting>,
}

type Cx<'a> = Context<'a, Paxos>;

fn nodes(cx: &Cx<'_>) -> impl Iterator<Item = NodeId> + use<> {
    NodeId::all(cx.config().nodes())
}

/// Whether these acceptors are a quorum.
fn reached(quorum: &Quorum, acceptors: NodeSet, cx: &Cx<'_>) -> bool {
    let nodes = cx.config().nodes;
    let half = cx.has(PaxosBug::HalfIsEnough) && acceptors.len() >= nodes.div_ceil(2);
    half || quorum.is_reached(acceptors, nodes)
}

impl Paxos {
    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Prepare { ballot } => {
                self.proposer.hear_of(ballot);
                self.prepare(from, ballot, cx);
            }
            Message::Promise { ballot, accepted } => self.gather(from, ballot, accepted, cx),
            Message::Accept(proposal) => self.accept(from, proposal, cx),
            Message::Accepted(vote) => self.count_vote(from, vote, cx),
            Message::Refused { ballot, promised } => self.be_refused(ballot, promised, cx),
            Message::Ask => self.answer_learner(from, cx),
            Message::Chosen { value } => self.be_told(value, cx),
        }
    }
}

impl Node for Paxos {
    const NAME: &'static str = "paxos";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Response = Response;
    type Durable = HardState;
    type Bug = PaxosBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        let node = Self {
            quorums: Arc::new(Quorums::of(cx.config())),
            proposer: match cx.has(PaxosBug::BallotNotDurable) {
                true => Proposer::default(),
                false => Proposer::above(cx.durable().promised()),
            },
            learner: Learner::default(),
            waiting: Vec::new(),
        };
        if cx.durable().ballot > 0 {
            cx.note(probes::BALLOT_REMEMBERED);
        }
        if cx.durable().accepted.is_some() {
            node.wait_to_learn(cx);
        }
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer {
                timer: Timer::Round,
                ..
            } => self.next_ballot(cx),
            Input::Timer {
                timer: Timer::Learn,
                ..
            } => self.ask_what_is_chosen(cx),
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {}
        }
    }

    /// A proposer in phase 1 shows as a candidate, in phase 2 as a leader.
    fn view<'a>(&'a self, durable: &'a HardState) -> View<'a> {
        View {
            role: match self.proposer.phase {
                Phase::Idle => Role::Follower,
                Phase::Preparing { .. } => Role::Candidate,
                Phase::Proposing(_) => Role::Leader,
            },
            term: durable.promised(),
            facet: Facet::Ballots(BallotView {
                prepare_quorum: &self.quorums.prepare,
                accept_quorum: &self.quorums.accept,
                learned: self.learner.learned(),
            }),
            ..View::default()
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let (term, claim) = match *message {
            Message::Prepare { ballot } | Message::Refused { ballot, .. } => (ballot, None),
            Message::Promise { ballot, accepted } => (
                ballot,
                Some(Claim::Promised {
                    ballot,
                    first_slot: 0,
                    accepted: accepted.map(vote).into_iter().collect(),
                }),
            ),
            Message::Accept(proposal) => (proposal.ballot, Some(Claim::Proposed(vote(proposal)))),
            Message::Accepted(voted) => (voted.ballot, Some(Claim::Accepted(vote(voted)))),
            Message::Ask => (0, None),
            Message::Chosen { value } => {
                let value = Value::Int(value);
                (0, Some(Claim::Learned(Learned { slot: 0, value })))
            }
        };
        MessageView {
            to,
            term,
            grants_vote: false,
            claims: claim.into_iter().collect(),
        }
    }

    fn reply(_request: &Request, response: &Response) -> Reply {
        match response {
            Response::Chosen(value) => Reply::Ok(Value::Int(*value)),
            Response::Undecided => Reply::Ok(Value::Nil),
            Response::Rejected => Reply::Fail(Value::text("no majority")),
        }
    }
}

/// A proposal as properties see it.
fn vote(proposal: Proposal) -> Vote {
    Vote {
        ballot: proposal.ballot,
        slot: 0,
        value: Value::Int(proposal.value),
    }
}
