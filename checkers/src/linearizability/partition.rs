//! A history as a model sees it: split by key, every operation with its meaning.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tribunal_histories::{History, Operation, Outcome, Value, ValueId};

use super::monitor::{Act, Deeds, Mark, NEVER};
use crate::check::CheckError;
use crate::model::{Call, Deed, Discipline, Misfit, Model, Recorded};

/// A history split by key.
#[derive(Debug)]
pub(super) struct Split {
    /// Sorted by key.
    pub(super) partitions: Vec<Partition>,
    /// The operations, one partition after the other, each in the order of invocation. Operations that constrain
    /// nothing and change nothing are absent.
    marks: Vec<Mark>,
    /// The number of the value that every object begins with, if it is a register.
    pub(super) initial: u32,
    /// How many client operations there are.
    pub(super) operations: u64,
}

/// The operations on one object.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    /// The key of the object; nil for a history over one.
    pub(super) key: Value,
    marks: Range<usize>,
}

impl Split {
    /// The operations of a partition.
    pub(super) fn marks(&self, partition: &Partition) -> &[Mark] {
        &self.marks[partition.marks.clone()]
    }

    /// All operations of a partition for a monitor.
    pub(super) fn deeds(&self, partition: &Partition) -> Deeds<'_> {
        Deeds {
            marks: self.marks(partition),
            end: NEVER,
        }
    }
}

/// Splits a history by the key of its events.
pub(super) fn split<M: Model>(model: &M, history: &History) -> Result<Split, CheckError> {
    let mut keys = Keys::default();
    let mut counts: Vec<usize> = Vec::new();
    for operation in history.operations() {
        let place = keys.place(operation.key);
        counts.resize(keys.ids.len(), 0);
        counts[place] += 1;
    }
    let mut ends = Vec::with_capacity(counts.len());
    let mut sum = 0;
    for count in &counts {
        ends.push(sum);
        sum += count;
    }
    let mut numbers = Numbers::new(history);
    let mut marks = vec![Mark::NOTHING; sum];
    for operation in history.operations() {
        let op = interpret(model, history, &operation).map_err(|misfit| {
            CheckError::misfit((M::NAME, M::OPERATIONS), history, &operation, misfit)
        })?;
        if let Some(op) = op {
            let end = &mut ends[keys.place(operation.key)];
            marks[*end] = mark(&operation, model.deed(&op), &mut numbers);
            *end += 1;
        }
    }
    let discipline = model.discipline();
    let initial = match &discipline {
        Some(Discipline::Register(initial)) => numbers.number(initial),
        _ => NEVER,
    };
    if discipline == Some(Discipline::Priority) {
        numbers.sort(&mut marks);
    }
    let starts = ends.iter().zip(&counts).scan(0, |start, (end, count)| {
        let range = *start..*end;
        *start += count;
        Some(range)
    });
    let mut partitions: Vec<_> = keys
        .ids
        .iter()
        .zip(starts)
        .map(|(key, marks)| Partition {
            key: history.value(*key),
            marks,
        })
        .collect();
    partitions.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(Split {
        partitions,
        marks,
        initial,
        operations: sum as u64,
    })
}

/// The keys in the order in which they come up.
#[derive(Default)]
struct Keys {
    ids: Vec<ValueId>,
    places: FxHashMap<ValueId, usize>,
}

impl Keys {
    fn place(&mut self, key: ValueId) -> usize {
        // Histories over one object need no table.
        if self.ids.len() == 1 && self.ids[0] == key {
            return 0;
        }
        *self.places.entry(key).or_insert_with(|| {
            self.ids.push(key);
            self.ids.len() - 1
        })
    }
}

/// Numbers of values: those of their ids, and more for values that only occur within others.
struct Numbers<'a> {
    history: &'a History,
    inner: Vec<Value>,
    numbers: FxHashMap<Value, u32>,
}

impl<'a> Numbers<'a> {
    fn new(history: &'a History) -> Self {
        Self {
            history,
            inner: Vec::new(),
            numbers: FxHashMap::default(),
        }
    }

