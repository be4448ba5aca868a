//! Primary-backup: one replica orders the operations, and acknowledges each when all members of its view have it.
//!
//! After P. Alsberg and J. Day, *A Principle for Resilient Sharing of Distributed Resources* (ICSE 1976), with views as
//! in viewstamped replication (B. Oki and B. Liskov, PODC 1988; Liskov and Cowling, *Viewstamped Replication Revisited*,
//! 2012). A view has one primary and members; it begins when a majority of all nodes agrees to it and to take nothing
//! from earlier views any more (the fence). The members are at least a majority, and an operation is acknowledged when
//! all of them have it on disk: so every later majority has a node that has it, and that node agrees only to a primary
//! that has it too. Who was left out joins again: its log is cut off where it parts from the primary's, found by the
//! views of the operations (Kafka's KIP-101), and it gets the rest.
//!
//! One file a concern: [`views`], [`replication`] and [`clients`]; what survives a crash is in [`log`]. With
//! `view_change=false` there is one view, whose members are all nodes.

mod clients;
mod explored;
mod replication;
mod staged;
mod views;

pub mod bugs;
pub mod config;
pub mod log;
pub mod message;
pub mod probes;

use std::collections::VecDeque;

use tribunal_histories::{Claim, Facet, MessageView, NodeId, Role, Value, View, Vote};

pub use bugs::PrimaryBackupBug;
pub use config::Config;
pub use log::{Entry, Index, Store, ViewNumber};
pub use message::{Message, Response, Timer};
pub use probes::PROBES;

use crate::contract::{Context, Input, Node, Reply};
use crate::quorum::NodeSet;
use crate::state_machine::{Command, Output, StateMachine};
use clients::PendingRead;

/// The volatile state of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrimaryBackup {
    /// `Leader` is the primary, `Candidate` who wants to be it, `Follower` a backup.
    role: Role,
    /// Who is primary, as far as this node has heard.
    primary: Option<NodeId>,
    /// Who agreed to the view that this node asked for.
    votes: NodeSet,
    commit: Index,
    applied: Index,
    machine: StateMachine,
    reign: Reign,
    /// PB13: the view in which this node was primary, and what it knew then.
    before: Option<Box<(ViewNumber, Reign)>>,
    /// PB13: the old view in which it acts again.
    acting: Option<ViewNumber>,
}

/// What only a primary keeps. Empty otherwise, so that equal states are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Reign {
    /// All of these must have an operation before it is acknowledged; this node is one.
    members: NodeSet,
    /// By node, up to where it is known to have this node's log on disk; `None` if it is not in step.
    matched: Vec<Option<Index>>,
    /// By node, how many heartbeats it has not answered.
    silent: Vec<u32>,
    /// The length of the log when the view began: what was acknowledged before lies within.
    start: Index,
    /// How often this primary asked whether it still is.
    round: u64,
    /// By node, the last round that it answered.
    answered: Vec<u64>,
    reads: VecDeque<PendingRead>,
}

type Cx<'a> = Context<'a, PrimaryBackup>;

impl PrimaryBackup {
    /// The objects that clients see, as far as this node has applied the log.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// The view in which this node acts.
    fn view_number(&self, cx: &Cx<'_>) -> ViewNumber {
        self.acting.unwrap_or(cx.durable().view)
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        let (theirs, mine) = (message.view(), self.view_number(cx));
        if theirs > mine {
            self.adopt(theirs, cx);
        }
        let unfenced =
            cx.has(PrimaryBackupBug::NoFence) && matches!(message, Message::Replicate { .. });
        if theirs < mine && !unfenced {
            // The fence: nothing of an earlier view counts, and who sent it learns why.
            if !matches!(message, Message::Behind { .. } | Message::Accepted { .. }) {
                cx.note(probes::FENCED);
                cx.send(from, Message::Behind { view: mine });
            }
            return;
        }
        match message {
            Message::RequestView {
                view,
                synchronised,
                last_index,
            } => self.answer_request(from, view, (synchronised, last_index), cx),
            Message::Granted { .. } => self.count_vote(from, cx),
            Message::Replicate { .. } => self.follow_stream(from, message, cx),
            Message::Accepted { index, round, .. } => self.count_accepted(from, index, round, cx),
            Message::Join { ends, .. } => self.bring_into_step(from, &ends, cx),
            Message::Sync { .. } => self.come_into_step(message, cx),
            Message::Behind { .. } => {}
        }
    }
}

impl Node for PrimaryBackup {
    const NAME: &'static str = "primary_backup";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Command;
    type Response = Response;
    type Durable = Store;
    type Bug = PrimaryBackupBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        let mut node = Self::default();
        if cx.has(PrimaryBackupBug::TruncatesToHighWatermark) {
            let after = cx.durable().checkpoint;
            cx.write(log::Write::Truncate { after });
        }
        // What was once known to be acknowledged still is.
        node.learn_commit(cx.durable().checkpoint, cx);
        if cx.config().view_change {
            cx.set_timer(Timer::View, cx.config().view_timeout());
        } else if cx.me().index() == 0 {
            node.reign_for_ever(cx);
        }
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer {
                timer: Timer::View, ..
            } if self.role != Role::Leader => self.miss_the_primary(cx),
            Input::Timer {
                timer: Timer::Heartbeat,
                ..
            } if self.role == Role::Leader => self.beat(cx),
            Input::Timer { .. } => {}
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {
                if self.role == Role::Leader {
                    self.advance_commit(cx);
                }
            }
        }
    }

    fn view<'a>(&'a self, store: &'a Store) -> View<'a> {
        let facet = match self.role {
            Role::Leader => Facet::Replicas(self.reign.members),
            _ => Facet::None,
        };
        View {
            role: self.role,
            term: self.acting.unwrap_or(store.view),
            voted_for: store.voted_for,
            log: store.log.view(),
            commit_index: self.commit,
            applied_index: self.applied,
            state: self.machine.digest(),
            facet,
            ..View::default()
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let claim = match message {
            Message::Accepted { view, index, .. } => Some(Claim::Accepted(Vote {
                ballot: *view,
                slot: *index,
                value: Value::Nil,
            })),
            _ => None,
        };
        MessageView {
            to,
            term: message.view(),
            grants_vote: matches!(message, Message::Granted { .. }),
            claims: claim.into_iter().collect(),
        }
    }

    fn reply(_request: &Command, response: &Response) -> Reply {
        match response {
            Response::Answer(Output::Done) => Reply::Ok(Value::Nil),
            Response::Answer(Output::Value(object)) => Reply::Ok(object.into()),
            Response::Answer(Output::Mismatch) => Reply::Fail(Value::text("mismatch")),
            Response::NotPrimary(primary) => Reply::Elsewhere(*primary),
        }
    }
}
