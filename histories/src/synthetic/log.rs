//! A log to whose end entries are appended, and of which ranges are read.

use super::SyntheticModel;
use super::object::{Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use crate::value::Value;

/// Logs.
pub(super) const LOG: SyntheticModel = SyntheticModel {
    name: "log",
    aliases: &["append-log"],
    about: "append, which returns an offset, and read of up to 4 entries near the end, half of each",
    make: |setting| {
        Box::new(Log {
            setting,
            entries: Vec::new(),
        })
    },
};

/// How many entries a read asks for.
const READ_MAX: usize = 4;

/// A log.
#[derive(Debug)]
struct Log {
    setting: Setting,
    entries: Vec<i64>,
}

fn int(number: usize) -> Value {
    Value::Int(i64::try_from(number).expect("a history has fewer events"))
}

impl Log {
    /// A read of the entries from so many before the end on.
    fn read(&self, back: usize) -> Operation {
        let from = self.entries.len().saturating_sub(back);
        Operation::new("read", Value::list([int(from), int(READ_MAX)]))
    }

    fn range(&self, operation: &Operation) -> &[i64] {
        let from = match operation.input.as_items() {
            Some([from, _]) => from.as_int().unwrap_or_default(),
            _ => 0,
        };
        let from = usize::try_from(from).unwrap_or_default();
        let rest = self.entries.get(from..).unwrap_or_default();
        &rest[..rest.len().min(READ_MAX)]
    }
}

impl Object for Log {
    fn choose(&mut self, fresh: &mut i64, random: &mut Random) -> Operation {
        if random.chance(1, 2) {
            let value = self.setting.value(fresh, random);
            Operation::new("append", Value::Int(value))
        } else {
            self.read(random.index(2 * READ_MAX))
        }
    }

    fn observe(&self) -> Operation {
        self.read(READ_MAX)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        if operation.function == "append" {
            self.entries.push(operation.number());
            return Effect::Returned(int(self.entries.len() - 1));
        }
        let mut seen = self.range(operation).to_vec();
        let told = |seen: &[i64]| Value::list(seen.iter().copied().map(Value::Int));
        if lie == Lie::No {
            return Effect::Returned(told(&seen));
        }
        // Whoever appended an entry was told its offset.
        if self.setting.unique && !self.setting.crashes && seen.len() > 1 {
            seen.reverse();
            return Effect::Lied(told(&seen));
        }
        match (lie, seen.first_mut()) {
            (Lie::Any, None) => Effect::Lied(told(&[NEVER])),
            (_, None) => Effect::Returned(told(&[])),
            (_, Some(first)) => {
                *first = NEVER;
                Effect::Lied(told(&seen))
            }
        }
    }
}
