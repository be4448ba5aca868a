//! A list that grows at its end and is read whole.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::prefixes::Prefixes;
use super::{Call, Misfit, Model, Recorded, Semantics, Shape, value_bytes};

/// What the list holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// These elements: always a [`Value::List`].
    Elements(Value),
    /// Elements that no read sees, and none will. Only a reduced model has this.
    Unobserved,
}

/// An operation on one list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListOp {
    /// It put this element at the end.
    Append(Value),
    /// It returned this list.
    Read(Value),
}

/// A list with `append` and `read`.
#[derive(Clone, Debug)]
pub struct ListAppend {
    initial: Value,
    semantics: Semantics,
    observed: Option<Prefixes>,
}

impl ListAppend {
    fn list(&self, elements: Value) -> List {
        match &self.observed {
            Some(observed) if !observed.covers(&elements) => List::Unobserved,
            _ => List::Elements(elements),
        }
    }
}

/// The list that a value is: nil is the empty one.
fn as_list(value: Value) -> Option<Value> {
    match value {
        Value::Nil => Some(Value::list([])),
        Value::List(_) => Some(value),
        _ => None,
    }
}

impl Model for ListAppend {
    const NAME: &'static str = "list-append";
    const ALIASES: &'static [&'static str] = &["append"];
    const ABOUT: &'static str = "A list to whose end elements are appended and which is read whole, one linearizable \
                                 list for each key. (Transactions over several lists are another checker's.)";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["append"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["read", "r"],
            input: "",
            output: "[element …]",
        },
    ];

    type State = List;
    type Op = ListOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = as_list(initial.clone()).ok_or("a list")?;
        Ok(Self {
            initial,
            semantics,
            observed: None,
        })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<ListOp>, Misfit> {
        match recorded.function {
            "append" => Ok(Some(ListOp::Append(recorded.input.clone()))),
            "read" | "r" => recorded
                .read(self.semantics)
                .map(|value| as_list(value).map(ListOp::Read).ok_or(Misfit::Output))
                .transpose(),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> List {
        self.list(self.initial.clone())
    }

    fn step(&self, state: &List, op: &ListOp) -> Option<List> {
        match (op, state) {
            (ListOp::Append(element), List::Elements(elements)) => {
                let elements = elements.as_items().unwrap_or_default().iter();
                Some(self.list(Value::list(elements.chain([element]).cloned())))
            }
            (ListOp::Append(_), List::Unobserved) => Some(List::Unobserved),
            (ListOp::Read(seen), List::Elements(elements)) => {
                (seen == elements).then(|| state.clone())
            }
            (ListOp::Read(_), List::Unobserved) => None,
        }
    }

    fn bytes(&self, state: &List) -> usize {
        match state {
            List::Elements(elements) => value_bytes(elements),
            List::Unobserved => size_of::<List>(),
        }
    }

    fn observes_only(&self, op: &ListOp) -> bool {
        matches!(op, ListOp::Read(_))
    }

    /// A crashed append whose element no read has is dropped: had it taken effect, no read could follow it.
    fn reduce(&self, calls: &mut Vec<Call<ListOp>>) -> Self {
        let observed = Prefixes::new(calls.iter().filter_map(|call| match &call.op {
            ListOp::Read(seen) => Some(seen.clone()),
            ListOp::Append(_) => None,
        }));
        let elements: FxHashSet<&Value> = observed
            .longest()
            .flat_map(|seen| seen.as_items().unwrap_or_default())
            .collect();
        calls.retain(|call| match &call.op {
            ListOp::Append(element) => call.returned.is_some() || elements.contains(element),
            ListOp::Read(_) => true,
        });
        Self {
            observed: Some(observed),
            ..self.clone()
        }
    }
}
