//! A set that is read whole.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use tribunal_histories::Value;

use super::{Calls, Misfit, Model, Recorded, Semantics, Shape};

/// An operation on a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// The element is in it afterwards.
    Add(Value),
    /// The element is not in it afterwards.
    Remove(Value),
    /// It returned exactly these elements.
    Read(BTreeSet<Value>),
    /// It was told whether the element is in it.
    Contains(Value, bool),
}

/// A set with `add`, `remove`, `contains` and `read`, each atomic.
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
    const ABOUT: &'static str = "A set to which elements are added, from which they are removed, and which is asked for one \
                                 or read whole, all atomically. (The weaker check of Jepsen, of the last read only, is `set`.)";
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
            names: &["contains"],
            input: "element",
            output: "true or false",
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
            "contains" => match recorded.output {
                None | Some(Value::Nil) => Ok(None),
                Some(Value::Bool(is_there)) => {
                    Ok(Some(SetOp::Contains(recorded.input.clone(), is_there)))
                }
                Some(_) => Err(Misfit::Output),
            },
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
        self.advance(&mut after, op).then_some(after)
    }

    fn advance(&self, set: &mut BTreeSet<Value>, op: &SetOp) -> bool {
        match op {
            SetOp::Add(element) => {
                set.insert(element.clone());
                true
            }
            SetOp::Remove(element) => {
                set.remove(element);
                true
            }
            SetOp::Read(seen) => seen == set,
            SetOp::Contains(element, is_there) => set.contains(element) == *is_there,
        }
    }

    fn part<'a>(&self, op: &'a SetOp) -> Option<&'a Value> {
        match op {
            SetOp::Add(element) | SetOp::Remove(element) | SetOp::Contains(element, _) => {
                Some(element)
            }
            SetOp::Read(_) => None,
        }
    }

    fn bytes(&self, set: &BTreeSet<Value>) -> usize {
        size_of_val(set) + set.len() * 2 * size_of::<Value>()
    }

    fn observes_only(&self, op: &SetOp) -> bool {
        matches!(op, SetOp::Read(_) | SetOp::Contains(..))
    }

    /// An add that is not required and whose element no read has is dropped: no read can follow before its removal.
    fn reduce(&self, calls: &mut Calls<SetOp>) -> Self {
        let mut seen = FxHashMap::default();
        for (op, call) in calls.iter() {
            match (op, call.returned()) {
                (SetOp::Read(elements), Some(returned)) => {
                    seen.extend(elements.iter().map(|element| (element.clone(), returned)));
                }
                (SetOp::Contains(element, true), Some(returned)) => {
                    seen.insert(element.clone(), returned);
                }
                _ => {}
            }
        }
        fn added(op: &SetOp) -> Option<&Value> {
            match op {
                SetOp::Add(element) => Some(element),
                SetOp::Remove(_) | SetOp::Read(_) | SetOp::Contains(..) => None,
            }
        }
        calls.retain(|op, call| {
            call.required || added(op).is_none_or(|element| seen.contains_key(element))
        });
        for element in &self.initial {
            seen.remove(element);
        }
        calls.require_sole_sources(&seen, added);
        self.clone()
    }
}
