//! The participant: it prepares its part of a transaction under locks, and holds them until it knows the outcome
//! (`TwoPhase.tla`: the `RM` actions).
//!
//! Locks are what is prepared on the disk: they outlive a crash. Who finds an account locked waits if it is older
//! than all who hold it, by the names of the transactions, and votes no otherwise (wait-die: Rosenkrantz, Stearns and
//! Lewis, *System Level Concurrency Control*, TODS 1978), so that nobody waits in a circle.

use tribunal_histories::{NodeId, TransactionId};

use super::config::Scheme;
use super::ledger::Write;
use super::message::{Message, Timer};
use super::request::Request;
use super::{Cx, TwoPhaseCommit, TwoPhaseCommitBug as Bug, probes};

impl TwoPhaseCommit {
    /// A coordinator asks for a vote.
    pub(super) fn prepare(
        &mut self,
        transaction: TransactionId,
        request: Request,
        cx: &mut Cx<'_>,
    ) {
        if cx.durable().is_prepared(transaction) {
            return vote_yes(transaction, request, cx);
        }
        if cx.durable().outcome(transaction).is_some() || self.waiting.contains_key(&transaction) {
            return;
        }
        let reads_anyway = cx.has(Bug::ReadsPreparedData) && request == Request::Read;
        let holders = cx.durable().prepared();
        let holders = holders
            .filter(|(_, held)| conflict(request, **held, cx) && !reads_anyway)
            .map(|(holder, _)| holder);
        match holders.min() {
            Some(holder) if transaction < holder => {
                cx.note(probes::WAITED_FOR_A_LOCK);
                self.waiting.insert(transaction, request);
            }
            Some(_) => {
                cx.note(probes::DIED_FOR_A_LOCK);
                refuse(transaction, cx);
            }
            None if overdraws(request, cx) => {
                cx.note(probes::REFUSED_AN_OVERDRAFT);
                refuse(transaction, cx);
            }
            None => {
                let write = Write::Prepare {
                    transaction,
                    request,
                };
                if cx.has(Bug::PreparedInMemoryOnly) {
                    cx.write_but_forget_to_persist(&write);
                } else {
                    cx.write(write);
                }
                cx.set_timer(Timer::Doubt(transaction), cx.config().doubt());
                vote_yes(transaction, request, cx);
            }
        }
    }

    /// The outcome is known: what was locked is free.
    pub(super) fn learn(&mut self, transaction: TransactionId, commit: bool, cx: &mut Cx<'_>) {
        self.waiting.remove(&transaction);
        self.asked.remove(&transaction);
        if cx.durable().outcome(transaction).is_none() {
            cx.write(Write::Finish {
                transaction,
                commit,
            });
            cx.cancel_timer(Timer::Doubt(transaction));
        }
        // What is presumed needs no acknowledgement.
        if commit || cx.config().scheme != Scheme::PresumedAbort {
            let coordinator = cx.config().coordinator(transaction);
            cx.send(coordinator, Message::Acknowledged { transaction });
        }
        for (transaction, request) in std::mem::take(&mut self.waiting) {
            self.prepare(transaction, request, cx);
        }
    }

    /// A participant that is prepared and hears nothing can only ask: it must neither commit nor abort on its own.
    pub(super) fn ask(&mut self, transaction: TransactionId, cx: &mut Cx<'_>) {
        if !cx.durable().is_prepared(transaction) {
            return;
        }
        if cx.has(Bug::AbortsInDoubt) || cx.has(Bug::CommitsInDoubt) {
            let commit = cx.has(Bug::CommitsInDoubt);
            return self.learn(transaction, commit, cx);
        }
        let asked_before = !self.asked.insert(transaction);
        cx.note(if asked_before {
            probes::STAYED_IN_DOUBT
        } else {
            probes::IN_DOUBT
        });
        cx.send(
            cx.config().coordinator(transaction),
            Message::Inquire { transaction },
        );
        let arbiter = cx.config().arbiter(transaction);
        if cx.config().scheme == Scheme::Backup && asked_before {
            cx.send(arbiter, Message::Inquire { transaction });
        }
        cx.set_timer(Timer::Doubt(transaction), cx.config().doubt());
    }

    /// After a restart: what is prepared is in doubt.
    pub(super) fn recover_as_participant(cx: &mut Cx<'_>) {
        let prepared: Vec<_> = cx
            .durable()
            .prepared()
            .map(|(transaction, _)| transaction)
            .collect();
        for transaction in prepared {
            cx.set_timer(Timer::Doubt(transaction), cx.config().doubt());
        }
    }
}

/// Whether two requests cannot both be prepared at this node.
fn conflict(one: Request, other: Request, cx: &Cx<'_>) -> bool {
    (one, other) != (Request::Read, Request::Read)
        && cx
            .config()
            .accounts_of(cx.me())
            .any(|account| one.touches(account) && other.touches(account))
}

/// Whether a request would leave less than nothing in an account of this node.
fn overdraws(request: Request, cx: &Cx<'_>) -> bool {
    cx.config().accounts_of(cx.me()).any(|account| {
        let change = request.change(account);
        change < 0 && cx.durable().balance(account, cx.config()) + change < 0
    })
}

fn coordinator(transaction: TransactionId, cx: &Cx<'_>) -> NodeId {
    cx.config().coordinator(transaction)
}

fn vote_yes(transaction: TransactionId, request: Request, cx: &mut Cx<'_>) {
    let mut balances = Vec::new();
    if request == Request::Read {
        let ledger = cx.durable();
        for account in cx.config().accounts_of(cx.me()) {
            let balance = if cx.has(Bug::ReadsPreparedData) {
                ledger.balance_if_prepared_were_committed(account, cx.config())
            } else {
                ledger.balance(account, cx.config())
            };
            balances.push((account, balance));
        }
    }
    cx.send(
        coordinator(transaction, cx),
        Message::Yes {
            transaction,
            balances,
        },
    );
}

/// A no is an abort: it is written down, so that the same question is not answered yes later.
fn refuse(transaction: TransactionId, cx: &mut Cx<'_>) {
    cx.write(Write::Finish {
        transaction,
        commit: false,
    });
    cx.send(coordinator(transaction, cx), Message::No { transaction });
}
