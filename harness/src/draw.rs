//! Seeded randomness: every decision is a function of (seed, domain, a, b, counter) and of nothing else.
//!
//! There is no generator that everybody shares. Whoever decides something derives a [`Draw`] of its own, keyed
//! by what the decision is about: the message number on a link, the round of a nemesis, the number of an
//! operation. So when shrinking takes one fault away, or an operation is added, the decisions of all others
//! stay as they were.
//!
//! The mixing is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
//! 2014), written out here because a seed must mean the same run for ever: its values are pinned by a test.
//! No floating-point number takes part in a decision.

/// What a decision is about. The numbers are part of what a seed means: add new ones, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// What clients do; `a` is the number of the operation.
    Generator = 1,
    /// Faults; `a` is the family of faults, `b` its round.
    Nemesis = 2,
    /// The subset and rates that a seed of the swarm draws for itself.
    Swarm = 3,
    /// Messages; `a` is the link, `b` the number of the message on it.
    Link = 4,
    /// The durations of timers; `a` is the node, `b` the number of the timer it sets.
    Timer = 5,
    /// What a disk does; `a` is the node, `b` the number of the write, sync or crash.
    Disk = 6,
    /// The nondeterminism a node asks its driver to resolve; `a` is the node, `b` the number of the choice.
    Choice = 7,
    /// Which enabled step is taken next, where order and not latency decides; `a` is the number of the step.
    Order = 8,
    /// Where clients send their requests; `a` is the number of the operation, `b` of the attempt.
    Client = 9,
    /// What a service that nodes use may choose; `a` is the number of the request.
    Service = 10,
}

/// A source of random numbers: 8 bytes, copied freely; equal draws give equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draw {
    state: u64,
}

/// The odd constant nearest to 2⁶⁴ divided by the golden ratio: SplitMix64's increment.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser (David Stafford's "Mix13" variant of MurmurHash3's).
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Absorbs one word of a key.
const fn absorb(state: u64, word: u64) -> u64 {
    mix(state.wrapping_add(GAMMA) ^ mix(word.wrapping_add(GAMMA)))
}

impl Draw {
    /// The numbers of one decision, or of one short series of them.
    #[inline]
    pub const fn keyed(seed: u64, domain: Domain, a: u64, b: u64) -> Self {
        let state = absorb(absorb(absorb(mix(seed), domain as u64), a), b);
        Self { state }
    }

    /// A draw that is independent of this one's numbers and of every fork with another label; this one is not
    /// advanced.
    #[inline]
    #[must_use]
    pub const fn fork(&self, label: u64) -> Self {
        Self {
            state: absorb(!self.state, label),
        }
    }

    /// The next 64 bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A number from 0 to `bound - 1`, and 0 if `bound` is 0. Always takes exactly one number, so that changing
    /// a bound or a rate does not shift what is drawn after it.
    ///
    /// The bias of multiply-and-shift (Lemire, "Fast random integer generation in an interval", TOMACS 2019,
    /// without its rejection) is below `bound` / 2⁶⁴.
    #[inline]
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both possible; `low` if `high` is less.
    #[inline]
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        match high.saturating_sub(low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.next_u64(),
        }
    }

    /// True in `per_million` of a million cases.
    #[inline]
    pub const fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million as u64
    }

    /// A position in a table of `length` entries; 0 if it is empty.
    #[inline]
    pub const fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// The position of one of the weights, each as likely as it is heavy.
    ///
    /// # Panics
    /// If there is none that is not zero.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().copied().map(u64::from).sum());
        weights
            .iter()
            .position(|weight| match left.checked_sub(u64::from(*weight)) {
                Some(rest) => {
                    left = rest;
                    false
                }
                None => true,
            })
            .expect("at least one weight is not zero")
    }

    /// Puts the items in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// Some of the items, at least one: the size is uniform, then the items of it. Jepsen's
    /// `random-nonempty-subset`. Empty only if there are none.
    pub fn subset<T>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut items: Vec<T> = items.into_iter().collect();
        let size = 1 + self.index(items.len());
        self.shuffle(&mut items);
        items.truncate(size);
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded seeds mean these values for ever; if this test fails, every stored seed has lost its meaning.
    #[test]
    fn the_values_of_a_key_never_change() {
        let mut draw = Draw::keyed(42, Domain::Link, 3, 7);
        assert_eq!(
            [draw.next_u64(), draw.next_u64(), draw.next_u64()],
            [
                17_593_539_987_277_629_642,
                15_281_215_611_096_962_107,
                12_319_528_077_151_369_680
            ]
        );
        assert_eq!(draw.fork(1).next_u64(), 8_131_886_307_519_652_204);
        assert_eq!(
            Draw::keyed(0, Domain::Generator, 0, 0).next_u64(),
            10_975_081_181_373_174_977
        );
        // SplitMix64 from state 0: the published first outputs of the algorithm.
        let mut reference = Draw { state: 0 };
        assert_eq!(reference.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(reference.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..6 {
            for domain in [Domain::Generator, Domain::Nemesis, Domain::Order] {
                for a in 0..6 {
                    for b in 0..6 {
                        let mut draw = Draw::keyed(seed, domain, a, b);
                        assert!(seen.insert(draw.fork(0).next_u64()));
                        assert!(seen.insert(draw.fork(1).next_u64()));
                        assert!(seen.insert(draw.next_u64()));
                        assert!(seen.insert(draw.next_u64()));
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_are_in_range_and_about_even() {
        let mut counts = [0_u32; 10];
        for counter in 0..10_000 {
            let mut draw = Draw::keyed(1, Domain::Disk, 0, counter);
            counts[draw.index(10)] += 1;
            assert!((5..=9).contains(&draw.between(5, 9)));
            assert_eq!(draw.between(9, 9), 9);
            assert_eq!(draw.below(0), 0);
            assert!(!draw.chance(0));
            assert!(draw.chance(1_000_000));
        }
        assert!(
            counts.iter().all(|count| (900..1_100).contains(count)),
            "{counts:?}"
        );
        let mut draw = Draw::keyed(1, Domain::Disk, 1, 0);
        let hits = (0..100_000).filter(|_| draw.chance(250_000)).count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
        let _whole_range = draw.between(0, u64::MAX);
    }

    #[test]
    fn weights_are_kept() {
        let mut draw = Draw::keyed(9, Domain::Swarm, 0, 0);
        let mut counts = [0_u32; 4];
        for _ in 0..10_000 {
            counts[draw.weighted(&[1, 0, 2, 1])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((4_700..5_300).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn shuffles_reach_every_order_and_subsets_every_subset() {
        let mut orders = std::collections::BTreeSet::new();
        let mut subsets = std::collections::BTreeSet::new();
        for counter in 0..1_000 {
            let mut draw = Draw::keyed(3, Domain::Nemesis, 0, counter);
            let mut items = [1, 2, 3, 4];
            draw.shuffle(&mut items);
            orders.insert(items);
            let mut subset = draw.subset([1, 2, 3, 4]);
            subset.sort_unstable();
            subsets.insert(subset);
        }
        assert_eq!(orders.len(), 24);
        assert_eq!(subsets.len(), 15);
        assert!(
            Draw::keyed(3, Domain::Nemesis, 0, 0)
                .subset::<u8>([])
                .is_empty()
        );
    }
}
