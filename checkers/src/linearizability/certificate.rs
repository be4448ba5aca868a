//! Verifying a linearization: one pass over it that knows nothing of the search that found it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tribunal_histories::{History, Operation, Outcome, ValueId};

use super::monitor::{Act, Mark, NEVER};
use super::partition::{Meanings, Verbs, position_of};
use crate::model::{Discipline, Model};

/// Why an order is not a linearization of some calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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

/// Verifies orders of the operations of a history.
#[derive(Debug)]
pub(super) struct Verifier<'a, M: Model> {
    model: &'a M,
    history: &'a History,
    verbs: Verbs,
    /// A bit by position: whether an operation is still missing in the orders in hand. None is set in between.
    missing: Vec<u64>,
}

/// The operations of an object, and an order of them, by the positions of their invocations.
pub(super) type Claim<'a> = (&'a [Mark], &'a [u32]);

/// Whether an order is a linearization.
pub(super) type Verified = Result<(), Refused>;

impl<'a, M: Model> Verifier<'a, M> {
    pub(super) fn new(model: &'a M, history: &'a History) -> Self {
        Self {
            model,
            history,
            verbs: Verbs::new(model, history),
            missing: vec![0; history.len().div_ceil(64)],
        }
    }

    /// Whether these orders are linearizations of these operations, which are about different objects: an order has
    /// every one that took effect for sure once, no other one twice, none before one that returned before it began, and
    /// is legal.
    pub(super) fn verify_all(&mut self, claims: &[Claim<'_>]) -> Vec<Verified> {
        let Self {
            model,
            history,
            verbs,
            missing,
        } = self;
        let mut verified = vec![None; claims.len()];
        if let Some(object) = Plain::new(*model, history) {
            let read = |operation: &Operation| verbs.plain(operation);
            let happens = |object: &mut Plain, (act, value)| object.advance(act, value);
            verified = walk(history, missing, claims, &object, read, happens);
        }
        let unknown = (0..claims.len()).filter(|claim| verified[*claim].is_none());
        let unknown: Vec<usize> = unknown.collect();
        let some: Vec<_> = unknown.iter().map(|claim| claims[*claim]).collect();
        let mut meanings = Meanings::new(*model, history);
        let read = |operation: &Operation| Some(meanings.of(operation).ok().flatten());
        let happens = |state: &mut M::State, op: Option<M::Op>| {
            Some(op.is_some_and(|op| model.advance(state, &op)))
        };
        let again = walk(history, missing, &some, &model.initial(), read, happens);
        for (claim, again) in unknown.into_iter().zip(again) {
            verified[claim] = again;
        }
        let known = verified.into_iter();
        known
            .map(|one| one.expect("a model knows whether an operation can happen"))
            .collect()
    }

    /// The same of one order.
    #[cfg(test)]
    pub(super) fn verify(&mut self, marks: &[Mark], order: &[u32]) -> Verified {
        self.verify_all(&[(marks, order)]).remove(0)
    }
}

/// How far an order was gone through.
struct Walker<'a, Object> {
    /// The object that the operations are about.
    key: Option<ValueId>,
    rest: &'a [u32],
    latest_invocation: u32,
    object: Object,
    /// Why it went no further.
    stopped: Option<Stopped>,
}

/// Why nobody goes on with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// It is none.
    Refused(Refused),
    /// Whether the next operation can happen is not known.
    Unknown,
}

