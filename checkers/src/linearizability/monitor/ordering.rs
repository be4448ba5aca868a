//! Orders by position.

use std::array;

/// The numbers from 0 to `len - 1` in the order of their positions, for each of several positions that each has. No two
/// positions are equal but those of one number, and those that are `u32::MAX`: these come last.
pub(super) fn by_positions<const N: usize>(
    len: usize,
    positions: impl Fn(usize) -> [u32; N],
) -> [Vec<u32>; N] {
    const SPREAD_MAX: usize = 16;
    let number = |index: usize| u32::try_from(index).expect("fewer than events");
    let finite = (0..len).flat_map(&positions).filter(|at| *at != u32::MAX);
    let (least, greatest) = finite.fold((u32::MAX, 0), |(least, greatest), at| {
        (least.min(at), greatest.max(at))
    });
    let range = greatest.saturating_sub(least) as usize + 1;
    if range > SPREAD_MAX * len + 64 || len >= 1 << (u32::BITS as usize - N) {
        return array::from_fn(|which| by_key(len, |index| positions(index)[which]));
    }
    // By position: the number, and a bit for each of its positions that this is.
    let mut table = vec![0_u32; range];
    let mut last: [Vec<u32>; N] = array::from_fn(|_| Vec::new());
    for index in 0..len {
        for (which, at) in positions(index).into_iter().enumerate() {
            match at {
                u32::MAX => last[which].push(number(index)),
                at => table[(at - least) as usize] |= number(index) << N | 1 << which,
            }
        }
    }
    // Which position comes next no processor can predict: each is written down for all, and counts for some.
    let mut orders: [Vec<u32>; N] = array::from_fn(|_| vec![0; len + 1]);
    let mut lens = [0; N];
    for entry in table {
        for (which, order) in orders.iter_mut().enumerate() {
            order[lens[which]] = entry >> N;
            lens[which] += (entry >> which & 1) as usize;
        }
    }
    for (which, order) in orders.iter_mut().enumerate() {
        order.truncate(lens[which]);
        order.append(&mut last[which]);
    }
    orders
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
        let near = [[5, 6], [u32::MAX, 7], [3, 3], [9, u32::MAX], [u32::MAX, 4]];
        let [one, other] = by_positions(5, |index| near[index]);
        assert_eq!(one, [2, 0, 3, 1, 4]);
        assert_eq!(other, [2, 4, 0, 1, 3]);
        let far = near.map(|two| two.map(|at| at.saturating_mul(1_000_000)));
        assert_eq!(by_positions(5, |index| far[index]), [one, other]);
        assert_eq!(by_positions(3, |index| [near[index][0]]), [[2, 0, 1]]);
        assert_eq!(by_positions(0, |_| [0]), [[0_u32; 0]]);
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
