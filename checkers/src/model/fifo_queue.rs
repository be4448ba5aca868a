//! A queue: first in, first out.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::{Call, Misfit, Model, Recorded, Semantics, Shape};

/// An operation on a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueueOp {
    /// It put this element at the tail.
    Enqueue(Value),
    /// It took this element from the head.
    Dequeue(Value),
    /// It took whatever was at the head: what that was, nobody knows.
    DequeueSome,
    /// It found nothing.
    DequeueNone,
}

/// A queue with `enqueue` and `dequeue`.
#[derive(Clone, Debug)]
pub struct FifoQueue {
    initial: Vec<Value>,
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
    type State = Vec<Value>;
    type Op = QueueOp;

    fn new(initial: &Value, _semantics: Semantics) -> Result<Self, &'static str> {
        let initial = match initial {
            Value::Nil => Vec::new(),
            Value::List(elements) => elements.to_vec(),
            _ => return Err("a list, head first"),
        };
        Ok(Self { initial })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<QueueOp>, Misfit> {
        match recorded.function {
            "enqueue" if recorded.input.is_nil() => Err(Misfit::Input),
            "enqueue" => Ok(Some(QueueOp::Enqueue(recorded.input.clone()))),
            "dequeue" => Ok(Some(match &recorded.output {
                None => QueueOp::DequeueSome,
                Some(Value::Nil) => QueueOp::DequeueNone,
                Some(element) => QueueOp::Dequeue(element.clone()),
            })),
            _ => Err(Misfit::Function),
        }
    }

    fn initial(&self) -> Vec<Value> {
        self.initial.clone()
    }

    fn step(&self, queue: &Vec<Value>, op: &QueueOp) -> Option<Vec<Value>> {
        match (op, &**queue) {
            (QueueOp::Enqueue(element), _) => {
                Some(queue.iter().chain([element]).cloned().collect())
            }
            (QueueOp::Dequeue(element), [head, rest @ ..]) => {
                (head == element).then(|| rest.to_vec())
            }
            (QueueOp::DequeueSome, [_, rest @ ..]) => Some(rest.to_vec()),
            (QueueOp::DequeueNone, []) => Some(Vec::new()),
            _ => None,
        }
    }

    fn bytes(&self, queue: &Vec<Value>) -> usize {
        size_of_val(queue) + size_of_val(&**queue)
    }

    fn observes_only(&self, op: &QueueOp) -> bool {
        matches!(op, QueueOp::DequeueNone)
    }

    /// An enqueue that is not required, of what nobody is known to have dequeued, is dropped. Where an order has it,
    /// either a dequeue that is not required either takes its element, and the order without both is as good; or its
    /// element stays, nothing behind it is ever dequeued, and the order without it is as good.
    fn reduce(&self, calls: &mut Vec<Call<QueueOp>>) -> Self {
        let dequeued: FxHashSet<Value> = calls
            .iter()
            .filter_map(|call| match &call.op {
                QueueOp::Dequeue(element) => Some(element.clone()),
                _ => None,
            })
            .collect();
        calls.retain(|call| match &call.op {
            QueueOp::Enqueue(element) => call.required || dequeued.contains(element),
            _ => true,
        });
        self.clone()
    }
}
