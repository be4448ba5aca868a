//! A priority queue: the least element first.

use std::collections::BTreeMap;

use tribunal_histories::Value;

use super::container::{ContainerOp, drop_unseen};
use super::{Calls, Deed, Discipline, Misfit, Model, Recorded, Semantics, Shape, Verb};

/// A priority queue with `insert` and `delete-min`.
#[derive(Clone, Debug)]
pub struct PriorityQueue {
    initial: BTreeMap<Value, u32>,
}

impl Model for PriorityQueue {
    const NAME: &'static str = "priority-queue";
    const ALIASES: &'static [&'static str] = &["pq"];
    const ABOUT: &'static str = "A queue that gives its least element back first: integers by size, texts by alphabet. A \
                                 delete-min that returned nil found it empty. Begins empty, or with the elements of \
                                 the list that is the initial value.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["insert"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["delete-min"],
            input: "",
            output: "element, or nil when empty",
        },
    ];

    /// The elements, each with how often it is there.
    type State = BTreeMap<Value, u32>;
    type Op = ContainerOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let elements = match initial {
            Value::Nil => &[],
            value => value.as_items().ok_or("a list")?,
        };
        let mut initial = BTreeMap::new();
        for element in elements {
            *initial.entry(element.clone()).or_default() += 1;
        }
        Ok(Self { initial })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<ContainerOp>, Misfit> {
        ContainerOp::of(recorded, ["insert", "delete-min"]).map(Some)
    }

    fn initial(&self) -> BTreeMap<Value, u32> {
        self.initial.clone()
    }

    fn step(&self, queue: &BTreeMap<Value, u32>, op: &ContainerOp) -> Option<BTreeMap<Value, u32>> {
        let mut after = queue.clone();
        self.advance(&mut after, op).then_some(after)
    }

    fn advance(&self, queue: &mut BTreeMap<Value, u32>, op: &ContainerOp) -> bool {
        match op {
            ContainerOp::Put(element) => {
                *queue.entry(element.clone()).or_default() += 1;
                true
            }
            ContainerOp::Take(element) => take_least(queue).as_ref() == Some(element),
            ContainerOp::TakeSome => take_least(queue).is_some(),
            ContainerOp::TakeNone => queue.is_empty(),
        }
    }

    fn discipline(&self) -> Option<Discipline> {
        self.initial.is_empty().then_some(Discipline::Priority)
    }

    fn deed<'a>(&self, op: &'a ContainerOp) -> Deed<'a> {
        op.deed()
    }

    fn bytes(&self, queue: &BTreeMap<Value, u32>) -> usize {
        size_of_val(queue) + queue.len() * 2 * size_of::<(Value, u32)>()
    }

    fn verb(&self, function: &str) -> Option<Verb> {
        ContainerOp::verb(function, ["insert", "delete-min"])
    }

    fn observes_only(&self, op: &ContainerOp) -> bool {
        *op == ContainerOp::TakeNone
    }

    fn reduce(&self, calls: &mut Calls<ContainerOp>) -> Self {
        drop_unseen(calls);
        self.clone()
    }
}

/// Takes the least element out.
fn take_least(queue: &mut BTreeMap<Value, u32>) -> Option<Value> {
    let mut least = queue.first_entry()?;
    *least.get_mut() -= 1;
    if *least.get() > 0 {
        return Some(least.key().clone());
    }
    Some(least.remove_entry().0)
}
