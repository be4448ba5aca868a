//! The plain check of a bank: what every read of all accounts must show, each judged on its own.
//!
//! After `jepsen.tests.bank`, which looks at the total: transfers move money and make none, so a read that saw some
//! transfer by half has another total. Two rules are sharper than there. Each account is a counter that transfers
//! change, and must be within what the transfers around the read allow (see [`counter`](crate::counter)): so a
//! transfer that failed is not seen, and one that was acknowledged is. And the accounts are always the same.

use std::collections::BTreeMap;

use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::counter::Counter;
use crate::linearizability;
use crate::model::{BANK_OPERATIONS, Bank, Banking, Opening, Recorded, Shape, banking};
use crate::verdict::{Answer, Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "bank";
pub(crate) const ABOUT: &str = "Of accounts between which money is moved, every read: it shows all accounts, together \
                                they have what they began with, none has less than nothing, and each is within what \
                                the transfers around the read allow. Without an initial value every account begins \
                                with 100. Weaker than linearizable-bank: asks for no order of the reads.";
pub(crate) const OPERATIONS: &[Shape] = BANK_OPERATIONS;

/// A bank while its history is read.
#[derive(Debug, Default)]
struct Books {
    accounts: BTreeMap<Value, Counter>,
    /// The accounts that the first read showed.
    shown: Option<Vec<Value>>,
    reads: usize,
}

/// What is wrong with a read.
struct Wrong {
    /// The account; nil for all of them together.
    account: Value,
    value: i128,
    bounds: (i128, i128),
    headline: String,
    because: String,
}

/// Judges every read; the first that is wrong is the counterexample.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let opening = Opening::of(&request.initial()).map_err(|expected| CheckError::Initial {
        checker: NAME,
        initial: request.initial(),
        expected,
    })?;
    let mut banks: BTreeMap<ValueId, Books> = BTreeMap::new();
    let mut statistics = Statistics::default();
    for position in 0..history.len() {
        let invoked = history
            .pair(position)
            .map_or(position, |pair| pair.min(position));
        let Some(operation) = history.operation(invoked) else {
            continue;
        };
        let begins = invoked == position;
        if !begins && operation.returned != Some(position) {
            continue;
        }
        statistics.operations += u64::from(begins);
        let books = banks.entry(operation.key).or_default();
        if let Some(wrong) = books.turn(history, &operation, begins, &opening)? {
            return Ok(refuted(history, &operation, wrong).with_statistics(statistics));
        }
    }
    statistics.partitions = banks.len() as u64;
    let count = banks.values().map(|books| books.reads).sum();
    let evidence = Evidence::Observations { count };
    let sentence = match count {
        0 => "no account was ever read, so that any transfers are allowed".to_owned(),
        _ => format!(
            "each of the {count} reads has the right total and is within what the transfers allow"
        ),
    };
    let verdict = Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence]);
    Ok(verdict.with_statistics(statistics))
}

/// Linearizability, of which the plain check is a consequence that is easier to understand: what it finds is told its
/// way.
pub(crate) fn check_linearizable(
    history: &History,
    request: &CheckRequest,
    stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let plain = check(history, request, stop)?;
    if plain.answer() == Answer::Invalid {
        return Ok(plain);
    }
    linearizability::check::<Bank>(history, request, stop)
}

impl Books {
    /// An operation begins or ends.
    fn turn(
        &mut self,
        history: &History,
        operation: &Operation,
        begins: bool,
        opening: &Opening,
    ) -> Result<Option<Wrong>, CheckError> {
        let recorded = Recorded {
            function: history.function(operation.function),
            input: history.value(operation.input),
            output: (operation.outcome == Outcome::Ok).then(|| history.value(operation.output)),
        };
        let banking = banking(&recorded)
            .map_err(|misfit| CheckError::misfit((NAME, OPERATIONS), history, operation, misfit))?;
        match banking {
            _ if operation.outcome == Outcome::Fail => {}
            None => {}
            Some(Banking::Transfer { from, to, amount }) => {
                for (account, change) in [(from, -amount), (to, amount)] {
                    let counter = self.accounts.entry(account).or_default();
                    counter.add(change, begins);
                }
            }
            Some(Banking::Read(_)) if begins => {
                for counter in self.accounts.values_mut() {
                    counter.begin_read(operation.invoked);
                }
            }
            Some(Banking::Read(balances)) => {
                self.reads += 1;
                return Ok(self.judge(operation.invoked, &balances, opening));
            }
        }
        Ok(None)
    }

    /// What is wrong with a read that returns now.
    fn judge(
        &mut self,
        invoked: usize,
        balances: &BTreeMap<Value, i64>,
        opening: &Opening,
    ) -> Option<Wrong> {
        let accounts: Vec<Value> = balances.keys().cloned().collect();
        let shown = self.shown.get_or_insert_with(|| accounts.clone());
        let expected = opening.total(balances).filter(|_| *shown == accounts);
        let total: i128 = balances.values().map(|balance| i128::from(*balance)).sum();
        let Some(expected) = expected else {
            return Some(Wrong {
                account: Value::Nil,
                value: total,
                bounds: (total, total),
                headline: format!("shows {} accounts, which are not all", accounts.len()),
                because:
                    "Because the accounts of a bank are always the same, a read must show them all."
                        .to_owned(),
            });
        };
        if total != expected {
            return Some(Wrong {
                account: Value::Nil,
                value: total,
                bounds: (expected, expected),
                headline: format!("has a total of {total}, not {expected}"),
                because: format!(
                    "Because transfers move money and make none, all accounts together have {expected} at any time; a \
                     read with another total saw some transfer by half, or saw money that was lost or made."
                ),
            });
        }
        balances
            .iter()
            .find_map(|(account, balance)| self.judge_account(invoked, account, *balance, opening))
    }

    fn judge_account(
        &mut self,
        invoked: usize,
        account: &Value,
        balance: i64,
        opening: &Opening,
    ) -> Option<Wrong> {
        let value = i128::from(balance);
        let wrong = |bounds, because| Wrong {
            account: account.clone(),
            value,
            bounds,
            headline: format!("shows {balance} in account {account}"),
            because,
        };
        if balance < 0 {
            let because = "Because no account may have less than nothing, some transfer out of it must have been refused.";
            return Some(wrong((0, i128::MAX), because.to_owned()));
        }
        let opening = opening.balance(account).unwrap_or_default();
        let counter = self.accounts.entry(account.clone()).or_default();
        let bounds = counter.bounds(invoked, opening);
        (!(bounds.0..=bounds.1).contains(&value)).then(|| {
            wrong(
                bounds,
                format!(
                    "Because of the transfers that had succeeded before the read began, and those that may have \
                     happened by its end, the account has at least {} and at most {}; a transfer that failed does not \
                     count.",
                    bounds.0, bounds.1
                ),
            )
        })
    }
}

fn refuted(history: &History, read: &Operation, wrong: Wrong) -> Verdict {
    let key = history.value(read.key);
    let place = if key.is_nil() {
        String::new()
    } else {
        format!(" of key {key}")
    };
    let clamped =
        |bound: i128| i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX });
    let counterexample = Counterexample::OutOfBounds {
        key: wrong.account,
        read: read.invoked,
        value: clamped(wrong.value),
        lower: clamped(wrong.bounds.0),
        upper: clamped(wrong.bounds.1),
    };
    let sentences = vec![
        format!(
            "a read{place} (process {}) {}",
            read.process, wrong.headline
        ),
        wrong.because,
    ];
    Verdict::new(NAME, Judgement::Invalid { counterexample }, sentences)
}
