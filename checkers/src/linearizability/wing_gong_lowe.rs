//! Wing-Gong-Lowe: depth first, one operation after the other, remembering what was tried.
//!
//! Wing and Gong, *Testing and Verifying Concurrent Objects*, JPDC 17, 1993, with the memory of Lowe, *Testing for
//! Linearizability*, CCPE 29(4), 2017. Where there is an order it may be found without looking at the many others that
//! the search from left to right keeps; where there is none, all that it went through has to be remembered, however
//! far back. So it competes with that search in long and hard cases ([`race`](super::race)), with a supply of states of
//! its own.
//!
//! A call can come next if it began before any of those left out so far returned. What keeps the choices few:
//!
//! - A call that changes nothing and can come next comes next: in an order that has it later it can be moved here, for
//!   the others do not notice, and no call left began after it had returned.
//! - Of equal calls that can come next, the one that returns first does: in an order that has the other here, both can
//!   change places, for what stands between them began before the first of them returned.
//! - A crashed call comes after equal ones that return, and never where it changes nothing: an order is as good without
//!   it. Of equal crashed calls the first that began comes first; only their number is remembered.
//! - What used more crashed calls than another way to the same state with the same calls placed need not be gone on
//!   with: whatever it can do, the other can.

use rustc_hash::FxHashMap;

use super::automaton::{Class, StateId};
use super::configuration::{COMPARED_PER_STATE, Slots, Usages};
use super::race::Entrant;
use super::search::{Outcome, Search};
use crate::model::Model;

/// The name of the method.
pub(super) const NAME: &str = "wing-gong-lowe";

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reached {
    /// The first call that returns and is not placed, by its place among those that return.
    base: u32,
    state: StateId,
    /// Of the calls from there on, those that are placed.
    placed: Slots,
}

/// A step back to which other choices may be tried.
#[derive(Debug)]
struct Frame {
    reached: Reached,
    used: u32,
    /// Where its choices begin.
    choices: usize,
}

/// A call to come next.
#[derive(Clone, Copy, Debug)]
struct Choice {
    call: u32,
    /// Its place from the base on; none if it is crashed.
    slot: Option<u32>,
    state: StateId,
}

/// Looks for an order of the calls of a search, depth first.
pub(super) struct WingGongLowe<'s, 'a, M: Model> {
    search: &'s mut Search<'a, M>,
    /// The calls that return, in the order of their invocations.
    returning: Vec<u32>,
    /// The crashed calls by class, in that order too.
    crashed: Vec<(Class, Vec<u32>)>,
    usages: Usages,
    /// By what was reached: the last entry of what was used on the way.
    seen: FxHashMap<Reached, u32>,
    /// What was used, and the entry before.
    ways: Vec<(u32, u32)>,
    frames: Vec<Frame>,
    /// What is left to try, for all frames.
    choices: Vec<Choice>,
    /// The calls placed, for all frames but the first.
    order: Vec<u32>,
    /// By class: the last step that tried it.
    tried: Vec<u64>,
    states: u64,
    /// How many ways were compared.
    compared: u64,
    /// The last return that could not be passed.
    stuck: usize,
}

impl<'s, 'a, M: Model> WingGongLowe<'s, 'a, M> {
    /// `None` if some call may return without having taken effect, or may start from several states.
    pub(super) fn new(search: &'s mut Search<'a, M>) -> Option<Self> {
        let is_plain = |call: &u32| {
            let call = &search.calls[*call as usize];
            call.required || call.returned().is_none()
        };
        let calls = 0..u32::try_from(search.calls.len()).ok()?;
        if search.start.len() != 1 || !calls.clone().all(|call| is_plain(&call)) {
            return None;
        }
        let returns = |call: &u32| search.calls[*call as usize].returned().is_some();
        let (returning, rest): (Vec<_>, Vec<_>) = calls.partition(returns);
        let mut crashed: Vec<(Class, Vec<u32>)> = Vec::new();
        for call in rest {
            let class = search.calls[call as usize].op;
            match crashed.iter_mut().find(|(other, _)| *other == class) {
                Some((_, calls)) => calls.push(call),
                None => crashed.push((class, vec![call])),
            }
        }
        Some(Self {
            tried: vec![0; search.automaton.classes()],
            search,
            returning,
            crashed,
            usages: Usages::new(),
            seen: FxHashMap::default(),
            ways: Vec::new(),
            frames: Vec::new(),
            choices: Vec::new(),
            order: Vec::new(),
            states: 0,
            compared: 0,
            stuck: 0,
        })
    }

