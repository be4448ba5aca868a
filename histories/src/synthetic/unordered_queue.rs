//! A pool: elements are put in, and any of them is taken out.

use super::SyntheticModel;
use super::object::{Effect, Lie, NEVER, Object, Operation, Setting};
use super::queue::CROWDED;
use super::random::Random;
use crate::value::Value;

/// Pools.
pub(super) const UNORDERED_QUEUE: SyntheticModel = SyntheticModel {
    name: "unordered-queue",
    aliases: &["pool"],
    about: "enqueue and dequeue, which returns any element, or nil when there is none",
    make: |setting| {
        Box::new(UnorderedQueue {
            setting,
            elements: Vec::new(),
            taken: None,
            next: 0,
        })
    },
};

/// A pool.
#[derive(Debug)]
struct UnorderedQueue {
    setting: Setting,
    elements: Vec<i64>,
    /// The element that was taken out last.
    taken: Option<i64>,
    /// Which one is taken next, of as many as there are.
    next: usize,
}

impl Object for UnorderedQueue {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        self.next = random.index(CROWDED);
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
            self.elements.push(operation.number());
            return Effect::Returned(operation.input.clone());
        }
        // The same element once more.
        if lie != Lie::No
            && self.setting.unique
            && !self.setting.crashes
            && let Some(taken) = self.taken
        {
            return Effect::Lied(Value::Int(taken));
        }
        if lie == Lie::Any {
            return Effect::Lied(Value::Int(NEVER));
        }
        if self.elements.is_empty() {
            return Effect::Returned(Value::Nil);
        }
        let taken = self.elements.swap_remove(self.next % self.elements.len());
        self.taken = Some(taken);
        Effect::Returned(Value::Int(taken))
    }
}
