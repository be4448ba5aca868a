//! Verifying a linearization: one pass over it that knows nothing of the search that found it.

use tribunal_histories::{History, Outcome};

use super::monitor::Mark;
use super::partition::interpret;
use crate::model::Model;

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

/// Whether an order (of positions of invocations) is a linearization of these operations of a history: it has every
/// one that took effect for sure once, no other one twice, none before one that returned before it began, and is legal.
pub(super) fn verify<M: Model>(
    model: &M,
    history: &History,
    marks: &[Mark],
    order: &[usize],
) -> Result<(), Refused> {
    let mut is_placed = vec![false; marks.len()];
    let mut place = 0;
    let mut state = model.initial();
    let mut latest_invocation = 0;
    for position in order {
        let not_a_call = Refused::NotACall(*position);
        place = find(marks, *position, place).ok_or_else(|| not_a_call.clone())?;
        if std::mem::replace(&mut is_placed[place], true) {
            return Err(not_a_call);
        }
        let operation = history.operation(*position).ok_or(not_a_call)?;
        latest_invocation = latest_invocation.max(*position);
        // Some operation before this one, or itself, began after it had returned.
        if operation
            .returned
            .is_some_and(|returned| returned < latest_invocation)
        {
            return Err(Refused::OutOfTime(latest_invocation));
        }
        let op = interpret(model, history, &operation).ok().flatten();
        if !op.is_some_and(|op| model.advance(&mut state, &op)) {
            return Err(Refused::Impossible(*position));
        }
    }
    let is_required = |position: u32| {
        let operation = history.operation(position as usize);
        operation.is_some_and(|operation| operation.outcome != Outcome::Info)
    };
    let left_out = marks
        .iter()
        .zip(&is_placed)
        .filter(|(_, is_placed)| !**is_placed);
    let mut missing = left_out
        .map(|(mark, _)| mark.invoked)
        .filter(|position| is_required(*position));
    match missing.next() {
        Some(position) => Err(Refused::Missing(position as usize)),
        None => Ok(()),
    }
}

/// The place of an operation among these, which are sorted, looked for around another place first.
fn find(marks: &[Mark], position: usize, near: usize) -> Option<usize> {
    const NEAR: usize = 64;
    let from = near.saturating_sub(NEAR);
    let to = (near + NEAR).min(marks.len());
    let search = |from: usize, to: usize| {
        let found = marks[from..to].binary_search_by_key(&position, |mark| mark.invoked as usize);
        found.ok().map(|place| from + place)
    };
    search(from, to).or_else(|| search(0, marks.len()))
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{BuildOptions, EventRecord, Kind, Process, Value};

    use super::*;
    use crate::linearizability::partition::split;
    use crate::model::{FailedCas, NilRead, Register, Semantics};

    #[test]
    fn each_way_to_be_wrong_is_refused() {
        let semantics = Semantics {
            nil_read: NilRead::Absent,
            failed_cas: FailedCas::DidNotHappen,
        };
        let model = Register::new(&Value::Nil, semantics).unwrap();
        let event = |process, kind, function: &str, value: i64| {
            EventRecord::new(
                Process::Client(process),
                kind,
                function,
                Value::Nil,
                value.into(),
            )
        };
        let records = [
            event(0, Kind::Invoke, "write", 1),
            event(1, Kind::Invoke, "write", 2),
            event(0, Kind::Ok, "write", 1),
            event(2, Kind::Invoke, "read", 1),
            event(1, Kind::Ok, "write", 2),
            event(2, Kind::Ok, "read", 1),
            event(3, Kind::Invoke, "write", 3),
        ];
        let history = History::from_records(records, BuildOptions::default()).unwrap();
        let split = split(&model, &history).unwrap();
        let marks = split.marks(&split.partitions[0]);
        let verify = |order: &[usize]| verify(&model, &history, marks, order);
        assert_eq!(verify(&[0, 3, 1]), Ok(()));
        assert_eq!(verify(&[0, 3, 1, 6]), Ok(()));
        assert_eq!(verify(&[0, 3]), Err(Refused::Missing(1)));
        assert_eq!(verify(&[0, 3, 3]), Err(Refused::NotACall(3)));
        assert_eq!(verify(&[9]), Err(Refused::NotACall(9)));
        assert_eq!(verify(&[0, 1, 3]), Err(Refused::Impossible(3)));
        assert_eq!(verify(&[1, 6, 0]), Err(Refused::OutOfTime(6)));
    }
}
