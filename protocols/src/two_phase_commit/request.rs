//! What clients of a bank ask for: that money is moved between two accounts, or what all accounts have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, Value};

use super::config::Config;
use crate::contract::Recorded;
use crate::quorum::NodeSet;

/// The most accounts: they are named by letters.
pub const ACCOUNTS_MAX: u32 = 26;

/// An account: `a`, `b`, … Each is held by one node alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(pub u32);

impl Account {
    /// The node that holds it.
    pub fn holder(self, config: &Config) -> NodeId {
        NodeId::from_index(self.0 as usize % config.nodes)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = u8::try_from(self.0 % ACCOUNTS_MAX).unwrap_or_default();
        write!(f, "{}", char::from(b'a' + letter))
    }
}

impl FromStr for Account {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, NotARequest> {
        match text.as_bytes() {
            [letter @ b'a'..=b'z'] => Ok(Self(u32::from(letter - b'a'))),
            _ => Err(NotARequest(text.to_owned())),
        }
    }
}

/// What a client asks for, and what every participant does its own part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Move money.
    Transfer {
        /// Out of here, where it must be.
        from: Account,
        /// Into here.
        to: Account,
        /// So much.
        amount: i64,
    },
    /// Tell what all accounts have, at one time.
    Read,
}

impl Request {
    /// Whether the cluster can do it: it has the accounts.
    pub fn fits(&self, config: &Config) -> bool {
        match self {
            Self::Transfer { from, to, amount } => {
                from != to && from.0.max(to.0) < config.accounts && *amount > 0
            }
            Self::Read => true,
        }
    }

    /// The nodes that take part: those that hold the accounts.
    pub fn participants(&self, config: &Config) -> NodeSet {
        let accounts = config.all_accounts();
        accounts
            .filter(|account| self.touches(*account))
            .map(|account| account.holder(config))
            .collect()
    }

    /// Whether it reads or changes an account.
    pub fn touches(&self, account: Account) -> bool {
        match self {
            Self::Transfer { from, to, .. } => account == *from || account == *to,
            Self::Read => true,
        }
    }

    /// By how much it changes an account.
    pub fn change(&self, account: Account) -> i64 {
        match self {
            Self::Transfer { from, amount, .. } if account == *from => -amount,
            Self::Transfer { to, amount, .. } if account == *to => *amount,
            _ => 0,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transfer { from, to, amount } => write!(f, "transfer {from} {to} {amount}"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// The text is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a request; requests are `transfer a b 5` and `read`")]
pub struct NotARequest(pub String);

impl FromStr for Request {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, NotARequest> {
        let words: Vec<_> = text.split_whitespace().collect();
        match words[..] {
            ["read"] => Ok(Self::Read),
            ["transfer", from, to, amount] => Ok(Self::Transfer {
                from: from.parse()?,
                to: to.parse()?,
                amount: amount.parse().map_err(|_| NotARequest(text.to_owned()))?,
            }),
            _ => Err(NotARequest(text.to_owned())),
        }
    }
}

impl Recorded for Request {
    /// As Jepsen's bank records it: `transfer {amount 5, from "a", to "b"}` and `read`.
    fn record(&self) -> (&'static str, Value, Value) {
        match self {
            Self::Transfer { from, to, amount } => {
                let fields = [
                    ("from", Value::text(&from.to_string())),
                    ("to", Value::text(&to.to_string())),
                    ("amount", Value::Int(*amount)),
                ];
                let fields = fields.map(|(name, value)| (Value::text(name), value));
                ("transfer", Value::Nil, Value::map(fields))
            }
            Self::Read => ("read", Value::Nil, Value::Nil),
        }
    }

    fn from_record(function: &str, _key: &Value, value: &Value) -> Option<Self> {
        match (function, value) {
            ("read", _) => Some(Self::Read),
            ("transfer", Value::Map(fields)) => {
                let field = |name| {
                    let mut fields = fields.iter();
                    fields.find(|(key, _)| key.as_name() == Some(name))
                };
                let account = |name| field(name)?.1.as_name()?.parse().ok();
                Some(Self::Transfer {
                    from: account("from")?,
                    to: account("to")?,
                    amount: field("amount")?.1.as_int()?,
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_as_they_print_and_as_they_are_recorded() {
        for text in ["read", "transfer a h 5"] {
            let request: Request = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
            let (function, key, value) = request.record();
            assert_eq!(Request::from_record(function, &key, &value), Some(request));
        }
        assert!("transfer a B 5".parse::<Request>().is_err());
        assert_eq!(
            Request::from_record("transfer", &Value::Nil, &Value::Nil),
            None
        );
    }
}
