//! A model as an automaton over small numbers: every state and distinct operation is met once and numbered.
//!
//! Stepping a state costs a table look-up afterwards, however large the state (the memoised models of Knossos).

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::model::Model;

/// A state by its number.
pub(super) type StateId = u32;
/// A distinct operation by its number: calls of one class are interchangeable.
pub(super) type Class = u32;

/// A step that has not been tried yet, and one that cannot be taken.
const UNTRIED: u32 = u32::MAX;
const IMPOSSIBLE: u32 = u32::MAX - 1;

/// With more classes than this, the steps of a state do not have a row of their own.
const ROW_MAX: usize = 256;

/// The part of a model's state graph that a search has met.
#[derive(Clone, Debug)]
pub(super) struct Automaton<M: Model> {
    model: M,
    states: Numbered<M::State>,
    ops: Numbered<M::Op>,
    /// For each state a row of the state after each class, if there are few classes.
    rows: Vec<u32>,
    /// Otherwise the steps that were tried.
    steps: FxHashMap<(StateId, Class), u32>,
    bytes: usize,
}

impl<M: Model> Automaton<M> {
    /// The automaton with the initial state, which has the number 0.
    pub(super) fn new(model: M) -> Self {
        let mut automaton = Self {
            states: Numbered::default(),
            ops: Numbered::default(),
            rows: Vec::new(),
            steps: FxHashMap::default(),
            bytes: 0,
            model,
        };
        let initial = automaton.model.initial();
        automaton.states.number(initial);
        automaton
    }

    /// The number of an operation. All are numbered before the first step is taken.
    pub(super) fn class(&mut self, op: &M::Op) -> Class {
        self.ops.number_of(op)
    }

    /// By class: whether it leaves every state as it is.
    pub(super) fn observers(&self) -> Vec<bool> {
        let ops = self.ops.items.iter();
        ops.map(|op| self.model.observes_only(op)).collect()
    }

    /// How many states were met.
    pub(super) fn states(&self) -> usize {
        self.states.items.len()
    }

    /// How many distinct operations there are.
    pub(super) fn classes(&self) -> usize {
        self.ops.items.len()
    }

    /// The state after an operation, if it can happen.
    #[inline]
    pub(super) fn step(&mut self, state: StateId, class: Class) -> Option<StateId> {
        let classes = self.ops.items.len();
        let known = if classes <= ROW_MAX {
            let place = state as usize * classes + class as usize;
            self.rows.get(place).copied().unwrap_or(UNTRIED)
        } else {
            self.steps.get(&(state, class)).copied().unwrap_or(UNTRIED)
        };
        match known {
            UNTRIED => self.try_step(state, class),
            IMPOSSIBLE => None,
            after => Some(after),
        }
    }

    #[cold]
    fn try_step(&mut self, state: StateId, class: Class) -> Option<StateId> {
        let after = self
            .model
            .step(self.states.item(state), self.ops.item(class))
            .map(|after| {
                let known = self.states.items.len();
                let bytes = self.model.bytes(&after);
                let number = self.states.number(after);
                if self.states.items.len() > known {
                    self.bytes += 2 * bytes;
                }
                number
            });
        let classes = self.ops.items.len();
        let entry = after.unwrap_or(IMPOSSIBLE);
        if classes <= ROW_MAX {
            let len = self.states.items.len() * classes;
            if self.rows.len() < len {
                self.rows.resize(len, UNTRIED);
            }
            self.rows[state as usize * classes + class as usize] = entry;
        } else {
            self.steps.insert((state, class), entry);
        }
        after
    }

    /// All states that some operations lead to from the initial one, if there are no more than this many.
    pub(super) fn closure(&mut self, states_max: usize) -> Option<Vec<StateId>> {
        let number = |index: usize| u32::try_from(index).expect("fewer than 2^32 fit in memory");
        let mut from = 0;
        while from < self.states.items.len() {
            for class in 0..number(self.classes()) {
                self.step(number(from), class);
                if self.states.items.len() > states_max {
                    return None;
                }
            }
            from += 1;
        }
        Some((0..number(from)).collect())
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        let step = 2 * size_of::<((StateId, Class), u32)>();
        self.bytes + self.steps.len() * step + self.rows.len() * size_of::<u32>()
    }
}

/// Distinct items, numbered in the order of their arrival.
#[derive(Clone, Debug)]
struct Numbered<T> {
    items: Vec<T>,
    numbers: FxHashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            numbers: FxHashMap::default(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn number_of(&mut self, item: &T) -> u32 {
        match self.numbers.get(item) {
            Some(number) => *number,
            None => self.number(item.clone()),
        }
    }

    fn number(&mut self, item: T) -> u32 {
        if let Some(number) = self.numbers.get(&item) {
            return *number;
        }
        let number = u32::try_from(self.items.len())
            .ok()
            .filter(|number| *number < IMPOSSIBLE);
        let number = number.expect("fewer than 2^32 fit in memory");
        self.items.push(item.clone());
        self.numbers.insert(item, number);
        number
    }

    fn item(&self, number: u32) -> &T {
        &self.items[number as usize]
    }
}
