//! Money that is moved between accounts, and reads of all of them.

use tribunal_histories::{Outcome, Value};

use super::{Entry, Options, Probe, READ, probe};
use crate::generator::{Call, Generator, calls};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "transfers",
    model: "linearizable-bank",
    about: "Eight accounts with 100 each. Clients move money between two of them, now and then more than there is, and \
            read all accounts at once. The total never changes, so one read finds a transfer that was done by half; \
            amounts differ, so the balances tell which transfers a read saw. (After Jepsen's bank.)",
    probes: &[
        Probe::new("a transfer succeeded", |history| {
            probe::ended(history, "transfer", Outcome::Ok)
        }),
        Probe::new("a transfer failed", |history| {
            probe::ended(history, "transfer", Outcome::Fail)
        }),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations,
    keys: |_| vec![Value::Nil],
    last_read: READ,
};

/// How many accounts there are, named by letters.
const ACCOUNTS: u64 = 8;

/// The most that is moved at once: a few such transfers empty an account.
const AMOUNT_MAX: u64 = 60;

fn account(number: u64) -> Value {
    let letter = u8::try_from(number).unwrap_or_default();
    Value::text(&char::from(b'a' + letter).to_string())
}

fn operations(_options: &Options) -> Box<dyn Generator> {
    calls(|draw| {
        if draw.chance(300_000) {
            return Call::new("read", Value::Nil, Value::Nil);
        }
        let from = draw.below(ACCOUNTS);
        let to = (from + 1 + draw.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = i64::try_from(1 + draw.below(AMOUNT_MAX)).unwrap_or(1);
        let fields = [
            ("from", account(from)),
            ("to", account(to)),
            ("amount", Value::Int(amount)),
        ];
        let fields = fields.map(|(name, value)| (Value::text(name), value));
        Call::new("transfer", Value::Nil, Value::map(fields))
    })
    .boxed()
}
