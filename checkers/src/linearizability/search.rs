//! The search for a legal order of one partition's calls.
//!
//! Just-in-time linearization (Lowe, *Testing for Linearizability*, CCPE 29(4), 2017; after Wing and Gong, JPDC 17,
//! 1993): the history is read from left to right with the set of configurations that some order of what happened so
//! far can be in. A call needs to have taken effect when it returns and not earlier, so only at a return are the
//! configurations extended, by calls in flight, until the returning call is among them. When none is left, the
//! history up to that return has no legal order. (A call that is not required may return without having taken effect:
//! then both possibilities go on.) Four observations keep the set small, each by an exchange:
//!
//! - A call that changes nothing takes effect as soon as it can: any order goes on as well with it as without.
//! - Of equal calls in flight that are both required, or both not, the one that returns first takes effect first.
//! - A crashed call, which never returns, takes effect after an equal one in flight, which will.
//! - With the same state and calls placed, fewer crashed calls used is better ([`Antichain`]).

use std::collections::BTreeMap;

use super::automaton::{Automaton, Class, StateId};
use super::configuration::{Antichain, Configuration, Paths, Slots};
use crate::check::{Limits, Stop};
use crate::model::{Call, Model};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The answer.
    pub(super) outcome: Outcome,
    /// How many configurations were looked at.
    pub(super) states: u64,
}

/// The answer of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A legal order, each call by the position of its invocation.
    Order(Vec<usize>),
    /// There is none, as the search noticed at this position, knowing what calls return later; no shorter prefix
    /// of the history is without one.
    Stuck(usize),
    /// It was given up.
    GivenUp {
        /// Why.
        why: String,
        /// The history before this position has a legal order.
        decided: usize,
    },
}

/// Looks for a legal order of these calls, which are in the order of their invocations.
pub(super) fn search<M: Model>(
    model: &M,
    calls: &[Call<M::Op>],
    limits: Limits,
    stop: Stop<'_>,
) -> Found {
    let mut calls = calls.to_vec();
    // What changes nothing and need not happen says nothing.
    calls.retain(|call| call.required || !model.observes_only(&call.op));
    let model = model.reduce(&mut calls);
    let observers: Vec<_> = calls
        .iter()
        .map(|call| model.observes_only(&call.op))
        .collect();
    let mut automaton = Automaton::new(model);
    let classes = calls
        .iter()
        .map(|call| automaton.class(&call.op))
        .collect::<Vec<_>>();
    let mut search = Search {
        slots: vec![0; calls.len()],
        automaton,
        classes,
        observers,
        calls,
        pending: Vec::new(),
        crashed: BTreeMap::new(),
        frontier: vec![Configuration::initial()],
        paths: Paths::default(),
        states: 0,
        limits,
        stop,
    };
    let outcome = search.run();
    let states = search.states;
    Found { outcome, states }
}

struct Search<'a, M: Model> {
    automaton: Automaton<M>,
    calls: Vec<Call<M::Op>>,
    /// By call.
    classes: Vec<Class>,
    /// By call: whether it changes nothing.
    observers: Vec<bool>,
    /// By call: the slot it has while it is in flight, as a set of one.
    slots: Vec<Slots>,
    /// The calls in flight that return, in the order of their returns.
    pending: Vec<usize>,
    /// The crashed calls that have begun, by class.
    crashed: BTreeMap<Class, Vec<usize>>,
    frontier: Vec<Configuration>,
    paths: Paths,
    states: u64,
    limits: Limits,
    stop: Stop<'a>,
}

/// The extension of the frontier at one return.
struct Round {
    /// The slot of the call that returns.
    slot: Slots,
    /// What is to be extended, by the number of crashed calls used, so that what dominates comes first.
    open: BTreeMap<usize, Vec<Configuration>>,
    seen: Antichain,
    /// Where the returning call has taken effect or never will.
    done: Vec<Configuration>,
    done_seen: Antichain,
}

impl Round {
    fn offer(&mut self, mut configuration: Configuration) {
        if configuration.placed & self.slot != 0 {
            configuration.placed ^= self.slot;
            self.finish(configuration);
        } else if self.seen.admit(&configuration) {
            let crashed = configuration.crashed.len();
            self.open.entry(crashed).or_default().push(configuration);
        }
    }

    fn finish(&mut self, configuration: Configuration) {
        if self.done_seen.admit(&configuration) {
            self.done.push(configuration);
        }
    }

    fn next(&mut self) -> Option<Configuration> {
        let mut fewest = self.open.first_entry()?;
        let configuration = fewest.get_mut().pop();
        if fewest.get().is_empty() {
            fewest.remove();
        }
        configuration
    }

    fn bytes(&self) -> usize {
        // Each is held by an antichain and by a list, and a crashed class is a word or two more.
        (self.seen.len() + self.done_seen.len()) * 3 * size_of::<Configuration>()
    }
}

