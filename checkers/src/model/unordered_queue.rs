//! A pool: elements are put in, and any of them is taken out.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_histories::Value;

use super::container::{ContainerOp, drop_unseen};
use super::{Calls, Misfit, NondeterministicModel, Recorded, Semantics, Shape};

/// A pool with `enqueue` and `dequeue`, in whatever order. A dequeue whose result nobody knows may have taken any
/// element: this is what makes the specification nondeterministic.
#[derive(Clone, Debug)]
pub struct UnorderedQueue {
    initial: Vec<Value>,
    /// Elements that whoever is known to have taken one needs all of. Only a reduced model has them.
    claimed: Arc<FxHashSet<Value>>,
}

impl NondeterministicModel for UnorderedQueue {
    const NAME: &'static str = "unordered-queue";
    const ALIASES: &'static [&'static str] = &["pool"];
    const ABOUT: &'static str = "A pool that gives its elements back in any order, each as often as it was put in. A \
                                 dequeue that returned nil found it empty; one that crashed may have taken any element. \
                                 Begins empty, or with the list that is the initial value.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["enqueue", "add"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["dequeue", "take"],
            input: "",
            output: "element, or nil when empty",
        },
    ];

    /// The elements, in ascending order.
    type State = Vec<Value>;
    type Op = ContainerOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let mut initial = match initial {
            Value::Nil => Vec::new(),
            other => other.as_items().ok_or("a list of elements")?.to_vec(),
        };
        initial.sort_unstable();
        let claimed = Arc::default();
        Ok(Self { initial, claimed })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<ContainerOp>, Misfit> {
        let names = match recorded.function {
            "add" | "take" => ["add", "take"],
            _ => ["enqueue", "dequeue"],
        };
        ContainerOp::of(recorded, names).map(Some)
    }

    fn initial(&self) -> Vec<Self::State> {
        vec![self.initial.clone()]
    }

    fn steps(&self, pool: &Self::State, op: &ContainerOp) -> impl IntoIterator<Item = Self::State> {
        let whole = match op {
            ContainerOp::Put(element) => {
                let mut after = pool.clone();
                let place = pool.partition_point(|other| other < element);
                after.insert(place, element.clone());
                Some(after)
            }
            ContainerOp::TakeNone if pool.is_empty() => Some(Vec::new()),
            _ => None,
        };
        let taken: Vec<usize> = match op {
            ContainerOp::Take(element) => pool.binary_search(element).into_iter().collect(),
            ContainerOp::TakeSome => {
                let is_first = |place: &usize| *place == 0 || pool[*place] != pool[*place - 1];
                let may_be = |place: &usize| !self.claimed.contains(&pool[*place]);
                let places = (0..pool.len()).filter(is_first);
                places.filter(may_be).collect()
            }
            ContainerOp::Put(_) | ContainerOp::TakeNone => Vec::new(),
        };
        let without = move |place: usize| {
            let mut after = pool.clone();
            after.remove(place);
            after
        };
        whole.into_iter().chain(taken.into_iter().map(without))
    }

    fn part<'a>(&self, op: &'a ContainerOp) -> Option<&'a Value> {
        match op {
            ContainerOp::Put(element) | ContainerOp::Take(element) => Some(element),
            ContainerOp::TakeSome | ContainerOp::TakeNone => None,
        }
    }

    fn observes_only(&self, op: &ContainerOp) -> bool {
        *op == ContainerOp::TakeNone
    }

    fn bytes(&self, pool: &Self::State) -> usize {
        size_of_val(pool) + size_of_val(&pool[..])
    }

    /// An element of which nothing is required is dropped with all its calls, and so, unless somebody found the pool empty,
    /// is every call that takes something away and need not have happened: an order is as good without them. Of the
    /// elements that nobody is known to have taken, the first stands for all. An element that was not put in more often
    /// than somebody is known to have taken it, nobody else took.
    fn reduce(&self, calls: &mut Calls<ContainerOp>) -> Self {
        let required = calls.iter().filter(|(_, call)| call.required);
        let needed = required.filter_map(|(op, _)| self.part(op).cloned());
        let needed: FxHashSet<Value> = needed.collect();
        let finds_nothing = calls.iter().any(|(op, _)| *op == ContainerOp::TakeNone);
        calls.retain(|op, call| {
            let is_put = matches!(op, ContainerOp::Put(_));
            let is_needed = |element| needed.contains(element) || self.initial.contains(element);
            let helps = self.part(op).is_none_or(is_needed) && (finds_nothing || is_put);
            call.required || helps
        });
        drop_unseen(calls);
        let mut seen = FxHashMap::default();
        for (op, call) in calls.iter().filter(|(_, call)| call.required) {
            if let (ContainerOp::Take(element), Some(returned)) = (op, call.returned())
                && !self.initial.contains(element)
            {
                seen.insert(element.clone(), returned);
            }
        }
        calls.require_sole_sources(&seen, |op| match op {
            ContainerOp::Put(element) => Some(element),
            _ => None,
        });
        let mut spare: FxHashMap<Value, i64> = FxHashMap::default();
        let mut taken = FxHashSet::default();
        for element in &self.initial {
            *spare.entry(element.clone()).or_default() += 1;
        }
        for (op, call) in calls.iter() {
            match op {
                ContainerOp::Put(element) => *spare.entry(element.clone()).or_default() += 1,
                ContainerOp::Take(element) => {
                    taken.insert(element.clone());
                    *spare.entry(element.clone()).or_default() -= i64::from(call.required);
                }
                ContainerOp::TakeSome | ContainerOp::TakeNone => {}
            }
        }
        let mut representative: Option<Value> = None;
        for op in calls.ops_mut() {
            let ContainerOp::Put(element) = op else {
                continue;
            };
            if !taken.contains(element) {
                let first = representative.get_or_insert_with(|| element.clone());
                element.clone_from(first);
            }
        }
        taken.retain(|element| spare.get(element).is_some_and(|spare| *spare <= 0));
        Self {
            initial: self.initial.clone(),
            claimed: Arc::new(taken),
        }
    }
}
