//! Several keys that are read, written, compared and set, and deleted.

use tribunal_histories::{Kind, Outcome, Value};

use super::{Entry, Options, Probe, keys, probe};
use crate::generator::{Call, Context, Generator, Next, Update};

/// The registry's line.
pub(super) const ENTRY: Entry = Entry {
    name: "kv",
    model: "kv",
    about: "A key-value store: reads, writes, compare-and-sets and deletes of a few keys. Every write writes a number \
            that no other does, so a read says exactly which write it saw; a compare-and-set expects the number \
            that was last seen under its key, so that many succeed. Finds what `register` finds, keys that are \
            mixed up, and deletes that come undone.",
    probes: &[
        Probe::new("a cas succeeded", |history| {
            probe::ended(history, "cas", Outcome::Ok)
        }),
        Probe::new("a cas failed", |history| {
            probe::ended(history, "cas", Outcome::Fail)
        }),
        Probe::new("a delete succeeded", |history| {
            probe::ended(history, "delete", Outcome::Ok)
        }),
        probe::READ_SAW_A_VALUE,
        probe::READ_OVERLAPPED_A_CHANGE,
        probe::ENDED_IN_INFO,
    ],
    operations: |options| Kv::new(options).boxed(),
    keys,
};

const FUNCTIONS: [&str; 4] = ["read", "write", "cas", "delete"];
const WEIGHTS: [u32; 4] = [4, 3, 3, 1];

/// Operations on several keys, by what was seen under them.
#[derive(Clone, Debug)]
struct Kv {
    /// The keys, each with the last number that an operation of ours saw or left there.
    keys: Vec<(Value, Value)>,
    written: i64,
}

impl Kv {
    fn new(options: &Options) -> Self {
        Self {
            keys: keys(options)
                .into_iter()
                .map(|key| (key, Value::Int(0)))
                .collect(),
            written: 0,
        }
    }

    fn fresh(&mut self) -> Value {
        self.written += 1;
        Value::Int(self.written)
    }
}

impl Generator for Kv {
    fn op(&mut self, context: &mut Context) -> Next {
        context.invoke(|draw| {
            let function = FUNCTIONS[draw.weighted(&WEIGHTS)];
            let (key, seen) = draw.pick(&self.keys).clone();
            let value = match function {
                "write" => self.fresh(),
                "cas" => Value::list([seen, self.fresh()]),
                _ => Value::Nil,
            };
            Call::new(function, key, value)
        })
    }

    fn update(&mut self, _: &mut Context, event: &Update<'_>) {
        let call = &event.invocation.call;
        let seen = match (event.kind, call.function) {
            (Kind::Ok, "read") => event.value,
            (Kind::Ok, "write") => &call.value,
            (Kind::Ok, "cas") => match call.value.as_items() {
                Some([_, to]) => to,
                _ => return,
            },
            _ => return,
        };
        // After a delete the old number stays, so that compare-and-sets of absent keys are tried too.
        if !seen.is_nil()
            && let Some((_, last)) = self.keys.iter_mut().find(|(key, _)| *key == call.key)
        {
            *last = seen.clone();
        }
    }
}
