//! Registers to which no number is written twice, so that a read says exactly which write it saw.

use tribunal_histories::{Kind, Value};

use crate::generator::{Call, Context, Generator, Next, Update};

/// Reads, writes, compare-and-sets and deletes of some registers.
///
/// Every number that it writes is new. A compare-and-set expects the number that was last seen in its register,
/// so that many succeed: each pins down what came directly before it. (Jepsen's linearizable-register draws from
/// five numbers instead. Against a store that forgets one operation in fifty, a run of 150 operations like that
/// is found out half as often.)
#[derive(Clone, Debug)]
pub(crate) struct Distinct {
    /// The keys, each with the last number that an operation of ours saw or left there.
    registers: Vec<(Value, Value)>,
    weights: Weights,
    written: i64,
}

/// How often each operation is called, relative to the others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weights {
    pub(crate) read: u32,
    pub(crate) write: u32,
    pub(crate) cas: u32,
    pub(crate) delete: u32,
}

impl Distinct {
    pub(crate) fn new(keys: Vec<Value>, weights: Weights) -> Self {
        Self {
            registers: keys.into_iter().map(|key| (key, Value::Int(0))).collect(),
            weights,
            written: 0,
        }
    }

    fn fresh(&mut self) -> Value {
        self.written += 1;
        Value::Int(self.written)
    }
}

impl Generator for Distinct {
    fn op(&mut self, context: &mut Context) -> Next {
        context.invoke(|draw| {
            let Weights {
                read,
                write,
                cas,
                delete,
            } = self.weights;
            let function =
                ["read", "write", "cas", "delete"][draw.weighted(&[read, write, cas, delete])];
            let (key, seen) = draw.pick(&self.registers).clone();
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
        let seen = match (event.kind, call.function, call.value.as_items()) {
            (Kind::Ok, "read", _) => event.value,
            (Kind::Ok, "write", _) => &call.value,
            (Kind::Ok, "cas", Some([_, to])) => to,
            _ => return,
        };
        // After a delete the old number stays, so that compare-and-sets of absent keys are tried too.
        if !seen.is_nil()
            && let Some((_, last)) = self.registers.iter_mut().find(|(key, _)| *key == call.key)
        {
            *last = seen.clone();
        }
    }
}
