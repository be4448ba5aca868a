//! A priority queue: the least element first.

use std::collections::VecDeque;

use super::SyntheticModel;
use super::object::{Effect, Element, Lie, NEVER, Object, Operation, Setting, mark_returned};
use super::queue::CROWDED;
use super::random::Random;
use crate::value::Value;

/// Priority queues.
pub(super) const PRIORITY_QUEUE: SyntheticModel = SyntheticModel {
    name: "priority-queue",
    aliases: &["pq"],
    about: "insert and delete-min; a delete-min that finds nothing returns nil",
    make: |setting| {
        Box::new(PriorityQueue {
            setting,
            elements: VecDeque::new(),
        })
    },
};

/// A priority queue, sorted, the least element first.
#[derive(Debug)]
struct PriorityQueue {
    setting: Setting,
    elements: VecDeque<Element>,
}

impl PriorityQueue {
    /// An element greater than one that was there for sure; the lesser is then lost.
    fn second(&mut self, reader: &Operation) -> Option<i64> {
        let least = self.elements.front()?.returned?;
        if least >= reader.invoked || self.elements.len() < 2 {
            return None;
        }
        self.elements.pop_front();
        Some(self.elements.pop_front()?.value)
    }
}

impl Object for PriorityQueue {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        let puts = if self.elements.len() > CROWDED { 1 } else { 2 };
        if random.chance(puts, 4) {
            // Unique elements come in no particular order: an odd factor permutes the numbers below a power of two.
            let value = self.setting.value(fresh, random);
            let value = if self.setting.unique {
                (value * 0x1e37_79b1) % (1 << 29)
            } else {
                value
            };
            Operation::new("insert", Value::Int(value))
        } else {
            self.observe()
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("delete-min", Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        if operation.function == "insert" {
            let element = Element::put_by(operation);
            let place = self
                .elements
                .partition_point(|other| other.value <= element.value);
            self.elements.insert(place, element);
            return Effect::Returned(operation.input.clone());
        }
        if lie != Lie::No
            && self.setting.unique
            && !self.setting.crashes
            && let Some(value) = self.second(operation)
        {
            return Effect::Lied(Value::Int(value));
        }
        if lie == Lie::Any {
            return Effect::Lied(Value::Int(NEVER));
        }
        let least = self.elements.pop_front();
        Effect::Returned(least.map_or(Value::Nil, |least| Value::Int(least.value)))
    }

    fn returned(&mut self, operation: &Operation, time: u64) {
        if operation.function == "insert" {
            mark_returned(&mut self.elements, operation, time);
        }
    }
}
