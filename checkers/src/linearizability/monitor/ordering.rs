//! Orders by position.

/// Puts numbers in the order of their positions, by a table of all positions, as often as it is asked to.
#[derive(Debug, Default)]
pub(super) struct Positions {
    table: Vec<u32>,
}

impl Positions {
    /// The numbers from 0 to `len - 1` in the order of their positions, of which no two are equal but those that are
    /// `u32::MAX`: these come last.
    pub(super) fn sort(&mut self, len: usize, position: impl Fn(usize) -> u32) -> Vec<u32> {
        const SPREAD_MAX: usize = 16;
        let number = |index: usize| u32::try_from(index).expect("fewer than events");
        let finite = (0..len).map(&position).filter(|at| *at != u32::MAX);
        let (least, greatest) = finite.fold((u32::MAX, 0), |(least, greatest), at| {
            (least.min(at), greatest.max(at))
        });
        let range = greatest.saturating_sub(least) as usize + 1;
        if range > SPREAD_MAX * len + 64 {
            return by_key(len, position);
        }
        self.table.clear();
        self.table.resize(range, u32::MAX);
        let mut last = Vec::new();
        for index in 0..len {
            match position(index) {
                u32::MAX => last.push(number(index)),
                at => self.table[(at - least) as usize] = number(index),
            }
        }
        let mut order = Vec::with_capacity(len);
        order.extend(self.table.iter().filter(|index| **index != u32::MAX));
        order.append(&mut last);
        order
    }
}

/// The numbers from 0 to `len - 1` in the order of their keys, those of equal keys in theirs: by eleven bits of the
/// key after the other, from the lowest, as far as keys differ.
pub(in super::super) fn by_key(len: usize, key: impl Fn(usize) -> u32) -> Vec<u32> {
    const FEW: usize = 512;
    const BITS: u32 = 11;
    const DIGITS: usize = 1 << BITS;
    let number = |index: usize| u32::try_from(index).expect("fewer than events");
    let mut order: Vec<_> = (0..len).map(number).collect();
    if len < FEW {
        order.sort_by_key(|index| key(*index as usize));
        return order;
    }
    let mut sorted: Vec<(u32, u32)> = order
        .into_iter()
        .map(|index| (key(index as usize), index))
        .collect();
    let greatest = sorted.iter().map(|(key, _)| *key).max().unwrap_or(0);
    let mut other = vec![(0, 0); len];
    for pass in 0..(u32::BITS - greatest.leading_zeros()).div_ceil(BITS) {
        let digit = |key: u32| (key >> (pass * BITS)) as usize % DIGITS;
        let mut places = [0_usize; DIGITS];
        for (key, _) in &sorted {
            places[digit(*key)] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        for item in &sorted {
            let place = &mut places[digit(item.0)];
            other[*place] = *item;
            *place += 1;
        }
        std::mem::swap(&mut sorted, &mut other);
    }
    sorted.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_sort_agree() {
        let near = [5, u32::MAX, 3, 9, u32::MAX];
        let mut positions = Positions::default();
        assert_eq!(positions.sort(5, |index| near[index]), [2, 0, 3, 1, 4]);
        let far = [5_000_000, u32::MAX, 3, 9_000_000, u32::MAX];
        assert_eq!(positions.sort(5, |index| far[index]), [2, 0, 3, 1, 4]);
        assert_eq!(positions.sort(3, |index| near[index]), [2, 0, 1]);
    }

    #[test]
    fn many_keys_are_sorted_and_equal_ones_stay_in_order() {
        for modulus in [7_u32, 2_000, 3_000_000_000] {
            let key =
                |index: usize| u32::try_from(index).unwrap().wrapping_mul(2_654_435_761) % modulus;
            let mut expected: Vec<u32> = (0..5_000).collect();
            expected.sort_by_key(|index| key(*index as usize));
            assert_eq!(by_key(5_000, key), expected);
        }
    }
}
