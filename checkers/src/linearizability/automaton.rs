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

/// The part of a model's state graph that a search has met.
#[derive(Debug)]
pub(super) struct Automaton<M: Model> {
    model: M,
    states: Numbered<M::State>,
    ops: Numbered<M::Op>,
    steps: FxHashMap<(StateId, Class), Option<StateId>>,
    bytes: usize,
}

impl<M: Model> Automaton<M> {
    /// The automaton with the initial state, which has the number 0.
    pub(super) fn new(model: M) -> Self {
        let mut automaton = Self {
            states: Numbered::default(),
            ops: Numbered::default(),
            steps: FxHashMap::default(),
            bytes: 0,
            model,
        };
        let initial = automaton.model.initial();
        automaton.states.number(initial);
        automaton
    }

    /// The number of an operation.
    pub(super) fn class(&mut self, op: &M::Op) -> Class {
        self.ops.number(op.clone())
    }

    /// The state after an operation, if it can happen.
    pub(super) fn step(&mut self, state: StateId, class: Class) -> Option<StateId> {
        if let Some(known) = self.steps.get(&(state, class)) {
            return *known;
        }
        let after = self
            .model
            .step(self.states.item(state), self.ops.item(class))
            .map(|after| {
                self.bytes += self.model.bytes(&after);
                self.states.number(after)
            });
        self.steps.insert((state, class), after);
        after
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.steps.len() * 2 * size_of::<((StateId, Class), Option<StateId>)>()
    }
}

/// Distinct items, numbered in the order of their arrival.
#[derive(Debug)]
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
    fn number(&mut self, item: T) -> u32 {
        if let Some(number) = self.numbers.get(&item) {
            return *number;
        }
        let number = u32::try_from(self.items.len()).expect("fewer than 2^32 fit in memory");
        self.items.push(item.clone());
        self.numbers.insert(item, number);
        number
    }

    fn item(&self, number: u32) -> &T {
        &self.items[number as usize]
    }
}
