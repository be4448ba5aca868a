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
//!   change nothing placed ([`Antichain`](super::configuration::Antichain)).
//!
//! What this costs depends on the calls in flight and not on those before, and so does the memory, but for the order
//! itself. Crashed calls are in flight for ever, and the sets of them that may have been used are many. So an exact
//! search is tried for a while, and then it is approached from both sides, see [`search`].

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::automaton::{Automaton, Class, StateId};
use super::monitor::by_key;
use super::paths::Step;
use super::race::{self, Entrant};
use super::run::{End, Event, Events, Run};
#[cfg(test)]
use super::wing_gong_lowe::WingGongLowe;
use crate::check::{Limits, Stop};
use crate::model::{Call, Calls, Model};

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
    Order(Vec<u32>),
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
#[derive(Clone, Copy, Debug)]
enum Start {
    /// In its initial state.
    Initial,
    /// In any state to which operations can lead at all that these calls do, or others of the same.
    Any,
}

/// Which crashed calls are counted.
#[derive(Clone, Debug)]
pub(super) enum Supply {
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

/// The same for a search with an endless supply; and how many states the object may have before that is given up, for
/// with such a supply there may be no end of them.
const FROM_ABOVE_STATES: u64 = 20_000;
const FROM_ABOVE_STATES_PER_CALL: u64 = 64;
pub(super) const OBJECT_STATES_MAX: usize = 4096;

/// And of more bytes: a queue with an endless supply of what is put into it grows with every step.
pub(super) const OBJECT_BYTES_MAX: usize = 1 << 18;

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
    calls: Calls<M::Op>,
    limits: Limits,
    stop: Stop<'_>,
) -> Found {
    race::decide(Search::new(model, calls, limits, stop, Start::Initial))
}

/// The search of these calls, which is yet to begin.
#[cfg(test)]
pub(super) fn of<'a, M: Model>(
    model: &M,
    calls: &Calls<M::Op>,
    limits: Limits,
    stop: Stop<'a>,
) -> Search<'a, M> {
    Search::new(model, calls.clone(), limits, stop, Start::Initial)
}

/// A member of the portfolio on its own.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Alone {
    Exact,
    FromAbove,
    FromBelow,
    WingGongLowe,
}

/// What a member of the portfolio says on its own; nothing when that decides nothing.
#[cfg(test)]
pub(super) fn run_alone<M: Model>(
    model: &M,
    calls: &Calls<M::Op>,
    alone: Alone,
) -> Option<Outcome> {
    let limits = Limits::default();
    let mut search = Search::new(model, calls.clone(), limits, &|| false, Start::Initial);
    let supply = match alone {
        Alone::WingGongLowe => {
            let mut rival = WingGongLowe::new(&mut search)?;
            return Some(rival.run(&Entrant::ALONE, limits.states_max));
        }
        Alone::Exact => Supply::Exact,
        Alone::FromAbove => Supply::Counting(BTreeSet::new()),
        Alone::FromBelow => Supply::Beam,
    };
    let states_max = match alone {
        Alone::Exact | Alone::WingGongLowe => limits.states_max,
        Alone::FromAbove | Alone::FromBelow => 1000,
    };
    let outcome = search.run(&supply, states_max);
    let is_order = matches!(outcome, Outcome::Order(_)) && search.overdrawn.is_empty();
    let is_stuck = matches!(outcome, Outcome::Stuck(_));
    let decides = match alone {
        Alone::Exact | Alone::WingGongLowe => true,
        Alone::FromAbove => is_stuck || is_order,
        Alone::FromBelow => is_order,
    };
    decides.then_some(outcome)
}

/// The same for some of all calls, from any state that all can lead to: if there is no order then, there is none
/// whatever the others did before.
pub(super) fn search_from_any<M: Model>(
    model: &M,
    calls: Calls<M::Op>,
    limits: Limits,
    stop: Stop<'_>,
) -> Found {
    Search::new(model, calls, limits, stop, Start::Any).decide()
}

