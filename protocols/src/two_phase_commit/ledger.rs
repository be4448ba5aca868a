//! What a node of the bank keeps on disk: its accounts, the transactions that it is prepared for and what became of
//! them, and, as a coordinator, what it has begun and decided.
//!
//! Every write makes sense whichever of those before it a crash has lost: each names its transaction, and balances
//! are kept as sums of changes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{
    CommitmentView, DecisionView, Facet, LogView, OutcomeView, TransactionId, View,
};

use super::config::Config;
use super::message::Answer;
use super::request::{Account, Request};
use crate::contract::{ClientId, Durable};

/// A client's latest transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Session {
    /// Its latest attempt.
    pub transaction: TransactionId,
    /// What came of it, once that is written down.
    pub answer: Option<Answer>,
}

/// The disk of a node of the bank.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ledger {
    /// By how much committed transactions changed each account.
    changes: BTreeMap<Account, i64>,
    /// What is prepared, in the order of the names; `requests` goes along.
    in_doubt: Vec<TransactionId>,
    requests: Vec<Request>,
    outcomes: Vec<OutcomeView>,
    sessions: BTreeMap<ClientId, Session>,
    /// What was begun here and is not decided.
    begun: BTreeMap<TransactionId, Request>,
    /// What was decided and not yet acknowledged by all.
    untold: BTreeMap<TransactionId, DecisionView>,
    /// As the backup of another coordinator: the decisions, which are final.
    arbitrated: BTreeMap<TransactionId, bool>,
    /// All decisions, in order.
    decisions: Vec<DecisionView>,
}

impl Ledger {
    /// By how much committed transactions changed an account.
    pub fn change(&self, account: Account) -> i64 {
        self.changes.get(&account).copied().unwrap_or(0)
    }

    /// What an account has by the transactions that are committed.
    pub fn balance(&self, account: Account, config: &Config) -> i64 {
        config.opening_balance + self.change(account)
    }

    /// What an account would have if all that is prepared were committed.
    pub fn balance_if_prepared_were_committed(&self, account: Account, config: &Config) -> i64 {
        let prepared = self.requests.iter().map(|request| request.change(account));
        self.balance(account, config) + prepared.sum::<i64>()
    }

    /// The transactions that are prepared, with what they are to do.
    pub fn prepared(&self) -> impl Iterator<Item = (TransactionId, &Request)> {
        self.in_doubt.iter().copied().zip(&self.requests)
    }

    /// Whether a transaction is prepared.
    pub fn is_prepared(&self, transaction: TransactionId) -> bool {
        self.in_doubt.binary_search(&transaction).is_ok()
    }

    /// What became of a transaction here, as a participant.
    pub fn outcome(&self, transaction: TransactionId) -> Option<bool> {
        let mut latest_first = self.outcomes.iter().rev();
        latest_first
            .find(|outcome| outcome.transaction == transaction)
            .map(|outcome| outcome.committed)
    }

    /// What became of transactions here, in order.
    pub fn outcomes(&self) -> &[OutcomeView] {
        &self.outcomes
    }

    /// A client's latest transaction, as its coordinator.
    pub fn session(&self, client: ClientId) -> Option<&Session> {
        self.sessions.get(&client)
    }

    /// What was begun here and is not decided.
    pub fn begun(&self) -> &BTreeMap<TransactionId, Request> {
        &self.begun
    }

    /// What was decided here and not yet acknowledged by all.
    pub fn untold(&self) -> &BTreeMap<TransactionId, DecisionView> {
        &self.untold
    }

    /// What was decided about a transaction, as its coordinator's backup.
    pub fn arbitrated(&self, transaction: TransactionId) -> Option<bool> {
        self.arbitrated.get(&transaction).copied()
    }

    /// All decisions, in order.
    pub fn decisions(&self) -> &[DecisionView] {
        &self.decisions
    }

    /// What the node shows, with these decisions.
    pub fn facet<'a>(&'a self, decisions: &'a [DecisionView]) -> Facet<'a> {
        Facet::Commitment(CommitmentView {
            in_doubt: &self.in_doubt,
            outcomes: &self.outcomes,
            decisions,
        })
    }

    fn finish(&mut self, transaction: TransactionId, committed: bool) {
        if self.outcome(transaction).is_some() {
            return;
        }
        self.outcomes.push(OutcomeView {
            transaction,
            committed,
        });
        if let Ok(place) = self.in_doubt.binary_search(&transaction) {
            self.in_doubt.remove(place);
            let request = self.requests.remove(place);
            if let (true, Request::Transfer { from, to, .. }) = (committed, request) {
                for account in [from, to] {
                    *self.changes.entry(account).or_default() += request.change(account);
                }
            }
        }
    }
}

