//! A history as a model sees it: split by key, every operation with its meaning.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use super::monitor::{Act, Deeds, Mark, NEVER};
use super::numbers::Numbers;
use crate::check::CheckError;
use crate::model::{Call, Calls, Deed, Discipline, Misfit, Model, Recorded, Verb};

/// A history split by key.
#[derive(Debug)]
pub(super) struct Split {
    /// Sorted by key.
    pub(super) partitions: Vec<Partition>,
    /// The operations, one partition after the other, each in the order of invocation. Operations that constrain
    /// nothing and change nothing are absent.
    marks: Vec<Mark>,
    /// How many client operations there are.
    pub(super) operations: u64,
}

/// The operations on one object.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    /// The key of the object; nil for a history over one.
    pub(super) key: Value,
    marks: Range<usize>,
    /// How many values there are, if a monitor may judge it: they have the numbers from 0.
    values: usize,
}

impl Split {
    /// The operations of a partition.
    pub(super) fn marks(&self, partition: &Partition) -> &[Mark] {
        &self.marks[partition.marks.clone()]
    }

    /// How many operations there are that constrain or change something.
    pub(super) fn marks_len(&self) -> usize {
        self.marks.len()
    }

    /// All operations of a partition for a monitor.
    pub(super) fn deeds(&self, partition: &Partition) -> Deeds<'_> {
        Deeds {
            marks: self.marks(partition),
            values: partition.values,
            end: NEVER,
        }
    }
}

/// Splits a history by the key of its events.
pub(super) fn split<M: Model>(model: &M, history: &History) -> Result<Split, CheckError> {
    let mut reader = Reader::new(model, history);
    let Read {
        mut marks,
        ranges,
        keys,
        operations,
    } = match reader.one_object(history)? {
        Some(read) => read,
        None => reader.objects(history)?,
    };
    let counts = match &model.discipline() {
        Some(Discipline::Register(initial)) => {
            let initial = reader.numbers.number(initial);
            reader.numbers.pack(&mut marks, &ranges, Some(initial))
        }
        Some(Discipline::Fifo | Discipline::Lifo) => reader.numbers.pack(&mut marks, &ranges, None),
        Some(Discipline::Priority) => reader.numbers.rank(&mut marks, &ranges),
        None => vec![0; ranges.len()],
    };
    let mut partitions: Vec<_> = keys
        .iter()
        .zip(ranges.into_iter().zip(counts))
        .map(|(key, (marks, values))| Partition {
            key: history.value(*key),
            marks,
            values,
        })
        .collect();
    partitions.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(Split {
        partitions,
        marks,
        operations,
    })
}

/// The operations of a history, object by object.
struct Read {
    marks: Vec<Mark>,
    /// Where those of each object are.
    ranges: Vec<Range<usize>>,
    /// The objects.
    keys: Vec<ValueId>,
    operations: u64,
}

/// The keys in the order in which they come up.
struct Keys {
    ids: Vec<ValueId>,
    places: FxHashMap<ValueId, u32>,
    /// Some keys with their places, by the last bits of their numbers: those of which there are few are found here.
    near: Vec<(ValueId, u32)>,
}

impl Keys {
    const NEAR: usize = 1024;

    fn new() -> Self {
        Self {
            ids: Vec::new(),
            places: FxHashMap::default(),
            near: vec![(ValueId::NIL, NEVER); Self::NEAR],
        }
    }

    #[inline]
    fn place(&mut self, key: ValueId) -> u32 {
        let near = &mut self.near[key.number() as usize % Self::NEAR];
        if near.0 != key || near.1 == NEVER {
            let place = *self.places.entry(key).or_insert_with(|| {
                self.ids.push(key);
                position_of(self.ids.len() - 1)
            });
            *near = (key, place);
        }
        near.1
    }
}

/// Reads what the operations of a history do.
struct Reader<'a, M: Model> {
    meanings: Meanings<'a, M>,
    verbs: Verbs,
    numbers: Numbers<'a>,
}

