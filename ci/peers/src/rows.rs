//! The rows of the table, one for every line of what is to be shown.

use tribunal_histories::{History, Invalid, Synthesis, SyntheticModel};

/// A synthetic history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) model: &'static str,
    operations: u64,
    concurrency: u32,
    keys: u32,
    unique: bool,
    crashed: u64,
    is_valid: bool,
}

/// With unique values.
const fn unique(model: &'static str, operations: u64, concurrency: u32, keys: u32) -> Row {
    Row {
        model,
        operations,
        concurrency,
        keys,
        unique: true,
        crashed: 0,
        is_valid: true,
    }
}

/// Compare-and-set over five values.
const fn cas(operations: u64, concurrency: u32, crashed: u64) -> Row {
    Row {
        unique: false,
        crashed,
        ..unique("cas-register", operations, concurrency, 1)
    }
}

/// With one wrong result late.
const fn wrong(row: Row) -> Row {
    Row {
        is_valid: false,
        ..row
    }
}

const MILLION: u64 = 1_000_000;

pub(crate) const ROWS: &[Row] = &[
    unique("register", MILLION, 5, 1),
    wrong(unique("register", MILLION, 5, 1)),
    unique("register", MILLION, 10, 1),
    wrong(unique("register", MILLION, 10, 1)),
    unique("register", MILLION, 30, 1),
    wrong(unique("register", MILLION, 30, 1)),
    unique("register", MILLION, 100, 1),
    wrong(unique("register", MILLION, 100, 1)),
    unique("kv", MILLION, 5, 100),
    wrong(unique("kv", MILLION, 5, 100)),
    unique("kv", MILLION, 10, 100),
    wrong(unique("kv", MILLION, 10, 100)),
    unique("kv", MILLION, 30, 100),
    wrong(unique("kv", MILLION, 30, 100)),
    unique("kv", MILLION, 100, 100),
    wrong(unique("kv", MILLION, 100, 100)),
    unique("fifo-queue", MILLION, 5, 1),
    wrong(unique("fifo-queue", MILLION, 5, 1)),
    unique("fifo-queue", MILLION, 10, 1),
    wrong(unique("fifo-queue", MILLION, 10, 1)),
    unique("fifo-queue", MILLION, 30, 1),
    wrong(unique("fifo-queue", MILLION, 30, 1)),
    unique("fifo-queue", MILLION, 100, 1),
    wrong(unique("fifo-queue", MILLION, 100, 1)),
    unique("register", 10 * MILLION, 10, 1),
    unique("kv", 10 * MILLION, 10, 100),
    unique("fifo-queue", 10 * MILLION, 10, 1),
    unique("register", 10_000, 5, 1),
    wrong(unique("register", 10_000, 5, 1)),
    cas(1_000, 5, 0),
    wrong(cas(1_000, 5, 0)),
    cas(10_000, 10, 0),
    wrong(cas(10_000, 10, 0)),
    cas(100_000, 5, 0),
    cas(10 * MILLION, 5, 0),
    cas(MILLION, 5, 0),
    wrong(cas(MILLION, 5, 0)),
    cas(MILLION, 10, 0),
    wrong(cas(MILLION, 10, 0)),
    cas(10_000, 30, 0),
    wrong(cas(10_000, 30, 0)),
    cas(1_000, 5, 10),
    wrong(cas(1_000, 5, 10)),
    cas(1_000, 5, 20),
    wrong(cas(1_000, 5, 20)),
    cas(100_000, 10, 1_000),
    wrong(cas(100_000, 10, 1_000)),
    unique("stack", MILLION, 10, 1),
    wrong(unique("stack", MILLION, 10, 1)),
    unique("priority-queue", MILLION, 10, 1),
    wrong(unique("priority-queue", MILLION, 10, 1)),
];

impl Row {
    pub(crate) fn name(&self) -> String {
        let Self {
            model,
            operations,
            concurrency,
            keys,
            crashed,
            ..
        } = self;
        let operations = match operations / MILLION {
            0 => operations.to_string(),
            millions => format!("{millions}M"),
        };
        let mut name = format!("{model} {operations} c{concurrency}");
        if *keys > 1 {
            name += &format!(", {keys} keys");
        }
        if *crashed > 0 {
            name += &format!(", {crashed} crashed");
        }
        if !self.is_valid {
            name += ", wrong late";
        }
        name
    }

    pub(crate) fn history(&self) -> History {
        let model = SyntheticModel::named(self.model).expect("a model");
        let synthesis = Synthesis {
            concurrency: self.concurrency,
            keys: self.keys,
            unique: self.unique,
            crashed: self.crashed,
            invalid: (!self.is_valid).then_some(Invalid::Late),
            seed: 1,
            ..Synthesis::new(model, self.operations)
        };
        synthesis.history()
    }

    /// Whether the peers are asked too: at one concurrency, and about what is short.
    pub(crate) fn is_for_peers(&self) -> bool {
        let has_model = matches!(self.model, "register" | "kv" | "cas-register");
        has_model
            && self.operations <= MILLION
            && (self.concurrency == 10 || self.operations < MILLION)
    }

    /// Whether it is also written as JSON Lines and read again.
    pub(crate) fn is_for_json_lines(&self) -> bool {
        self.is_valid && self.operations == MILLION && self.concurrency == 10 && self.crashed == 0
    }
}