    /// How many states were looked at, counting so many comparisons as one.
    pub(super) fn states(&self) -> u64 {
        self.states + self.compared / COMPARED_PER_STATE
    }

    /// Looks for an order, at no more than so many states.
    pub(super) fn run(&mut self, entrant: &Entrant<'_>, states_max: u64) -> Outcome {
        let start = Reached {
            base: 0,
            state: self.search.start[0],
            placed: 0,
        };
        if let Err(why) = self.enter(start, Usages::NONE) {
            return self.given_up(why);
        }
        while let Some(frame) = self.frames.last() {
            if frame.reached.base as usize == self.returning.len() {
                let invoked = |call: &u32| self.search.calls[*call as usize].name();
                return Outcome::Order(self.order.iter().map(invoked).collect());
            }
            if self.choices.len() == frame.choices {
                self.frames.pop();
                self.order.pop();
                continue;
            }
            let (from, used) = (frame.reached, frame.used);
            let Some(choice) = self.choices.pop() else {
                break;
            };
            let (reached, used) = self.place(from, used, choice);
            if !self.is_new(reached, used) {
                continue;
            }
            if let Err(why) = self.count(entrant, states_max) {
                return self.given_up(why);
            }
            self.order.push(choice.call);
            if let Err(why) = self.enter(reached, used) {
                return self.given_up(why);
            }
        }
        Outcome::Stuck(self.stuck)
    }

    fn given_up(&self, why: String) -> Outcome {
        // All that returned before the last return that was in the way has been placed once.
        let decided = self.stuck;
        Outcome::GivenUp { why, decided }
    }

