//! Verifying a linearization: one pass over it that knows nothing of the search that found it.

use std::collections::BTreeMap;

use crate::model::{Call, Model};

/// Why an order is not a linearization of some calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "the order has an operation invoked at position {0}, which the history has not, or twice"
    )]
    NotACall(usize),
    #[error("the order lacks the operation invoked at position {0}, which took effect")]
    Missing(usize),
    #[error(
        "the order has the operation invoked at position {0} before one that had returned by then"
    )]
    OutOfTime(usize),
    #[error("the operation invoked at position {0} is not possible at its place in the order")]
    Impossible(usize),
}

/// Whether an order (of positions of invocations) is a linearization of these calls: it has every required call
/// once, no other call twice, no call before one that returned before it began, and is legal.
pub(super) fn verify<M: Model>(
    model: &M,
    calls: &[Call<M::Op>],
    order: &[usize],
) -> Result<(), Refused> {
    let mut missing: BTreeMap<usize, &Call<M::Op>> =
        calls.iter().map(|call| (call.invoked, call)).collect();
    let mut state = model.initial();
    let mut latest_invocation = 0;
    for position in order {
        let call = missing
            .remove(position)
            .ok_or(Refused::NotACall(*position))?;
        latest_invocation = latest_invocation.max(call.invoked);
        // Some call before this one, or itself, began after it had returned.
        if call
            .returned
            .is_some_and(|returned| returned < latest_invocation)
        {
            return Err(Refused::OutOfTime(latest_invocation));
        }
        state = model
            .step(&state, &call.op)
            .ok_or(Refused::Impossible(*position))?;
    }
    match missing.values().find(|call| call.required) {
        Some(call) => Err(Refused::Missing(call.invoked)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Value;

    use super::*;
    use crate::model::{FailedCas, NilRead, Register, Semantics};

    #[test]
    fn each_way_to_be_wrong_is_refused() {
        let semantics = Semantics {
            nil_read: NilRead::Absent,
            failed_cas: FailedCas::DidNotHappen,
        };
        let model = Register::new(&Value::Nil, semantics).unwrap();
        let call = |function: &str, value: i64, invoked, returned| {
            let recorded = crate::model::Recorded {
                function,
                input: value.into(),
                output: Some(value.into()),
            };
            let op = model.operation(&recorded).unwrap().unwrap();
            Call {
                op,
                invoked,
                returned,
                required: returned.is_some(),
            }
        };
        let calls = [
            call("write", 1, 0, Some(2)),
            call("write", 2, 1, Some(4)),
            call("read", 1, 3, Some(5)),
            call("write", 3, 6, None),
        ];
        let verify = |order: &[usize]| verify(&model, &calls, order);
        assert_eq!(verify(&[0, 3, 1]), Ok(()));
        assert_eq!(verify(&[0, 3, 1, 6]), Ok(()));
        assert_eq!(verify(&[0, 3]), Err(Refused::Missing(1)));
        assert_eq!(verify(&[0, 3, 3]), Err(Refused::NotACall(3)));
        assert_eq!(verify(&[9]), Err(Refused::NotACall(9)));
        assert_eq!(verify(&[0, 1, 3]), Err(Refused::Impossible(3)));
        assert_eq!(verify(&[1, 6, 0]), Err(Refused::OutOfTime(6)));
    }
}