/// The calls of a search, with what does not change while it goes on.
pub(super) struct Search<'a, M: Model> {
    pub(super) automaton: Automaton<M>,
    pub(super) calls: Arc<Vec<Call>>,
    /// By class: whether it changes nothing.
    pub(super) observers: Arc<Vec<bool>>,
    /// The calls that return, in the order of their returns.
    pub(super) returns: Arc<Vec<u32>>,
    pub(super) start: Vec<StateId>,
    /// The crashed classes of which the last order used more than there are.
    overdrawn: BTreeSet<Class>,
    states: u64,
    pub(super) limits: Limits,
    pub(super) stop: Stop<'a>,
    pub(super) entrant: Entrant<'a>,
    /// Starts a competitor, after so many states.
    pub(super) challenge: Option<(u64, Challenge<'a, M>)>,
}

/// What starts a competitor, that many states after the search began.
pub(super) type Challenge<'a, M> = Box<dyn FnOnce(Rival<M>, u64) + 'a>;

/// What a competitor needs of a search.
pub(super) struct Rival<M: Model> {
    automaton: Automaton<M>,
    calls: Arc<Vec<Call>>,
    observers: Arc<Vec<bool>>,
    returns: Arc<Vec<u32>>,
    start: Vec<StateId>,
    limits: Limits,
}

impl<M: Model> Rival<M> {
    /// A search of the same calls.
    pub(super) fn search(self, stop: Stop<'_>) -> Search<'_, M> {
        let Self {
            automaton,
            calls,
            observers,
            returns,
            start,
            limits,
        } = self;
        Search {
            automaton,
            calls,
            observers,
            returns,
            start,
            overdrawn: BTreeSet::new(),
            states: 0,
            limits,
            stop,
            entrant: Entrant::ALONE,
            challenge: None,
        }
    }
}

/// A call by its number.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 fit in memory")
}

impl<'a, M: Model> Search<'a, M> {
    fn new(
        model: &M,
        mut calls: Calls<M::Op>,
        limits: Limits,
        stop: Stop<'a>,
        start: Start,
    ) -> Self {
        // What changes nothing and need not happen says nothing.
        calls.retain(|op, call| call.required || !model.observes_only(op));
        // What calls can tell of each other holds only where nothing happened before them.
        let model = match start {
            Start::Initial => model.reduce(&mut calls),
            Start::Any => model.clone(),
        };
        let mut automaton = Automaton::new(model);
        let (mut calls, ops) = calls.into_parts();
        let mut classes: Vec<Option<Class>> = vec![None; ops.len()];
        for call in &mut calls {
            let place = call.op as usize;
            call.op = *classes[place].get_or_insert_with(|| automaton.class(&ops[place]));
        }
        if matches!(start, Start::Any) {
            for op in ops.iter() {
                automaton.class(op);
            }
        }
        drop(ops);
        // Of calls that a model reduced, several may return at one position.
        let mut returns = by_key(calls.len(), |call| calls[call].returned_or_never());
        returns.retain(|call| calls[*call as usize].returned().is_some());
        let start = match start {
            Start::Initial => vec![0],
            Start::Any => automaton.closure(START_STATES_MAX).unwrap_or_default(),
        };
        Self {
            observers: Arc::new(automaton.observers()),
            automaton,
            calls: Arc::new(calls),
            returns: Arc::new(returns),
            start,
            overdrawn: BTreeSet::new(),
            states: 0,
            limits,
            stop,
            entrant: Entrant::ALONE,
            challenge: None,
        }
    }

    /// Whether a competitor has decided before; one is started when it is time. This run has looked at so many states.
    pub(super) fn is_beaten(&mut self, states: u64) -> bool {
        let states = self.states + states;
        if let Some((at, start)) = self.challenge.take_if(|(at, _)| *at <= states) {
            let rival = Rival {
                automaton: self.automaton.clone(),
                calls: Arc::clone(&self.calls),
                observers: Arc::clone(&self.observers),
                returns: Arc::clone(&self.returns),
                start: self.start.clone(),
                limits: self.limits,
            };
            start(rival, at);
        }
        self.entrant.is_beaten(states)
    }

