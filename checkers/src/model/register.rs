//! A register: reads return the last value written.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::{Calls, Deed, Discipline, Misfit, Model, Recorded, Semantics, Shape, Verb};

/// The shape of a read, for every register-like model.
pub(super) const READ: Shape = Shape {
    names: &["read", "r"],
    input: "",
    output: "value",
};
/// The shape of a write, for every register-like model.
pub(super) const WRITE: Shape = Shape {
    names: &["write", "w"],
    input: "value",
    output: "",
};

/// Reading and writing one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// It returned this value.
    Read(Value),
    /// It stored this value.
    Write(Value),
}

impl Access {
    /// A recorded read or write; `None` for a read that constrains nothing.
    pub(super) fn of(
        recorded: &Recorded<'_>,
        semantics: Semantics,
    ) -> Result<Option<Self>, Misfit> {
        match recorded.function {
            "read" | "r" => Ok(recorded.read(semantics).map(Self::Read)),
            "write" | "w" => Ok(Some(Self::Write(recorded.input.clone()))),
            _ => Err(Misfit::Function),
        }
    }

    /// The same for a monitor.
    pub(super) fn deed(&self) -> Deed<'_> {
        match self {
            Self::Read(value) => Deed::Read(value),
            Self::Write(value) => Deed::Write(value),
        }
    }

    /// What operations of this name are.
    pub(super) fn verb(function: &str, semantics: Semantics) -> Option<Verb> {
        match function {
            "read" | "r" => Some(Verb::read(semantics)),
            "write" | "w" => Some(Verb::Write),
            _ => None,
        }
    }

    /// The register's value after this, if it is possible.
    pub(super) fn step(&self, state: &Value) -> Option<Value> {
        match self {
            Self::Read(value) => (value == state).then(|| value.clone()),
            Self::Write(value) => Some(value.clone()),
        }
    }
}

/// Writes the first unobserved value in place of every other: nobody can tell them apart.
pub(super) fn merge_unobserved<'a>(
    observed: &FxHashSet<Value>,
    written: impl Iterator<Item = &'a mut Value>,
) {
    let mut representative: Option<Value> = None;
    for value in written.filter(|value| !observed.contains(*value)) {
        match &representative {
            Some(first) => value.clone_from(first),
            None => representative = Some(value.clone()),
        }
    }
}

/// A register with `read` and `write`.
#[derive(Clone, Debug)]
pub struct Register {
    initial: Value,
    semantics: Semantics,
}

impl Model for Register {
    const NAME: &'static str = "register";
    const ABOUT: &'static str =
        "One value that is read and written. With keys, one register for each key.";
    const OPERATIONS: &'static [Shape] = &[READ, WRITE];

    type State = Value;
    type Op = Access;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = initial.clone();
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Access>, Misfit> {
        Access::of(recorded, self.semantics)
    }

    fn initial(&self) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, op: &Access) -> Option<Value> {
        op.step(state)
    }

    fn discipline(&self) -> Option<Discipline> {
        Some(Discipline::Register(self.initial.clone()))
    }

    fn deed<'a>(&self, op: &'a Access) -> Deed<'a> {
        op.deed()
    }

    fn verb(&self, function: &str) -> Option<Verb> {
        Access::verb(function, self.semantics)
    }

    fn observes_only(&self, op: &Access) -> bool {
        matches!(op, Access::Read(_))
    }

    fn reduce(&self, calls: &mut Calls<Access>) -> Self {
        let observed = calls
            .iter()
            .filter_map(|(op, _)| match op {
                Access::Read(value) => Some(value.clone()),
                Access::Write(_) => None,
            })
            .collect();
        let written = calls.ops_mut().filter_map(|op| match op {
            Access::Write(value) => Some(value),
            Access::Read(_) => None,
        });
        merge_unobserved(&observed, written);
        self.clone()
    }
}
