//! A multiset, or bag: a set in which an element can be more than once.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_histories::Value;

use super::{Calls, Misfit, Model, Recorded, Semantics, Shape};

/// How often each element is in a multiset; those that are not are absent.
type Counts = BTreeMap<Value, u64>;

/// An operation on a multiset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultisetOp {
    /// The element is in it once more.
    Add(Value),
    /// The element was in it, and is once less.
    Remove(Value),
    /// The element is once less in it if it was there; whether it was, nobody knows.
    RemoveIfThere(Value),
    /// The element was not there to be removed.
    Missing(Value),
    /// The element was in it so often.
    Count(Value, u64),
    /// It returned exactly these elements.
    Read(Counts),
}

/// A multiset with `add`, `remove`, `count` and `read`, each atomic.
#[derive(Clone, Debug)]
pub struct Multiset {
    initial: Counts,
    semantics: Semantics,
}

/// The multiset that a value is: nil is the empty one; of a list, every item counts.
fn as_counts(value: &Value) -> Option<Counts> {
    let items = match value {
        Value::Nil => &[],
        _ => value.as_items()?,
    };
    let mut counts = Counts::new();
    for item in items {
        *counts.entry(item.clone()).or_default() += 1;
    }
    Some(counts)
}

impl Model for Multiset {
    const NAME: &'static str = "multiset";
    const ALIASES: &'static [&'static str] = &["bag"];
    const ABOUT: &'static str = "A set in which an element can be more than once, changed, counted and read atomically. A \
                                 remove says whether the element was there. Elements are judged one by one unless \
                                 somebody reads the whole.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["add"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["remove"],
            input: "element",
            output: "true or false, or nil when that is not known",
        },
        Shape {
            names: &["count"],
            input: "element",
            output: "integer",
        },
        Shape {
            names: &["read", "r"],
            input: "",
            output: "[element …]",
        },
    ];

    type State = Counts;
    type Op = MultisetOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = as_counts(initial).ok_or("a list of elements")?;
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<MultisetOp>, Misfit> {
        let element = || recorded.input.clone();
        match (recorded.function, &recorded.output) {
            ("add", _) => Ok(Some(MultisetOp::Add(element()))),
            ("remove", None | Some(Value::Nil)) => Ok(Some(MultisetOp::RemoveIfThere(element()))),
            ("remove", Some(Value::Bool(true))) => Ok(Some(MultisetOp::Remove(element()))),
            ("remove", Some(Value::Bool(false))) => Ok(Some(MultisetOp::Missing(element()))),
            ("count", None | Some(Value::Nil)) => Ok(None),
            ("count", Some(Value::Int(count))) => {
                let count = u64::try_from(*count).map_err(|_| Misfit::Output)?;
                Ok(Some(MultisetOp::Count(element(), count)))
            }
            ("remove" | "count", Some(_)) => Err(Misfit::Output),
            ("read" | "r", _) => recorded
                .read(self.semantics)
                .map(|value| {
                    as_counts(&value)
                        .map(MultisetOp::Read)
                        .ok_or(Misfit::Output)
                })
                .transpose(),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> Counts {
        self.initial.clone()
    }

    fn step(&self, counts: &Counts, op: &MultisetOp) -> Option<Counts> {
        let mut after = counts.clone();
        self.advance(&mut after, op).then_some(after)
    }

    fn advance(&self, counts: &mut Counts, op: &MultisetOp) -> bool {
        match op {
            MultisetOp::Add(element) => {
                *counts.entry(element.clone()).or_default() += 1;
                true
            }
            MultisetOp::Remove(element) => remove(counts, element),
            MultisetOp::RemoveIfThere(element) => {
                remove(counts, element);
                true
            }
            MultisetOp::Missing(element) => !counts.contains_key(element),
            MultisetOp::Count(element, count) => {
                counts.get(element).copied().unwrap_or_default() == *count
            }
            MultisetOp::Read(seen) => seen == counts,
        }
    }

    fn part<'a>(&self, op: &'a MultisetOp) -> Option<&'a Value> {
        match op {
            MultisetOp::Add(element)
            | MultisetOp::Remove(element)
            | MultisetOp::RemoveIfThere(element)
            | MultisetOp::Missing(element)
            | MultisetOp::Count(element, _) => Some(element),
            MultisetOp::Read(_) => None,
        }
    }

    fn bytes(&self, counts: &Counts) -> usize {
        size_of_val(counts) + counts.len() * 2 * size_of::<(Value, u64)>()
    }

    fn observes_only(&self, op: &MultisetOp) -> bool {
        match op {
            MultisetOp::Missing(_) | MultisetOp::Count(..) | MultisetOp::Read(_) => true,
            MultisetOp::Add(_) | MultisetOp::Remove(_) | MultisetOp::RemoveIfThere(_) => false,
        }
    }

    /// An add that is not required and whose element nobody saw is dropped: it could only be in the way.
    fn reduce(&self, calls: &mut Calls<MultisetOp>) -> Self {
        let seen: FxHashSet<Value> = calls.iter().flat_map(|(op, _)| seen_by(op)).collect();
        calls.retain(|op, call| call.required || added(op).is_none_or(|one| seen.contains(one)));
        let mut proofs = FxHashMap::default();
        for (op, call) in calls.iter().filter(|(_, call)| call.required) {
            if let Some(returned) = call.returned() {
                let seen = seen_by(op).into_iter();
                proofs.extend(seen.map(|element| (element, returned)));
            }
        }
        for element in self.initial.keys() {
            proofs.remove(element);
        }
        calls.require_sole_sources(&proofs, added);
        self.clone()
    }
}

/// The elements that were there for an operation.
fn seen_by(op: &MultisetOp) -> Vec<Value> {
    match op {
        MultisetOp::Read(counts) => counts.keys().cloned().collect(),
        MultisetOp::Count(element, 1..) | MultisetOp::Remove(element) => vec![element.clone()],
        _ => Vec::new(),
    }
}

/// The element that an operation adds.
fn added(op: &MultisetOp) -> Option<&Value> {
    match op {
        MultisetOp::Add(element) => Some(element),
        _ => None,
    }
}

/// Takes one of these elements away; whether there was one.
fn remove(counts: &mut Counts, element: &Value) -> bool {
    let Some(count) = counts.get_mut(element) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        counts.remove(element);
    }
    true
}
