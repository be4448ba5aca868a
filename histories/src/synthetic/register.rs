//! A register that is read and written; as `kv`, with keys and the names that go with them.

use std::collections::VecDeque;

use super::SyntheticModel;
use super::object::{DOMAIN, Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use crate::value::Value;

/// Registers.
pub(super) const REGISTER: SyntheticModel = SyntheticModel {
    name: "register",
    aliases: &[],
    about: "read and write, half of each",
    make: |setting| Box::new(Register::new(setting, ["read", "write"])),
};

/// Key-value stores.
pub(super) const KV: SyntheticModel = SyntheticModel {
    name: "kv",
    aliases: &[],
    about: "get and put, half of each; every event has a key",
    make: |setting| Box::new(Register::new(setting, ["get", "put"])),
};

/// A value with the times of the write that returned.
#[derive(Clone, Copy, Debug)]
struct Written {
    value: i64,
    invoked: u64,
    returned: u64,
}

/// A register.
#[derive(Debug)]
pub(super) struct Register {
    setting: Setting,
    names: [&'static str; 2],
    pub(super) value: Value,
    /// The last writes that returned.
    written: VecDeque<Written>,
}

impl Register {
    pub(super) fn new(setting: Setting, names: [&'static str; 2]) -> Self {
        Self {
            setting,
            names,
            value: Value::Nil,
            written: VecDeque::new(),
        }
    }

    /// A value that one write had overwritten for sure before the reader began.
    fn stale(&self, reader: &Operation) -> Option<Value> {
        let over = |written: &&Written| written.returned < reader.invoked;
        let over = self.written.iter().rev().find(over)?;
        let under = |written: &&Written| written.returned < over.invoked;
        let stale = self.written.iter().rev().find(under)?;
        Some(Value::Int(stale.value))
    }
}

impl Object for Register {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        if random.chance(1, 2) {
            self.observe()
        } else {
            let value = self.setting.value(fresh, random);
            Operation::new(self.names[1], Value::Int(value))
        }
    }

    fn observe(&self) -> Operation {
        Operation::new(self.names[0], Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        if operation.function == self.names[1] {
            self.value = operation.input.clone();
            return Effect::Returned(operation.input.clone());
        }
        let stale = || self.stale(operation).filter(|_| self.setting.unique);
        match lie {
            Lie::No => None,
            Lie::Subtle => stale(),
            Lie::Any => stale().or(Some(Value::Int(NEVER))),
        }
        .map_or_else(|| Effect::Returned(self.value.clone()), Effect::Lied)
    }

    fn returned(&mut self, operation: &Operation, time: u64) {
        if operation.function != self.names[1] {
            return;
        }
        let remembered = 16 * self.setting.concurrency as usize;
        if self.written.len() > remembered {
            self.written.pop_front();
        }
        self.written.push_back(Written {
            value: operation.number(),
            invoked: operation.invoked,
            returned: time,
        });
    }

    fn needs_key(&self) -> bool {
        self.names[0] == "get"
    }
}

/// A number of the domain.
pub(super) fn small(random: &mut Random) -> Value {
    let number = random.below(DOMAIN.unsigned_abs());
    Value::Int(i64::try_from(number).expect("a small number"))
}
