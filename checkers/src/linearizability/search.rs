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
//! - With the same state and required calls placed, fewer of the others used is better, and more of those that
//!   change nothing placed ([`Antichain`]).
//!
//! What this costs depends on the calls in flight and not on those before, and so does the memory, but for the order
//! itself. Crashed calls are in flight for ever, and the sets of them that may have been used are many. So an exact
//! search is tried for a while, and then it is approached from both sides, see [`search`].

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use super::automaton::{Automaton, Class, StateId};
use super::configuration::{Antichain, Configuration, Kinds, Slots, Usages};
use super::paths::{Paths, Step};
use crate::check::{Limits, Stop};
use crate::model::{Call, Model};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The answer.
    pub(super) outcome: Outcome,
    /// How many configurations were looked at.
    pub(super) states: u64,
    /// The name of the method that decided.
    pub(super) method: &'static str,
}

/// The answer of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A legal order, each call by the position of its invocation.
    Order(Vec<usize>),
    /// There is none, as the search noticed at this position, knowing what calls return later.
    Stuck(usize),
    /// It was given up.
    GivenUp {
        /// Why.
        why: String,
        /// The history before this position has a legal order.
        decided: usize,
    },
}

/// Where the object is when the first call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// In its initial state.
    Initial,
    /// In any state that the calls can lead to at all.
    Any,
}

/// Which crashed calls are counted.
#[derive(Clone, Debug)]
enum Supply {
    /// All: each crashed call can be used once.
    Exact,
    /// All, and of configurations that differ only in what they used the first alone is kept.
    Beam,
    /// Those of these classes; of the others the supply has no end.
    Counting(BTreeSet<Class>),
}

/// The name of the exact search.
pub(super) const EXACT: &str = "search";

/// An exact search with crashed calls first looks at so many configurations, and so many more for each call.
const FIRST_STATES: u64 = 2_000;
const FIRST_STATES_PER_CALL: u64 = 4;

/// The most states from any of which a search may start.
const START_STATES_MAX: usize = 256;

/// Looks for a legal order of these calls, which are in the order of their invocations.
///
/// With crashed calls, if the exact search does not decide soon: were the supply of crashed calls without end, there
/// would be more orders, so if there is none then, there is none (from above). If there is one, and it uses no class
/// of crashed calls more often than there are such calls, it is an order. Otherwise a beam looks for an order in which
/// few crashed calls are used (from below), and then the classes that were overdrawn are counted, and so on, until the
/// two sides meet. Every class can become counted only once, and the search is exact when all are.
pub(super) fn search<M: Model>(
    model: &M,
    calls: &[Call<M::Op>],
    limits: Limits,
    stop: Stop<'_>,
) -> Found {
    Search::new(model, calls, limits, stop, Start::Initial).decide()
}

/// The same from any state: if there is no order then, there is none whatever happened before.
pub(super) fn search_from_any<M: Model>(
    model: &M,
    calls: &[Call<M::Op>],
    limits: Limits,
    stop: Stop<'_>,
) -> Found {
    Search::new(model, calls, limits, stop, Start::Any).decide()
}

