//! What a simulated object is: it chooses operations, applies them, and knows how to answer wrongly.

use std::collections::VecDeque;

use super::random::Random;
use crate::value::Value;

/// What an object needs to know of the history it is part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Whether values are unique.
    pub(super) unique: bool,
    /// Whether some operations crash: what a crashed operation took, nobody sees.
    pub(super) crashes: bool,
    /// How many clients are busy.
    pub(super) concurrency: u32,
}

/// The numbers that values are drawn from unless they are unique.
pub(super) const DOMAIN: i64 = 5;

/// A value that is never written.
pub(super) const NEVER: i64 = -1;

impl Setting {
    /// The value to write next.
    pub(super) fn value(self, fresh: &mut i64, random: &mut Random) -> i64 {
        if self.unique {
            *fresh += 1;
            *fresh
        } else {
            i64::try_from(random.below(DOMAIN.unsigned_abs())).expect("a small number")
        }
    }
}

/// An operation on its way.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(super) function: &'static str,
    pub(super) input: Value,
    /// When it was invoked.
    pub(super) invoked: u64,
}

impl Operation {
    pub(super) fn new(function: &'static str, input: Value) -> Self {
        Self {
            function,
            input,
            invoked: 0,
        }
    }

    /// The integer that is its argument.
    pub(super) fn number(&self) -> i64 {
        self.input.as_int().unwrap_or_default()
    }
}

/// What became of an operation that took effect.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// It returned this.
    Returned(Value),
    /// It failed, and did not happen.
    Failed,
    /// It returned this, which is wrong.
    Lied(Value),
}

/// A simulated object.
pub(crate) trait Object: std::fmt::Debug {
    /// The next operation of a client.
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation;

    /// An operation that tells what the object holds.
    fn observe(&self) -> Operation;

    /// The operation takes effect. If asked to lie, and it knows how to do so beyond doubt, the object gives a result
    /// that is wrong; if it must, it gives one that is wrong at first sight rather than none.
    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect;

    /// An operation returned at this time.
    fn returned(&mut self, _operation: &Operation, _time: u64) {}

    /// Whether its events have a key even if there is one object only.
    fn needs_key(&self) -> bool {
        false
    }

    /// Whether the object has had its time and another takes its place, with another key.
    fn is_worn_out(&self) -> bool {
        false
    }
}

/// Whether a wrong result is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lie {
    /// No.
    No,
    /// If one is possible that is not wrong at first sight.
    Subtle,
    /// In any case where the operation has a result.
    Any,
}

/// Elements inside a container, each with the times of the operation that put it there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) value: i64,
    pub(super) invoked: u64,
    pub(super) returned: Option<u64>,
}

impl Element {
    pub(super) fn put_by(operation: &Operation) -> Self {
        Self {
            value: operation.number(),
            invoked: operation.invoked,
            returned: None,
        }
    }

    /// Whether this element was there before anyone began to put the other.
    pub(super) fn precedes(&self, other: &Self) -> bool {
        self.returned
            .is_some_and(|returned| returned < other.invoked)
    }
}

/// Remembers that an element's operation returned.
pub(super) fn mark_returned(elements: &mut VecDeque<Element>, operation: &Operation, time: u64) {
    let put = elements.iter_mut().rev().find(|element| {
        element.value == operation.number() && element.invoked == operation.invoked
    });
    if let Some(element) = put {
        element.returned = Some(time);
    }
}