/// Goes through orders, side by side, for those of one object are far apart in a long history; `read` says what an
/// operation does, and `happens` whether that can come next on an object. `None` of an order as soon as one of them does
/// not know.
fn walk<Object: Clone, Op>(
    history: &History,
    missing: &mut [u64],
    claims: &[Claim<'_>],
    object: &Object,
    mut read: impl FnMut(&Operation) -> Option<Op>,
    mut happens: impl FnMut(&mut Object, Op) -> Option<bool>,
) -> Vec<Option<Verified>> {
    const EVENTS_AT_ONCE: u32 = 1 << 14;
    if claims.is_empty() {
        return Vec::new();
    }
    for (marks, _) in claims {
        for mark in *marks {
            let (word, bit) = place(mark.invoked);
            missing[word] |= bit;
        }
    }
    let mut walkers: Vec<_> = claims
        .iter()
        .map(|(marks, order)| Walker {
            key: key(history, marks),
            rest: order,
            latest_invocation: 0,
            object: object.clone(),
            stopped: None,
        })
        .collect();
    let end = position_of(history.len());
    let mut until = 0;
    while until < end {
        let from = until;
        until = end.min(until.saturating_add(EVENTS_AT_ONCE));
        history.fetch(from as usize..until as usize);
        for walker in &mut walkers {
            if walker.stopped.is_none() {
                let walked = walker.advance(until, history, missing, &mut read, &mut happens);
                walker.stopped = walked.err();
            }
        }
    }
    let walked = walkers.into_iter().zip(claims);
    walked
        .map(|(walker, (marks, order))| {
            // What is left begins nowhere in the history.
            let unheard = walker
                .rest
                .first()
                .map(|at| Stopped::Refused(Refused::NotACall(*at)));
            let stopped = walker.stopped.or(unheard);
            if stopped.is_none() && marks.len() == order.len() {
                // As many as there are, each of them once, are all.
                return Some(Ok(()));
            }
            let complete = left(history, missing, marks);
            match stopped {
                None => Some(complete),
                Some(Stopped::Refused(refused)) => Some(Err(refused)),
                Some(Stopped::Unknown) => None,
            }
        })
        .collect()
}

/// Takes back what is still missing of some operations. Fails if one of them took effect for sure.
fn left(history: &History, missing: &mut [u64], marks: &[Mark]) -> Verified {
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
    left_out.map_or(Ok(()), |position| Err(Refused::Missing(position)))
}

impl<Object> Walker<'_, Object> {
    /// Takes operations of the order from those that are missing, each at its time and as the object allows, up to one
    /// that begins later than a position.
    fn advance<Op>(
        &mut self,
        until: u32,
        history: &History,
        missing: &mut [u64],
        mut read: impl FnMut(&Operation) -> Option<Op>,
        mut happens: impl FnMut(&mut Object, Op) -> Option<bool>,
    ) -> Result<(), Stopped> {
        // A processor fetches many at once if nothing is between.
        const READ: usize = 64;
        let mut some_read = Vec::with_capacity(READ);
        loop {
            let begun = self.rest.iter().take(READ);
            let begun = begun.take_while(|position| **position < until).count();
            if begun == 0 {
                return Ok(());
            }
            let (some, rest) = self.rest.split_at(begun);
            self.rest = rest;
            some_read.extend(some.iter().map(|position| {
                let operation = history.operation(*position as usize)?;
                if Some(operation.key) != self.key {
                    return None;
                }
                let returned = operation.returned.map_or(NEVER, position_of);
                Some((returned, read(&operation)))
            }));
            for (position, known) in some.iter().zip(some_read.drain(..)) {
                let (word, bit) = place(*position);
                let is_missing = missing.get(word).is_some_and(|word| word & bit != 0);
                let Some((returned, op)) = known.filter(|_| is_missing) else {
                    return Err(Stopped::Refused(Refused::NotACall(*position)));
                };
                missing[word] ^= bit;
                self.latest_invocation = self.latest_invocation.max(*position);
                // Some operation before this one, or itself, began after it had returned.
                if returned < self.latest_invocation {
                    let refused = Refused::OutOfTime(self.latest_invocation);
                    return Err(Stopped::Refused(refused));
                }
                let happens = op.and_then(|op| happens(&mut self.object, op));
                if !happens.ok_or(Stopped::Unknown)? {
                    return Err(Stopped::Refused(Refused::Impossible(*position)));
                }
            }
        }
    }
}

/// What operations on one object are about.
fn key(history: &History, marks: &[Mark]) -> Option<ValueId> {
    let first = history.operation(marks.first()?.invoked as usize);
    first.map(|operation| operation.key)
}

/// The word and the bit of a position.
fn place(position: u32) -> (usize, u64) {
    ((position / 64) as usize, 1 << (position % 64))
}

/// An object with ids in place of values. It does what its model does, for operations of which the name tells enough.
#[derive(Clone)]
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

    fn register() -> Register {
        let semantics = Semantics {
            nil_read: NilRead::Absent,
            failed_cas: FailedCas::DidNotHappen,
        };
        Register::new(&Value::Nil, semantics).unwrap()
    }

    #[test]
    fn an_order_has_no_operation_of_another_object() {
        let write = |process, kind, key: i64| {
            let process = Process::Client(process);
            EventRecord::new(process, kind, "write", key.into(), 1.into())
        };
        let records = [
            write(0, Kind::Invoke, 7),
            write(1, Kind::Invoke, 8),
            write(0, Kind::Ok, 7),
            write(1, Kind::Ok, 8),
        ];
        let history = History::from_records(records, BuildOptions::default()).unwrap();
        let model = register();
        let split = split(&model, &history).unwrap();
        let marks = [0, 1].map(|at| split.marks(&split.partitions[at]));
        let mut verifier = Verifier::new(&model, &history);
        let mut verify =
            |one: &[u32], other: &[u32]| verifier.verify_all(&[(marks[0], one), (marks[1], other)]);
        assert_eq!(verify(&[0], &[1]), [Ok(()), Ok(())]);
        let [one, other] = [0, 1].map(|at| Err(Refused::NotACall(at)));
        assert_eq!(verify(&[1], &[0]), [other, one]);
        assert_eq!(verify(&[0, 1], &[1]), [other, Ok(())]);
        assert_eq!(verify(&[0], &[]), [Ok(()), Err(Refused::Missing(1))]);
    }

    #[test]
    fn each_way_to_be_wrong_is_refused() {
        let model = register();
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
