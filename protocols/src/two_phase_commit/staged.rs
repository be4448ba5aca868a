//! The bank in scenarios: all begin with empty disks.

use tribunal_histories::TransactionId;

use super::ledger::Ledger;
use super::{Account, TwoPhaseCommit};
use crate::scenario::Staged;

impl Staged for TwoPhaseCommit {
    const MODEL: &'static str = "linearizable-bank";

    /// `empty`: the accounts have what they begin with.
    fn disk(words: &str) -> Option<Ledger> {
        (words == "empty").then(Ledger::default)
    }

    fn value(&self, _object: &str) -> Option<String> {
        None
    }

    /// `c0#1` is what became of a transaction here; a letter is by how much an account was changed.
    fn value_on(&self, durable: &Ledger, object: &str) -> Option<String> {
        if let Ok(account) = object.parse::<Account>() {
            return Some(durable.change(account).to_string());
        }
        let (client, sequence) = object.strip_prefix('c')?.split_once('#')?;
        let transaction = TransactionId {
            client: client.parse().ok()?,
            sequence: sequence.parse().ok()?,
            attempt: 0,
        };
        let state = match durable.outcome(transaction) {
            Some(true) => "committed",
            Some(false) => "aborted",
            None if durable.is_prepared(transaction) => "prepared",
            None => "unknown",
        };
        Some(state.to_owned())
    }

    /// `prepared c0#1 committed c1#1 aborted c2#1 c2#2`: as a participant; before it, what it coordinates.
    fn told(node: Option<&Self>, disk: &Ledger) -> Option<String> {
        let mut told = match node {
            None => "down".to_owned(),
            Some(node) if node.open.is_empty() => "up".to_owned(),
            Some(node) => format!("coordinates{}", listed(node.open.keys())),
        };
        let of = |committed: bool| {
            let outcomes = disk.outcomes().iter();
            let of = outcomes.filter(move |outcome| outcome.committed == committed);
            listed(of.map(|outcome| &outcome.transaction))
        };
        let prepared: Vec<_> = disk
            .prepared()
            .map(|(transaction, _)| transaction)
            .collect();
        for (state, transactions) in [
            (" prepared", listed(&prepared)),
            (" committed", of(true)),
            (" aborted", of(false)),
        ] {
            if !transactions.is_empty() {
                told = told + state + &transactions;
            }
        }
        Some(told)
    }
}

fn listed<'t>(transactions: impl IntoIterator<Item = &'t TransactionId>) -> String {
    let named = transactions
        .into_iter()
        .map(|transaction| format!(" {transaction}"));
    named.collect()
}
