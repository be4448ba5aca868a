//! Raft: a replicated log with one elected leader.
//!
//! After D. Ongaro and J. Ousterhout, *In Search of an Understandable Consensus Algorithm* (ATC 2014), here "the
//! paper", and Ongaro's dissertation, *Consensus: Bridging Theory and Practice* (Stanford 2014). One file a
//! concern: [`election`], [`replication`], [`snapshot`], [`clients`] and [`reads`]; what survives a crash is in [`log`].
//! Membership change will be further [`log::Payload`]s and messages, each with its own file.

mod clients;
mod election;
mod reads;
mod replication;
mod staged;

pub mod bugs;
pub mod config;
pub mod log;
pub mod message;
pub mod probes;
pub mod snapshot;

use std::collections::{BTreeMap, VecDeque};

use tribunal_histories::{MessageView, NodeId, PeerProgress, Role, Value, View};

pub use bugs::RaftBug;
pub use config::Config;
pub use log::{Entry, HardState, Index, Payload, Term};
pub use message::{Message, Response, Timer};
pub use probes::PROBES;
pub use snapshot::Snapshot;

use crate::contract::{ClientId, Context, Input, Node, Reply};
use crate::state_machine::{Command, Output, StateMachine};
use reads::PendingRead;

/// The volatile state of a Raft node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Raft {
    role: Role,
    /// Who leads, as far as this node has heard since its election timer last fired.
    leader: Option<NodeId>,
    /// Who granted the vote, or the pre-vote, that this node is asking for; a bit a node.
    votes: u64,
    commit: Index,
    applied: Index,
    machine: StateMachine,
    /// With planted bug RF30 only: which client waits for the entry at which index.
    waiting: BTreeMap<Index, (ClientId, u32)>,
    leadership: Leadership,
}

/// What only a leader keeps. Empty otherwise, so that equal states are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Leadership {
    /// By node; this node's own entry is not used.
    peers: Vec<PeerProgress>,
    /// The entry that this leader appended first: once it is applied, all that was committed before is.
    first_index: Index,
    /// How often this leader asked its followers whether it still leads, for a read.
    round: u64,
    /// By node, the last round that it answered.
    answered_rounds: Vec<u64>,
    reads: VecDeque<PendingRead>,
}

type Cx<'a> = Context<'a, Raft>;

impl Raft {
    /// The objects that clients see, as far as this node has applied the log.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// Whom this node takes for the leader.
    pub fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// Steps back into line, in the current term or a newer one.
    fn follow(&mut self, term: Term, leader: Option<NodeId>, cx: &mut Cx<'_>) {
        if term > cx.durable().term {
            cx.write(log::Write::Vote {
                term,
                voted_for: None,
            });
        }
        if self.role == Role::Leader {
            cx.note(probes::LEADER_STEPPED_DOWN);
            cx.cancel_timer(Timer::Heartbeat);
            self.give_up_reads(leader, cx);
            self.give_up_commands(cx);
            cx.set_timer(Timer::Election, cx.config().election_timeout());
        }
        self.role = Role::Follower;
        self.leader = leader;
        self.votes = 0;
        self.leadership = Leadership::default();
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        let asks_only = matches!(
            message,
            Message::RequestVote { pre: true, .. }
                | Message::Vote {
                    pre: true,
                    granted: true,
                    ..
                }
        );
        if message.term() > cx.durable().term && !asks_only {
            self.follow(message.term(), None, cx);
        }
        match message {
            Message::RequestVote {
                term,
                last_index,
                last_term,
                pre: true,
            } => {
                self.answer_pre_vote(from, term, (last_term, last_index), cx);
            }
            Message::RequestVote {
                term,
                last_index,
                last_term,
                pre: false,
            } => {
                self.answer_vote(from, term, (last_term, last_index), cx);
            }
            Message::Vote { term, granted, pre } => self.count_vote(from, term, granted, pre, cx),
            Message::Append { .. } => self.accept_entries(from, message, cx),
            Message::Install {
                term,
                snapshot,
                round,
            } => self.install(from, term, snapshot, round, cx),
            Message::Appended {
                term,
                match_index,
                round,
            } => {
                self.note_progress(from, term, match_index, round, cx);
            }
            Message::Refused {
                term,
                prev_index,
                conflict_index,
                conflict_term,
                round,
            } => {
                if self.leads_in(term, cx) {
                    self.answered_round(from, round);
                    self.back_up(from, prev_index, conflict_index, conflict_term, cx);
                    self.serve_reads(cx);
                }
            }
        }
    }

    fn leads_in(&self, term: Term, cx: &Cx<'_>) -> bool {
        self.role == Role::Leader && term == cx.durable().term
    }
}

impl Node for Raft {
    const NAME: &'static str = "raft";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Command;
    type Response = Response;
    type Durable = HardState;
    type Bug = RaftBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        if cx.has(RaftBug::TermReset) {
            cx.write(log::Write::Forget { term: 0 });
        }
        if cx.has(RaftBug::EmptyNodeForgets) && cx.durable().log.last_index() == 0 {
            cx.write(log::Write::Forget { term: 0 });
        }
        // A disk that kept an entry but lost the term that came with it must not vote in that term again.
        let (term, last_term) = (cx.durable().term, cx.durable().log.last_term());
        if last_term > term {
            cx.write(log::Write::Vote {
                term: last_term,
                voted_for: None,
            });
        }
        cx.set_timer(Timer::Election, cx.config().election_timeout());
        Self::restored(cx)
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        self.compact_when_due(cx);
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer {
                timer: Timer::Election,
                ..
            } if self.role != Role::Leader => self.campaign(cx),
            Input::Timer {
                timer: Timer::Heartbeat,
                ..
            } if self.role == Role::Leader => {
                cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
                self.send_to_all(cx);
            }
            Input::Timer { .. } => {}
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {
                self.load_snapshot(cx);
                if self.role == Role::Leader {
                    self.advance_commit(cx);
                }
            }
        }
    }

    fn view<'a>(&'a self, durable: &'a HardState) -> View<'a> {
        View {
            role: self.role,
            term: durable.term,
            voted_for: durable.voted_for,
            log: durable.log.view(),
            commit_index: self.commit,
            applied_index: self.applied,
            peers: &self.leadership.peers,
            state: self.machine.digest(),
            ..View::default()
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let (term, grants_vote) = match message {
            // A pre-vote is about the next term; only its question tells the sender's own.
            Message::RequestVote {
                term, pre: true, ..
            } => (term - 1, false),
            Message::Vote {
                granted: true,
                pre: true,
                ..
            } => (0, false),
            Message::Vote { term, granted, pre } => (*term, *granted && !pre),
            other => (other.term(), false),
        };
        MessageView {
            to,
            term,
            grants_vote,
            claims: Vec::new(),
        }
    }

    fn reply(_request: &Command, response: &Response) -> Reply {
        match response {
            Response::Answer(Output::Done) => Reply::Ok(Value::Nil),
            Response::Answer(Output::Value(object)) => Reply::Ok(object.into()),
            Response::Answer(Output::Mismatch) => Reply::Fail(Value::text("mismatch")),
            Response::NotLeader(leader) => Reply::Elsewhere(*leader),
            Response::Abandoned => Reply::Fail(Value::text("abandoned")),
        }
    }
}