/// The calls of a search, with what does not change while it goes on.
struct Search<'a, M: Model> {
    automaton: Automaton<M>,
    calls: Vec<Call<M::Op>>,
    /// By call.
    classes: Vec<Class>,
    /// By call: whether it changes nothing.
    observers: Vec<bool>,
    /// The calls that return, in the order of their returns.
    returns: Vec<u32>,
    start: Vec<StateId>,
    /// The crashed classes of which the last order used more than there are.
    overdrawn: BTreeSet<Class>,
    states: u64,
    limits: Limits,
    stop: Stop<'a>,
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 fit in memory")
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &M, calls: &[Call<M::Op>], limits: Limits, stop: Stop<'a>, start: Start) -> Self {
        // What changes nothing and need not happen says nothing.
        let says_nothing = |call: &&Call<M::Op>| call.required || !model.observes_only(&call.op);
        let mut calls: Vec<_> = calls.iter().filter(says_nothing).cloned().collect();
        // What calls can tell of each other holds only where nothing happened before them.
        let model = match start {
            Start::Initial => model.reduce(&mut calls),
            Start::Any => model.clone(),
        };
        let observers = calls.iter().map(|call| model.observes_only(&call.op));
        let observers = observers.collect();
        let mut automaton = Automaton::new(model);
        let classes = calls.iter().map(|call| automaton.class(&call.op)).collect();
        let mut returns: Vec<_> = (0..calls.len())
            .filter(|call| calls[*call].returned.is_some())
            .map(number)
            .collect();
        returns.sort_by_key(|call| calls[*call as usize].returned);
        let start = match start {
            Start::Initial => vec![0],
            Start::Any => automaton.closure(START_STATES_MAX).unwrap_or_default(),
        };
        Self {
            automaton,
            calls,
            classes,
            observers,
            returns,
            start,
            overdrawn: BTreeSet::new(),
            states: 0,
            limits,
            stop,
        }
    }

    fn found(self, outcome: Outcome, method: &'static str) -> Found {
        Found {
            outcome,
            states: self.states,
            method,
        }
    }

    /// Whether as many configurations were looked at as may be, or the user wants it to stop.
    fn is_spent(&self) -> bool {
        self.states >= self.limits.states_max || (self.stop)()
    }

    /// One run, which looks at no more than so many configurations.
    fn run(&mut self, supply: &Supply, states_max: u64) -> Outcome {
        let left = self.limits.states_max - self.states.min(self.limits.states_max);
        let mut run = Run::new(self, supply, states_max.min(left));
        let outcome = run.run();
        let states = run.spent();
        self.states += states;
        match outcome {
            End::Path(path) => match self.order(&path) {
                Ok(order) => Outcome::Order(order),
                Err(overdrawn) => {
                    self.overdrawn = overdrawn;
                    Outcome::Order(Vec::new())
                }
            },
            End::Stuck(position) => Outcome::Stuck(position),
            End::GivenUp { why, decided } => Outcome::GivenUp { why, decided },
        }
    }

    /// The order of which a path has the calls that change something: the others take effect as soon as they can, as
    /// they did in the search. Fails with the classes of crashed calls of which there are fewer than the path has.
    fn order(&mut self, path: &[Step]) -> Result<Vec<usize>, BTreeSet<Class>> {
        let mut order = Vec::with_capacity(self.calls.len());
        let mut waiting: Vec<u32> = Vec::new();
        let mut crashed: FxHashMap<Class, VecDeque<u32>> = FxHashMap::default();
        let mut overdrawn = BTreeSet::new();
        let mut state = self.start[0];
        let mut steps = path.iter().peekable();
        for (position, event) in Events::new(&self.calls, &self.returns) {
            match event {
                Event::Invoke(call) => {
                    let class = self.classes[call as usize];
                    if self.calls[call as usize].returned.is_none() {
                        crashed.entry(class).or_default().push_back(call);
                    } else if self.observers[call as usize] {
                        if self.automaton.step(state, class).is_some() {
                            order.push(self.calls[call as usize].invoked);
                        } else {
                            waiting.push(call);
                        }
                    }
                }
                Event::Return(_) => {
                    while let Some(step) = steps.next_if(|step| step.round as usize == position) {
                        let class = self.classes[step.call as usize];
                        state = self.automaton.step(state, class).unwrap_or(state);
                        let is_crashed = self.calls[step.call as usize].returned.is_none();
                        let call = if is_crashed {
                            crashed.entry(class).or_default().pop_front()
                        } else {
                            Some(step.call)
                        };
                        match call {
                            Some(call) => order.push(self.calls[call as usize].invoked),
                            None => _ = overdrawn.insert(class),
                        }
                        waiting.retain(|call| {
                            let class = self.classes[*call as usize];
                            let waits = self.automaton.step(state, class).is_none();
                            if !waits {
                                order.push(self.calls[*call as usize].invoked);
                            }
                            waits
                        });
                    }
                }
            }
        }
        if overdrawn.is_empty() {
            Ok(order)
        } else {
            Err(overdrawn)
        }
    }

    fn decide(mut self) -> Found {
        if self.start.is_empty() {
            let why = "the object has too many states to start from any".to_owned();
            let outcome = Outcome::GivenUp { why, decided: 0 };
            return self.found(outcome, EXACT);
        }
        let crashed = self.calls.iter().zip(&self.classes);
        let crashed = crashed.filter(|(call, _)| call.returned.is_none());
        let crashed: BTreeSet<_> = crashed.map(|(_, class)| *class).collect();
        let all = self.limits.states_max;
        if crashed.is_empty() {
            let outcome = self.run(&Supply::Exact, all);
            return self.found(outcome, EXACT);
        }
        let first = FIRST_STATES + FIRST_STATES_PER_CALL * self.calls.len() as u64;
        let outcome = self.run(&Supply::Exact, first);
        if is_final(&outcome) || self.is_spent() {
            return self.found(outcome, EXACT);
        }
        let mut counted = BTreeSet::new();
        let mut is_beam_tried = false;
        while counted.len() < crashed.len() && !self.is_spent() {
            let outcome = self.run(&Supply::Counting(counted.clone()), all / 4);
            let overdrawn = match outcome {
                Outcome::Stuck(_) => return self.found(outcome, "search-from-above"),
                Outcome::Order(_) if self.overdrawn.is_empty() => {
                    return self.found(outcome, "search-from-above");
                }
                Outcome::Order(_) => std::mem::take(&mut self.overdrawn),
                Outcome::GivenUp { .. } => crashed.clone(),
            };
            if !is_beam_tried && !self.is_spent() {
                is_beam_tried = true;
                let outcome = self.run(&Supply::Beam, all / 4);
                if matches!(outcome, Outcome::Order(_)) {
                    return self.found(outcome, "search-from-below");
                }
            }
            counted.extend(overdrawn);
        }
        let outcome = self.run(&Supply::Exact, all);
        self.found(outcome, EXACT)
    }
}

