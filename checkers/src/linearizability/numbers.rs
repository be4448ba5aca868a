//! Numbers of values: dense ones for each object, so that what is known of a value stands in an array.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tribunal_histories::{History, Value};

use super::monitor::{Mark, NEVER, by_key};

/// Numbers from here on are those of small integers, in their order; see [`ValueId`](tribunal_histories::ValueId).
const INTEGERS: u32 = 1 << 31;

/// How much larger than the number of operations an array may be.
const SPREAD_MAX: usize = 8;

/// Numbers of values: those of their ids, and more for values that only occur within others.
pub(super) struct Numbers<'a> {
    history: &'a History,
    inner: Vec<Value>,
    numbers: FxHashMap<Value, u32>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        Self {
            history,
            inner: Vec::new(),
            numbers: FxHashMap::default(),
        }
    }

    /// The number of a value, which is remembered if the history has it within others only.
    pub(super) fn number(&mut self, value: &Value) -> u32 {
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

    /// How many values have numbers that are not those of small integers.
    fn others(&self) -> usize {
        self.history.values().table_len() + self.inner.len()
    }

    /// Numbers the values of the operations in each range from 0; of each the first has the number 0, if it is given.
    /// There may be gaps. How many there are with the gaps.
    pub(super) fn pack(
        &self,
        marks: &mut [Mark],
        ranges: &[Range<usize>],
        first: Option<u32>,
    ) -> Vec<usize> {
        if ranges.len() == 1
            && let Some(count) = shift(marks, first)
        {
            return vec![count];
        }
        let mut packed = Packed::new(self.others(), marks, first);
        let pack = |range: &Range<usize>| {
            packed.begin();
            if let Some(first) = first {
                packed.number(first);
            }
            for mark in &mut marks[range.clone()] {
                for value in mark.values_mut() {
                    *value = packed.number(*value);
                }
            }
            packed.count()
        };
        ranges.iter().map(pack).collect()
    }

    /// Numbers the values of the operations in each range from 0 in ascending order; there may be gaps. How many there
    /// are with the gaps.
    pub(super) fn rank(&self, marks: &mut [Mark], ranges: &[Range<usize>]) -> Vec<usize> {
        let rank = |range: &Range<usize>| self.rank_all(&mut marks[range.clone()]);
        ranges.iter().map(rank).collect()
    }

    fn rank_all(&self, marks: &mut [Mark]) -> usize {
        let values = marks.iter().map(|mark| mark.value);
        let values = values.filter(|value| *value != NEVER);
        let (least, greatest) = values.clone().fold((NEVER, 0), |(least, greatest), value| {
            (least.min(value), greatest.max(value))
        });
        let span = greatest.saturating_sub(least) as usize + 1;
        if least >= INTEGERS && span <= SPREAD_MAX * marks.len() + 64 {
            for mark in marks.iter_mut().filter(|mark| mark.value != NEVER) {
                mark.value -= least;
            }
            return span;
        }
        // The numbers of integers are in their order already.
        let order = if least >= INTEGERS {
            by_key(marks.len(), |place| marks[place].value)
        } else {
            let mut numbers: Vec<_> = values.collect();
            numbers.sort_unstable();
            numbers.dedup();
            let valued = numbers.iter().map(|number| (self.value(*number), *number));
            let mut sorted: Vec<_> = valued.collect();
            sorted.sort_unstable();
            let sorted = (0..).zip(sorted);
            let ranks: FxHashMap<u32, u32> =
                sorted.map(|(rank, (_, number))| (number, rank)).collect();
            let rank = |number: u32| ranks.get(&number).copied().unwrap_or(NEVER);
            by_key(marks.len(), |place| rank(marks[place].value))
        };
        let mut count = 0;
        let mut last = None;
        for place in order {
            let value = &mut marks[place as usize].value;
            if *value == NEVER {
                break;
            }
            count += u32::from(last.replace(*value) != Some(*value));
            *value = count - 1;
        }
        count as usize
    }
}

/// Numbers values from 0, or from 1 if the first is given, in their order, if they are integers with few gaps. How many
/// there are with the gaps.
fn shift(marks: &mut [Mark], first: Option<u32>) -> Option<usize> {
    let stored = marks.iter().filter_map(Mark::stored);
    let values = marks.iter().map(|mark| mark.value).chain(stored);
    let values = values.filter(|value| *value != NEVER && Some(*value) != first);
    let (least, greatest) = values.fold((NEVER, 0), |(least, greatest), value| {
        (least.min(value), greatest.max(value))
    });
    let from = u32::from(first.is_some());
    let span = greatest.checked_sub(least)? as usize + 1;
    if least < INTEGERS || span > marks.len() {
        return None;
    }
    for value in marks.iter_mut().flat_map(Mark::values_mut) {
        *value = if Some(*value) == first {
            0
        } else {
            *value - least + from
        };
    }
    Some(span + from as usize)
}