/// A change of the disk: one record, written whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// A coordinator begins a transaction, at most once.
    Begin {
        /// Which.
        transaction: TransactionId,
        /// What it is to do; not kept where what is unknown is aborted.
        request: Option<Request>,
    },
    /// A participant is prepared.
    Prepare {
        /// For which transaction.
        transaction: TransactionId,
        /// What it is to do.
        request: Request,
    },
    /// A participant learned the outcome, or refused.
    Finish {
        /// Of which transaction.
        transaction: TransactionId,
        /// Whether it is committed.
        commit: bool,
    },
    /// A coordinator decided.
    Decide {
        /// What.
        decision: DecisionView,
        /// What the client is told.
        answer: Answer,
    },
    /// A backup decided.
    Arbitrate {
        /// What.
        decision: DecisionView,
    },
    /// All participants know.
    Forget {
        /// Which transaction.
        transaction: TransactionId,
    },
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = |commit: &bool| if *commit { "commit" } else { "abort" };
        match self {
            Self::Begin { transaction, .. } => write!(f, "begin {transaction}"),
            Self::Prepare { transaction, .. } => write!(f, "prepared {transaction}"),
            Self::Finish {
                transaction,
                commit,
            } => write!(f, "{transaction} ends in {}", decided(commit)),
            Self::Decide { decision, .. } => {
                let verdict = decided(&decision.commit);
                write!(f, "decide {} {verdict}", decision.transaction)
            }
            Self::Arbitrate { decision } => {
                let verdict = decided(&decision.commit);
                write!(f, "record {} {verdict}", decision.transaction)
            }
            Self::Forget { transaction } => write!(f, "forget {transaction}"),
        }
    }
}

impl Durable for Ledger {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Begin {
                transaction,
                request,
            } => {
                let session = Session {
                    transaction: *transaction,
                    answer: None,
                };
                self.sessions.insert(transaction.client, session);
                if let Some(request) = request {
                    self.begun.insert(*transaction, *request);
                }
            }
            Write::Prepare {
                transaction,
                request,
            } => {
                if let Err(place) = self.in_doubt.binary_search(transaction) {
                    self.in_doubt.insert(place, *transaction);
                    self.requests.insert(place, *request);
                }
            }
            Write::Finish {
                transaction,
                commit,
            } => self.finish(*transaction, *commit),
            Write::Decide { decision, answer } => {
                let transaction = decision.transaction;
                self.begun.remove(&transaction);
                self.untold.insert(transaction, *decision);
                self.decisions.push(*decision);
                if let Some(session) = self.sessions.get_mut(&transaction.client)
                    && session.transaction == transaction
                {
                    session.answer = Some(answer.clone());
                }
            }
            Write::Arbitrate { decision } => {
                let first = self.arbitrated.entry(decision.transaction);
                first.or_insert(decision.commit);
                self.decisions.push(*decision);
            }
            Write::Forget { transaction } => {
                self.untold.remove(transaction);
            }
        }
    }

    fn torn(_write: &Write) -> Option<Write> {
        None
    }

    fn log(&self) -> LogView<'_> {
        LogView::default()
    }

    fn view(&self) -> View<'_> {
        View {
            facet: self.facet(&self.decisions),
            ..View::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Configuration;

    fn transaction(sequence: u32) -> TransactionId {
        TransactionId {
            sequence,
            ..TransactionId::default()
        }
    }

    #[test]
    fn money_is_moved_once_and_only_by_what_was_prepared() {
        let (config, mut ledger) = (Config::of(1), Ledger::default());
        let request: Request = "transfer a b 30".parse().unwrap();
        let finish = |sequence| Write::Finish {
            transaction: transaction(sequence),
            commit: true,
        };
        let prepare = |sequence| Write::Prepare {
            transaction: transaction(sequence),
            request,
        };
        ledger.apply(&prepare(1));
        assert_eq!(ledger.balance(Account(0), &config), 100);
        assert_eq!(
            ledger.balance_if_prepared_were_committed(Account(0), &config),
            70
        );
        for write in [finish(1), finish(1), finish(2)] {
            ledger.apply(&write);
        }
        assert_eq!(ledger.balance(Account(0), &config), 70);
        assert_eq!(ledger.balance(Account(1), &config), 130);
        assert!(!ledger.is_prepared(transaction(1)));
    }
}
