//! A lock that is not reentrant, and gives whoever acquires it a greater token each time.

use super::SyntheticModel;
use super::object::{Effect, Lie, NEVER, Object, Operation, Setting};
use super::random::Random;
use crate::value::Value;

/// Fenced locks.
pub(super) const FENCED_LOCK: SyntheticModel = SyntheticModel {
    name: "fenced-lock",
    aliases: &[],
    about: "acquire, which returns a token or fails while the lock is held, and release with the token; now and then \
            with nil, by anybody",
    make: |setting| {
        Box::new(FencedLock {
            setting,
            token: 0,
            holder: None,
        })
    },
};

/// A lock.
#[derive(Debug)]
struct FencedLock {
    setting: Setting,
    /// The greatest token so far.
    token: i64,
    holder: Option<Holder>,
}

/// Who holds it.
#[derive(Debug)]
struct Holder {
    /// When the acquisition was invoked.
    invoked: u64,
    has_returned: bool,
    is_releasing: bool,
}

impl Object for FencedLock {
    fn choose(&mut self, _fresh: &mut i64, random: &mut Random) -> Operation {
        // A holder that crashed never releases it.
        if self.holder.is_some() && random.chance(1, 16) {
            return Operation::new("release", Value::Nil);
        }
        match &mut self.holder {
            Some(holder) if holder.has_returned && !holder.is_releasing => {
                holder.is_releasing = true;
                Operation::new("release", Value::Int(self.token))
            }
            _ => self.observe(),
        }
    }

    fn observe(&self) -> Operation {
        Operation::new("acquire", Value::Nil)
    }

    fn apply(&mut self, operation: &Operation, lie: Lie) -> Effect {
        let is_free = self.holder.is_none();
        if operation.function == "release" {
            let fits = operation.input.is_nil() || operation.input == Value::Int(self.token);
            if is_free || !fits {
                return Effect::Failed;
            }
            self.holder = None;
            return Effect::Returned(operation.input.clone());
        }
        // The token of somebody else once more.
        if lie != Lie::No && is_free && self.token > 0 && !self.setting.crashes {
            return Effect::Lied(Value::Int(self.token));
        }
        if lie == Lie::Any {
            return Effect::Lied(Value::Int(NEVER));
        }
        if !is_free {
            return Effect::Failed;
        }
        self.token += 1;
        self.holder = Some(Holder {
            invoked: operation.invoked,
            has_returned: false,
            is_releasing: false,
        });
        Effect::Returned(Value::Int(self.token))
    }

    fn returned(&mut self, operation: &Operation, _time: u64) {
        if let Some(holder) = &mut self.holder
            && operation.function == "acquire"
            && operation.invoked == holder.invoked
        {
            holder.has_returned = true;
        }
    }
}