fn is_final(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::GivenUp { .. })
}

/// Something that happens to a call.
#[derive(Clone, Copy, Debug)]
enum Event {
    Invoke(u32),
    Return(u32),
}

/// The invocations and returns of calls, in order, each with its position.
struct Events<'a, Op> {
    calls: &'a [Call<Op>],
    returns: &'a [u32],
    next_call: usize,
    next_return: usize,
}

impl<'a, Op> Events<'a, Op> {
    fn new(calls: &'a [Call<Op>], returns: &'a [u32]) -> Self {
        Self {
            calls,
            returns,
            next_call: 0,
            next_return: 0,
        }
    }
}

impl<Op> Iterator for Events<'_, Op> {
    type Item = (usize, Event);

    fn next(&mut self) -> Option<(usize, Event)> {
        let invoked = self.calls.get(self.next_call).map(|call| call.invoked);
        let returning = self.returns.get(self.next_return).copied();
        let returned = returning.and_then(|call| self.calls[call as usize].returned);
        match (invoked, returning, returned) {
            (Some(invoked), _, returned) if returned.is_none_or(|returned| invoked < returned) => {
                self.next_call += 1;
                Some((invoked, Event::Invoke(number(self.next_call - 1))))
            }
            (_, Some(call), Some(returned)) => {
                self.next_return += 1;
                Some((returned, Event::Return(call)))
            }
            _ => None,
        }
    }
}

/// How a run ended.
enum End {
    Path(Vec<Step>),
    Stuck(usize),
    GivenUp { why: String, decided: usize },
}

/// The crashed calls of one class that have begun.
#[derive(Debug)]
struct Crashed {
    class: Class,
    calls: Vec<u32>,
    is_counted: bool,
}

/// A run from left to right.
struct Run<'s, 'a, M: Model> {
    search: &'s mut Search<'a, M>,
    supply: &'s Supply,
    states: u64,
    states_max: u64,
    /// By call; those of calls in flight.
    slots: Vec<u8>,
    taken: Slots,
    kinds: Kinds,
    /// The calls in flight that change something, in the order of their returns.
    writers: Vec<u32>,
    /// The others in flight.
    watchers: Vec<u32>,
    crashed: Vec<Crashed>,
    usages: Usages,
    frontier: Vec<Configuration>,
    paths: Paths,
    round: Round,
    /// By class, and whether it is required: the last extension that tried it.
    tried: Vec<u64>,
}

/// The extension of the frontier at one return.
#[derive(Debug, Default)]
struct Round {
    /// The slot of the call that returns.
    slot: Slots,
    /// What is to be extended, by the number of calls used that need not happen, so that what dominates comes first.
    open: Vec<Vec<Configuration>>,
    fewest: usize,
    seen: Antichain,
    /// Where the returning call has taken effect or never will.
    done: Vec<Configuration>,
    done_seen: Antichain,
}

impl Round {
    fn next(&mut self) -> Option<Configuration> {
        while self.fewest < self.open.len() {
            if let Some(configuration) = self.open[self.fewest].pop() {
                return Some(configuration);
            }
            self.fewest += 1;
        }
        None
    }

    fn bytes(&self) -> usize {
        self.seen.bytes() + self.done_seen.bytes() + self.done.len() * size_of::<Configuration>()
    }
}