    fn number(&mut self, value: &Value) -> u32 {
        let values = self.history.values();
        if let Some(id) = values.find(value) {
            return id.number();
        }
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = values.table_len() + self.inner.len();
        let number = u32::try_from(number).expect("fewer values than events");
        self.inner.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }

    fn value(&self, number: u32) -> Value {
        let inner = (number as usize).checked_sub(self.history.values().table_len());
        match inner.and_then(|inner| self.inner.get(inner)) {
            Some(value) => value.clone(),
            None => self.history.values().numbered(number),
        }
    }

    /// Gives the values of the operations numbers in ascending order. Those of small integers are already.
    fn sort(&self, marks: &mut [Mark]) {
        let table_len = self.history.values().table_len() + self.inner.len();
        if marks.iter().all(|mark| mark.value as usize >= table_len) {
            return;
        }
        let mut numbers: Vec<_> = marks.iter().map(|mark| mark.value).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut sorted: Vec<_> = numbers
            .iter()
            .map(|number| self.value(*number))
            .zip(numbers.iter().copied())
            .collect();
        sorted.sort_unstable();
        let ranks: FxHashMap<u32, u32> = (0..)
            .zip(sorted)
            .map(|(rank, (_, number))| (number, rank))
            .collect();
        for mark in marks {
            mark.value = ranks[&mark.value];
        }
    }
}

fn mark(operation: &Operation, deed: Deed<'_>, numbers: &mut Numbers<'_>) -> Mark {
    let (act, value, stored) = match deed {
        Deed::Read(value) => (Act::Read, Some(value), None),
        Deed::Write(value) => (Act::Write, Some(value), None),
        Deed::Cas(found, stored) => (Act::Cas, Some(found), Some(stored)),
        Deed::Put(element) => (Act::Put, Some(element), None),
        Deed::Take(element) => (Act::Take, Some(element), None),
        Deed::TakeSome => (Act::TakeSome, None, None),
        Deed::TakeNone => (Act::TakeNone, None, None),
        Deed::Other => (Act::Other, None, None),
    };
    let position = |position: usize| u32::try_from(position).expect("histories are bounded so");
    let mut number = |value: Option<&Value>| value.map_or(NEVER, |value| numbers.number(value));
    Mark {
        invoked: position(operation.invoked),
        returned: operation.returned.map_or(NEVER, position),
        value: number(value),
        stored: number(stored),
        act,
    }
}

impl Mark {
    const NOTHING: Self = Self {
        invoked: NEVER,
        returned: NEVER,
        value: NEVER,
        stored: NEVER,
        act: Act::Other,
    };
}

/// What an operation means to a model; `None` if it constrains nothing and changes nothing.
pub(super) fn interpret<M: Model>(
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
fn call<M: Model>(model: &M, history: &History, operation: &Operation) -> Option<Call<M::Op>> {
    let op = interpret(model, history, operation).ok()??;
    Some(Call {
        op,
        invoked: operation.invoked,
        returned: operation.returned,
        required: operation.outcome != Outcome::Info,
    })
}

/// Operations, by the positions of their invocations, as the search needs them.
pub(super) fn calls<M: Model>(
    model: &M,
    history: &History,
    positions: impl Iterator<Item = usize>,
) -> Vec<Call<M::Op>> {
    let operations = positions.filter_map(|position| history.operation(position));
    operations
        .filter_map(|operation| call(model, history, &operation))
        .collect()
}

/// The same call, still in flight when the history ends: it may have taken effect or not, and nobody knows what it
/// returned. `None` if nothing is left of it.
pub(super) fn unreturned<M: Model>(
    model: &M,
    history: &History,
    of: &Call<M::Op>,
) -> Option<Call<M::Op>> {
    let operation = history
        .operation(of.invoked)
        .filter(|operation| operation.outcome != Outcome::Fail)?;
    call(
        model,
        history,
        &Operation {
            outcome: Outcome::Info,
            returned: None,
            ..operation
        },
    )
}