    fn count(&mut self, entrant: &Entrant<'_>, states_max: u64) -> Result<(), String> {
        const ASK_EVERY: u64 = 256;
        self.states += 1;
        if self.states() > states_max {
            return Err(format!(
                "the search reached its limit of {states_max} states"
            ));
        }
        if self.states.is_multiple_of(ASK_EVERY) {
            if entrant.is_beaten(self.states()) || (self.search.stop)() {
                return Err("the search was stopped".to_owned());
            }
            if self.bytes() > self.search.limits.memory_bytes_max {
                return Err(format!(
                    "the search reached its limit of {} MiB of memory",
                    self.search.limits.memory_bytes_max >> 20
                ));
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.search.automaton.bytes()
            + self.usages.bytes()
            + 2 * self.seen.len() * size_of::<(Reached, u32)>()
            + self.ways.len() * size_of::<(u32, u32)>()
            + self.frames.len() * size_of::<Frame>()
            + self.choices.len() * size_of::<Choice>()
    }

    /// Where a choice leads.
    fn place(&mut self, from: Reached, used: u32, choice: Choice) -> (Reached, u32) {
        let mut reached = Reached {
            state: choice.state,
            ..from
        };
        let Some(slot) = choice.slot else {
            let class = self.search.calls[choice.call as usize].op;
            return (reached, self.usages.and(used, class));
        };
        reached.placed |= 1 << slot;
        let done = reached.placed.trailing_ones();
        reached.placed = reached.placed.checked_shr(done).unwrap_or(0);
        reached.base += done;
        (reached, used)
    }

    /// Whether nothing as good was reached before; if so, it is remembered.
    fn is_new(&mut self, reached: Reached, used: u32) -> bool {
        const NONE: u32 = u32::MAX;
        let last = self.seen.entry(reached).or_insert(NONE);
        let mut way = *last;
        while way != NONE {
            self.compared += 1;
            let (other, before) = self.ways[way as usize];
            if self.usages.is_within(other, used) {
                return false;
            }
            way = before;
        }
        let way = u32::try_from(self.ways.len()).expect("fewer than 2^32 fit in memory");
        self.ways.push((used, std::mem::replace(last, way)));
        true
    }

    /// Begins a frame with all its choices, the best last.
    fn enter(&mut self, reached: Reached, used: u32) -> Result<(), String> {
        let first = self.choices.len();
        self.frames.push(Frame {
            reached,
            used,
            choices: first,
        });
        let deadline = self.deadline(&reached)?;
        self.stuck = self.stuck.max(deadline);
        // The number of this step: every frame was counted, but for the first.
        let step = self.states + 1;
        for (slot, place) in (0..Slots::BITS).zip(reached.base as usize..self.returning.len()) {
            let call = self.returning[place];
            if self.search.calls[call as usize].invoked() > deadline {
                break;
            }
            if reached.placed & (1 << slot) != 0 {
                continue;
            }
            let class = self.search.calls[call as usize].op;
            let state = self.search.automaton.step(reached.state, class);
            self.tried[class as usize] = step;
            let Some(state) = state else { continue };
            let choice = Choice {
                call,
                slot: Some(slot),
                state,
            };
            if self.search.observers[class as usize] {
                self.choices.truncate(first);
                self.choices.push(choice);
                return Ok(());
            }
            self.choose(first, class, choice);
        }
        let calls = &self.search.calls;
        let returned = |choice: &Choice| calls[choice.call as usize].returned();
        self.choices[first..].sort_by_key(|choice| std::cmp::Reverse(returned(choice)));
        let returning = self.choices.len();
        for (class, crashed) in &self.crashed {
            if self.tried[*class as usize] == step {
                continue;
            }
            let next = crashed.get(self.usages.count(used, *class));
            let next = next.filter(|call| calls[**call as usize].invoked() < deadline);
            let Some(call) = next.copied() else { continue };
            let state = self.search.automaton.step(reached.state, *class);
            if let Some(state) = state.filter(|state| *state != reached.state) {
                let slot = None;
                self.choices.push(Choice { call, slot, state });
            }
        }
        // What crashed is tried last.
        self.choices[first..].rotate_left(returning - first);
        Ok(())
    }

    /// Adds a choice, or puts it in the place of an equal one that returns later.
    fn choose(&mut self, first: usize, class: Class, choice: Choice) {
        let calls = &self.search.calls;
        let mut others = self.choices[first..].iter_mut();
        match others.find(|other| calls[other.call as usize].op == class) {
            Some(other) => {
                let returned = |call: u32| calls[call as usize].returned();
                if returned(choice.call) < returned(other.call) {
                    *other = choice;
                }
            }
            None => self.choices.push(choice),
        }
    }

    /// The first return of a call that is not placed.
    fn deadline(&self, reached: &Reached) -> Result<usize, String> {
        let mut deadline = usize::MAX;
        for (slot, call) in self.returning[reached.base as usize..].iter().enumerate() {
            let call = &self.search.calls[*call as usize];
            if call.invoked() > deadline {
                break;
            }
            let slot = u32::try_from(slot).unwrap_or(u32::MAX);
            if slot >= Slots::BITS {
                return Err(format!(
                    "an operation is in flight while more than {} others begin",
                    Slots::BITS
                ));
            }
            if reached.placed & (1 << slot) == 0 {
                deadline = deadline.min(call.returned().unwrap_or(usize::MAX));
            }
        }
        Ok(deadline)
    }
}