impl<'s, 'a, M: Model> Run<'s, 'a, M> {
    fn new(search: &'s mut Search<'a, M>, supply: &'s Supply, states_max: u64) -> Self {
        let start = search.start.iter().map(|state| Configuration {
            placed: 0,
            state: *state,
            used: Usages::NONE,
            path: Paths::ROOT,
        });
        Self {
            frontier: start.collect(),
            slots: vec![0; search.calls.len()],
            tried: vec![0; 2 * search.automaton.classes()],
            search,
            supply,
            states: 0,
            states_max,
            taken: 0,
            kinds: Kinds::default(),
            writers: Vec::new(),
            watchers: Vec::new(),
            crashed: Vec::new(),
            usages: Usages::new(),
            paths: Paths::default(),
            round: Round::default(),
        }
    }

    fn run(&mut self) -> End {
        let (mut next_call, mut next_return) = (0, 0);
        loop {
            let events = Events {
                calls: &self.search.calls,
                returns: &self.search.returns,
                next_call,
                next_return,
            };
            let Some((position, event)) = { events }.next() else {
                return End::Path(self.paths.order(self.frontier[0].path));
            };
            let step = match event {
                Event::Invoke(call) => {
                    next_call += 1;
                    self.invoke(call)
                }
                Event::Return(call) => {
                    next_return += 1;
                    self.complete(call, position)
                }
            };
            if let Err(why) = step {
                return End::GivenUp {
                    why,
                    decided: position,
                };
            }
            if self.frontier.is_empty() {
                return End::Stuck(position);
            }
        }
    }

    fn invoke(&mut self, call: u32) -> Result<(), String> {
        let class = self.search.classes[call as usize];
        let Some(returned) = self.search.calls[call as usize].returned else {
            self.crash(call, class);
            return Ok(());
        };
        let free = (!self.taken).trailing_zeros();
        if free == Slots::BITS {
            return Err(format!(
                "more than {free} operations are in flight at once on one object"
            ));
        }
        let slot = 1 << free;
        self.slots[call as usize] = u8::try_from(free).expect("fewer than 128");
        self.taken |= slot;
        if self.search.observers[call as usize] {
            self.watchers.push(call);
            self.kinds.observing |= slot;
            for configuration in &mut self.frontier {
                if self
                    .search
                    .automaton
                    .step(configuration.state, class)
                    .is_some()
                {
                    configuration.placed |= slot;
                }
            }
            return Ok(());
        }
        if !self.search.calls[call as usize].required {
            self.kinds.optional |= slot;
        }
        let calls = &self.search.calls;
        let place = self
            .writers
            .partition_point(|other| calls[*other as usize].returned < Some(returned));
        self.writers.insert(place, call);
        Ok(())
    }

    fn crash(&mut self, call: u32, class: Class) {
        match self
            .crashed
            .iter_mut()
            .find(|crashed| crashed.class == class)
        {
            Some(crashed) => crashed.calls.push(call),
            None => self.crashed.push(Crashed {
                class,
                calls: vec![call],
                is_counted: match self.supply {
                    Supply::Exact | Supply::Beam => true,
                    Supply::Counting(counted) => counted.contains(&class),
                },
            }),
        }
    }

    /// Extends the frontier until the call has taken effect in all of it.
    fn complete(&mut self, call: u32, position: usize) -> Result<(), String> {
        let slot: Slots = 1 << self.slots[call as usize];
        let required = self.search.calls[call as usize].required;
        if required && self.frontier.iter().all(|one| one.placed & slot != 0) {
            for configuration in &mut self.frontier {
                configuration.placed ^= slot;
            }
        } else {
            self.round.slot = slot;
            self.round.fewest = 0;
            self.round.seen.clear();
            self.round.done_seen.clear();
            let mut frontier = std::mem::take(&mut self.frontier);
            for configuration in frontier.drain(..) {
                if !required && configuration.placed & slot == 0 {
                    self.finish(configuration);
                }
                self.offer(configuration);
            }
            while let Some(configuration) = self.round.next() {
                self.count()?;
                self.extend(&configuration, position);
            }
            let is_best = self.round.done_seen.best(self.kinds, &self.usages);
            let mut is_best = is_best.into_iter();
            self.round.done.retain(|_| is_best.next().unwrap_or(true));
            self.frontier = std::mem::replace(&mut self.round.done, frontier);
            self.paths.sweep(&mut self.frontier);
        }
        self.taken &= !slot;
        self.kinds.optional &= !slot;
        self.kinds.observing &= !slot;
        self.writers.retain(|writer| *writer != call);
        self.watchers.retain(|watcher| *watcher != call);
        Ok(())
    }

