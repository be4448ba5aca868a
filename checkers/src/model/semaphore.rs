//! A semaphore: permits that are acquired and released.

use tribunal_histories::Value;

use super::{Misfit, Model, Recorded, Semantics, Shape};

/// An operation on a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SemaphoreOp {
    /// There were so many permits, and they are taken.
    Acquire(i64),
    /// There were fewer permits than that.
    Refused(i64),
    /// So many were taken, and are given back.
    Release(i64),
    /// There were exactly so many.
    Available(i64),
}

/// A bounded resource: `acquire`, `try-acquire`, `release` and `available`; who holds a permit is not part of the state.
#[derive(Clone, Debug)]
pub struct Semaphore {
    permits: i64,
}

impl Model for Semaphore {
    const NAME: &'static str = "semaphore";
    const ABOUT: &'static str = "A bounded resource of which permits are acquired, as many as are left at most, and given \
                                 back, no more than were taken, by anybody. The initial value is how many permits \
                                 there are, 1 without it.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["acquire"],
            input: "integer, or nil for 1",
            output: "",
        },
        Shape {
            names: &["try-acquire"],
            input: "integer, or nil for 1",
            output: "true or false",
        },
        Shape {
            names: &["release"],
            input: "integer, or nil for 1",
            output: "",
        },
        Shape {
            names: &["available"],
            input: "",
            output: "integer",
        },
    ];

    /// How many permits are left.
    type State = i64;
    type Op = SemaphoreOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let permits = match initial {
            Value::Nil => Some(1),
            other => other.as_int().filter(|permits| *permits >= 0),
        };
        let permits = permits.ok_or("the number of permits")?;
        Ok(Self { permits })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<SemaphoreOp>, Misfit> {
        let count = || match &recorded.input {
            Value::Nil => Ok(1),
            other => other
                .as_int()
                .filter(|count| *count >= 0)
                .ok_or(Misfit::Input),
        };
        Ok(Some(match (recorded.function, &recorded.output) {
            // If an attempt of which nobody knows the result had an effect, it was this.
            ("acquire", _) | ("try-acquire", None | Some(Value::Bool(true))) => {
                SemaphoreOp::Acquire(count()?)
            }
            ("try-acquire", Some(Value::Bool(false))) => SemaphoreOp::Refused(count()?),
            ("try-acquire", Some(_)) => return Err(Misfit::Output),
            ("release", _) => SemaphoreOp::Release(count()?),
            ("available", None | Some(Value::Nil)) => return Ok(None),
            ("available", Some(seen)) => {
                SemaphoreOp::Available(seen.as_int().ok_or(Misfit::Output)?)
            }
            _ => return Err(Misfit::Function),
        }))
    }

    fn initial(&self) -> i64 {
        self.permits
    }

    fn step(&self, left: &i64, op: &SemaphoreOp) -> Option<i64> {
        match op {
            SemaphoreOp::Acquire(count) => Some(left - count).filter(|left| *left >= 0),
            SemaphoreOp::Refused(count) => (left < count).then_some(*left),
            SemaphoreOp::Release(count) => {
                let after = left.checked_add(*count);
                after.filter(|left| *left <= self.permits)
            }
            SemaphoreOp::Available(seen) => (seen == left).then_some(*left),
        }
    }

    fn observes_only(&self, op: &SemaphoreOp) -> bool {
        match op {
            SemaphoreOp::Refused(_) | SemaphoreOp::Available(_) => true,
            SemaphoreOp::Acquire(count) | SemaphoreOp::Release(count) => *count == 0,
        }
    }
}
