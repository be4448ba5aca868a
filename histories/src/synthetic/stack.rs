//! A stack: last in, first out.

use std::collections::VecDeque;

use super::SyntheticModel;
use super::object::{Effect, Element, Lie, NEVER, Object, Operation, Setting, mark_returned};
use super::queue::CROWDED;
use super::random::Random;
use crate::value::Value;

/// Stacks.
pub(super) const STACK: SyntheticModel = SyntheticModel {
    name: "stack",
    aliases: &[],
    about: "push and pop; a pop that finds nothing returns nil",
    make: |setting| {
        Box::new(Stack {
            setting,
            elements: VecDeque::new(),
        })
    },
};

/// A stack, its top last.
#[derive(Debug)]
struct Stack {
    setting: Setting,
    elements: VecDeque<Element>,
}

impl Stack {
    /// An element on which another was put for sure before the reader began; the other is then lost.
    fn buried(&mut self, reader: &Operation) -> Option<i64> {
        let there = |element: &Element| element.returned.is_some_and(|at| at < reader.invoked);
        let over = self.elements.iter().rposition(there)?;
        let on_top = self.elements[over];
        let place = (0..over)
            .rev()
            .find(|place| self.elements[*place].precedes(&on_top))?;
        self.elements.remove(over);
        Some(self.elements.remove(place)?.value)
    }
}

impl Object for Stack {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        let puts = if self.elements.len() > CROWDED { 1 } else { 2 };
        if random.chance(puts, 4) {
            let value = self.setting.value(fresh, random);
            Operation::new("push", Value::Int(value))
        } else {
            self.observe()
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("pop", Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        if operation.function == "push" {
            self.elements.push_back(Element::put_by(operation));
            return Effect::Returned(operation.input.clone());
        }
        if lie != Lie::No
            && self.setting.unique
            && !self.setting.crashes
            && let Some(value) = self.buried(operation)
        {
            return Effect::Lied(Value::Int(value));
        }
        if lie == Lie::Any {
            return Effect::Lied(Value::Int(NEVER));
        }
        let top = self.elements.pop_back();
        Effect::Returned(top.map_or(Value::Nil, |top| Value::Int(top.value)))
    }

    fn returned(&mut self, operation: &Operation, time: u64) {
        if operation.function == "push" {
            mark_returned(&mut self.elements, operation, time);
        }
    }
}
