//! Configurations: how far one way of ordering the operations has come.

use rustc_hash::FxHashMap;

use super::automaton::{Class, StateId};

/// A set of the operations in flight, each by its slot.
pub(super) type Slots = u128;

/// What distinguishes two ways of ordering all that returned so far: the state they reached and which of the other
/// operations they used up on the way. 32 bytes, however long the history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Configuration {
    /// The operations in flight that have taken effect.
    pub(super) placed: Slots,
    /// The object's state.
    pub(super) state: StateId,
    /// The crashed operations that have taken effect, in [`Usages`].
    pub(super) used: u32,
    /// The last step of the order, in [`Paths`](super::paths::Paths).
    pub(super) path: u32,
    /// Its entry in an [`Antichain`].
    pub(super) entry: u32,
}

/// So many comparisons of what was used count as one configuration looked at.
pub(super) const COMPARED_PER_STATE: u64 = 64;

/// Multisets of classes: the crashed operations that were used, each multiset met once and numbered.
#[derive(Debug)]
pub(super) struct Usages {
    /// Sorted, with repetitions.
    items: Vec<Box<[Class]>>,
    numbers: FxHashMap<Box<[Class]>, u32>,
    /// One more of a class.
    more: FxHashMap<(u32, Class), u32>,
}

impl Usages {
    /// The number of the empty multiset.
    pub(super) const NONE: u32 = 0;

    pub(super) fn new() -> Self {
        let none: Box<[Class]> = Box::default();
        Self {
            items: vec![none.clone()],
            numbers: [(none, Self::NONE)].into_iter().collect(),
            more: FxHashMap::default(),
        }
    }

    /// How often a class is in a multiset.
    pub(super) fn count(&self, usage: u32, class: Class) -> usize {
        let classes = &self.items[usage as usize];
        let start = classes.partition_point(|other| *other < class);
        classes[start..].partition_point(|other| *other == class)
    }

    /// How large a multiset is.
    pub(super) fn len(&self, usage: u32) -> usize {
        self.items[usage as usize].len()
    }

    /// The multiset with one more of a class.
    pub(super) fn and(&mut self, usage: u32, class: Class) -> u32 {
        if let Some(more) = self.more.get(&(usage, class)) {
            return *more;
        }
        let classes = &self.items[usage as usize];
        let place = classes.partition_point(|used| *used < class);
        let (before, after) = classes.split_at(place);
        let grown: Box<[Class]> = [before, &[class], after].concat().into();
        let new = u32::try_from(self.items.len()).expect("fewer than 2^32 fit in memory");
        let number = *self.numbers.entry(grown.clone()).or_insert(new);
        if number == new {
            self.items.push(grown);
        }
        self.more.insert((usage, class), number);
        number
    }

    /// Whether one multiset is part of another.
    pub(super) fn is_within(&self, part: u32, whole: u32) -> bool {
        if part == whole || part == Self::NONE {
            return true;
        }
        let [part, whole] = [part, whole].map(|usage| &self.items[usage as usize]);
        let mut rest = whole.iter();
        part.len() < whole.len()
            && part
                .iter()
                .all(|class| rest.find(|other| *other >= class) == Some(class))
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        let longest = self.items.last().map_or(0, |item| item.len());
        self.items.len() * (2 * longest * size_of::<Class>() + 96)
    }
}

/// Configurations of which none can be replaced by another.
///
/// With the same state and the same required operations placed, a configuration is better that used fewer of the
/// crashed ones and of those that need not happen, and in which more of those took effect that change nothing: in
/// every way that the other goes on, it can go on too. So the other need not be searched. A *beam* goes further and
/// keeps only the first configuration of those that differ in what they used; what it finds is right, but it may miss
/// what there is.
#[derive(Debug, Default)]
pub(super) struct Antichain {
    /// Places of the last entry with that hash, as of this epoch; a power of two of them.
    heads: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    epoch: u32,
    /// How many pairs were compared, ever.
    pub(super) compared: u64,
}

/// How the slots of operations in flight are compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    /// Those of operations that need not happen: fewer are better.
    pub(super) optional: Slots,
    /// Those of operations that change nothing: more are better.
    pub(super) observing: Slots,
}

impl Kinds {
    /// The slots of required operations that change something: they must be the same.
    pub(super) fn required(self, placed: Slots) -> Slots {
        placed & !self.optional & !self.observing
    }

    /// Whether what is placed in the one case uses no more of what need not happen than in the other.
    fn used_less(self, one: Slots, other: Slots) -> bool {
        one & self.optional & !other == 0
    }

    /// Whether no observer that is placed in the other case is missing in the one.
    fn has_seen_more(self, one: Slots, other: Slots) -> bool {
        other & self.observing & !one == 0
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    placed: Slots,
    state: StateId,
    used: u32,
    /// The entry before with the same hash, or [`Antichain::REPLACED`].
    next: u32,
}

impl Antichain {
    const NONE: u32 = u32::MAX;
    /// In place of the next of an entry that a later one was better than.
    const REPLACED: u32 = u32::MAX - 1;

    /// Forgets everything, but keeps the memory.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.epoch = self.epoch.wrapping_add(1);
        if self.heads.is_empty() || self.epoch == 0 {
            self.heads = vec![(u32::MAX, Self::NONE); 64];
            self.epoch = 1;
        }
    }

