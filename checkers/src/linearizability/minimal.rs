//! Minimal cores: the few operations on which a refutation rests. See [`Core`] for what minimal means.

use tribunal_histories::{History, Value};

use super::brute_force::{Tried, try_every_order};
use super::partition::unreturned;
use super::search::{Outcome, search};
use crate::check::{Limits, Stop};
use crate::model::{Call, Model};
use crate::verdict::Core;

/// How far each of the many searches for a core may go; beyond, the core is not known to be minimal.
const STATES_MAX: u64 = 100_000;
/// How many steps the confirmation by brute force may take.
const BRUTE_FORCE_STEPS_MAX: usize = 1_000_000;

/// Looks for the core of a partition that has no linearization.
pub(super) struct Minimizer<'a, M: Model> {
    model: &'a M,
    history: &'a History,
    limits: Limits,
    stop: Stop<'a>,
    /// Whether no search for the core met a limit.
    minimal: bool,
    /// How many configurations were looked at.
    pub(super) states: u64,
}

/// A core that has a legal order after all: one of the search and the brute force is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disagreement(pub(super) Core);

impl<'a, M: Model> Minimizer<'a, M> {
    pub(super) fn new(model: &'a M, history: &'a History, limits: Limits, stop: Stop<'a>) -> Self {
        let states_max = limits.states_max.min(STATES_MAX);
        Self {
            model,
            history,
            limits: Limits {
                states_max,
                ..limits
            },
            stop,
            minimal: true,
            states: 0,
        }
    }

    /// Where the search for an order of these calls is stuck, if it finds out.
    pub(super) fn stuck(&mut self, calls: &[Call<M::Op>]) -> Option<usize> {
        let found = search(self.model, calls, self.limits, self.stop);
        self.states += found.states;
        match found.outcome {
            Outcome::Stuck(position) => Some(position),
            Outcome::Order(_) | Outcome::GivenUp { .. } => None,
        }
    }

    /// The end of the earliest prefix that has no legal order, of calls for which the search was stuck at the return
    /// at a position.
    ///
    /// What is in flight at the end of a prefix has not returned anything yet, so that the prefix may be
    /// linearizable although the search, which knew the future, was stuck.
    pub(super) fn earliest(&mut self, calls: &[Call<M::Op>], stuck: usize) -> usize {
        let mut returns: Vec<_> = calls
            .iter()
            .filter_map(|call| call.returned.filter(|returned| *returned >= stuck))
            .collect();
        returns.sort_unstable();
        let last = returns.pop().unwrap_or(stuck);
        let earliest = returns.partition_point(|returned| {
            let prefix = self.prefix(calls, *returned);
            !self.is_impossible(&prefix)
        });
        returns.get(earliest).copied().unwrap_or(last)
    }

    /// The core among these calls of a partition, which have no legal order by the return at a position. Calls that are
    /// not suspect, by the positions of their invocations, are free from the beginning.
    pub(super) fn core(
        &mut self,
        key: &Value,
        calls: &[Call<M::Op>],
        end: usize,
        is_suspect: impl Fn(usize) -> bool,
    ) -> Result<Core, Disagreement> {
        let calls = self.prefix(calls, end);
        let freed = calls.into_iter().map(|call| Call {
            required: call.required && is_suspect(call.invoked),
            ..call
        });
        let calls: Vec<_> = freed.collect();
        let strict = self.shrink(&calls, end);
        let core: Vec<_> = strict.iter().map(|call| calls[*call].clone()).collect();
        let tried = try_every_order(self.model, &core, BRUTE_FORCE_STEPS_MAX);
        let impossible = core.iter().find(|call| call.returned == Some(end));
        let core = Core {
            key: key.clone(),
            operations: core.iter().map(|call| call.invoked).collect(),
            impossible: impossible.map_or(end, |call| call.invoked),
            prefix: end + 1,
            minimal: self.minimal,
            confirmed: tried == Tried::None,
        };
        match tried {
            Tried::Order(_) => Err(Disagreement(core)),
            Tried::None | Tried::TooMany => Ok(core),
        }
    }

    /// The calls up to a position; what has not returned by then is crashed.
    fn prefix(&self, calls: &[Call<M::Op>], end: usize) -> Vec<Call<M::Op>> {
        calls
            .iter()
            .take_while(|call| call.invoked <= end)
            .filter_map(|call| {
                if call.returned.is_some_and(|returned| returned > end) {
                    unreturned(self.model, self.history, call)
                } else {
                    Some(call.clone())
                }
            })
            .collect()
    }

    /// The calls that cannot be set free, all the others being free: by halves, quarters and so on, as in delta
    /// debugging. Freeing only ever adds orders, so what could not be freed once never can.
    fn shrink(&mut self, calls: &[Call<M::Op>], end: usize) -> Vec<usize> {
        let returned = |call: &usize| calls[*call].returned;
        let last = (0..calls.len()).find(|call| returned(call) == Some(end));
        let mut strict: Vec<usize> = (0..calls.len())
            .filter(|call| calls[*call].required && Some(*call) != last)
            .collect();
        let mut size = strict.len().next_power_of_two();
        while size > 0 {
            let mut kept = Vec::new();
            for (index, chunk) in strict.chunks(size).enumerate() {
                let rest = strict.chunks(size).skip(index + 1).flatten();
                let without: Vec<usize> = kept.iter().chain(rest).chain(&last).copied().collect();
                if !self.is_impossible(&self.freed_but(calls, &without)) {
                    kept.extend_from_slice(chunk);
                }
            }
            strict = kept;
            size /= 2;
        }
        strict.extend(last);
        strict.sort_unstable();
        strict
    }

    /// The calls with all but some of them free.
    fn freed_but(&self, calls: &[Call<M::Op>], strict: &[usize]) -> Vec<Call<M::Op>> {
        let freed = calls.iter().enumerate().map(|(index, call)| Call {
            required: call.required && strict.contains(&index),
            ..call.clone()
        });
        freed.collect()
    }

    /// Whether the calls are known to have no legal order.
    fn is_impossible(&mut self, calls: &[Call<M::Op>]) -> bool {
        let found = search(self.model, calls, self.limits, self.stop);
        self.states += found.states;
        self.minimal &= !matches!(found.outcome, Outcome::GivenUp { .. });
        matches!(found.outcome, Outcome::Stuck(_))
    }
}
