//! Minimal cores: the few operations on which a refutation rests. See [`Core`] for what minimal means.

use tribunal_histories::{History, Value};

use super::brute_force::{Tried, try_every_order};
use super::partition::known_at;
use super::search::{Outcome, search, search_from_any};
use crate::check::{Limits, Stop};
use crate::model::{Call, Calls, Model};
use crate::verdict::Core;

/// How far each of the many searches for a core may go; beyond, the core is not known to be minimal.
const STATES_MAX: u64 = 100_000;
/// The same for each call of a long history.
const STATES_PER_CALL_MAX: u64 = 50;
/// How many of the calls that returned last are tried first, whatever happened before.
const WINDOW_FIRST: usize = 64;
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

/// A prefix of the history that has no legal order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The position of its last event.
    pub(super) end: usize,
    /// Whether every shorter one is known to have a legal order.
    pub(super) is_earliest: bool,
}

/// A core that has a legal order after all: one of the search and the brute force is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disagreement(pub(super) Core);

impl<'a, M: Model> Minimizer<'a, M> {
    pub(super) fn new(model: &'a M, history: &'a History, limits: Limits, stop: Stop<'a>) -> Self {
        let states_max = STATES_MAX.max(STATES_PER_CALL_MAX * history.len() as u64 / 2);
        let states_max = limits.states_max.min(states_max);
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
    pub(super) fn stuck(&mut self, calls: &Calls<M::Op>) -> Option<usize> {
        let found = search(self.model, calls.clone(), self.limits, self.stop);
        self.states += found.states;
        match found.outcome {
            Outcome::Stuck(position) => Some(position),
            Outcome::Order(_) | Outcome::GivenUp { .. } => None,
        }
    }

    /// The earliest prefix that has no legal order, of calls for which the search was stuck at the return
    /// at a position.
    ///
    /// What is in flight at the end of a prefix has not returned anything yet, so that the prefix may be
    /// linearizable although the search, which knew the future, was stuck. And a search that is not exact may have
    /// noticed late.
    pub(super) fn earliest(
        &mut self,
        calls: &Calls<M::Op>,
        stuck: usize,
        is_exact: bool,
    ) -> Prefix {
        // Only of the search for the core it matters later whether that met a limit.
        let minimal = std::mem::replace(&mut self.minimal, true);
        let end = self.earliest_end(calls, stuck, is_exact);
        let is_earliest = std::mem::replace(&mut self.minimal, minimal);
        Prefix { end, is_earliest }
    }

    fn earliest_end(&mut self, calls: &Calls<M::Op>, stuck: usize, is_exact: bool) -> usize {
        let returns = calls.as_slice().iter().filter_map(Call::returned);
        let mut returns: Vec<_> = returns.collect();
        returns.sort_unstable();
        let Some(mut last) = returns.len().checked_sub(1) else {
            return stuck;
        };
        // There is an order up to before the one return, and none up to the other. Asked by strides.
        let mut none = 0;
        let mut ask = returns
            .partition_point(|returned| *returned < stuck)
            .min(last);
        let mut stride = 1;
        while none < last {
            if self.is_impossible(&self.prefix(calls, returns[ask])) {
                last = ask;
                if is_exact && returns[ask] == stuck {
                    break;
                }
                ask = last.saturating_sub(stride).max(none);
            } else {
                none = ask + 1;
                ask = (ask + stride).min(last);
            }
            if ask == last {
                ask = none + (last - none) / 2;
            }
            stride *= 2;
        }
        returns[last]
    }

    /// The core among these calls of a partition, which have no legal order by the end of a prefix. Calls that are not
    /// suspect, by the positions of their invocations, are free from the beginning.
    pub(super) fn core(
        &mut self,
        key: &Value,
        calls: &Calls<M::Op>,
        prefix: Prefix,
        is_suspect: impl Fn(usize) -> bool,
    ) -> Result<Core, Disagreement> {
        let Prefix { end, is_earliest } = prefix;
        let calls = self.prefix(calls, end);
        let calls = calls.map(|call| call.required_if(is_suspect(call.invoked())));
        let calls = self.narrow(calls, end);
        let strict = self.shrink(&calls, end);
        let core: Vec<_> = strict.iter().map(|call| calls.as_slice()[*call]).collect();
        let tried = try_every_order(self.model, &calls.with(core.clone()), BRUTE_FORCE_STEPS_MAX);
        let impossible = core.iter().find(|call| call.returned() == Some(end));
        let core = Core {
            key: key.clone(),
            operations: core.iter().map(Call::invoked).collect(),
            impossible: impossible.map_or(end, Call::invoked),
            prefix: end + 1,
            earliest: is_earliest,
            minimal: self.minimal,
            confirmed: tried == Tried::None,
        };
        match tried {
            Tried::Order(_) => Err(Disagreement(core)),
            Tried::None | Tried::TooMany => Ok(core),
        }
    }

    /// The calls up to a position, as they were known then.
    fn prefix(&self, calls: &Calls<M::Op>, end: usize) -> Calls<M::Op> {
        known_at(self.model, self.history, calls, end + 1)
    }

    /// The same calls, with those free that returned long before, if the others have no legal order whatever the state
    /// that those left.
    fn narrow(&mut self, calls: Calls<M::Op>, end: usize) -> Calls<M::Op> {
        const STRIDE: usize = 4;
        let mut window = WINDOW_FIRST;
        while window < calls.len() {
            if let Some(from) = self.window(&calls, window) {
                let is_within = |call: &Call| call.invoked() > from || call.returned() == Some(end);
                return calls.map(|call| call.required_if(is_within(call)));
            }
            window *= STRIDE;
        }
        calls
    }

    /// Whether so many of the calls, those that returned last, have no legal order whatever the state that the others
    /// left; if so, the position from which on calls began that are needed for that.
    fn window(&mut self, calls: &Calls<M::Op>, window: usize) -> Option<usize> {
        let returns = calls.as_slice().iter().filter_map(Call::returned);
        let mut returns: Vec<_> = returns.collect();
        let place = returns
            .len()
            .checked_sub(window)
            .filter(|place| *place > 0)?;
        let (_, from, _) = returns.select_nth_unstable(place);
        let from = *from;
        let within = calls.as_slice().iter();
        let within = within.filter(|call| call.returned().is_none_or(|returned| returned >= from));
        // What began before may have taken effect before.
        let within = within.map(|call| call.required_if(call.invoked() > from));
        let within = calls.with(within.collect());
        let found = search_from_any(self.model, within, self.limits, self.stop);
        self.states += found.states;
        matches!(found.outcome, Outcome::Stuck(_)).then_some(from)
    }

    /// The calls that cannot be set free, all the others being free: by halves, quarters and so on, as in delta
    /// debugging. Freeing only ever adds orders, so what could not be freed once never can.
    fn shrink(&mut self, calls: &Calls<M::Op>, end: usize) -> Vec<usize> {
        let list = calls.as_slice();
        let returned = |call: &usize| list[*call].returned();
        let last = (0..list.len()).find(|call| returned(call) == Some(end));
        let mut strict: Vec<usize> = (0..list.len())
            .filter(|call| list[*call].required && Some(*call) != last)
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
    fn freed_but(&self, calls: &Calls<M::Op>, strict: &[usize]) -> Calls<M::Op> {
        let numbered = calls.as_slice().iter().enumerate();
        let freed = numbered.map(|(index, call)| call.required_if(strict.contains(&index)));
        calls.with(freed.collect())
    }

    /// Whether the calls have no legal order, if that can be found out.
    pub(super) fn fails(&mut self, calls: &Calls<M::Op>) -> Option<bool> {
        let before = std::mem::replace(&mut self.minimal, true);
        let is_impossible = self.is_impossible(calls);
        let is_known = std::mem::replace(&mut self.minimal, before);
        (is_impossible || is_known).then_some(is_impossible)
    }

    /// Whether the calls are known to have no legal order.
    fn is_impossible(&mut self, calls: &Calls<M::Op>) -> bool {
        if self.window(calls, WINDOW_FIRST).is_some() {
            return true;
        }
        let found = search(self.model, calls.clone(), self.limits, self.stop);
        self.states += found.states;
        self.minimal &= !matches!(found.outcome, Outcome::GivenUp { .. });
        matches!(found.outcome, Outcome::Stuck(_))
    }
}
