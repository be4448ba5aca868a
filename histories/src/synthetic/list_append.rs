//! Lists to whose end elements are appended and which are read whole; each gives way to a new one when it is long.

use super::SyntheticModel;
use super::object::{Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use crate::value::Value;

/// Lists.
pub(super) const LIST_APPEND: SyntheticModel = SyntheticModel {
    name: "list-append",
    aliases: &["append"],
    about: "append and read, half of each; a list of 64 elements gives way to one with another key",
    make: |setting| {
        Box::new(List {
            setting,
            elements: Vec::new(),
        })
    },
};

/// How long a list becomes.
const ELEMENTS_MAX: usize = 64;

/// A list.
#[derive(Debug)]
struct List {
    setting: Setting,
    elements: Vec<i64>,
}

impl Object for List {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        if random.chance(1, 2) && !self.is_worn_out() {
            let value = self.setting.value(fresh, random);
            Operation::new("append", Value::Int(value))
        } else {
            self.observe()
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("read", Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        if operation.function == "append" {
            self.elements.push(operation.number());
            return Effect::Returned(operation.input.clone());
        }
        let list = |elements: &[i64]| Value::list(elements.iter().copied().map(Value::Int));
        match (lie, &*self.elements) {
            (Lie::No, elements) => Effect::Returned(list(elements)),
            // What others saw before and after begins differently, or else nobody ever appended the first.
            (Lie::Subtle | Lie::Any, elements) => {
                Effect::Lied(list(&[&[NEVER], elements].concat()))
            }
        }
    }

    fn is_worn_out(&self) -> bool {
        self.elements.len() >= ELEMENTS_MAX
    }

    fn needs_key(&self) -> bool {
        true
    }
}