impl<'a, M: Model> Reader<'a, M> {
    fn new(model: &'a M, history: &'a History) -> Self {
        Self {
            meanings: Meanings::new(model, history),
            verbs: Verbs::new(model, history),
            numbers: Numbers::new(history),
        }
    }

    /// The operations, if all are on one object.
    fn one_object(&mut self, history: &History) -> Result<Option<Read>, CheckError> {
        let mut marks = Vec::with_capacity(history.len() / 2);
        let mut key = None;
        let mut operations = 0;
        for invoked in history.invocations() {
            let Some(operation) = history.operation(invoked) else {
                continue;
            };
            if *key.get_or_insert(operation.key) != operation.key {
                return Ok(None);
            }
            operations += 1;
            match self.plain(&operation) {
                Some(mark) => marks.push(mark),
                None => marks.extend(self.interpreted(invoked)?),
            }
        }
        let keys = Vec::from_iter(key);
        let all = 0..marks.len();
        Ok(Some(Read {
            ranges: keys.iter().map(|_| all.clone()).collect(),
            marks,
            keys,
            operations,
        }))
    }

    /// The operations.
    fn objects(&mut self, history: &History) -> Result<Read, CheckError> {
        let mut keys = Keys::new();
        let mut ends: Vec<usize> = Vec::new();
        let mut operations = 0;
        for invoked in history.invocations() {
            let place = keys.place(history.events()[invoked].key) as usize;
            if place == ends.len() {
                ends.push(0);
            }
            ends[place] += 1;
            operations += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let starts = ends.clone();
        let mut marks = vec![Mark::NOTHING; sum];
        for invoked in history.invocations() {
            let Some(operation) = history.operation(invoked) else {
                continue;
            };
            let mark = match self.plain(&operation) {
                Some(mark) => Some(mark),
                None => self.interpreted(invoked)?,
            };
            if let Some(mark) = mark {
                let end = &mut ends[keys.place(operation.key) as usize];
                marks[*end] = mark;
                *end += 1;
            }
        }
        let ranges = starts.into_iter().zip(ends).map(|(start, end)| start..end);
        Ok(Read {
            marks,
            ranges: ranges.collect(),
            keys: keys.ids,
            operations,
        })
    }

    /// What an operation does, if its name tells.
    #[inline(always)]
    fn plain(&self, operation: &Operation) -> Option<Mark> {
        let (act, value) = self.verbs.plain(operation)?;
        let is_of_nothing = value.is_nil() && matches!(act, Act::TakeNone | Act::TakeSome);
        let value = if is_of_nothing { NEVER } else { value.number() };
        Some(at(operation, Mark::new(act, value)))
    }

    /// What the operation invoked at a position does to the model; `None` if it constrains nothing and changes nothing.
    #[inline(never)]
    fn interpreted(&mut self, invoked: usize) -> Result<Option<Mark>, CheckError> {
        let Meanings { model, history, .. } = self.meanings;
        let Some(operation) = history.operation(invoked) else {
            return Ok(None);
        };
        let op = self.meanings.of(&operation).map_err(|misfit| {
            CheckError::misfit((M::NAME, M::OPERATIONS), history, &operation, misfit)
        })?;
        Ok(op.map(|op| mark(&operation, model.deed(&op), &mut self.numbers)))
    }
}

/// What operations mean to a model. Those that come again are interpreted once.
pub(super) struct Meanings<'a, M: Model> {
    model: &'a M,
    history: &'a History,
    places: FxHashMap<(usize, Outcome, ValueId, ValueId), usize>,
    ops: Vec<Option<M::Op>>,
}

/// What an operation means.
enum Meaning<Op> {
    /// What stands at this place among those that were met before.
    Known(usize),
    /// Hardly any comes again.
    New(Option<Op>),
}

impl<'a, M: Model> Meanings<'a, M> {
    /// Where there are more than this, hardly any comes again.
    const OPS_MAX: usize = 1024;

