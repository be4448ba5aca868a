//! A register with compare-and-set.

use tribunal_histories::Value;

use super::register::{Access, READ, WRITE, merge_unobserved};
use super::{Calls, Deed, Discipline, FailedCas, Misfit, Model, Recorded, Semantics, Shape, Verb};

/// The shape of a compare-and-set.
pub(super) const CAS: Shape = Shape {
    names: &["cas"],
    input: "[from to]",
    output: "",
};

/// The two values of a compare-and-set.
pub(super) fn from_and_to(recorded: &Recorded<'_>) -> Result<(Value, Value), Misfit> {
    match recorded.input.as_items() {
        Some([from, to]) => Ok((from.clone(), to.clone())),
        _ => Err(Misfit::Input),
    }
}

/// An operation on a register with compare-and-set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CasOp {
    /// A read or a write.
    Access(Access),
    /// It found the first value and stored the second.
    Cas(Value, Value),
    /// It found another value than this.
    FoundOther(Value),
}

/// A register with `read`, `write` and `cas`.
#[derive(Clone, Debug)]
pub struct CasRegister {
    initial: Value,
    semantics: Semantics,
}

impl Model for CasRegister {
    const NAME: &'static str = "cas-register";
    const ABOUT: &'static str = "One value that is read, written, and set if it has an expected value. With keys, \
                                 one register for each key.";
    const OPERATIONS: &'static [Shape] = &[READ, WRITE, CAS];

    type State = Value;
    type Op = CasOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = initial.clone();
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<CasOp>, Misfit> {
        if recorded.function != "cas" {
            return Ok(Access::of(recorded, self.semantics)?.map(CasOp::Access));
        }
        let (from, to) = from_and_to(recorded)?;
        Ok(Some(CasOp::Cas(from, to)))
    }

    fn failed(&self, recorded: &Recorded<'_>) -> Result<Option<CasOp>, Misfit> {
        if recorded.function != "cas" || self.semantics.failed_cas == FailedCas::DidNotHappen {
            return Ok(None);
        }
        Ok(Some(CasOp::FoundOther(from_and_to(recorded)?.0)))
    }

    fn initial(&self) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, op: &CasOp) -> Option<Value> {
        match op {
            CasOp::Access(access) => access.step(state),
            CasOp::Cas(from, to) => (from == state).then(|| to.clone()),
            CasOp::FoundOther(from) => (from != state).then(|| state.clone()),
        }
    }

    fn discipline(&self) -> Option<Discipline> {
        Some(Discipline::Register(self.initial.clone()))
    }

    fn deed<'a>(&self, op: &'a CasOp) -> Deed<'a> {
        match op {
            CasOp::Access(access) => access.deed(),
            CasOp::Cas(from, to) => Deed::Cas(from, to),
            CasOp::FoundOther(_) => Deed::Other,
        }
    }

    fn verb(&self, function: &str) -> Option<Verb> {
        Access::verb(function, self.semantics)
    }

    fn observes_only(&self, op: &CasOp) -> bool {
        match op {
            CasOp::Access(Access::Read(_)) | CasOp::FoundOther(_) => true,
            CasOp::Access(Access::Write(_)) => false,
            CasOp::Cas(from, to) => from == to,
        }
    }

    fn reduce(&self, calls: &mut Calls<CasOp>) -> Self {
        let observed = calls
            .iter()
            .filter_map(|(op, _)| match op {
                CasOp::Access(Access::Read(value))
                | CasOp::Cas(value, _)
                | CasOp::FoundOther(value) => Some(value.clone()),
                CasOp::Access(Access::Write(_)) => None,
            })
            .collect();
        let written = calls.ops_mut().filter_map(|op| match op {
            CasOp::Access(Access::Write(value)) | CasOp::Cas(_, value) => Some(value),
            CasOp::Access(Access::Read(_)) | CasOp::FoundOther(_) => None,
        });
        merge_unobserved(&observed, written);
        self.clone()
    }
}
