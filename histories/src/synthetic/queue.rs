//! A queue: first in, first out.

use std::collections::VecDeque;

use super::SyntheticModel;
use super::object::{Effect, Element, Lie, NEVER, Object, Operation, Setting, mark_returned};
use super::random::Random;
use crate::value::Value;

/// Queues.
pub(super) const FIFO_QUEUE: SyntheticModel = SyntheticModel {
    name: "fifo-queue",
    aliases: &["queue"],
    about: "enqueue and dequeue; a dequeue that finds nothing returns nil",
    make: |setting| {
        Box::new(FifoQueue {
            setting,
            elements: VecDeque::new(),
        })
    },
};

/// Beyond so many elements there are more dequeues than enqueues.
pub(super) const CROWDED: usize = 100;

/// A queue, head first.
#[derive(Debug)]
struct FifoQueue {
    setting: Setting,
    elements: VecDeque<Element>,
}

impl FifoQueue {
    /// An element that was put in for sure after the head, which is then lost.
    fn overtaking(&mut self) -> Option<i64> {
        let head = *self.elements.front()?;
        let place = self
            .elements
            .iter()
            .position(|element| head.precedes(element))?;
        let overtaking = self.elements.remove(place)?;
        self.elements.pop_front();
        Some(overtaking.value)
    }
}

impl Object for FifoQueue {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        let puts = if self.elements.len() > CROWDED { 1 } else { 2 };
        if random.chance(puts, 4) {
            let value = self.setting.value(fresh, random);
            Operation::new("enqueue", Value::Int(value))
        } else {
            self.observe()
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("dequeue", Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        if operation.function == "enqueue" {
            self.elements.push_back(Element::put_by(operation));
            return Effect::Returned(operation.input.clone());
        }
        if lie != Lie::No
            && self.setting.unique
            && !self.setting.crashes
            && let Some(value) = self.overtaking()
        {
            return Effect::Lied(Value::Int(value));
        }
        if lie == Lie::Any {
            return Effect::Lied(Value::Int(NEVER));
        }
        let head = self.elements.pop_front();
        Effect::Returned(head.map_or(Value::Nil, |head| Value::Int(head.value)))
    }

    fn returned(&mut self, operation: &Operation, time: u64) {
        if operation.function == "enqueue" {
            mark_returned(&mut self.elements, operation, time);
        }
    }
}