    pub(super) fn new(model: &'a M, history: &'a History) -> Self {
        Self {
            model,
            history,
            places: FxHashMap::default(),
            ops: Vec::new(),
        }
    }

    /// See [`interpret`].
    #[inline]
    pub(super) fn of(&mut self, operation: &Operation) -> Result<Option<M::Op>, Misfit> {
        Ok(match self.find(operation)? {
            Meaning::Known(place) => self.ops[place].clone(),
            Meaning::New(op) => op,
        })
    }

    #[inline]
    fn find(&mut self, operation: &Operation) -> Result<Meaning<M::Op>, Misfit> {
        let Self { model, history, .. } = *self;
        if self.ops.len() >= Self::OPS_MAX {
            return Ok(Meaning::New(interpret(model, history, operation)?));
        }
        let Operation {
            function,
            outcome,
            input,
            output,
            ..
        } = *operation;
        let key = (function.number(), outcome, input, output);
        if let Some(place) = self.places.get(&key) {
            return Ok(Meaning::Known(*place));
        }
        let op = interpret(model, history, operation)?;
        let place = self.ops.len();
        self.places.insert(key, place);
        self.ops.push(op);
        Ok(Meaning::Known(place))
    }
}

/// What operations do of which the name tells enough.
#[derive(Debug)]
pub(super) struct Verbs {
    /// By the number of a name and by outcome. A table, for no processor can predict which operation comes next.
    plans: Vec<[Option<Plan>; Outcome::COUNT]>,
}

/// What an operation of some name with some outcome does.
#[derive(Clone, Copy, Debug)]
struct Plan {
    act: Act,
    /// Whether it is about what it returned, or about its argument.
    is_of_output: bool,
    /// What it does if that is nil; nothing if the name does not tell.
    of_nil: Option<Act>,
}

impl Plan {
    fn new(verb: Verb, outcome: Outcome) -> Option<Self> {
        let (act, is_of_output, of_nil) = match (verb, outcome) {
            (Verb::Read, Outcome::Ok) => (Act::Read, true, Some(Act::Read)),
            (Verb::ReadUnlessNil, Outcome::Ok) => (Act::Read, true, None),
            (Verb::Write, Outcome::Ok | Outcome::Info) => (Act::Write, false, Some(Act::Write)),
            (Verb::Put, Outcome::Ok | Outcome::Info) => (Act::Put, false, None),
            (Verb::Take, Outcome::Ok) => (Act::Take, true, Some(Act::TakeNone)),
            (Verb::Take, Outcome::Info) => (Act::TakeSome, true, Some(Act::TakeSome)),
            _ => return None,
        };
        Some(Self {
            act,
            is_of_output,
            of_nil,
        })
    }
}

impl Verbs {
    pub(super) fn new<M: Model>(model: &M, history: &History) -> Self {
        let names = history.functions().iter();
        let plans = names.map(|name| {
            let verb = model.verb(name);
            Outcome::ALL.map(|outcome| Plan::new(verb?, outcome))
        });
        Self {
            plans: plans.collect(),
        }
    }

    /// What an operation does, and to which value if to any, if that needs no model.
    #[inline(always)]
    pub(super) fn plain(&self, operation: &Operation) -> Option<(Act, ValueId)> {
        let Operation { input, output, .. } = *operation;
        let plan = self.plans[operation.function.number()][operation.outcome as usize]?;
        let value = if plan.is_of_output { output } else { input };
        let act = if value.is_nil() {
            plan.of_nil?
        } else {
            plan.act
        };
        Some((act, value))
    }
}