    fn offer(&mut self, mut configuration: Configuration) {
        if configuration.placed & self.round.slot != 0 {
            configuration.placed &= !self.round.slot;
            self.finish(configuration);
            return;
        }
        let is_beam = matches!(self.supply, Supply::Beam);
        let round = &mut self.round;
        if round
            .seen
            .admit(&configuration, self.kinds, &self.usages, is_beam)
        {
            let used = self.usages.len(configuration.used);
            let optional = (configuration.placed & self.kinds.optional).count_ones() as usize;
            if round.open.len() <= used + optional {
                round.open.resize_with(used + optional + 1, Vec::new);
            }
            round.fewest = round.fewest.min(used + optional);
            round.open[used + optional].push(configuration);
        }
    }

    fn finish(&mut self, configuration: Configuration) {
        let is_beam = matches!(self.supply, Supply::Beam);
        // In none of these the returning call is placed any more.
        let seen = &mut self.round.done_seen;
        if seen.admit(&configuration, self.kinds, &self.usages, is_beam) {
            self.round.done.push(configuration);
        }
    }

    /// Offers every configuration that is one step further.
    fn extend(&mut self, from: &Configuration, position: usize) {
        let extension = self.states;
        for index in 0..self.writers.len() {
            let call = self.writers[index];
            let slot: Slots = 1 << self.slots[call as usize];
            if from.placed & slot != 0 {
                continue;
            }
            let class = self.search.classes[call as usize];
            let kind = 2 * class as usize + usize::from(self.search.calls[call as usize].required);
            if std::mem::replace(&mut self.tried[kind], extension) == extension {
                continue;
            }
            if let Some(state) = self.search.automaton.step(from.state, class) {
                let after = Configuration {
                    placed: self.observe(state, from.placed | slot),
                    state,
                    used: from.used,
                    path: self.paths.push(from.path, call as usize, position),
                };
                self.offer(after);
            }
        }
        for index in 0..self.crashed.len() {
            let Crashed {
                class,
                ref calls,
                is_counted,
            } = self.crashed[index];
            let kind = 2 * class as usize;
            let in_flight = self.tried[kind] == extension || self.tried[kind + 1] == extension;
            let is_left = !is_counted || self.usages.count(from.used, class) < calls.len();
            let call = calls[0];
            if in_flight || !is_left {
                continue;
            }
            if let Some(state) = self.search.automaton.step(from.state, class) {
                let used = if is_counted {
                    self.usages.and(from.used, class)
                } else {
                    from.used
                };
                let after = Configuration {
                    placed: self.observe(state, from.placed),
                    state,
                    used,
                    path: self.paths.push(from.path, call as usize, position),
                };
                self.offer(after);
            }
        }
    }

    /// What is placed, with every observer in flight that the state allows.
    fn observe(&mut self, state: StateId, mut placed: Slots) -> Slots {
        for call in &self.watchers {
            let class = self.search.classes[*call as usize];
            if self.search.automaton.step(state, class).is_some() {
                placed |= 1 << self.slots[*call as usize];
            }
        }
        placed
    }

    /// How many configurations were looked at, counting so many comparisons as one.
    fn spent(&self) -> u64 {
        const COMPARED_PER_STATE: u64 = 64;
        let compared = self.round.seen.compared + self.round.done_seen.compared;
        self.states + compared / COMPARED_PER_STATE
    }

    /// Counts a configuration, and gives up beyond a limit.
    fn count(&mut self) -> Result<(), String> {
        const ASK_EVERY: u64 = 1024;
        if self.spent() >= self.states_max {
            return Err(format!(
                "the search reached its limit of {} states",
                self.search.limits.states_max
            ));
        }
        if self.states.is_multiple_of(ASK_EVERY) {
            if (self.search.stop)() {
                return Err("the search was stopped".to_owned());
            }
            let held = self.search.automaton.bytes()
                + self.paths.bytes()
                + self.usages.bytes()
                + self.round.bytes();
            if held > self.search.limits.memory_bytes_max {
                return Err(format!(
                    "the search reached its limit of {} MiB of memory",
                    self.search.limits.memory_bytes_max >> 20
                ));
            }
        }
        // Extensions are told apart by this number, and none is the number 0.
        self.states += 1;
        Ok(())
    }
}
