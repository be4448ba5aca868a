//! A queue: first in, first out.

use std::collections::VecDeque;

use tribunal_histories::Value;

use super::container::{ContainerOp, drop_unseen};
use super::{Calls, Deed, Discipline, Misfit, Model, Recorded, Semantics, Shape, Verb};

/// A queue with `enqueue` and `dequeue`.
#[derive(Clone, Debug)]
pub struct FifoQueue {
    initial: VecDeque<Value>,
}

impl Model for FifoQueue {
    const NAME: &'static str = "fifo-queue";
    const ALIASES: &'static [&'static str] = &["queue"];
    const ABOUT: &'static str = "A queue that gives its elements back in the order in which they were put in. A dequeue \
                                 that returned nil found it empty. Begins empty, or with the list that is the \
                                 initial value.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["enqueue"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["dequeue"],
            input: "",
            output: "element, or nil when empty",
        },
    ];

    /// The elements, head first.
    type State = VecDeque<Value>;
    type Op = ContainerOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let initial = match initial {
            Value::Nil => VecDeque::new(),
            Value::List(elements) => elements.iter().cloned().collect(),
            _ => return Err("a list, head first"),
        };
        Ok(Self { initial })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<ContainerOp>, Misfit> {
        ContainerOp::of(recorded, ["enqueue", "dequeue"]).map(Some)
    }

    fn initial(&self) -> VecDeque<Value> {
        self.initial.clone()
    }

    fn step(&self, queue: &VecDeque<Value>, op: &ContainerOp) -> Option<VecDeque<Value>> {
        let mut after = queue.clone();
        self.advance(&mut after, op).then_some(after)
    }

    fn advance(&self, queue: &mut VecDeque<Value>, op: &ContainerOp) -> bool {
        match op {
            ContainerOp::Put(element) => {
                queue.push_back(element.clone());
                true
            }
            ContainerOp::Take(element) => queue.pop_front().as_ref() == Some(element),
            ContainerOp::TakeSome => queue.pop_front().is_some(),
            ContainerOp::TakeNone => queue.is_empty(),
        }
    }

    fn discipline(&self) -> Option<Discipline> {
        self.initial.is_empty().then_some(Discipline::Fifo)
    }

    fn deed<'a>(&self, op: &'a ContainerOp) -> Deed<'a> {
        op.deed()
    }

    fn bytes(&self, queue: &VecDeque<Value>) -> usize {
        size_of_val(queue) + queue.len() * size_of::<Value>()
    }

    fn verb(&self, function: &str) -> Option<Verb> {
        ContainerOp::verb(function, ["enqueue", "dequeue"])
    }

    fn observes_only(&self, op: &ContainerOp) -> bool {
        *op == ContainerOp::TakeNone
    }

    fn reduce(&self, calls: &mut Calls<ContainerOp>) -> Self {
        drop_unseen(calls);
        self.clone()
    }
}