fn mark(operation: &Operation, deed: Deed<'_>, numbers: &mut Numbers<'_>) -> Mark {
    let mut about = |act, value| Mark::new(act, numbers.number(value));
    let mark = match deed {
        Deed::Read(value) => about(Act::Read, value),
        Deed::Write(value) => about(Act::Write, value),
        Deed::Put(element) => about(Act::Put, element),
        Deed::Take(element) => about(Act::Take, element),
        Deed::Cas(found, stored) => Mark::cas(numbers.number(found), numbers.number(stored)),
        Deed::TakeSome => Mark::new(Act::TakeSome, NEVER),
        Deed::TakeNone => Mark::new(Act::TakeNone, NEVER),
        Deed::Other => Mark::NOTHING,
    };
    at(operation, mark)
}

/// A mark of this operation.
#[inline]
fn at(operation: &Operation, mark: Mark) -> Mark {
    let returned = operation.returned.map_or(NEVER, position_of);
    mark.between(position_of(operation.invoked), returned)
}

/// A position in a history, in half the bytes.
pub(super) fn position_of(position: usize) -> u32 {
    u32::try_from(position).expect("histories are bounded so")
}

/// What an operation means to a model; `None` if it constrains nothing and changes nothing.
fn interpret<M: Model>(
    model: &M,
    history: &History,
    operation: &Operation,
) -> Result<Option<M::Op>, Misfit> {
    let known = operation.outcome != Outcome::Info;
    let recorded = Recorded {
        function: history.function(operation.function),
        input: history.value(operation.input),
        output: known.then(|| history.value(operation.output)),
    };
    match operation.outcome {
        Outcome::Ok | Outcome::Info => model.operation(&recorded),
        Outcome::Fail => model.failed(&recorded),
    }
}

/// An operation, by the position of its invocation, as the search needs it.
fn call(operation: &Operation) -> Call {
    let is_required = operation.outcome != Outcome::Info;
    Call::new(operation.invoked, operation.returned, is_required)
}

/// Operations, by the positions of their invocations, as the search needs them.
pub(super) fn calls<M: Model>(
    model: &M,
    history: &History,
    positions: impl ExactSizeIterator<Item = usize>,
) -> Calls<M::Op> {
    let mut meanings = Meanings::new(model, history);
    // By place among the meanings: that among the operations of calls.
    let mut places: Vec<Option<u32>> = Vec::new();
    let mut calls = Calls::default().with(Vec::with_capacity(positions.len()));
    for operation in positions.filter_map(|position| history.operation(position)) {
        let op = match meanings.find(&operation) {
            Ok(Meaning::Known(place)) => {
                if place == places.len() {
                    let op = meanings.ops[place].clone();
                    places.push(op.map(|op| calls.add_op(op)));
                }
                places[place]
            }
            Ok(Meaning::New(op)) => op.map(|op| calls.add_op(op)),
            Err(_) => None,
        };
        if let Some(op) = op {
            calls.push(op, call(&operation));
        }
    }
    calls
}

/// The same call, still in flight when the history ends: it may have taken effect or not, and nobody knows what it
/// returned; and what it does then. `None` if nothing is left of it.
pub(super) fn unreturned<M: Model>(
    model: &M,
    history: &History,
    of: &Call,
) -> Option<(M::Op, Call)> {
    let operation = history
        .operation(of.invoked())
        .filter(|operation| operation.outcome != Outcome::Fail)?;
    let operation = Operation {
        outcome: Outcome::Info,
        returned: None,
        ..operation
    };
    let op = interpret(model, history, &operation).ok()??;
    Some((op, call(&operation)))
}

/// The calls that began before a position of the history, as they were known then: those that had not returned by then
/// are crashed.
pub(super) fn known_at<M: Model>(
    model: &M,
    history: &History,
    calls: &Calls<M::Op>,
    end: usize,
) -> Calls<M::Op> {
    let mut known = calls.with(Vec::new());
    let begun = calls.as_slice().iter();
    for call in begun.take_while(|call| call.invoked() < end) {
        if call.returned().is_none_or(|returned| returned < end) {
            known.push(call.op, *call);
        } else if let Some((op, call)) = unreturned(model, history, call) {
            let op = known.add_op(op);
            known.push(op, call);
        }
    }
    known
}
