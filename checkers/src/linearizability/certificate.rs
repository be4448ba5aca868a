//! Verifying a linearization: one pass over it that knows nothing of the search that found it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tribunal_histories::{History, Operation, Outcome, ValueId};

use super::monitor::{Act, Mark, NEVER};
use super::partition::{Meanings, Verbs, position_of};
use crate::model::{Discipline, Model};

/// Why an order is not a linearization of some calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "the order has an operation invoked at position {0}, which the history has not, or twice"
    )]
    NotACall(u32),
    #[error("the order lacks the operation invoked at position {0}, which took effect")]
    Missing(u32),
    #[error(
        "the order has the operation invoked at position {0} before one that had returned by then"
    )]
    OutOfTime(u32),
    #[error("the operation invoked at position {0} is not possible at its place in the order")]
    Impossible(u32),
}

/// Verifies orders of the operations of a history, object by object.
#[derive(Debug)]
pub(super) struct Verifier<'a, M: Model> {
    model: &'a M,
    history: &'a History,
    verbs: Verbs,
    /// A bit by position: whether an operation is still missing in the order in hand. None is set in between.
    missing: Vec<u64>,
}

impl<'a, M: Model> Verifier<'a, M> {
    pub(super) fn new(model: &'a M, history: &'a History) -> Self {
        Self {
            model,
            history,
            verbs: Verbs::new(model, history),
            missing: vec![0; history.len().div_ceil(64)],
        }
    }

    /// Whether an order (of positions of invocations) is a linearization of these operations: it has every one that
    /// took effect for sure once, no other one twice, none before one that returned before it began, and is legal.
    pub(super) fn verify(&mut self, marks: &[Mark], order: &[u32]) -> Result<(), Refused> {
        let Self {
            model,
            history,
            verbs,
            missing,
        } = self;
        let plain = Plain::new(*model, history).and_then(|mut object| {
            let read = |operation: &Operation| verbs.plain(operation);
            let happens = |(act, value)| object.advance(act, value);
            walk(history, missing, marks, order, read, happens)
        });
        if let Some(verified) = plain {
            return verified;
        }
        let mut meanings = Meanings::new(*model, history);
        let mut state = model.initial();
        let read = |operation: &Operation| Some(meanings.of(operation).ok().flatten());
        let happens = |op: Option<M::Op>| Some(op.is_some_and(|op| model.advance(&mut state, &op)));
        let verified = walk(history, missing, marks, order, read, happens);
        verified.unwrap_or(Ok(()))
    }
}

/// Goes through an order; `read` says what an operation does, and `happens` whether that can come next. `None` as soon
/// as one of them does not know.
fn walk<Op>(
    history: &History,
    missing: &mut [u64],
    marks: &[Mark],
    order: &[u32],
    read: impl FnMut(&Operation) -> Option<Op>,
    happens: impl FnMut(Op) -> Option<bool>,
) -> Option<Result<(), Refused>> {
    for mark in marks {
        let (word, bit) = place(mark.invoked);
        missing[word] |= bit;
    }
    let walked = steps(history, missing, order, read, happens);
    if walked == Some(Ok(())) && order.len() == marks.len() {
        return walked;
    }
    let mut left_out = None;
    for mark in marks {
        let (word, bit) = place(mark.invoked);
        if missing[word] & bit != 0 {
            missing[word] ^= bit;
            let operation = history.operation(mark.invoked as usize);
            let is_required = operation.is_some_and(|one| one.outcome != Outcome::Info);
            left_out = left_out.or(is_required.then_some(mark.invoked));
        }
    }
    let complete = || left_out.map_or(Ok(()), |position| Err(Refused::Missing(position)));
    walked.map(|walked| walked.and_then(|()| complete()))
}

/// Takes the operations of an order from those that are missing, each at its time and as the object allows.
fn steps<Op>(
    history: &History,
    missing: &mut [u64],
    order: &[u32],
    mut read: impl FnMut(&Operation) -> Option<Op>,
    mut happens: impl FnMut(Op) -> Option<bool>,
) -> Option<Result<(), Refused>> {
    // Those of one object are far apart in a long history. A processor fetches many at once if nothing is between.
    const READ: usize = 64;
    let mut some_read = Vec::with_capacity(READ);
    let mut latest_invocation = 0;
    for some in order.chunks(READ) {
        some_read.extend(some.iter().map(|position| {
            let operation = history.operation(*position as usize)?;
            let returned = operation.returned.map_or(NEVER, position_of);
            Some((returned, read(&operation)))
        }));
        for (position, known) in some.iter().zip(some_read.drain(..)) {
            let position = *position;
            let (word, bit) = place(position);
            let is_missing = missing.get(word).is_some_and(|word| word & bit != 0);
            let Some((returned, op)) = known.filter(|_| is_missing) else {
                return Some(Err(Refused::NotACall(position)));
            };
            missing[word] ^= bit;
            latest_invocation = latest_invocation.max(position);
            // Some operation before this one, or itself, began after it had returned.
            if returned < latest_invocation {
                return Some(Err(Refused::OutOfTime(latest_invocation)));
            }
            if !happens(op?)? {
                return Some(Err(Refused::Impossible(position)));
            }
        }
    }
    Some(Ok(()))
}

/// The word and the bit of a position.
fn place(position: u32) -> (usize, u64) {
    ((position / 64) as usize, 1 << (position % 64))
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
            // Whether it is a read or a write no processor can predict. After a read that fits, the same is held.
            (Self::Register(held), Act::Read | Act::Write) => {
                let fits = (act == Act::Write) | (*held == Some(value));
                *held = Some(value);
                return Some(fits);
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
        let mut verifier = Verifier::new(&model, &history);
        let mut verify = |order: &[u32]| verifier.verify(marks, order);
        assert_eq!(verify(&[0, 3, 1]), Ok(()));
        assert_eq!(verify(&[0, 3, 1, 6]), Ok(()));
        assert_eq!(verify(&[0, 3]), Err(Refused::Missing(1)));
        assert_eq!(verify(&[0, 3, 3]), Err(Refused::NotACall(3)));
        assert_eq!(verify(&[9]), Err(Refused::NotACall(9)));
        assert_eq!(verify(&[0, 1, 3]), Err(Refused::Impossible(3)));
        assert_eq!(verify(&[1, 6, 0]), Err(Refused::OutOfTime(6)));
    }
}
