//! Consensus: one decision, made by the first proposal.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::register::READ;
use super::{Calls, Misfit, Model, NilRead, Recorded, Semantics, Shape, value_bytes};

/// An operation on a decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConsensusOp {
    /// It proposed this value, and nobody knows what it was told.
    Propose(Value),
    /// It proposed this value and was told that it is decided.
    Decide(Value),
    /// It found this value decided: by a read, or when it proposed another.
    Find(Value),
    /// It found nothing decided.
    FindNothing,
}

/// A decision with `propose` and `read`. It is made once, and for ever.
#[derive(Clone, Debug)]
pub struct Consensus {
    initial: Value,
    semantics: Semantics,
}

impl Model for Consensus {
    const NAME: &'static str = "consensus";
    const ABOUT: &'static str = "One decision: the first proposal makes it, and every later one returns it, as every \
                                 read does; a read before that returns nil. With an initial value it is made. With \
                                 keys, one decision for each key.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["propose"],
            input: "value",
            output: "decided",
        },
        READ,
    ];

    /// What is decided; nil before.
    type State = Value;
    type Op = ConsensusOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = initial.clone();
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<ConsensusOp>, Misfit> {
        let output = recorded.output.clone();
        match recorded.function {
            "propose" if recorded.input.is_nil() => Err(Misfit::Input),
            "propose" => Ok(Some(match output {
                None => ConsensusOp::Propose(recorded.input.clone()),
                Some(Value::Nil) => return Err(Misfit::Output),
                Some(decided) if decided == recorded.input => ConsensusOp::Decide(decided),
                Some(decided) => ConsensusOp::Find(decided),
            })),
            "read" | "r" => Ok(match output {
                None => None,
                Some(Value::Nil) if self.semantics.nil_read == NilRead::Unconstrained => None,
                Some(Value::Nil) => Some(ConsensusOp::FindNothing),
                Some(decided) => Some(ConsensusOp::Find(decided)),
            }),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, op: &ConsensusOp) -> Option<Value> {
        let after = match op {
            ConsensusOp::Propose(value) | ConsensusOp::Decide(value) if state.is_nil() => value,
            _ => state,
        };
        let fits = match op {
            ConsensusOp::Propose(_) => true,
            ConsensusOp::Decide(value) | ConsensusOp::Find(value) => after == value,
            ConsensusOp::FindNothing => after.is_nil(),
        };
        fits.then(|| after.clone())
    }

    fn observes_only(&self, op: &ConsensusOp) -> bool {
        matches!(op, ConsensusOp::Find(_) | ConsensusOp::FindNothing)
    }

    fn bytes(&self, state: &Value) -> usize {
        value_bytes(state)
    }

    /// A proposal that nobody need have made, of a value that nobody was told, decides nothing that anybody could tell.
    fn reduce(&self, calls: &mut Calls<ConsensusOp>) -> Self {
        let told: FxHashSet<Value> = calls
            .iter()
            .filter_map(|(op, _)| match op {
                ConsensusOp::Decide(value) | ConsensusOp::Find(value) => Some(value.clone()),
                ConsensusOp::Propose(_) | ConsensusOp::FindNothing => None,
            })
            .collect();
        calls.retain(|op, call| match op {
            ConsensusOp::Propose(value) => call.required || told.contains(value),
            _ => true,
        });
        self.clone()
    }
}
