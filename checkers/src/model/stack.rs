//! A stack: last in, first out.

use tribunal_histories::Value;

use super::container::{ContainerOp, drop_unseen};
use super::{Calls, Deed, Discipline, Misfit, Model, Recorded, Semantics, Shape, Verb};

/// A stack with `push` and `pop`.
#[derive(Clone, Debug)]
pub struct Stack {
    initial: Vec<Value>,
}

impl Model for Stack {
    const NAME: &'static str = "stack";
    const ABOUT: &'static str = "A stack that gives the element back first that was put on it last. A pop that returned \
                                 nil found it empty. Begins empty, or with the list that is the initial value, its top \
                                 last.";
    const OPERATIONS: &'static [Shape] = &[
        Shape {
            names: &["push"],
            input: "element",
            output: "",
        },
        Shape {
            names: &["pop"],
            input: "",
            output: "element, or nil when empty",
        },
    ];

    /// The elements, the top last.
    type State = Vec<Value>;
    type Op = ContainerOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let initial = match initial {
            Value::Nil => Vec::new(),
            Value::List(elements) => elements.to_vec(),
            _ => return Err("a list, its top last"),
        };
        Ok(Self { initial })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<ContainerOp>, Misfit> {
        ContainerOp::of(recorded, ["push", "pop"]).map(Some)
    }

    fn initial(&self) -> Vec<Value> {
        self.initial.clone()
    }

    fn step(&self, stack: &Vec<Value>, op: &ContainerOp) -> Option<Vec<Value>> {
        let mut after = stack.clone();
        self.advance(&mut after, op).then_some(after)
    }

    fn advance(&self, stack: &mut Vec<Value>, op: &ContainerOp) -> bool {
        match op {
            ContainerOp::Put(element) => {
                stack.push(element.clone());
                true
            }
            ContainerOp::Take(element) => stack.pop().as_ref() == Some(element),
            ContainerOp::TakeSome => stack.pop().is_some(),
            ContainerOp::TakeNone => stack.is_empty(),
        }
    }

    fn discipline(&self) -> Option<Discipline> {
        self.initial.is_empty().then_some(Discipline::Lifo)
    }

    fn deed<'a>(&self, op: &'a ContainerOp) -> Deed<'a> {
        op.deed()
    }

    fn bytes(&self, stack: &Vec<Value>) -> usize {
        size_of_val(stack) + stack.len() * size_of::<Value>()
    }

    fn verb(&self, function: &str) -> Option<Verb> {
        ContainerOp::verb(function, ["push", "pop"])
    }

    fn observes_only(&self, op: &ContainerOp) -> bool {
        *op == ContainerOp::TakeNone
    }

    fn reduce(&self, calls: &mut Calls<ContainerOp>) -> Self {
        drop_unseen(calls);
        self.clone()
    }
}
