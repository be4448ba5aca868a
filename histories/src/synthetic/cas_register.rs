//! A register with compare-and-set.

use super::SyntheticModel;
use super::object::{Effect, Lie, Object, Operation, Setting};
use super::random::Random;
use super::register::{Register, small};
use crate::value::Value;

/// Registers with compare-and-set.
pub(super) const CAS_REGISTER: SyntheticModel = SyntheticModel {
    name: "cas-register",
    aliases: &["cas"],
    about: "read, write and cas, a third of each; a cas that finds another value fails",
    make: |setting| {
        let register = Register::new(setting, ["read", "write"]);
        Box::new(CasRegister { setting, register })
    },
};

/// A register with compare-and-set.
#[derive(Debug)]
struct CasRegister {
    setting: Setting,
    register: Register,
}

impl Object for CasRegister {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        match random.below(3) {
            0 => self.register.observe(),
            1 => {
                let value = self.setting.value(fresh, random);
                Operation::new("write", Value::Int(value))
            }
            _ => {
                // With unique values a client expects what is there; it may have changed when it comes to it.
                let from = if self.setting.unique {
                    self.register.value.clone()
                } else {
                    small(random)
                };
                let to = Value::Int(self.setting.value(fresh, random));
                Operation::new("cas", Value::list([from, to]))
            }
        }
    }

    fn observe(&self) -> Operation {
        self.register.observe()
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        match operation.input.as_items() {
            Some([from, to]) if operation.function == "cas" => {
                if *from != self.register.value {
                    return Effect::Failed;
                }
                self.register.value = to.clone();
                Effect::Returned(operation.input.clone())
            }
            _ => self.register.apply(operation, lie),
        }
    }

    fn returned(&mut self, operation: &Operation, time: u64) {
        // Which compare-and-set overwrote what, the register does not need to know.
        self.register.returned(operation, time);
    }
}
