//! Raft: a replicated log with one elected leader.
//!
//! After D. Ongaro and J. Ousterhout, *In Search of an Understandable Consensus Algorithm* (ATC 2014), here "the
//! paper", and Ongaro's dissertation, *Consensus: Bridging Theory and Practice* (Stanford 2014). One file a
//! concern: [`election`], [`replication`], [`snapshot`], [`clients`], [`reads`] and [`lease`], [`membership`],
//! [`transfer`]; what survives a crash is in [`log`].

mod clients;
mod election;
mod explored;
mod lease;
mod membership;
mod reads;
mod replication;
mod staged;
mod transfer;

pub mod bugs;
pub mod config;
pub mod log;
pub mod message;
pub mod probes;
pub mod request;
pub mod snapshot;

use std::collections::BTreeMap;

use tribunal_histories::{
    ByNode, Claim, Facet, GroupView, MessageView, NodeId, NodeSet, PeerProgress, PendingRead, Role,
    Value, View, Voters, VotersRecord,
};

pub use bugs::RaftBug;
pub use config::Config;
pub use log::{Entry, HardState, Index, Payload, Term};
pub use message::{Message, Response, Timer};
pub use probes::PROBES;
pub use request::{Change, Request};
pub use snapshot::Snapshot;

use crate::contract::{ClientId, Context, Input, Node, Reply};
use crate::state_machine::{Output, StateMachine};
use lease::Lease;
use membership::PendingChange;
use message::Campaign;
use transfer::PendingTransfer;

/// The volatile state of a Raft node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Raft {
    role: Role,
    /// Who leads, as far as this node has heard since its election timer last fired.
    leader: Option<NodeId>,
    /// Whether it has heard from a leader, of whatever term, since its election timer last fired: see
    /// [`Raft::is_loyal`].
    loyal: bool,
    /// Who granted the vote, or the pre-vote, that this node is asking for.
    votes: NodeSet,
    commit: Index,
    applied: Index,
    /// What was in the log when the node started, and has not been cut off since: all that it had applied before.
    recalled: Index,
    machine: StateMachine,
    /// The voters before any change in the log.
    initial_voters: Voters,
    /// The configuration that this node acted by when its last step ended.
    in_force: VotersRecord,
    /// With planted bug RF30 only: which client waits for the entry at which index.
    waiting: BTreeMap<Index, (ClientId, u32)>,
    leadership: Leadership,
}

/// What only a leader keeps. Empty otherwise, so that equal states are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Leadership {
    /// By node; this node's own entry is not used.
    peers: ByNode<PeerProgress>,
    /// The entry that this leader appended first: once it is applied, all that was committed before is.
    first_index: Index,
    /// How often this leader asked its followers whether it still leads, for a read.
    round: u64,
    /// By node, the last round that it answered.
    answered_rounds: ByNode<u64>,
    /// Oldest first.
    reads: Vec<PendingRead>,
    leases: [Lease; 2],
    /// Who answered since it was last checked that a quorum does.
    heard: NodeSet,
    /// Nodes that are not voters yet, and are sent the log so that they catch up.
    learners: NodeSet,
    change: Option<PendingChange>,
    transfer: Option<PendingTransfer>,
    /// Whether it ever asked another node to take over: that node may win an election at any time from then on.
    handed_over: bool,
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
            for timer in LEADERS_TIMERS {
                cx.cancel_timer(timer);
            }
            self.give_up_reads(leader, cx);
            self.give_up_changes(Response::NotLeader(leader), cx);
            self.give_up_commands(cx);
            cx.set_timer(Timer::Election, cx.config().election_timeout());
        }
        self.role = Role::Follower;
        self.leader = leader;
        self.votes = NodeSet::EMPTY;
        self.leadership = Leadership::default();
    }

    /// There is a newer term: whatever this node was, it is nothing in that one (paper §5.1).
    fn learn_term(&mut self, term: Term, cx: &mut Cx<'_>) {
        if cx.has(RaftBug::FakeLeader) && self.role == Role::Leader {
            let voted_for = None;
            return cx.write(log::Write::Vote { term, voted_for });
        }
        self.follow(term, None, cx);
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if self.ignores(from, &message, cx) {
            return;
        }
        let asks_only = matches!(
            message,
            Message::RequestVote {
                campaign: Campaign::PreVote,
                ..
            } | Message::Vote {
                pre: true,
                granted: true,
                ..
            }
        );
        if message.term() > cx.durable().term && !asks_only {
            self.learn_term(message.term(), cx);
        }
        match message {
            Message::RequestVote {
                term,
                last_index,
                last_term,
                campaign: Campaign::PreVote,
            } => {
                self.answer_pre_vote(from, term, (last_term, last_index), cx);
            }
            Message::RequestVote {
                term,
                last_index,
                last_term,
                campaign,
            } => {
                self.answer_vote(from, term, (last_term, last_index), campaign, cx);
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
                    self.answered_round(from, round, cx);
                    self.back_up(from, prev_index, conflict_index, conflict_term, cx);
                    self.serve_reads(cx);
                }
            }
            Message::TimeoutNow { term } => self.take_over(term, cx),
        }
    }

    /// A timer fired. One that a role armed which the node no longer has means nothing.
    fn fire(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match (timer, self.role) {
            (Timer::Election, Role::Follower | Role::PreCandidate | Role::Candidate) => {
                self.campaign(cx);
            }
            (Timer::Heartbeat, Role::Leader) => {
                cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
                self.ask_for_lease(cx);
                self.send_to_all(cx);
            }
            (Timer::CheckQuorum, Role::Leader) => self.check_quorum(cx),
            (Timer::CatchUp, Role::Leader) => self.give_up_catching_up(cx),
            (Timer::Transfer, Role::Leader) => self.give_up_transfer(cx),
            (Timer::Lease(number), Role::Leader) => self.end_lease(number),
            _ => {}
        }
    }

    fn leads_in(&self, term: Term, cx: &Cx<'_>) -> bool {
        self.role == Role::Leader && term == cx.durable().term
    }
}

