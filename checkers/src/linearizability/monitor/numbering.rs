//! Dense numbers for values, so that what is known of each stands in an array; and orders by position.

use rustc_hash::FxHashMap;

/// Numbers from 0 for the values of some operations.
#[derive(Debug)]
pub(super) enum Numbering {
    /// The values lie close together: each less the least.
    Shifted { least: u32, len: usize },
    /// They do not.
    Table(FxHashMap<u32, u32>),
}

impl Numbering {
    /// How much larger than the number of values an array may be.
    const SPREAD_MAX: usize = 4;

    pub(super) fn new(values: impl Iterator<Item = u32> + Clone) -> Self {
        let (mut least, mut greatest, mut count) = (u32::MAX, 0, 0_usize);
        for value in values.clone() {
            least = least.min(value);
            greatest = greatest.max(value);
            count += 1;
        }
        let len = (greatest.saturating_sub(least) as usize) + 1;
        if len <= Self::SPREAD_MAX * count + 64 {
            return Self::Shifted { least, len };
        }
        let mut table = FxHashMap::default();
        for value in values {
            let next = u32::try_from(table.len()).expect("fewer values than events");
            table.entry(value).or_insert(next);
        }
        Self::Table(table)
    }

    /// The length of an array that has a place for every value.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Shifted { len, .. } => *len,
            Self::Table(table) => table.len(),
        }
    }

    /// The number of one of the values.
    pub(super) fn of(&self, value: u32) -> usize {
        match self {
            Self::Shifted { least, .. } => (value - least) as usize,
            Self::Table(table) => table[&value] as usize,
        }
    }

    /// The number of any value, if it is one of the values.
    pub(super) fn find(&self, value: u32) -> Option<usize> {
        match self {
            Self::Shifted { least, len } => {
                let number = value.checked_sub(*least)? as usize;
                (number < *len).then_some(number)
            }
            Self::Table(table) => table.get(&value).map(|number| *number as usize),
        }
    }
}

/// The numbers from 0 to `len - 1` in the order of their positions, of which no two are equal but those that are
/// `u32::MAX`: these come last.
pub(super) fn by_position(len: usize, position: impl Fn(usize) -> u32) -> Vec<u32> {
    const SPREAD_MAX: usize = 16;
    let number = |index: usize| u32::try_from(index).expect("fewer than events");
    let finite = (0..len).map(&position).filter(|at| *at != u32::MAX);
    let (least, greatest) = finite.fold((u32::MAX, 0), |(least, greatest), at| {
        (least.min(at), greatest.max(at))
    });
    let range = greatest.saturating_sub(least) as usize + 1;
    if range > SPREAD_MAX * len + 64 {
        let mut order: Vec<_> = (0..len).map(number).collect();
        order.sort_by_key(|index| position(*index as usize));
        return order;
    }
    let mut table = vec![u32::MAX; range];
    let mut last = Vec::new();
    for index in 0..len {
        match position(index) {
            u32::MAX => last.push(number(index)),
            at => table[(at - least) as usize] = number(index),
        }
    }
    table.retain(|index| *index != u32::MAX);
    table.append(&mut last);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_values_are_numbered() {
        for values in [[7_u32, 9, 8, 7], [1, 4_000_000_000, 70_000, 1]] {
            let numbering = Numbering::new(values.into_iter());
            let numbers = values.map(|value| numbering.of(value));
            assert!(numbers.iter().all(|number| *number < numbering.len()));
            assert_eq!(numbers[0], numbers[3]);
            assert_ne!(numbers[0], numbers[1]);
            assert_ne!(numbers[1], numbers[2]);
            assert_eq!(numbering.find(values[1]), Some(numbers[1]));
            assert_eq!(numbering.find(2_000_000_000), None);
        }
    }

    #[test]
    fn both_ways_to_sort_agree() {
        let near = [5, u32::MAX, 3, 9, u32::MAX];
        assert_eq!(by_position(5, |index| near[index]), [2, 0, 3, 1, 4]);
        let far = [5_000_000, u32::MAX, 3, 9_000_000, u32::MAX];
        assert_eq!(by_position(5, |index| far[index]), [2, 0, 3, 1, 4]);
    }
}
