//! A set that is read whole.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use tribunal_histories::Value;

use super::{Call, Misfit, Model, Recorded, Semantics, Shape, require_sole_sources};

/// An operation on a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// The element is in it afterwards.
    Add(Value),
    /// The element is not in it afterwards.
    Remove(Value),
    /// It returned exactly these elements.
    Read(BTreeSet<Value>),
}

/// A set with `add`, `remove` and `read`, each atomic.
#[derive(Clone, Debug)]
pub struct LinearizableSet {
    initial: BTreeSet<Value>,
    semantics: Semantics,
}

/// The set that a value is: nil is the empty one, and order does not count.
fn as_set(value: &Value) -> Option<BTreeSet<Value>> {
    match value {
        Value::Nil => Some(BTreeSet::new()),
        _ => Some(value.as_items()?.iter().cloned().collect()),
    }
}

impl Model for LinearizableSet {
    const NAME: &'static str = "linearizable-set";
    const ABOUT: &'static str = "A set to which elements are added, from which they are removed, and which is read whole, \
                                 all atomically. (The weaker check of Jepsen, of the last read only, is `set`.)";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["add"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["remove"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["read", "r"],
            input: "",
            output: "[element …]",
        },
    ];

    type State = BTreeSet<Value>;
    type Op = SetOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = as_set(initial).ok_or("a list or a set")?;
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<SetOp>, Misfit> {
        match recorded.function {
            "add" => Ok(Some(SetOp::Add(recorded.input.clone()))),
            "remove" => Ok(Some(SetOp::Remove(recorded.input.clone()))),
            "read" | "r" => recorded
                .read(self.semantics)
                .map(|value| as_set(&value).map(SetOp::Read).ok_or(Misfit::Output))
                .transpose(),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> BTreeSet<Value> {
        self.initial.clone()
    }

    fn step(&self, set: &BTreeSet<Value>, op: &SetOp) -> Option<BTreeSet<Value>> {
        let mut after = set.clone();
        match op {
            SetOp::Add(element) => {
                after.insert(element.clone());
            }
            SetOp::Remove(element) => {
                after.remove(element);
            }
            SetOp::Read(seen) => return (seen == set).then_some(after),
        }
        Some(after)
    }

    fn bytes(&self, set: &BTreeSet<Value>) -> usize {
        size_of_val(set) + set.len() * 2 * size_of::<Value>()
    }

    fn observes_only(&self, op: &SetOp) -> bool {
        matches!(op, SetOp::Read(_))
    }

    /// An add that is not required and whose element no read has is dropped: no read can follow before its removal.
    fn reduce(&self, calls: &mut Vec<Call<SetOp>>) -> Self {
        let mut seen = FxHashMap::default();
        for call in &*calls {
            if let (SetOp::Read(elements), Some(returned)) = (&call.op, call.returned) {
                seen.extend(elements.iter().map(|element| (element.clone(), returned)));
            }
        }
        fn added(op: &SetOp) -> Option<&Value> {
            match op {
                SetOp::Add(element) => Some(element),
                SetOp::Remove(_) | SetOp::Read(_) => None,
            }
        }
        calls.retain(|call| {
            call.required || added(&call.op).is_none_or(|element| seen.contains_key(element))
        });
        for element in &self.initial {
            seen.remove(element);
        }
        require_sole_sources(calls, &seen, added);
        self.clone()
    }
}
