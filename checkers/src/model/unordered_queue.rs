//! A pool: elements are put in, and any of them is taken out.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::container::{ContainerOp, drop_unseen};
use super::{Call, Misfit, NondeterministicModel, Recorded, Semantics, Shape};

/// A pool with `enqueue` and `dequeue`, in whatever order. A dequeue whose result nobody knows may have taken any
/// element: this is what makes the specification nondeterministic.
#[derive(Clone, Debug)]
pub struct UnorderedQueue {
    initial: Vec<Value>,
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
        Ok(Self { initial })
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

    fn steps(&self, pool: &Self::State, op: &ContainerOp) -> Vec<Self::State> {
        let without = |place: usize| {
            let mut after = pool.clone();
            after.remove(place);
            after
        };
        match op {
            ContainerOp::Put(element) => {
                let mut after = pool.clone();
                let place = pool.partition_point(|other| other < element);
                after.insert(place, element.clone());
                vec![after]
            }
            ContainerOp::Take(element) => {
                let place = pool.binary_search(element).ok();
                place.map(without).into_iter().collect()
            }
            ContainerOp::TakeSome => {
                let is_first = |place: &usize| *place == 0 || pool[*place] != pool[*place - 1];
                let places = (0..pool.len()).filter(is_first);
                places.map(without).collect()
            }
            ContainerOp::TakeNone if pool.is_empty() => vec![Vec::new()],
            ContainerOp::TakeNone => Vec::new(),
        }
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

    /// Of the elements that nobody is known to have taken, the first stands for all. And unless somebody found the pool
    /// empty, nobody needs to have taken an unknown element, and nobody needs to have taken one away.
    fn reduce(&self, calls: &mut Vec<Call<ContainerOp>>) -> Self {
        drop_unseen(calls);
        if !calls.iter().any(|call| call.op == ContainerOp::TakeNone) {
            calls.retain(|call| call.required || call.op != ContainerOp::TakeSome);
        }
        let taken = calls.iter().filter_map(|call| match &call.op {
            ContainerOp::Take(element) => Some(element.clone()),
            _ => None,
        });
        let taken: FxHashSet<Value> = taken.collect();
        let mut representative: Option<Value> = None;
        for call in calls {
            let ContainerOp::Put(element) = &mut call.op else {
                continue;
            };
            if !taken.contains(element) {
                let first = representative.get_or_insert_with(|| element.clone());
                element.clone_from(first);
            }
        }
        self.clone()
    }
}
