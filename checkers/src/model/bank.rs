//! A bank: accounts between which money is moved.

use std::collections::BTreeMap;

use tribunal_histories::Value;

use super::{Misfit, Model, Recorded, Semantics, Shape};

/// What an account begins with if nothing else is said.
const OPENING_BALANCE: i64 = 100;

/// What the accounts of a bank begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Every account that there is with the same.
    Each(i64),
    /// These accounts, and no others, each with its own.
    Accounts(BTreeMap<Value, i64>),
}

impl Opening {
    /// The opening that an initial value describes.
    ///
    /// # Errors
    /// The shape that it should have.
    pub(crate) fn of(initial: &Value) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an integer for every account, or a map of accounts to integers";
        match initial {
            Value::Nil => Ok(Self::Each(OPENING_BALANCE)),
            Value::Int(balance) => Ok(Self::Each(*balance)),
            other => balances(other).map(Self::Accounts).ok_or(EXPECTED),
        }
    }

    /// What an account begins with; `None` if there is no such account.
    pub(crate) fn balance(&self, account: &Value) -> Option<i64> {
        match self {
            Self::Each(balance) => Some(*balance),
            Self::Accounts(accounts) => accounts.get(account).copied(),
        }
    }

    /// What these accounts have together at all times; `None` if they are not all accounts that there are.
    pub(crate) fn total(&self, balances: &BTreeMap<Value, i64>) -> Option<i128> {
        let accounts = balances.keys();
        let opening = accounts.map(|account| self.balance(account).map(i128::from));
        let complete = match self {
            Self::Each(_) => true,
            Self::Accounts(accounts) => accounts.len() == balances.len(),
        };
        opening.sum::<Option<i128>>().filter(|_| complete)
    }
}

/// The name of an account, however a format writes it: JSON has only strings before a colon.
fn account(value: &Value) -> Value {
    match value {
        Value::Keyword(name) => Value::text(name),
        Value::Int(number) => Value::text(&number.to_string()),
        other => other.clone(),
    }
}

fn balances(value: &Value) -> Option<BTreeMap<Value, i64>> {
    let Value::Map(entries) = value else {
        return None;
    };
    let entries = entries.iter();
    entries
        .map(|(name, balance)| Some((account(name), balance.as_int()?)))
        .collect()
}

/// What a recorded operation does to a bank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Banking {
    /// It moves money.
    Transfer {
        /// Out of here.
        from: Value,
        /// Into here.
        to: Value,
        /// So much.
        amount: i64,
    },
    /// It found this.
    Read(BTreeMap<Value, i64>),
}

/// A recorded operation on a bank; `None` for a read that constrains nothing.
///
/// # Errors
/// How it does not fit.
pub(crate) fn banking(recorded: &Recorded<'_>) -> Result<Option<Banking>, Misfit> {
    match recorded.function {
        "read" | "r" => match &recorded.output {
            None | Some(Value::Nil) => Ok(None),
            Some(value) => {
                let balances = balances(value).ok_or(Misfit::Output)?;
                Ok(Some(Banking::Read(balances)))
            }
        },
        "transfer" => transfer(&recorded.input).map(Some).ok_or(Misfit::Input),
        _ => Err(Misfit::Function),
    }
}

fn transfer(input: &Value) -> Option<Banking> {
    let Value::Map(fields) = input else {
        return None;
    };
    let field = |name| {
        let mut fields = fields.iter();
        let named = fields.find(|(key, _)| key.as_name() == Some(name));
        named.map(|(_, value)| value)
    };
    let amount = field("amount")?.as_int()?;
    Some(Banking::Transfer {
        from: account(field("from")?),
        to: account(field("to")?),
        amount,
    })
    .filter(|_| amount >= 0)
}

/// The operations of both banks, the linearizable and the plain.
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["transfer"],
        input: "{amount integer, from account, to account}",
        output: "",
    },
    Shape {
        names: &["read", "r"],
        input: "",
        output: "{account integer …}",
    },
];

/// All accounts as one object.
#[derive(Clone, Debug)]
pub struct Bank {
    opening: Opening,
}

impl Model for Bank {
    const NAME: &'static str = "linearizable-bank";
    const ABOUT: &'static str = "Accounts between which money is moved, as one object: a transfer that succeeded moved \
                                 the money at one time, and a read saw all accounts at one time. No account has less \
                                 than nothing. Without an initial value every account begins with 100.";
    const OPERATIONS: &'static [Shape] = OPERATIONS;

    /// By how much accounts have changed, those left out that have not.
    type State = BTreeMap<Value, i64>;
    type Op = Banking;

    fn new(initial: &Value, _: Semantics) -> Result<Self, &'static str> {
        let opening = Opening::of(initial)?;
        Ok(Self { opening })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Banking>, Misfit> {
        banking(recorded)
    }

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, changes: &Self::State, op: &Banking) -> Option<Self::State> {
        match op {
            Banking::Transfer { from, to, amount } => {
                let mut after = changes.clone();
                for (account, change) in [(from, -amount), (to, *amount)] {
                    let opening = self.opening.balance(account)?;
                    let sum = after.remove(account).unwrap_or(0).checked_add(change)?;
                    if change < 0 && opening.checked_add(sum)? < 0 {
                        return None;
                    }
                    if sum != 0 {
                        after.insert(account.clone(), sum);
                    }
                }
                Some(after)
            }
            Banking::Read(balances) => {
                self.opening.total(balances)?;
                let as_it_is = |(account, balance): (&Value, &i64)| {
                    let change = changes.get(account).copied().unwrap_or(0);
                    let opening = self.opening.balance(account);
                    opening.and_then(|opening| opening.checked_add(change)) == Some(*balance)
                };
                let complete = changes.keys().all(|account| balances.contains_key(account));
                (complete && balances.iter().all(as_it_is)).then(|| changes.clone())
            }
        }
    }

    fn observes_only(&self, op: &Banking) -> bool {
        matches!(op, Banking::Read(_))
    }

    fn bytes(&self, changes: &Self::State) -> usize {
        size_of_val(changes) + changes.len() * 2 * size_of::<(Value, i64)>()
    }
}
