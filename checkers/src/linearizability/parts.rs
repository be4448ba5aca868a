//! Parts of an object that have nothing to do with each other: the elements of a set that nobody reads whole.
//!
//! Each is searched on its own, as if it were an object with a key of its own (Horn and Kroening, FORTE 2015).

use rustc_hash::FxHashMap;
use tribunal_histories::Value;

use crate::model::{Calls, Model};

/// The calls of each part, in the order of the parts' first calls; all calls together if any is about more than one.
pub(super) fn split<M: Model>(model: &M, calls: Calls<M::Op>) -> Vec<Calls<M::Op>> {
    if calls.iter().any(|(op, _)| model.part(op).is_none()) {
        return vec![calls];
    }
    let mut places: FxHashMap<&Value, usize> = FxHashMap::default();
    let mut parts: Vec<Calls<M::Op>> = Vec::new();
    // By place of an operation: its part, and its place there.
    let mut ops: FxHashMap<u32, (usize, u32)> = FxHashMap::default();
    for (op, call) in calls.iter() {
        let (part, op) = *ops.entry(call.op).or_insert_with(|| {
            let part = model.part(op).unwrap_or(&Value::Nil);
            let part = *places.entry(part).or_insert(parts.len());
            if part == parts.len() {
                parts.push(Calls::default());
            }
            (part, parts[part].add_op(op.clone()))
        });
        parts[part].push(op, *call);
    }
    parts
}

/// One order of all operations, by the positions of their invocations, given one of each part.
///
/// In each order every operation takes effect at once when it begins, or when the one before has; that is before it
/// returns, for none before it began later than that. At these moments all of them do, whatever their parts.
pub(super) fn merge(mut orders: Vec<Vec<u32>>) -> Vec<u32> {
    if orders.len() == 1 {
        return orders.swap_remove(0);
    }
    let mut moments: Vec<(u32, u32)> = Vec::new();
    for order in orders {
        let mut latest = 0;
        for operation in order {
            latest = operation.max(latest);
            moments.push((latest, operation));
        }
    }
    moments.sort_by_key(|(moment, _)| *moment);
    moments
        .into_iter()
        .map(|(_, operation)| operation)
        .collect()
}