    fn place(&self, state: StateId, required: Slots) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        #[expect(clippy::cast_possible_truncation, reason = "a hash of both halves")]
        let (low, high) = (required as u64, (required >> 64) as u64);
        let mixed = (low ^ high.rotate_left(32) ^ (u64::from(state) << 40)).wrapping_mul(FACTOR);
        let bits = self.heads.len().trailing_zeros();
        usize::try_from((mixed ^ (mixed >> 29)).wrapping_mul(FACTOR) >> (64 - bits)).unwrap_or(0)
    }

    /// The entry of the configuration if it is worth a search. Those that it is better than are replaced by it.
    pub(super) fn admit(
        &mut self,
        configuration: &Configuration,
        kinds: Kinds,
        usages: &Usages,
        is_beam: bool,
    ) -> Option<u32> {
        let Configuration {
            placed,
            state,
            used,
            ..
        } = *configuration;
        let required = kinds.required(placed);
        if self.entries.len() * 2 >= self.heads.len() {
            self.grow(kinds);
        }
        let place = self.place(state, required);
        let (epoch, head) = self.heads[place];
        let first = if epoch == self.epoch {
            head
        } else {
            Self::NONE
        };
        let is_alike =
            |entry: &Entry| entry.state == state && kinds.required(entry.placed) == required;
        let mut at = first;
        while at != Self::NONE {
            self.compared += 1;
            let entry = &self.entries[at as usize];
            if is_alike(entry)
                && kinds.has_seen_more(entry.placed, placed)
                && (is_beam
                    || kinds.used_less(entry.placed, placed) && usages.is_within(entry.used, used))
            {
                return None;
            }
            at = entry.next;
        }
        let number = u32::try_from(self.entries.len()).unwrap_or(Self::NONE);
        self.heads[place] = (self.epoch, number);
        self.entries.push(Entry {
            placed,
            state,
            used,
            next: first,
        });
        let (mut before, mut at) = (number, first);
        while at != Self::NONE {
            let entry = self.entries[at as usize];
            if is_alike(&entry)
                && kinds.has_seen_more(placed, entry.placed)
                && kinds.used_less(placed, entry.placed)
                && usages.is_within(used, entry.used)
            {
                self.entries[before as usize].next = entry.next;
                self.entries[at as usize].next = Self::REPLACED;
            } else {
                before = at;
            }
            at = entry.next;
        }
        Some(number)
    }

    /// Whether no later entry is better than this.
    pub(super) fn is_best(&self, entry: u32) -> bool {
        self.entries[entry as usize].next != Self::REPLACED
    }

    fn grow(&mut self, kinds: Kinds) {
        self.heads = vec![(u32::MAX, Self::NONE); self.heads.len() * 4];
        self.epoch = 1;
        for at in 0..self.entries.len() {
            let Entry {
                placed,
                state,
                next,
                ..
            } = self.entries[at];
            if next == Self::REPLACED {
                continue;
            }
            let place = self.place(state, kinds.required(placed));
            let (epoch, head) = self.heads[place];
            self.entries[at].next = if epoch == self.epoch {
                head
            } else {
                Self::NONE
            };
            self.heads[place] = (self.epoch, u32::try_from(at).unwrap_or(Self::NONE));
        }
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>() + self.heads.len() * size_of::<(u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(placed: Slots, used: u32) -> Configuration {
        Configuration {
            placed,
            state: 0,
            used,
            path: 0,
            entry: 0,
        }
    }

    fn usage(usages: &mut Usages, classes: &[Class]) -> u32 {
        let more = |usage, class: &Class| usages.and(usage, *class);
        classes.iter().fold(Usages::NONE, more)
    }

    #[test]
    fn fewer_crashed_operations_used_is_better() {
        let mut usages = Usages::new();
        let mut antichain = Antichain::default();
        antichain.clear();
        let mut admit = |classes: &[Class]| {
            let used = usage(&mut usages, classes);
            let admitted =
                antichain.admit(&configuration(0, used), Kinds::default(), &usages, false);
            admitted.is_some()
        };
        assert!(admit(&[1, 2]));
        assert!(!admit(&[2, 1]));
        assert!(!admit(&[1, 2, 2]));
        assert!(admit(&[1, 1]));
        assert!(admit(&[2]));
        assert!(!admit(&[2, 3]));
        let used = usage(&mut usages, &[3, 1, 3]);
        assert_eq!(usages.count(used, 3), 2);
        assert_eq!(usages.count(used, 2), 0);
        assert_eq!(usages.len(used), 3);
    }

    #[test]
    fn fewer_optional_operations_placed_is_better_and_required_ones_are_something_else() {
        let usages = Usages::new();
        let mut antichain = Antichain::default();
        for _ in 0..3 {
            antichain.clear();
            let kinds = Kinds {
                optional: 0b1100,
                observing: 0,
            };
            let mut admit = |placed| {
                let admitted = antichain.admit(&configuration(placed, 0), kinds, &usages, false);
                admitted.is_some()
            };
            assert!(admit(0b0100));
            assert!(!admit(0b1100));
            assert!(admit(0b1000));
            assert!(admit(0b1101));
            assert!(admit(0b0000));
            assert!((1..100).all(|slot| admit(1 << (slot + 4))));
            assert!(!admit(0b1000));
        }
    }

    #[test]
    fn more_observers_placed_is_better() {
        let usages = Usages::new();
        let mut antichain = Antichain::default();
        antichain.clear();
        let kinds = Kinds {
            optional: 0,
            observing: 0b1100,
        };
        let mut admit = |placed| {
            let admitted = antichain.admit(&configuration(placed, 0), kinds, &usages, false);
            admitted.is_some()
        };
        assert!(admit(0b0101));
        assert!(!admit(0b0001));
        assert!(admit(0b1001));
        assert!(admit(0b1101));
        assert!(!admit(0b1001));
        let best = [0, 1, 2].map(|entry| antichain.is_best(entry));
        assert_eq!(best, [false, false, true]);
    }
}
