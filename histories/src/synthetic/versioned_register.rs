//! A register whose value has a version that every change makes greater by 1.

use super::SyntheticModel;
use super::object::{Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use super::register::small;
use crate::value::Value;

/// Registers with versions.
pub(super) const VERSIONED_REGISTER: SyntheticModel = SyntheticModel {
    name: "versioned-register",
    aliases: &[],
    about: "read, write, cas and cas-version, a quarter of each; all return the version",
    make: |setting| {
        Box::new(VersionedRegister {
            setting,
            version: 0,
            value: Value::Nil,
        })
    },
};

/// A register with a version.
#[derive(Debug)]
struct VersionedRegister {
    setting: Setting,
    version: i64,
    value: Value,
}

fn pair(first: Value, second: Value) -> Value {
    Value::list([first, second])
}

impl VersionedRegister {
    fn store(&mut self, value: &Value, told: Value) -> Effect {
        self.version += 1;
        self.value = value.clone();
        Effect::Returned(pair(Value::Int(self.version), told))
    }

    fn read(&self, lie: Lie) -> Effect {
        let is_known = self.setting.unique && !self.setting.crashes && self.version > 0;
        match lie {
            Lie::No => Effect::Returned(pair(self.version.into(), self.value.clone())),
            // The next version has another value.
            Lie::Subtle | Lie::Any if is_known => {
                Effect::Lied(pair((self.version + 1).into(), self.value.clone()))
            }
            Lie::Subtle | Lie::Any => Effect::Lied(pair(self.version.into(), NEVER.into())),
        }
    }
}

impl Object for VersionedRegister {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        let kind = random.below(4);
        if kind == 0 {
            return self.observe();
        }
        let value = Value::Int(self.setting.value(fresh, random));
        match kind {
            1 => Operation::new("write", pair(Value::Nil, value)),
            2 => {
                // With unique values a client expects what is there; it may have changed when it comes to it.
                let from = if self.setting.unique {
                    self.value.clone()
                } else {
                    small(random)
                };
                Operation::new("cas", pair(Value::Nil, pair(from, value)))
            }
            _ => Operation::new("cas-version", pair(self.version.into(), value)),
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("read", Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        let Some([first, second]) = operation.input.as_items() else {
            return self.read(lie);
        };
        match (operation.function, second.as_items()) {
            ("write", _) => self.store(second, second.clone()),
            ("cas", Some([from, to])) if *from == self.value => self.store(to, second.clone()),
            ("cas-version", _) if *first == Value::Int(self.version) => {
                self.store(second, second.clone())
            }
            _ => Effect::Failed,
        }
    }
}
