//! A mutex: held or free.

use tribunal_histories::Value;

use super::{Misfit, Model, Recorded, Semantics, Shape};

/// An operation on a mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MutexOp {
    /// It was free, and is held.
    Acquire,
    /// It was held, and is free.
    Release,
}

/// A mutex with `acquire` and `release`; who holds it is not part of the state, as in Knossos.
#[derive(Clone, Debug)]
pub struct Mutex {
    held: bool,
}

impl Model for Mutex {
    const NAME: &'static str = "mutex";
    const ALIASES: &'static [&'static str] = &["lock"];
    const ABOUT: &'static str = "A lock that is acquired when free and released when held, by anybody. Begins free, or \
                                 held with the initial value true.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["acquire"],
            input: "",
            output: "",
        },
        Shape {
            names: &["release"],
            input: "",
            output: "",
        },
    ];

    /// Whether it is held.
    type State = bool;
    type Op = MutexOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        match initial {
            Value::Nil => Ok(Self { held: false }),
            Value::Bool(held) => Ok(Self { held: *held }),
            _ => Err("true (held) or false (free)"),
        }
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<MutexOp>, Misfit> {
        match recorded.function {
            "acquire" => Ok(Some(MutexOp::Acquire)),
            "release" => Ok(Some(MutexOp::Release)),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> bool {
        self.held
    }

    fn step(&self, held: &bool, op: &MutexOp) -> Option<bool> {
        match op {
            MutexOp::Acquire => (!held).then_some(true),
            MutexOp::Release => held.then_some(false),
        }
    }

    fn observes_only(&self, _op: &MutexOp) -> bool {
        false
    }
}