/// Dense numbers, by the numbers that they stand for. Those of one range follow on those of the range before, so that
/// a look at one tells whether it is of this range.
struct Packed {
    places: Places,
    /// The first number of this range, from 1; and the next.
    begin: u32,
    next: u32,
}

enum Places {
    /// By number: first those that are not of integers, then those of integers from the least.
    Array {
        others: usize,
        least: u32,
        packed: Vec<u32>,
    },
    Table(FxHashMap<u32, u32>),
}

impl Packed {
    fn new(others: usize, marks: &[Mark], first: Option<u32>) -> Self {
        let (mut least, mut greatest) = (NEVER, INTEGERS);
        let stored = marks.iter().filter_map(Mark::stored);
        let values = marks.iter().map(|mark| mark.value).chain(stored);
        for value in values.chain(first) {
            if value >= INTEGERS && value != NEVER {
                least = least.min(value);
                greatest = greatest.max(value);
            }
        }
        let span = greatest.saturating_sub(least) as usize + 1;
        let places = if span + others <= SPREAD_MAX * marks.len() + 64 {
            Places::Array {
                others,
                least,
                packed: vec![0; others + span],
            }
        } else {
            Places::Table(FxHashMap::default())
        };
        Self {
            places,
            begin: 1,
            next: 1,
        }
    }

    /// Begins a range.
    fn begin(&mut self) {
        self.begin = self.next;
    }

    /// How many values this range has.
    fn count(&self) -> usize {
        (self.next - self.begin) as usize
    }

    #[inline]
    fn number(&mut self, number: u32) -> u32 {
        let packed = match &mut self.places {
            Places::Array {
                others,
                least,
                packed,
            } => {
                let place = if number < INTEGERS {
                    number as usize
                } else {
                    *others + (number - *least) as usize
                };
                &mut packed[place]
            }
            Places::Table(packed) => packed.entry(number).or_default(),
        };
        if *packed < self.begin {
            *packed = self.next;
            self.next += 1;
        }
        *packed - self.begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linearizability::monitor::Act;

    fn reads(values: &[u32]) -> Vec<Mark> {
        let read = |(place, value): (usize, &u32)| {
            let place = u32::try_from(place).unwrap();
            Mark::new(Act::Read, *value).between(2 * place, 2 * place + 1)
        };
        values.iter().enumerate().map(read).collect()
    }

    fn values(marks: &[Mark]) -> Vec<u32> {
        marks.iter().map(|mark| mark.value).collect()
    }

    #[test]
    fn values_near_and_far_are_numbered_from_nought_in_each_range() {
        let history = History::default();
        let numbers = Numbers::new(&history);
        for far in [INTEGERS + 9, NEVER - 1] {
            let mut marks = reads(&[far, 0, NEVER, INTEGERS + 7, far, INTEGERS + 7, far]);
            let counts = numbers.pack(&mut marks, &[0..5, 5..7], None);
            assert_eq!(values(&marks), [0, 1, NEVER, 2, 0, 0, 1]);
            assert_eq!(counts, [3, 2]);
            let mut marks = reads(&[far, 0, far]);
            let counts = numbers.pack(&mut marks, &[0..1, 1..3], Some(0));
            assert_eq!(values(&marks), [1, 0, 1]);
            assert_eq!(counts, [2, 2]);
        }
    }

    #[test]
    fn ranks_are_in_the_order_of_the_values() {
        let history = History::default();
        let numbers = Numbers::new(&history);
        for far in [INTEGERS + 9, NEVER - 1] {
            let mut marks = reads(&[far, NEVER, INTEGERS + 7, far, INTEGERS + 8]);
            numbers.rank(&mut marks, std::slice::from_ref(&(0..5)));
            let [a, none, b, c, d] = values(&marks)[..] else {
                panic!("five");
            };
            assert!(b < d && d < a && a == c && none == NEVER);
        }
        let mut marks = reads(&[INTEGERS + 1, 0]);
        assert_eq!(numbers.rank(&mut marks, std::slice::from_ref(&(0..2))), [2]);
        assert_eq!(values(&marks), [1, 0]);
    }
}
