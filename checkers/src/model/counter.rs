//! A counter: a number that is changed by differences and read.

use tribunal_histories::Value;

use super::{Misfit, Model, Recorded, Semantics, Shape};

/// What a recorded operation does to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It adds this, which may be negative.
    Add(i64),
    /// It returned this number.
    Read(i64),
}

/// A recorded operation on a counter; `None` for a read that constrains nothing.
///
/// # Errors
/// How it does not fit.
pub(crate) fn change(recorded: &Recorded<'_>) -> Result<Option<Change>, Misfit> {
    let amount = || match &recorded.input {
        Value::Nil => Ok(1),
        value => value.as_int().ok_or(Misfit::Input),
    };
    match recorded.function {
        "add" => {
            let amount = recorded.input.as_int().ok_or(Misfit::Input)?;
            Ok(Some(Change::Add(amount)))
        }
        "inc" | "increment" => Ok(Some(Change::Add(amount()?))),
        "dec" | "decrement" => {
            let amount = amount()?.checked_neg().ok_or(Misfit::Input)?;
            Ok(Some(Change::Add(amount)))
        }
        "read" | "r" => match &recorded.output {
            None | Some(Value::Nil) => Ok(None),
            Some(value) => Ok(Some(Change::Read(value.as_int().ok_or(Misfit::Output)?))),
        },
        _ => Err(Misfit::Function),
    }
}

/// The number that a counter begins with.
pub(crate) fn first(initial: &Value) -> Result<i64, &'static str> {
    match initial {
        Value::Nil => Ok(0),
        value => value.as_int().ok_or("an integer"),
    }
}

/// The operations of both counters, the linearizable and the plain.
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["add"],
        input: "integer",
        output: "",
    },
    Shape {
        names: &["inc", "increment"],
        input: "integer, or nil for 1",
        output: "",
    },
    Shape {
        names: &["dec", "decrement"],
        input: "integer, or nil for 1",
        output: "",
    },
    Shape {
        names: &["read", "r"],
        input: "",
        output: "integer",
    },
];

/// A counter with `add`, `inc`, `dec` and `read`, each atomic.
#[derive(Clone, Debug)]
pub struct LinearizableCounter {
    initial: i64,
}

impl Model for LinearizableCounter {
    const NAME: &'static str = "linearizable-counter";
    const ABOUT: &'static str = "A number that is added to and read, atomically. Begins with 0 or the initial value; a read \
                                 that returned nil constrains nothing. (The weaker check of Jepsen, of the bounds of \
                                 each read only, is `counter`.)";
    const OPERATIONS: &'static [Shape] = OPERATIONS;

    type State = i64;
    type Op = Change;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let initial = first(initial)?;
        Ok(Self { initial })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Change>, Misfit> {
        change(recorded)
    }

    fn initial(&self) -> i64 {
        self.initial
    }

    fn step(&self, sum: &i64, op: &Change) -> Option<i64> {
        match op {
            Change::Add(amount) => sum.checked_add(*amount),
            Change::Read(seen) => (seen == sum).then_some(*sum),
        }
    }

    fn observes_only(&self, op: &Change) -> bool {
        matches!(op, Change::Read(_) | Change::Add(0))
    }
}