/// The timers of a leader.
const LEADERS_TIMERS: [Timer; 6] = [
    Timer::Heartbeat,
    Timer::CheckQuorum,
    Timer::CatchUp,
    Timer::Transfer,
    Timer::Lease(0),
    Timer::Lease(1),
];

impl Node for Raft {
    const NAME: &'static str = "raft";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
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
        let mut node = Self {
            loyal: cx.config().lease_reads && !cx.has(RaftBug::PromiseForgotten),
            initial_voters: cx.config().initial_voters(),
            ..Self::restored(cx)
        };
        node.in_force = node.configuration(cx);
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        self.compact_when_due(cx);
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer { timer, .. } => self.fire(timer, cx),
            Input::Request {
                client,
                sequence,
                request: Request::Command(command),
            } => self.serve(client, sequence, command, cx),
            Input::Request {
                client,
                sequence,
                request: Request::Change(change),
            } => self.serve_change(client, sequence, change, cx),
            Input::Synced => {
                self.load_snapshot(cx);
                self.count_own_vote(cx);
                if self.role == Role::Leader {
                    self.advance_commit(cx);
                }
            }
        }
        self.in_force = self.configuration(cx);
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
            facet: Facet::Group(GroupView {
                leader: self.leader,
                initial: self.initial_voters,
                changes: durable.log.changes(),
                voters: self.in_force.voters,
                reads: &self.leadership.reads,
                lease: self.holds_lease(),
            }),
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let (term, grants_vote) = match message {
            // A pre-vote is about the next term; only its question tells the sender's own.
            Message::RequestVote {
                term,
                campaign: Campaign::PreVote,
                ..
            } => (term - 1, false),
            Message::Vote {
                granted: true,
                pre: true,
                ..
            } => (0, false),
            Message::Vote { term, granted, pre } => (*term, *granted && !pre),
            other => (other.term(), false),
        };
        let claims = match message {
            Message::Vote {
                term,
                granted: true,
                pre: true,
            } => vec![Claim::WouldVote { term: *term }],
            Message::TimeoutNow { .. } => vec![Claim::HandedOver],
            _ => Vec::new(),
        };
        MessageView {
            to,
            term,
            grants_vote,
            claims,
        }
    }

    fn answer_view(
        me: NodeId,
        client: ClientId,
        sequence: u32,
        response: &Response,
    ) -> Option<MessageView> {
        let Response::Read { term, index, .. } = *response else {
            return None;
        };
        Some(MessageView {
            to: me,
            term,
            grants_vote: false,
            claims: vec![Claim::ReadServed {
                client,
                sequence,
                term,
                index,
            }],
        })
    }

    fn reply(_request: &Request, response: &Response) -> Reply {
        match response {
            Response::Answer(Output::Done) => Reply::Ok(Value::Nil),
            Response::Answer(Output::Value(object)) => Reply::Ok(object.into()),
            Response::Answer(Output::Mismatch) => Reply::Fail(Value::text("mismatch")),
            Response::Read { object, .. } => Reply::Ok(object.into()),
            Response::Changed => Reply::Ok(Value::Nil),
            Response::Impossible => Reply::Fail(Value::text("impossible")),
            Response::NotLeader(leader) => Reply::Elsewhere(*leader),
            Response::NotNow => Reply::Elsewhere(None),
            Response::Abandoned => Reply::Fail(Value::text("abandoned")),
        }
    }
}
