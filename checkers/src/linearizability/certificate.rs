//! Verifying a linearization: one pass over it that knows nothing of the search that found it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tribunal_histories::{History, Operation, Outcome, ValueId};

use super::monitor::{Act, Mark};
use super::partition::{Meanings, Verbs};
use crate::model::{Discipline, Model};

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
    let plain = Plain::new(model, history).and_then(|mut object| {
        let verbs = Verbs::new(model, history);
        walk(history, marks, order, |operation| {
            let (act, value) = verbs.plain(operation)?;
            object.advance(act, value)
        })
    });
    if let Some(verified) = plain {
        return verified;
    }
    let mut meanings = Meanings::new(model, history);
    let mut state = model.initial();
    let verified = walk(history, marks, order, |operation| {
        let op = meanings.of(operation).ok().flatten();
        Some(op.is_some_and(|op| model.advance(&mut state, &op)))
    });
    verified.unwrap_or(Ok(()))
}

/// Goes through an order; `happens` says whether an operation can come next. `None` as soon as it does not know.
fn walk(
    history: &History,
    marks: &[Mark],
    order: &[usize],
    mut happens: impl FnMut(&Operation) -> Option<bool>,
) -> Option<Result<(), Refused>> {
    let mut is_placed = vec![false; marks.len()];
    let mut place = 0;
    let mut latest_invocation = 0;
    for position in order {
        let position = *position;
        let found = find(marks, position, place);
        let operation = history.operation(position);
        let (Some(found), Some(operation)) = (found, operation) else {
            return Some(Err(Refused::NotACall(position)));
        };
        place = found;
        if std::mem::replace(&mut is_placed[place], true) {
            return Some(Err(Refused::NotACall(position)));
        }
        latest_invocation = latest_invocation.max(position);
        // Some operation before this one, or itself, began after it had returned.
        if operation
            .returned
            .is_some_and(|returned| returned < latest_invocation)
        {
            return Some(Err(Refused::OutOfTime(latest_invocation)));
        }
        if !happens(&operation)? {
            return Some(Err(Refused::Impossible(position)));
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
    Some(match missing.next() {
        Some(position) => Err(Refused::Missing(position as usize)),
        None => Ok(()),
    })
}

/// An object with ids in place of values. It does what its model does, for operations of which the name tells enough.
enum Plain {
    /// What it holds; `None` if that is in no operation.
    Register(Option<ValueId>),
    Fifo(VecDeque<ValueId>),
    Lifo(Vec<ValueId>),
    Priority(BinaryHeap<Reverse<ValueId>>),
}

impl Plain {
    fn new<M: Model>(model: &M, history: &History) -> Option<Self> {
        Some(match model.discipline()? {
            Discipline::Register(initial) => Self::Register(history.values().find(&initial)),
            Discipline::Fifo => Self::Fifo(VecDeque::new()),
            Discipline::Lifo => Self::Lifo(Vec::new()),
            Discipline::Priority => Self::Priority(BinaryHeap::new()),
        })
    }

    /// Whether an operation can come next; `None` if this does not know.
    #[inline]
    fn advance(&mut self, act: Act, value: ValueId) -> Option<bool> {
        let taken = match (self, act) {
            (Self::Register(held), Act::Read) => return Some(*held == Some(value)),
            (Self::Register(held), Act::Write) => {
                *held = Some(value);
                return Some(true);
            }
            (Self::Fifo(elements), Act::Put) => {
                elements.push_back(value);
                return Some(true);
            }
            (Self::Lifo(elements), Act::Put) => {
                elements.push(value);
                return Some(true);
            }
            (Self::Priority(elements), Act::Put) => {
                // Only ids of integers are in the order of their values.
                elements.push(Reverse(
                    Some(value).filter(|value| value.is_small_integer())?,
                ));
                return Some(true);
            }
            (Self::Fifo(elements), _) => elements.pop_front(),
            (Self::Lifo(elements), _) => elements.pop(),
            (Self::Priority(elements), _) => elements.pop().map(|Reverse(element)| element),
            (Self::Register(_), _) => return None,
        };
        match act {
            Act::Take => Some(taken == Some(value)),
            Act::TakeSome => Some(taken.is_some()),
            Act::TakeNone => Some(taken.is_none()),
            _ => None,
        }
    }
}

/// The place of an operation among these, which are sorted, looked for around another place first.
#[inline]
fn find(marks: &[Mark], position: usize, near: usize) -> Option<usize> {
    const NEAR: usize = 16;
    let is_it = |place: &usize| marks[*place].invoked as usize == position;
    let at = marks.get(near)?.invoked as usize;
    let around = if at <= position {
        (near..marks.len()).take(NEAR).find(is_it)
    } else {
        (near.saturating_sub(NEAR)..near).rev().find(is_it)
    };
    let search = || marks.binary_search_by_key(&position, |mark| mark.invoked as usize);
    around.or_else(|| search().ok())
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
