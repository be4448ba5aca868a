//! Multi-Paxos: a replicated log, each slot of which is an instance of Paxos, with one leader for all of them.
//!
//! After L. Lamport, *Paxos Made Simple* (2001), §3, and T. Chandra, R. Griesemer and J. Redstone, *Paxos Made Live*
//! (PODC 2007). One file a concern: [`acceptor`] makes promises and votes; [`election`] runs phase 1, once for all
//! open slots; [`proposing`] runs phase 2 for several slots at once; [`learning`] applies what was chosen and brings
//! up who lags behind; [`recovery`] is how a node comes back that lost its disk; [`clients`] and [`reads`] serve.
//! What survives a crash is in [`stable`].

mod acceptor;
mod clients;
mod election;
mod explored;
mod learning;
mod proposing;
mod reads;
mod recovery;
mod staged;

pub mod bugs;
pub mod config;
pub mod message;
pub mod probes;
pub mod stable;

use std::collections::{BTreeMap, VecDeque};

use tribunal_histories::{
    ByNode, Claim, Digest, Execution, Facet, Learned, MessageView, NodeId, ReplicaView, Role,
    Value, View, Vote,
};

pub use bugs::MultiPaxosBug;
pub use config::{Config, Reads};
pub use message::{Message, Response, Timer};
pub use probes::PROBES;
pub use stable::{Ballot, Proposal, Slot, Stable};

use crate::contract::{ClientId, Context, Input, Node, Reply};
use crate::quorum::NodeSet;
use crate::state_machine::{Command, Output, StateMachine};
use election::Candidacy;
use reads::PendingRead;

/// The volatile state of a Multi-Paxos node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MultiPaxos {
    role: Role,
    /// Who leads, as far as this node has heard since its election timer last fired.
    leader: Option<NodeId>,
    /// With leases: a leader may hold one on the strength of what this node told it.
    lease_granted: bool,
    /// The highest ballot that this node was refused for.
    refused_for: Ballot,
    /// What was chosen behind a gap in the ledger.
    learned: BTreeMap<Slot, Proposal>,
    /// With all of the ledger applied.
    machine: StateMachine,
    state: Digest,
    executed: Vec<Execution>,
    candidacy: Candidacy,
    leadership: Leadership,
    /// How often this node let itself be heard as a leader.
    round: u64,
    /// The last round whose lease has ended.
    lease_ended: u64,
}

/// What only a leader keeps. Empty otherwise, so that equal states are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Leadership {
    ballot: Ballot,
    /// The last slot in which something may have been chosen before this leader's time.
    inherited: Slot,
    next_slot: Slot,
    /// What is proposed and not known chosen, by slot, with who has voted for it.
    proposed: BTreeMap<Slot, (Proposal, NodeSet)>,
    /// Commands that wait for a slot.
    waiting: VecDeque<(ClientId, u32, Command)>,
    /// By node, the last round of heartbeats that it answered.
    answered_rounds: ByNode<u64>,
    /// The last round that gave a lease.
    lease_round: u64,
    reads: VecDeque<PendingRead>,
}

type Cx<'a> = Context<'a, MultiPaxos>;

impl MultiPaxos {
    /// The objects that clients see, as far as this node has applied the log.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// Stops to lead, or to want to.
    fn follow(&mut self, leader: Option<NodeId>, cx: &mut Cx<'_>) {
        self.leader = leader;
        if !matches!(self.role, Role::Leader | Role::Candidate) {
            return;
        }
        if self.role == Role::Leader {
            cx.note(probes::LEADER_STEPPED_DOWN);
            cx.cancel_timer(Timer::Heartbeat);
            self.give_up_clients(cx);
        }
        self.role = Role::Follower;
        self.candidacy = Candidacy::default();
        self.leadership = Leadership::default();
        cx.set_timer(Timer::Election, cx.config().election_timeout());
    }

    fn leads_in(&self, ballot: Ballot) -> bool {
        self.role == Role::Leader && self.leadership.ballot == ballot
    }

    /// The ballot in which this node leads, or wants to.
    fn own_ballot(&self) -> Ballot {
        self.leadership.ballot.max(self.candidacy.ballot)
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Prepare {
                ballot,
                first,
                serial,
                recovers,
            } => self.answer_prepare(from, ballot, (first, serial, recovers), cx),
            promise @ Message::Promise { .. } => self.count_promise(from, promise, cx),
            Message::Accept {
                ballot,
                proposals,
                chosen,
            } => self.answer_accept(from, ballot, proposals, chosen, cx),
            Message::Accepted { ballot, votes } => self.count_votes(from, ballot, &votes, cx),
            Message::Nack { promised } => self.refused(promised, cx),
            Message::Heartbeat {
                ballot,
                chosen,
                round,
            } => self.answer_heartbeat(from, ballot, chosen, round, cx),
            Message::Alive {
                ballot,
                chosen,
                round,
            } => {
                if self.leads_in(ballot) {
                    self.answered_round(from, round, cx);
                    self.bring_up(from, chosen, cx);
                }
            }
            Message::Chosen { ballot, chosen } => self.learn_up_to(ballot, chosen, cx),
            Message::Learn {
                ballot,
                after,
                values,
            } => self.learn_from(from, ballot, after, &values, cx),
            Message::Forward {
                client,
                sequence,
                command,
            } => {
                if self.role == Role::Leader {
                    self.serve(client, sequence, command, cx);
                }
            }
        }
    }
}

