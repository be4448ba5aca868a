//! Specifications with several results or several states after an operation, and how they are judged.

use std::fmt::Debug;
use std::hash::Hash;

use tribunal_histories::Value;

use super::{Calls, Misfit, Model, Recorded, Semantics, Shape};

/// A nondeterministic sequential specification: an operation may leave the object in one of several states, and nobody
/// sees at once in which. [`PowerSet`] makes a [`Model`] of it.
pub trait NondeterministicModel: Clone + Send + Sync {
    /// The name in the registry.
    const NAME: &'static str;
    /// Other names for it.
    const ALIASES: &'static [&'static str] = &[];
    /// A paragraph for `tribunal list checkers`.
    const ABOUT: &'static str;
    /// Its operations.
    const OPERATIONS: &'static [Shape];

    /// The object's state.
    type State: Clone + Ord + Hash + Debug + Send;
    /// An operation with its arguments and, where known, its result. Equal operations are interchangeable.
    type Op: Clone + Eq + Hash + Debug + Send + Sync;

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
    /// Only so many of them are asked for as are kept.
    fn steps(&self, state: &Self::State, op: &Self::Op) -> impl IntoIterator<Item = Self::State>;

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
    fn reduce(&self, _calls: &mut Calls<Self::Op>) -> Self {
        self.clone()
    }
}

/// The most states that are kept in a set, and about how many bytes.
const STATES_MAX: usize = 1 << 12;
const STATES_BYTES_MAX: usize = 1 << 24;

/// What too many states are said to hold: more than any bound on memory allows.
const TOO_MANY_BYTES: usize = 1 << 40;

/// The states in which an object can be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Possible<S> {
    /// One of these, in ascending order; never none.
    Among(Vec<S>),
    /// One of so many that they are not kept. Whatever happens then is taken to be possible; so what is impossible still
    /// is, and no order that leads here is a certificate.
    TooMany,
}

/// A nondeterministic specification as a deterministic one, whose states are the sets of states in which the object
/// can be (Rabin and Scott 1959; as Porcupine does it).
///
/// An order is legal under it exactly if for every operation some state can be chosen so that all can happen: the set
/// after an order has the states to which some choice leads, and is empty exactly if none does.
#[derive(Clone, Debug)]
pub struct PowerSet<N>(N);

impl<N: NondeterministicModel> PowerSet<N> {
    /// These states, if they are not too many.
    fn possible(&self, states: impl Iterator<Item = N::State>) -> Possible<N::State> {
        let (mut kept, mut bytes) = (Vec::new(), 0);
        for state in states {
            bytes += self.0.bytes(&state);
            kept.push(state);
            if kept.len() > STATES_MAX || bytes > STATES_BYTES_MAX {
                kept.sort_unstable();
                kept.dedup();
                bytes = kept.iter().map(|state| self.0.bytes(state)).sum();
                // Half of it must be free, or this would be done again soon.
                if kept.len() > STATES_MAX / 2 || bytes > STATES_BYTES_MAX / 2 {
                    return Possible::TooMany;
                }
            }
        }
        kept.sort_unstable();
        kept.dedup();
        Possible::Among(kept)
    }
}

impl<N: NondeterministicModel> Model for PowerSet<N> {
    const NAME: &'static str = N::NAME;
    const ALIASES: &'static [&'static str] = N::ALIASES;
    const ABOUT: &'static str = N::ABOUT;
    const OPERATIONS: &'static [Shape] = N::OPERATIONS;

    type State = Possible<N::State>;
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
        self.possible(self.0.initial().into_iter())
    }

    fn step(&self, states: &Self::State, op: &N::Op) -> Option<Self::State> {
        let Possible::Among(states) = states else {
            return Some(Possible::TooMany);
        };
        let after = states.iter().flat_map(|state| self.0.steps(state, op));
        let after = self.possible(after);
        (after != Possible::Among(Vec::new())).then_some(after)
    }

    /// Not from or to too many states: this is by what certificates are verified.
    fn advance(&self, states: &mut Self::State, op: &N::Op) -> bool {
        let after = self.step(states, op);
        let happens = after
            .as_ref()
            .is_some_and(|after| *after != Possible::TooMany);
        *states = after.unwrap_or(Possible::TooMany);
        happens
    }

    fn part<'a>(&self, op: &'a N::Op) -> Option<&'a Value> {
        self.0.part(op)
    }

    /// Never: what leaves every state as it is still tells the states apart in which it can happen.
    fn observes_only(&self, _op: &N::Op) -> bool {
        false
    }

    fn bytes(&self, states: &Self::State) -> usize {
        match states {
            Possible::Among(among) => {
                let each = among.iter().map(|state| self.0.bytes(state));
                size_of_val(states) + each.sum::<usize>()
            }
            Possible::TooMany => TOO_MANY_BYTES,
        }
    }

    /// What only tells states apart and need not happen is dropped besides: with it, there are fewer states.
    fn reduce(&self, calls: &mut Calls<N::Op>) -> Self {
        calls.retain(|op, call| call.required || !self.0.observes_only(op));
        Self(self.0.reduce(calls))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ContainerOp, NilRead, UnorderedQueue};
    use super::*;
    use crate::model::FailedCas;

    /// A pool with so many distinct elements.
    fn pool(elements: i64) -> PowerSet<UnorderedQueue> {
        let semantics = Semantics {
            nil_read: NilRead::Absent,
            failed_cas: FailedCas::DidNotHappen,
        };
        PowerSet::new(&Value::list((0..elements).map(Value::Int)), semantics).unwrap()
    }

    #[test]
    fn a_set_has_every_state_once() {
        let model = pool(4);
        let some = |states| model.step(&states, &ContainerOp::TakeSome).unwrap();
        let Possible::Among(states) = some(some(model.initial())) else {
            panic!("there are few")
        };
        assert_eq!(states.len(), 6);
        assert!(states.iter().all(|pool| pool.len() == 2));
    }

    #[test]
    fn too_many_states_allow_everything_and_certify_nothing() {
        let model = pool(100);
        let mut states = model.initial();
        assert!(model.advance(&mut states, &ContainerOp::TakeSome));
        assert!(model.bytes(&states) < TOO_MANY_BYTES);
        let after = model.step(&states, &ContainerOp::TakeSome).unwrap();
        assert_eq!(after, Possible::TooMany);
        assert_eq!(model.bytes(&after), TOO_MANY_BYTES);
        let impossible = ContainerOp::Take(Value::Int(-1));
        assert_eq!(model.step(&states, &impossible), None);
        assert_eq!(model.step(&after, &impossible), Some(Possible::TooMany));
        assert!(!model.advance(&mut states, &ContainerOp::TakeSome));
    }
}