    fn found(&self, outcome: Outcome, method: &'static str) -> Found {
        Found {
            outcome,
            states: self.states,
            method,
        }
    }

    /// Whether as many configurations were looked at as may be, or the user wants it to stop.
    fn is_spent(&mut self) -> bool {
        self.states >= self.limits.states_max || self.is_beaten(0) || (self.stop)()
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
    fn order(&mut self, path: &[Step]) -> Result<Vec<u32>, BTreeSet<Class>> {
        let mut order = Vec::with_capacity(self.calls.len());
        let mut waiting: Vec<u32> = Vec::new();
        let mut crashed: FxHashMap<Class, VecDeque<u32>> = FxHashMap::default();
        let mut overdrawn = BTreeSet::new();
        let mut state = self.start[0];
        let mut steps = path.iter().peekable();
        for (position, event) in Events::new(&self.calls, &self.returns) {
            match event {
                Event::Invoke(call) => {
                    let class = self.calls[call as usize].op;
                    if self.calls[call as usize].returned().is_none() {
                        crashed.entry(class).or_default().push_back(call);
                    } else if self.observers[class as usize] {
                        if self.automaton.step(state, class).is_some() {
                            order.push(self.calls[call as usize].name());
                        } else {
                            waiting.push(call);
                        }
                    }
                }
                Event::Return(_) => {
                    while let Some(step) = steps.next_if(|step| step.round as usize == position) {
                        let class = self.calls[step.call as usize].op;
                        state = self.automaton.step(state, class).unwrap_or(state);
                        let is_crashed = self.calls[step.call as usize].returned().is_none();
                        let call = if is_crashed {
                            crashed.entry(class).or_default().pop_front()
                        } else {
                            Some(step.call)
                        };
                        match call {
                            Some(call) => order.push(self.calls[call as usize].name()),
                            None => _ = overdrawn.insert(class),
                        }
                        waiting.retain(|call| {
                            let class = self.calls[*call as usize].op;
                            let waits = self.automaton.step(state, class).is_none();
                            if !waits {
                                order.push(self.calls[*call as usize].name());
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

    /// Decides without a competitor, unless one was challenged.
    pub(super) fn decide(&mut self) -> Found {
        if self.start.is_empty() {
            let why = "the object has too many states to start from any".to_owned();
            let outcome = Outcome::GivenUp { why, decided: 0 };
            return self.found(outcome, EXACT);
        }
        let crashed = self.calls.iter().filter(|call| call.returned().is_none());
        let crashed: BTreeSet<_> = crashed.map(|call| call.op).collect();
        let all = self.limits.states_max;
        if crashed.is_empty() {
            let outcome = self.run(&Supply::Exact, all);
            return self.found(outcome, EXACT);
        }
        let first = FIRST_STATES + FIRST_STATES_PER_CALL * self.calls.len() as u64;
        let outcome = self.run(&Supply::Exact, first);
        if is_final(&outcome) {
            return self.found(outcome, EXACT);
        }
        // What crashed makes this hard: a competitor is worth its thread from here on.
        if let Some((at, _)) = &mut self.challenge {
            *at = self.states.min(*at);
        }
        if self.is_spent() {
            return self.found(outcome, EXACT);
        }
        let from_above = FROM_ABOVE_STATES + FROM_ABOVE_STATES_PER_CALL * self.calls.len() as u64;
        let mut counted = BTreeSet::new();
        let mut is_beam_tried = false;
        while counted.len() < crashed.len() && !self.is_spent() {
            let outcome = self.run(&Supply::Counting(counted.clone()), from_above);
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

/// Whether an outcome is an answer.
pub(super) fn is_final(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::GivenUp { .. })
}
