//! A history as a model sees it: split by key, every operation with its meaning.

use std::collections::BTreeMap;

use tribunal_histories::{History, Operation, Outcome, Value};

use crate::check::CheckError;
use crate::model::{Call, Misfit, Model, Recorded};

/// The calls on one object, in the order of their invocations.
#[derive(Clone, Debug)]
pub(super) struct Partition<Op> {
    /// The key of the object; nil for a history over one.
    pub(super) key: Value,
    pub(super) calls: Vec<Call<Op>>,
}

/// Splits a history by the key of its events.
pub(super) fn split<M: Model>(
    model: &M,
    history: &History,
) -> Result<Vec<Partition<M::Op>>, CheckError> {
    let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for operation in history.operations() {
        let calls = by_key.entry(operation.key).or_default();
        let call = call(model, history, &operation).map_err(|misfit| {
            CheckError::misfit((M::NAME, M::OPERATIONS), history, &operation, misfit)
        })?;
        calls.extend(call);
    }
    let mut partitions: Vec<_> = by_key
        .into_iter()
        .map(|(key, calls)| Partition {
            key: history.value(key),
            calls,
        })
        .collect();
    partitions.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(partitions)
}

/// What an operation means to a model; `None` if it constrains nothing and changes nothing.
fn call<M: Model>(
    model: &M,
    history: &History,
    operation: &Operation,
) -> Result<Option<Call<M::Op>>, Misfit> {
    let known = operation.outcome != Outcome::Info;
    let recorded = Recorded {
        function: history.function(operation.function),
        input: history.value(operation.input),
        output: known.then(|| history.value(operation.output)),
    };
    let op = match operation.outcome {
        Outcome::Ok | Outcome::Info => model.operation(&recorded)?,
        Outcome::Fail => model.failed(&recorded)?,
    };
    Ok(op.map(|op| Call {
        op,
        invoked: operation.invoked,
        returned: operation.returned,
        required: known,
    }))
}

/// The same call, set free: it may have taken effect while it was in flight or not at all, and what it returned is
/// disregarded. `None` if nothing is left of it.
pub(super) fn freed<M: Model>(
    model: &M,
    history: &History,
    of: &Call<M::Op>,
) -> Option<Call<M::Op>> {
    let operation = history
        .operation(of.invoked)
        .filter(|operation| operation.outcome != Outcome::Fail)?;
    let unknown = Operation {
        outcome: Outcome::Info,
        returned: None,
        ..operation
    };
    // What has a meaning only together with its result keeps that result.
    let free = call(model, history, &unknown).unwrap_or_else(|_| Some(of.clone()));
    free.map(|free| Call {
        returned: of.returned,
        required: false,
        ..free
    })
}
