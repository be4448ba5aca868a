//! What can happen in each state while the calls in flight are the same: it is found out once for all configurations.

use std::ops::Range;

use super::automaton::StateId;
use super::configuration::Slots;

/// A call that can take effect in a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// Its slot; none if it is crashed.
    pub(super) slot: Slots,
    /// Twice its class, and one more if it is required.
    pub(super) kind: u32,
    /// The call, or the place of its class among those of crashed calls.
    pub(super) call: u32,
    /// The state after it.
    pub(super) state: StateId,
}

/// The moves from each state that was asked for.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) all: Vec<Move>,
    /// By state: in which round they were found, and where they are.
    ranges: Vec<(u64, u32, u32)>,
    /// By state: in which round that was found, and the observers in flight that it allows.
    observed: Vec<(u64, Slots)>,
    round: u64,
}

impl Moves {
    /// Other calls are in flight now.
    pub(super) fn forget(&mut self) {
        self.round += 1;
        self.all.clear();
    }

    /// Where the moves from a state are, if they are known.
    #[inline]
    pub(super) fn from(&self, state: StateId) -> Option<Range<usize>> {
        let (round, begin, end) = *self.ranges.get(state as usize)?;
        (round == self.round).then_some(begin as usize..end as usize)
    }

    /// Remembers that the moves from a state begin here and are all that follow.
    pub(super) fn know(&mut self, state: StateId, begin: usize) -> Range<usize> {
        let number = |place: usize| u32::try_from(place).expect("fewer than 2^32 fit in memory");
        let range = begin..self.all.len();
        let state = state as usize;
        if self.ranges.len() <= state {
            self.ranges.resize(state + 1, (0, 0, 0));
        }
        self.ranges[state] = (self.round, number(range.start), number(range.end));
        range
    }

    /// The observers in flight that a state allows, if that is known.
    #[inline]
    pub(super) fn observed(&self, state: StateId) -> Option<Slots> {
        let (round, observed) = *self.observed.get(state as usize)?;
        (round == self.round).then_some(observed)
    }

    /// Remembers the observers in flight that a state allows.
    pub(super) fn know_observed(&mut self, state: StateId, observed: Slots) -> Slots {
        let state = state as usize;
        if self.observed.len() <= state {
            self.observed.resize(state + 1, (0, 0));
        }
        self.observed[state] = (self.round, observed);
        observed
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        self.all.len() * size_of::<Move>()
            + self.ranges.len() * size_of::<(u64, u32, u32)>()
            + self.observed.len() * size_of::<(u64, Slots)>()
    }
}
