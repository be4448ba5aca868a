//! Several registers that transactions read and write at once.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::register::Access;
use super::{Calls, Misfit, Model, NilRead, Recorded, Semantics, Shape};

/// Registers with transactions of reads and writes.
#[derive(Clone, Debug)]
pub struct MultiRegister {
    initial: Value,
    semantics: Semantics,
}

impl MultiRegister {
    /// One `[f register value]`; `None` for a read that constrains nothing.
    fn access(&self, step: &Value, known: bool) -> Option<Option<(Value, Access)>> {
        let Some([function, register, value]) = step.as_items() else {
            return None;
        };
        let access = match function.as_name()? {
            "read" | "r" => {
                let nil_counts = self.semantics.nil_read == NilRead::Absent;
                let constrains = known && (nil_counts || !value.is_nil());
                constrains.then(|| Access::Read(value.clone()))
            }
            "write" | "w" => Some(Access::Write(value.clone())),
            _ => return None,
        };
        Some(access.map(|access| (register.clone(), access)))
    }
}

impl Model for MultiRegister {
    const NAME: &'static str = "multi-register";
    const ABOUT: &'static str = "Several registers, read and written together by atomic transactions. The initial value \
                                 is that of every register.";
    const OPERATIONS: &'static [Shape] = &[Shape {
        names: &["txn"],
        input: "[[read register nil] or [write register value] …]",
        output: "the same with what was read",
    }];

    /// The registers that do not have their initial value.
    type State = BTreeMap<Value, Value>;
    /// The accesses of the transaction in order, each with its register.
    type Op = Vec<(Value, Access)>;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        let initial = initial.clone();
        Ok(Self { initial, semantics })
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Self::Op>, Misfit> {
        if recorded.function != "txn" {
            return Err(Misfit::Function);
        }
        let output = recorded.output.as_ref().filter(|output| !output.is_nil());
        let (steps, misfit) = match output {
            Some(output) => (output, Misfit::Output),
            None => (&recorded.input, Misfit::Input),
        };
        let mut accesses = Vec::new();
        for step in steps.as_items().ok_or(misfit)? {
            accesses.extend(self.access(step, output.is_some()).ok_or(misfit)?);
        }
        Ok(Some(accesses).filter(|accesses| !accesses.is_empty()))
    }

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, op: &Self::Op) -> Option<Self::State> {
        let mut after = state.clone();
        for (register, access) in op {
            let value = access.step(after.get(register).unwrap_or(&self.initial))?;
            if value == self.initial {
                after.remove(register);
            } else {
                after.insert(register.clone(), value);
            }
        }
        Some(after)
    }

    fn bytes(&self, registers: &Self::State) -> usize {
        size_of_val(registers) + registers.len() * 2 * size_of::<(Value, Value)>()
    }

    fn observes_only(&self, op: &Self::Op) -> bool {
        op.iter()
            .all(|(_, access)| matches!(access, Access::Read(_)))
    }

    /// Of each register's values that no transaction reads, the first written stands for all.
    fn reduce(&self, calls: &mut Calls<Self::Op>) -> Self {
        let observed: FxHashSet<(Value, Value)> = calls
            .iter()
            .flat_map(|(op, _)| op)
            .filter_map(|(register, access)| match access {
                Access::Read(value) => Some((register.clone(), value.clone())),
                Access::Write(_) => None,
            })
            .collect();
        let mut representatives: BTreeMap<Value, Value> = BTreeMap::new();
        for (register, access) in calls.ops_mut().flatten() {
            if let Access::Write(value) = access
                && !observed.contains(&(register.clone(), value.clone()))
            {
                let first = representatives
                    .entry(register.clone())
                    .or_insert_with(|| value.clone());
                value.clone_from(first);
            }
        }
        self.clone()
    }
}
