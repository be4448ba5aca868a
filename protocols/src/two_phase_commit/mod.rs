//! Two-phase commit: a bank whose accounts lie on several nodes, and transfers that all of them commit or none.
//!
//! After J. Gray, *Notes on Data Base Operating Systems* (1978), and J. Gray and L. Lamport, *Consensus on Transaction
//! Commit* (TODS 2006), with its specifications `TCommit.tla` and `TwoPhase.tla`. One file a role: [`coordinator`],
//! [`participant`] and [`backup`]; what survives a crash is in [`ledger`].
//!
//! Every node holds some accounts, and is the home of some clients, whose transactions it coordinates. The protocol
//! commits only if all participants agree, and blocks: between its yes and the decision a participant can do nothing
//! but ask, and if the one node that can decide is down, nobody can answer.

mod backup;
mod coordinator;
mod explored;
mod participant;
mod staged;

pub mod bugs;
pub mod config;
pub mod ledger;
pub mod message;
pub mod probes;
pub mod request;

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{
    Claim, DecisionView, MessageView, NodeId, Role, TransactionId, Value, View,
};

pub use bugs::TwoPhaseCommitBug;
pub use config::{Config, Scheme};
pub use ledger::Ledger;
pub use message::{Answer, Message, Response, Timer};
pub use probes::PROBES;
pub use request::{Account, Request};

use crate::contract::{Context, Input, Node, Reply};
use coordinator::Open;

/// The volatile state of a node of the bank.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TwoPhaseCommit {
    /// As a coordinator: what is not decided.
    open: BTreeMap<TransactionId, Open>,
    /// As a coordinator: who has acknowledged a decision.
    acknowledged: BTreeMap<TransactionId, crate::quorum::NodeSet>,
    /// As a participant: what waits for locks.
    waiting: BTreeMap<TransactionId, Request>,
    /// As a participant: what it has asked about.
    asked: BTreeSet<TransactionId>,
    /// What was decided here, aborts that are presumed and not written down included.
    decisions: Vec<DecisionView>,
}

type Cx<'a> = Context<'a, TwoPhaseCommit>;

impl TwoPhaseCommit {
    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Prepare {
                transaction,
                request,
                ..
            } => self.prepare(transaction, request, cx),
            Message::Yes {
                transaction,
                balances,
            } => self.count_yes(from, transaction, balances, cx),
            Message::No { transaction } => self.count_no(transaction, cx),
            Message::Outcome {
                transaction,
                commit,
            } => self.learn(transaction, commit, cx),
            Message::Acknowledged { transaction } => {
                self.count_acknowledgement(from, transaction, cx);
            }
            Message::Inquire { transaction } if Self::is_backup_for(transaction, cx) => {
                self.answer_as_arbiter(from, transaction, cx);
            }
            Message::Inquire { transaction } => self.answer_inquiry(from, transaction, cx),
            Message::Record {
                transaction,
                commit,
                participants,
                yes,
            } => {
                let decision = DecisionView {
                    transaction,
                    commit,
                    participants,
                    yes,
                };
                self.record(from, decision, cx);
            }
            Message::Recorded {
                transaction,
                commit,
            } => self.take_over(transaction, commit, cx),
        }
    }
}

impl Node for TwoPhaseCommit {
    const NAME: &'static str = "two_phase_commit";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Response = Response;
    type Durable = Ledger;
    type Bug = TwoPhaseCommitBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        let mut node = Self::default();
        node.recover_as_coordinator(cx);
        Self::recover_as_participant(cx);
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer { timer, .. } => match timer {
                Timer::Votes(transaction) => self.give_up_on_votes(transaction, cx),
                Timer::Again(transaction) => self.try_again(transaction, cx),
                Timer::Resend => self.resend(cx),
                Timer::Doubt(transaction) => self.ask(transaction, cx),
            },
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {}
        }
    }

    /// A node leads while it coordinates a transaction.
    fn view<'a>(&'a self, ledger: &'a Ledger) -> View<'a> {
        let leads = !self.open.is_empty();
        View {
            role: if leads { Role::Leader } else { Role::Follower },
            facet: ledger.facet(&self.decisions),
            ..View::default()
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let claim = match message {
            Message::Prepare {
                transaction,
                participants,
                arbiter,
                ..
            } => Some(Claim::Asked {
                transaction: *transaction,
                participants: *participants,
                arbiter: *arbiter,
            }),
            Message::Yes { transaction, .. } => Some(Claim::Prepared {
                transaction: *transaction,
                yes: true,
            }),
            Message::No { transaction } => Some(Claim::Prepared {
                transaction: *transaction,
                yes: false,
            }),
            Message::Outcome {
                transaction,
                commit,
            }
            | Message::Recorded {
                transaction,
                commit,
            } => Some(Claim::Decided {
                transaction: *transaction,
                commit: *commit,
            }),
            _ => None,
        };
        MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: claim.into_iter().collect(),
        }
    }

    fn reply(_request: &Request, response: &Response) -> Reply {
        match response {
            Response::Answer(Answer::Moved) => Reply::Ok(Value::Nil),
            Response::Answer(Answer::Balances(balances)) => {
                let balances = balances.iter();
                Reply::Ok(Value::map(balances.map(|(account, balance)| {
                    (Value::text(&account.to_string()), Value::Int(*balance))
                })))
            }
            Response::Answer(Answer::Aborted) => Reply::Fail(Value::text("aborted")),
            Response::NotHere(node) => Reply::Elsewhere(Some(*node)),
        }
    }
}
