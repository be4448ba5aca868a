//! A multiset to which elements are added, from which they are removed, and in which they are counted.

use std::collections::BTreeMap;

use super::SyntheticModel;
use super::object::{DOMAIN, Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use crate::value::Value;

/// Multisets.
pub(super) const MULTISET: SyntheticModel = SyntheticModel {
    name: "multiset",
    aliases: &["bag"],
    about: "add, remove and count, a third of each",
    make: |setting| {
        Box::new(Multiset {
            setting,
            counts: BTreeMap::new(),
            added: 0,
        })
    },
};

/// A multiset.
#[derive(Debug)]
struct Multiset {
    setting: Setting,
    counts: BTreeMap<i64, i64>,
    /// The greatest element that anyone has added.
    added: i64,
}

impl Multiset {
    /// One of the elements, or of those not long gone.
    fn some(&self, random: &mut Random) -> Value {
        let of_last = if self.setting.unique { 20 } else { DOMAIN };
        let back = i64::try_from(random.below(of_last.unsigned_abs())).expect("a small number");
        Value::Int(if self.setting.unique {
            (self.added - back).max(0)
        } else {
            back
        })
    }
}

impl Object for Multiset {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        match random.below(3) {
            0 => {
                let value = self.setting.value(fresh, random);
                self.added = value.max(self.added);
                Operation::new("add", Value::Int(value))
            }
            1 => Operation::new("remove", self.some(random)),
            // Now and then somebody asks for what nobody ever adds.
            _ if random.chance(1, 32) => self.observe(),
            _ => Operation::new("count", self.some(random)),
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("count", Value::Int(NEVER))
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        let count = self.counts.entry(operation.number()).or_default();
        match operation.function {
            "add" => {
                *count += 1;
                Effect::Returned(operation.input.clone())
            }
            "remove" => {
                let was_there = *count > 0;
                *count -= i64::from(was_there);
                Effect::Returned(Value::Bool(was_there))
            }
            _ if lie != Lie::No && operation.number() == NEVER => Effect::Lied(Value::Int(1)),
            _ => Effect::Returned(Value::Int(*count)),
        }
    }
}
