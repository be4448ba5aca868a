//! Trying every order one after the other: slow, and short enough to be believed.
//!
//! Confirms minimal cores, and is what the search is tested against.

use crate::model::{Calls, Model};

/// What trying every order came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// This order is legal: positions of invocations.
    Order(Vec<usize>),
    /// None is.
    None,
    /// There were more than the allowed number of steps to try.
    TooMany,
}

/// Tries every order of the required calls, with every subset of the others.
pub(super) fn try_every_order<M: Model>(
    model: &M,
    calls: &Calls<M::Op>,
    steps_max: usize,
) -> Tried {
    let mut trial = Trial {
        model,
        calls,
        placed: vec![false; calls.len()],
        order: Vec::new(),
        steps_left: steps_max,
    };
    match trial.go_on(&model.initial()) {
        Some(true) => Tried::Order(trial.order),
        Some(false) => Tried::None,
        None => Tried::TooMany,
    }
}

struct Trial<'a, M: Model> {
    model: &'a M,
    calls: &'a Calls<M::Op>,
    placed: Vec<bool>,
    order: Vec<usize>,
    steps_left: usize,
}

impl<M: Model> Trial<'_, M> {
    /// Whether the order so far can be completed; `None` when there are too many steps to tell.
    fn go_on(&mut self, state: &M::State) -> Option<bool> {
        let waiting = |trial: &Self| -> Vec<usize> {
            let calls = 0..trial.calls.len();
            calls.filter(|call| !trial.placed[*call]).collect()
        };
        let waiting = waiting(self);
        let calls = self.calls.as_slice();
        let Some(deadline) = waiting
            .iter()
            .filter(|call| calls[**call].required)
            .filter_map(|call| calls[*call].returned())
            .min()
        else {
            return Some(true);
        };
        for call in waiting {
            // Whoever began after another returned cannot come before it.
            let returned = calls[call].returned().unwrap_or(usize::MAX);
            let too_late = self.order.iter().any(|placed| returned < *placed);
            if calls[call].invoked() > deadline || too_late {
                continue;
            }
            self.steps_left = self.steps_left.checked_sub(1)?;
            let Some(after) = self.model.step(state, self.calls.op(&calls[call])) else {
                continue;
            };
            self.placed[call] = true;
            self.order.push(calls[call].invoked());
            if self.go_on(&after)? {
                return Some(true);
            }
            self.order.pop();
            self.placed[call] = false;
        }
        Some(false)
    }
}