/// All nodes but this one.
fn peers(cx: &Cx<'_>) -> impl Iterator<Item = NodeId> + use<> {
    let me = cx.me();
    NodeId::all(cx.config().nodes).filter(move |node| *node != me)
}

impl Node for MultiPaxos {
    const NAME: &'static str = "multi_paxos";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Command;
    type Response = Response;
    type Durable = Stable;
    type Bug = MultiPaxosBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        let rejoins_at_once = cx.has(MultiPaxosBug::WipedRejoinsAtOnce);
        let mut node = Self {
            role: if cx.durable().amnesic && !rejoins_at_once {
                Role::Recovering
            } else {
                Role::Follower
            },
            // It may have answered a leader just before it crashed.
            lease_granted: true,
            ..Self::default()
        };
        node.replay_ledger(cx);
        cx.set_timer(Timer::Election, cx.config().election_timeout());
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer { timer, .. } => match timer {
                Timer::Election if self.role != Role::Leader => {
                    self.lease_granted = false;
                    self.campaign(cx);
                }
                Timer::Heartbeat if self.role == Role::Leader => self.beat(cx),
                Timer::Lease(round) => self.lease_ended = self.lease_ended.max(round),
                Timer::Election | Timer::Heartbeat => {}
            },
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {}
        }
    }

    fn view<'a>(&'a self, durable: &'a Stable) -> View<'a> {
        let chosen = durable.ledger.end();
        View {
            role: self.role,
            term: durable.promised.max(self.own_ballot()),
            log: durable.ledger.view(),
            commit_index: chosen,
            applied_index: chosen,
            state: self.state,
            facet: Facet::Replica(ReplicaView {
                executed: &self.executed,
                holds_lease: self.holds_lease(),
            }),
            ..View::default()
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let voted = |ballot: Ballot, slot: Slot, value: Proposal| Vote {
            ballot,
            slot,
            value: Value::text(&value.to_string()),
        };
        let (term, claims) = match message {
            Message::Promise {
                ballot,
                first,
                last,
                votes,
                ..
            } => {
                let told = votes.iter();
                let accepted = told.map(|(slot, vote)| voted(vote.ballot, *slot, vote.value));
                let promised = Claim::Promised {
                    ballot: *ballot,
                    first_slot: *first,
                    accepted: accepted.collect(),
                };
                let covers = Claim::Covers {
                    ballot: *ballot,
                    first: *first,
                    last: *last,
                };
                (*ballot, vec![promised, covers])
            }
            Message::Accept {
                ballot, proposals, ..
            } => {
                let asked = proposals.iter();
                let claim = |(slot, value): &_| Claim::Proposed(voted(*ballot, *slot, *value));
                (*ballot, asked.map(claim).collect())
            }
            Message::Accepted { ballot, votes } => {
                let cast = votes.iter();
                let claim = |(slot, value): &_| Claim::Accepted(voted(*ballot, *slot, *value));
                (*ballot, cast.map(claim).collect())
            }
            Message::Prepare { ballot, .. }
            | Message::Heartbeat { ballot, .. }
            | Message::Alive { ballot, .. }
            | Message::Chosen { ballot, .. } => (*ballot, Vec::new()),
            Message::Learn {
                ballot,
                after,
                values,
            } => {
                let learned = (after + 1..).zip(values).map(|(slot, value)| {
                    let value = Value::text(&value.to_string());
                    Claim::Learned(Learned { slot, value })
                });
                (*ballot, learned.collect())
            }
            Message::Nack { promised } => (*promised, Vec::new()),
            Message::Forward { .. } => (0, Vec::new()),
        };
        MessageView {
            to,
            term,
            grants_vote: false,
            claims,
        }
    }

    fn reply(_request: &Command, response: &Response) -> Reply {
        match response {
            Response::Answer(Output::Done) => Reply::Ok(Value::Nil),
            Response::Answer(Output::Value(object)) => Reply::Ok(object.into()),
            Response::Answer(Output::Mismatch) => Reply::Fail(Value::text("mismatch")),
            Response::NotLeader(leader) => Reply::Elsewhere(*leader),
        }
    }
}
