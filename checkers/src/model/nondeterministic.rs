//! Specifications with several results or several states after an operation, and how they are judged.

use std::fmt::Debug;
use std::hash::Hash;

use tribunal_histories::Value;

use super::{Call, Misfit, Model, Recorded, Semantics, Shape};

/// A nondeterministic sequential specification: an operation may leave the object in one of several states, and nobody
/// sees at once in which. [`PowerSet`] makes a [`Model`] of it.
pub trait NondeterministicModel: Clone {
    /// The name in the registry.
    const NAME: &'static str;
    /// Other names for it.
    const ALIASES: &'static [&'static str] = &[];
    /// A paragraph for `tribunal list checkers`.
    const ABOUT: &'static str;
    /// Its operations.
    const OPERATIONS: &'static [Shape];

    /// The object's state.
    type State: Clone + Ord + Hash + Debug;
    /// An operation with its arguments and, where known, its result. Equal operations are interchangeable.
    type Op: Clone + Eq + Hash + Debug;

    /// The specification of an object that begins with this value; nil is an absent or empty object.
    ///
    /// # Errors
    /// The shape that the initial value should have.
    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str>;

    /// As [`Model::operation`].
    ///
    /// # Errors
    /// How it does not fit.
    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<Self::Op>, Misfit>;

    /// As [`Model::failed`].
    ///
    /// # Errors
    /// How it does not fit.
    fn failed(&self, _recorded: &Recorded<'_>) -> Result<Option<Self::Op>, Misfit> {
        Ok(None)
    }

    /// The states in which the object may begin.
    fn initial(&self) -> Vec<Self::State>;

    /// The states in which an operation may leave the object; none if it cannot happen in this state with its result.
    fn steps(&self, state: &Self::State, op: &Self::Op) -> Vec<Self::State>;

    /// As [`Model::part`].
    fn part<'a>(&self, _op: &'a Self::Op) -> Option<&'a Value> {
        None
    }

    /// Whether the operation leaves every state as it is, where it can happen at all.
    fn observes_only(&self, op: &Self::Op) -> bool;

    /// About how many bytes a state holds.
    fn bytes(&self, state: &Self::State) -> usize {
        size_of_val(state)
    }

    /// As [`Model::reduce`].
    fn reduce(&self, _calls: &mut Vec<Call<Self::Op>>) -> Self {
        self.clone()
    }
}

/// A nondeterministic specification as a deterministic one, whose states are the sets of states in which the object
/// can be (Rabin and Scott 1959; as Porcupine does it).
///
/// An order is legal under it exactly if for every operation some state can be chosen so that all can happen: the set
/// after an order has the states to which some choice leads, and is empty exactly if none does.
#[derive(Clone, Debug)]
pub struct PowerSet<N>(N);

impl<N: NondeterministicModel> Model for PowerSet<N> {
    const NAME: &'static str = N::NAME;
    const ALIASES: &'static [&'static str] = N::ALIASES;
    const ABOUT: &'static str = N::ABOUT;
    const OPERATIONS: &'static [Shape] = N::OPERATIONS;

    /// The states in which the object can be, in ascending order; never none.
    type State = Vec<N::State>;
    type Op = N::Op;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        N::new(initial, semantics).map(Self)
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<N::Op>, Misfit> {
        self.0.operation(recorded)
    }

    fn failed(&self, recorded: &Recorded<'_>) -> Result<Option<N::Op>, Misfit> {
        self.0.failed(recorded)
    }

    fn initial(&self) -> Self::State {
        let mut states = self.0.initial();
        states.sort_unstable();
        states.dedup();
        states
    }

    fn step(&self, states: &Self::State, op: &N::Op) -> Option<Self::State> {
        let after = states.iter().flat_map(|state| self.0.steps(state, op));
        let mut after: Vec<_> = after.collect();
        after.sort_unstable();
        after.dedup();
        (!after.is_empty()).then_some(after)
    }

    fn part<'a>(&self, op: &'a N::Op) -> Option<&'a Value> {
        self.0.part(op)
    }

    /// Never: what leaves every state as it is still tells the states apart in which it can happen.
    fn observes_only(&self, _op: &N::Op) -> bool {
        false
    }

    fn bytes(&self, states: &Self::State) -> usize {
        let each = states.iter().map(|state| self.0.bytes(state));
        size_of_val(states) + each.sum::<usize>()
    }

    /// What only tells states apart and need not happen is dropped besides: with it, there are fewer states.
    fn reduce(&self, calls: &mut Vec<Call<N::Op>>) -> Self {
        calls.retain(|call| call.required || !self.0.observes_only(&call.op));
        Self(self.0.reduce(calls))
    }
}
