//! A list that grows at its end and is read whole.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use tribunal_histories::Value;

use super::shared_list::SharedList;
use super::{Calls, Misfit, Model, Recorded, Semantics, Shape, value_bytes};

/// What the list holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// These elements.
    Elements(SharedList<Value>),
    /// The beginning of a list that some read saw, by its number. Only a reduced model has this.
    Beginning(u32),
    /// Elements that no read sees, and none will. Only a reduced model has this.
    Unseen,
}

/// An operation on one list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListOp {
    /// It put this element at the end.
    Append(Value),
    /// It returned this list.
    Read(Value),
    /// It returned the list with this number. Only a reduced model has this.
    ReadNumbered(u32),
}

/// A list with `append` and `read`.
#[derive(Clone, Debug)]
pub struct ListAppend {
    initial: Value,
    semantics: Semantics,
    reduced: Option<Arc<Beginnings>>,
}

/// The beginnings of the lists that are read, numbered from 0, the empty one: a tree in which a list continues its
/// beginnings.
///
/// A list only grows, so one that is no beginning of what is read is never read, and all of those are one state.
#[derive(Debug, Default)]
struct Beginnings {
    continued: FxHashMap<(u32, Value), u32>,
    /// The elements of all these lists, each with the return of a read that saw it.
    seen: FxHashMap<Value, usize>,
    /// The list numbered last, and the numbers of its beginnings but the empty one.
    last: (Value, Vec<u32>),
}

impl Beginnings {
    /// The number of a list that a read returned.
    fn number(&mut self, list: &Value, returned: usize) -> u32 {
        let items = list.as_items().unwrap_or_default();
        let last = self.last.0.as_items().unwrap_or_default().iter();
        // Reads mostly see the list of the last read, and more.
        let common = items.iter().zip(last).take_while(|(a, b)| a == b).count();
        let mut path = std::mem::take(&mut self.last.1);
        path.truncate(common);
        for item in &items[common..] {
            let new =
                u32::try_from(self.continued.len() + 1).expect("fewer than 2^32 fit in memory");
            let before = path.last().copied().unwrap_or(0);
            path.push(*self.continued.entry((before, item.clone())).or_insert(new));
            self.seen.entry(item.clone()).or_insert(returned);
        }
        let number = path.last().copied().unwrap_or(0);
        self.last = (list.clone(), path);
        number
    }

    /// The list with one more element.
    fn append(&self, list: &List, element: &Value) -> List {
        match list {
            List::Beginning(number) => {
                let continued = self.continued.get(&(*number, element.clone()));
                continued.map_or(List::Unseen, |number| List::Beginning(*number))
            }
            List::Elements(_) | List::Unseen => List::Unseen,
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
            reduced: None,
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
        match &self.reduced {
            None => {
                let elements = self.initial.as_items().unwrap_or_default();
                List::Elements(elements.iter().cloned().collect())
            }
            Some(beginnings) => {
                let mut beginning = List::Beginning(0);
                for element in self.initial.as_items().unwrap_or_default() {
                    beginning = beginnings.append(&beginning, element);
                }
                beginning
            }
        }
    }

    fn step(&self, state: &List, op: &ListOp) -> Option<List> {
        match (op, state, &self.reduced) {
            (ListOp::Append(element), List::Elements(elements), _) => {
                Some(List::Elements(elements.with(element.clone())))
            }
            (ListOp::Append(element), beginning, Some(reduced)) => {
                Some(reduced.append(beginning, element))
            }
            (ListOp::Read(seen), List::Elements(elements), _) => {
                let seen = seen.as_items().unwrap_or_default();
                let is_it =
                    seen.len() == elements.len() && seen.iter().rev().eq(elements.backwards());
                is_it.then(|| state.clone())
            }
            (ListOp::ReadNumbered(seen), List::Beginning(number), _) => {
                (seen == number).then(|| state.clone())
            }
            _ => None,
        }
    }

    /// Of a list that shares its beginning, only what is its own.
    fn bytes(&self, state: &List) -> usize {
        match state {
            List::Elements(elements) => {
                2 * size_of::<List>() + elements.backwards().next().map_or(0, value_bytes)
            }
            List::Beginning(_) | List::Unseen => size_of::<List>(),
        }
    }

    fn observes_only(&self, op: &ListOp) -> bool {
        !matches!(op, ListOp::Append(_))
    }

    /// An append that is not required and whose element no read has is dropped: after it, no read could follow.
    fn reduce(&self, calls: &mut Calls<ListOp>) -> Self {
        let mut beginnings = Beginnings::default();
        let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
        for (op, call) in calls.iter() {
            if let (ListOp::Read(list), Some(returned)) = (op, call.returned()) {
                numbers.insert(call.op, beginnings.number(list, returned));
            }
        }
        for (place, op) in (0..).zip(calls.ops_mut()) {
            if let Some(number) = numbers.get(&place) {
                *op = ListOp::ReadNumbered(*number);
            }
        }
        fn element(op: &ListOp) -> Option<&Value> {
            match op {
                ListOp::Append(element) => Some(element),
                ListOp::Read(_) | ListOp::ReadNumbered(_) => None,
            }
        }

        let seen = &mut beginnings.seen;
        calls.retain(|op, call| {
            call.required || element(op).is_none_or(|element| seen.contains_key(element))
        });
        for element in self.initial.as_items().unwrap_or_default() {
            seen.remove(element);
        }
        calls.require_sole_sources(seen, element);
        Self {
            reduced: Some(Arc::new(beginnings)),
            ..self.clone()
        }
    }
}