impl<M: Model> Search<'_, M> {
    fn run(&mut self) -> Outcome {
        let mut events: Vec<_> = (0..self.calls.len())
            .flat_map(|call| {
                let Call {
                    invoked, returned, ..
                } = self.calls[call];
                [(Some(invoked), false, call), (returned, true, call)]
            })
            .filter_map(|(position, returns, call)| Some((position?, returns, call)))
            .collect();
        events.sort_unstable();
        for (position, returns, call) in events {
            let step = if returns {
                self.complete(call)
            } else {
                self.invoke(call)
            };
            if let Err(why) = step {
                return Outcome::GivenUp {
                    why,
                    decided: position,
                };
            }
            if self.frontier.is_empty() {
                return Outcome::Stuck(position);
            }
        }
        let order = self.paths.order(self.frontier[0].path);
        let position = |call: usize| self.calls[call].invoked;
        Outcome::Order(order.into_iter().map(position).collect())
    }

    fn invoke(&mut self, call: usize) -> Result<(), String> {
        if self.calls[call].returned.is_none() {
            let class = self.classes[call];
            self.crashed.entry(class).or_default().push(call);
            return Ok(());
        }
        let taken = self
            .pending
            .iter()
            .fold(0, |taken, pending| taken | self.slots[*pending]);
        let free = (!taken).trailing_zeros();
        if free == Slots::BITS {
            return Err(format!(
                "more than {free} operations are in flight at once on one object"
            ));
        }
        self.slots[call] = 1 << free;
        let deadline = |call: usize| self.calls[call].returned;
        let place = self
            .pending
            .partition_point(|other| deadline(*other) < deadline(call));
        self.pending.insert(place, call);
        if self.observers[call] {
            for configuration in &mut self.frontier {
                if self
                    .automaton
                    .step(configuration.state, self.classes[call])
                    .is_some()
                {
                    configuration.placed |= self.slots[call];
                    configuration.path = self.paths.push(configuration.path, call);
                }
            }
        }
        Ok(())
    }

    /// Extends the frontier until the call has taken effect in all of it.
    fn complete(&mut self, call: usize) -> Result<(), String> {
        let mut round = Round {
            slot: self.slots[call],
            open: BTreeMap::new(),
            seen: Antichain::default(),
            done: Vec::new(),
            done_seen: Antichain::default(),
        };
        for configuration in std::mem::take(&mut self.frontier) {
            if !self.calls[call].required && configuration.placed & round.slot == 0 {
                round.finish(configuration.clone());
            }
            round.offer(configuration);
        }
        while let Some(configuration) = round.next() {
            self.count(&round)?;
            self.extend(&configuration, &mut round);
        }
        self.pending.retain(|pending| *pending != call);
        self.frontier = round.done;
        self.paths.sweep(&mut self.frontier);
        Ok(())
    }

    /// Offers every configuration that is one step further.
    fn extend(&mut self, from: &Configuration, round: &mut Round) {
        let mut tried: Vec<(Class, bool)> = Vec::new();
        for index in 0..self.pending.len() {
            let call = self.pending[index];
            let class = self.classes[call];
            let kind = (class, self.calls[call].required);
            let placed = from.placed & self.slots[call] != 0;
            // An observer that could take effect here has done so already.
            if placed || self.observers[call] || tried.contains(&kind) {
                continue;
            }
            tried.push(kind);
            if let Some(state) = self.automaton.step(from.state, class) {
                let placed = from.placed | self.slots[call];
                let path = self.paths.push(from.path, call);
                let crashed = from.crashed.clone();
                let after = self.observe(state, placed, crashed, path);
                round.offer(after);
            }
        }
        let available: Vec<_> = self
            .crashed
            .iter()
            .filter(|(class, _)| tried.iter().all(|(tried, _)| tried != *class))
            .filter_map(|(class, calls)| {
                let used = from.crashed.iter().filter(|used| *used == class).count();
                Some((*class, *calls.get(used)?))
            })
            .collect();
        for (class, call) in available {
            if let Some(state) = self.automaton.step(from.state, class) {
                let path = self.paths.push(from.path, call);
                let after = self.observe(state, from.placed, from.crashed_and(class), path);
                round.offer(after);
            }
        }
    }

    /// The configuration with every observer in flight placed that can be.
    fn observe(
        &mut self,
        state: StateId,
        mut placed: Slots,
        crashed: Box<[Class]>,
        mut path: u32,
    ) -> Configuration {
        for call in &self.pending {
            let waits = self.observers[*call] && placed & self.slots[*call] == 0;
            if waits && self.automaton.step(state, self.classes[*call]).is_some() {
                placed |= self.slots[*call];
                path = self.paths.push(path, *call);
            }
        }
        Configuration {
            state,
            placed,
            crashed,
            path,
        }
    }

    /// Counts a configuration, and gives up beyond a limit.
    fn count(&mut self, round: &Round) -> Result<(), String> {
        const ASK_EVERY: u64 = 1024;
        if self.states >= self.limits.states_max {
            return Err(format!(
                "the search reached its limit of {} states",
                self.limits.states_max
            ));
        }
        if self.states.is_multiple_of(ASK_EVERY) {
            if (self.stop)() {
                return Err("the search was stopped".to_owned());
            }
            let held = self.automaton.bytes() + self.paths.bytes() + round.bytes();
            if held > self.limits.memory_bytes_max {
                return Err(format!(
                    "the search reached its limit of {} MiB of memory",
                    self.limits.memory_bytes_max >> 20
                ));
            }
        }
        self.states += 1;
        Ok(())
    }
}
