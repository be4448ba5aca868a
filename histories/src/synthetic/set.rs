//! A set to which elements are added, from which they are removed, and which is asked for one or read whole.

use std::collections::BTreeSet;

use super::SyntheticModel;
use super::object::{DOMAIN, Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use crate::value::Value;

/// Sets.
pub(super) const SET: SyntheticModel = SyntheticModel {
    name: "linearizable-set",
    aliases: &["set"],
    about: "add, remove and contains, a third of each",
    make: |setting| {
        Box::new(Set {
            setting,
            elements: BTreeSet::new(),
            asked: 0,
        })
    },
};

/// A set.
#[derive(Debug)]
struct Set {
    setting: Setting,
    elements: BTreeSet<i64>,
    /// The greatest element that anyone has added or asked for.
    asked: i64,
}

impl Set {
    /// One of the elements, or of those not long gone.
    fn some(&self, random: &mut Random) -> i64 {
        if self.setting.unique {
            (self.asked - i64::try_from(random.below(20)).expect("a small number")).max(0)
        } else {
            i64::try_from(random.below(DOMAIN.unsigned_abs())).expect("a small number")
        }
    }
}

impl Object for Set {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        match random.below(3) {
            0 => {
                let value = self.setting.value(fresh, random);
                self.asked = value.max(self.asked);
                Operation::new("add", Value::Int(value))
            }
            1 => Operation::new("remove", Value::Int(self.some(random))),
            // Now and then somebody asks for what nobody ever adds.
            _ if random.chance(1, 32) => self.observe(),
            _ => Operation::new("contains", Value::Int(self.some(random))),
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("contains", Value::Int(NEVER))
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        let element = operation.number();
        match operation.function {
            "add" => {
                self.elements.insert(element);
                Effect::Returned(operation.input.clone())
            }
            "remove" => {
                self.elements.remove(&element);
                Effect::Returned(operation.input.clone())
            }
            _ if lie != Lie::No && element == NEVER => Effect::Lied(Value::Bool(true)),
            _ => Effect::Returned(Value::Bool(self.elements.contains(&element))),
        }
    }
}
