//! Configurations: how far one way of ordering the operations has come.

use rustc_hash::FxHashMap;

use super::automaton::{Class, StateId};

/// A set of the operations in flight, each by its slot.
pub(super) type Slots = u128;

/// What distinguishes two ways of ordering all that returned so far: the state they reached and which of the other
/// operations they used up on the way.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    /// The object's state.
    pub(super) state: StateId,
    /// The operations in flight that have taken effect.
    pub(super) placed: Slots,
    /// The crashed operations that have taken effect: their classes, sorted, with repetitions.
    pub(super) crashed: Box<[Class]>,
    /// The last step of the order, in [`Paths`].
    pub(super) path: u32,
}

impl Configuration {
    /// The configuration in which nothing has happened.
    pub(super) fn initial() -> Self {
        Self {
            state: 0,
            placed: 0,
            crashed: Box::default(),
            path: Paths::ROOT,
        }
    }

    /// The crashed operations used, and one more.
    pub(super) fn crashed_and(&self, class: Class) -> Box<[Class]> {
        let place = self.crashed.partition_point(|used| *used < class);
        let (before, after) = self.crashed.split_at(place);
        [before, &[class], after].concat().into()
    }
}

/// Configurations of which none can be replaced by another.
///
/// With the same state and the same operations placed, a configuration that used fewer crashed operations can do
/// whatever one can that used more, so the latter need not be searched.
#[derive(Debug, Default)]
pub(super) struct Antichain {
    known: FxHashMap<(StateId, Slots), Vec<Box<[Class]>>>,
    len: usize,
}

impl Antichain {
    /// Whether the configuration is worth a search; if so it is remembered.
    pub(super) fn admit(&mut self, configuration: &Configuration) -> bool {
        let place = (configuration.state, configuration.placed);
        let known = self.known.entry(place).or_default();
        if known
            .iter()
            .any(|used| is_within(used, &configuration.crashed))
        {
            return false;
        }
        known.push(configuration.crashed.clone());
        self.len += 1;
        true
    }

    /// How many configurations it holds.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

/// Whether one sorted multiset is part of another.
fn is_within(part: &[Class], whole: &[Class]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|class| rest.any(|other| other == class))
}

/// The orders of all live configurations, which share their beginnings.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// The step before, and the call that took effect.
    steps: Vec<(u32, u32)>,
    /// When to forget the steps that no live configuration needs.
    sweep_at: usize,
}

impl Paths {
    /// The path before the first step.
    pub(super) const ROOT: u32 = u32::MAX;
    const SWEEP_MIN: usize = 1 << 16;

    /// The path that goes on with a call.
    pub(super) fn push(&mut self, before: u32, call: usize) -> u32 {
        let number = |n: usize| u32::try_from(n).expect("fewer than 2^32 fit in memory");
        let path = number(self.steps.len());
        self.steps.push((before, number(call)));
        path
    }

    /// The calls of a path in order.
    pub(super) fn order(&self, mut path: u32) -> Vec<usize> {
        let mut order = Vec::new();
        while path != Self::ROOT {
            let (before, call) = self.steps[path as usize];
            order.push(call as usize);
            path = before;
        }
        order.reverse();
        order
    }

    /// Forgets the steps that none of these needs, now and then.
    pub(super) fn sweep(&mut self, live: &mut [Configuration]) {
        if self.steps.len() < self.sweep_at.max(Self::SWEEP_MIN) {
            return;
        }
        let mut moved = vec![Self::ROOT; self.steps.len()];
        for configuration in &*live {
            let mut path = configuration.path;
            while path != Self::ROOT && moved[path as usize] == Self::ROOT {
                moved[path as usize] = 0;
                path = self.steps[path as usize].0;
            }
        }
        // A step comes after the one before it, so that in this order the latter has moved already.
        let mut kept: Vec<(u32, u32)> = Vec::new();
        for (path, (before, call)) in self.steps.iter().enumerate() {
            if moved[path] != Self::ROOT {
                let before = moved.get(*before as usize).copied().unwrap_or(Self::ROOT);
                moved[path] = u32::try_from(kept.len()).expect("fewer than before");
                kept.push((before, *call));
            }
        }
        for configuration in live {
            let path = configuration.path as usize;
            configuration.path = moved.get(path).copied().unwrap_or(Self::ROOT);
        }
        self.steps = kept;
        self.sweep_at = 2 * self.steps.len();
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        self.steps.len() * size_of::<(u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_crashed_operations_used_is_better() {
        let with = |crashed: &[Class]| Configuration {
            crashed: crashed.into(),
            ..Configuration::initial()
        };
        let mut antichain = Antichain::default();
        assert!(antichain.admit(&with(&[1, 2])));
        assert!(!antichain.admit(&with(&[1, 2])));
        assert!(!antichain.admit(&with(&[1, 2, 2])));
        assert!(antichain.admit(&with(&[1, 1])));
        assert!(antichain.admit(&with(&[2])));
        assert!(!antichain.admit(&with(&[2, 3])));
        assert_eq!(antichain.len(), 3);
    }

    #[test]
    fn sweeping_keeps_the_orders_of_the_living() {
        let mut paths = Paths::default();
        let mut live = vec![Configuration::initial()];
        let mut expected = Vec::new();
        for call in 0..Paths::SWEEP_MIN {
            paths.push(live[0].path, call + 1);
            live[0].path = paths.push(live[0].path, call);
            expected.push(call);
        }
        let before = paths.bytes();
        paths.sweep(&mut live);
        assert_eq!(paths.bytes(), before / 2);
        assert_eq!(paths.order(live[0].path), expected);
    }
}
