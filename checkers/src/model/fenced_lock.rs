//! A lock with fencing tokens.

use tribunal_histories::Value;

use super::{Misfit, Model, Recorded, Semantics, Shape};

/// An operation on a fenced lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FencedLockOp {
    /// It was free, and is held with this token, which is greater than all before.
    Acquire(i64),
    /// It was free, and is held; with what token, nobody knows.
    AcquireSome,
    /// It was held with this token, and is free.
    Release(i64),
    /// It was held, and is free.
    ReleaseSome,
}

/// Whether a lock is held, and by which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// It is free, and this is the greatest token so far.
    Free(i64),
    /// It is held with this token.
    Held(i64),
    /// It is held with some token that is not less than this.
    HeldFrom(i64),
}

/// A lock that is not reentrant, with `acquire` and `release`.
///
/// The token of an acquisition that crashed may be any that is great enough. All of these are one state, and once it is
/// released without anybody having seen it, the least will do: whatever may happen after a greater token may after that.
#[derive(Clone, Debug)]
pub struct FencedLock {
    last: i64,
}

impl Model for FencedLock {
    const NAME: &'static str = "fenced-lock";
    const ABOUT: &'static str = "A lock that is not reentrant, and gives whoever acquires it a token that is greater than \
                                 all before (a fence). It is released with the token by which it is held; with nil, by \
                                 anybody. The initial value is a token that was given before.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["acquire"],
            input: "",
            output: "token (integer), or nil when it was not recorded",
        },
        Shape {
            names: &["release"],
            input: "token, or nil",
            output: "",
        },
    ];

    type State = Fence;
    type Op = FencedLockOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let last = match initial {
            Value::Nil => Some(i64::MIN),
            other => other.as_int(),
        };
        let last = last.ok_or("a token, which is an integer")?;
        Ok(Self { last })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<FencedLockOp>, Misfit> {
        let token = |value: &Value, misfit| value.as_int().ok_or(misfit);
        Ok(Some(match (recorded.function, &recorded.output) {
            ("acquire", None | Some(Value::Nil)) => FencedLockOp::AcquireSome,
            ("acquire", Some(given)) => FencedLockOp::Acquire(token(given, Misfit::Output)?),
            ("release", _) if recorded.input.is_nil() => FencedLockOp::ReleaseSome,
            ("release", _) => FencedLockOp::Release(token(&recorded.input, Misfit::Input)?),
            _ => return Err(Misfit::Function),
        }))
    }

    fn initial(&self) -> Fence {
        Fence::Free(self.last)
    }

    fn step(&self, fence: &Fence, op: &FencedLockOp) -> Option<Fence> {
        match (*op, *fence) {
            (FencedLockOp::Acquire(token), Fence::Free(last)) => {
                (token > last).then_some(Fence::Held(token))
            }
            (FencedLockOp::AcquireSome, Fence::Free(last)) => {
                last.checked_add(1).map(Fence::HeldFrom)
            }
            (FencedLockOp::Release(token), Fence::Held(held)) => {
                (token == held).then_some(Fence::Free(held))
            }
            (FencedLockOp::Release(token), Fence::HeldFrom(least)) => {
                (token >= least).then_some(Fence::Free(token))
            }
            (FencedLockOp::ReleaseSome, Fence::Held(token) | Fence::HeldFrom(token)) => {
                Some(Fence::Free(token))
            }
            (FencedLockOp::Acquire(_) | FencedLockOp::AcquireSome, _)
            | (FencedLockOp::Release(_) | FencedLockOp::ReleaseSome, Fence::Free(_)) => None,
        }
    }

    fn observes_only(&self, _op: &FencedLockOp) -> bool {
        false
    }
}
