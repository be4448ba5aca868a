//! One run of the search over the history, from left to right. What it does, and why it may, stands in
//! [`search`](super::search).

use std::ops::Range;

use super::automaton::{Class, StateId};
use super::configuration::{Antichain, COMPARED_PER_STATE, Configuration, Kinds, Slots, Usages};
use super::moves::{Move, Moves};
use super::paths::{Paths, Step};
use super::search::{OBJECT_BYTES_MAX, OBJECT_STATES_MAX, Search, Supply, number};
use crate::model::{Call, Model};

/// Something that happens to a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Invoke(u32),
    Return(u32),
}

/// The invocations and returns of calls, in order, each with its position.
pub(super) struct Events<'a> {
    calls: &'a [Call],
    returns: &'a [u32],
    next_call: usize,
    next_return: usize,
}

impl<'a> Events<'a> {
    pub(super) fn new(calls: &'a [Call], returns: &'a [u32]) -> Self {
        Self {
            calls,
            returns,
            next_call: 0,
            next_return: 0,
        }
    }
}

impl Iterator for Events<'_> {
    type Item = (usize, Event);

    fn next(&mut self) -> Option<(usize, Event)> {
        let invoked = self.calls.get(self.next_call).map(Call::invoked);
        let returning = self.returns.get(self.next_return).copied();
        let returned = returning.and_then(|call| self.calls[call as usize].returned());
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
pub(super) enum End {
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
pub(super) struct Run<'s, 'a, M: Model> {
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
    moves: Moves,
    /// By class, and whether it is required: the last extension that tried it.
    tried: Vec<u64>,
}

/// The extension of the frontier at one return.
#[derive(Debug, Default)]
struct Round {
    /// The slot of the call that returns.
    slot: Slots,
    /// The position of its return.
    position: usize,
    /// What is to be extended, by the number of calls used that need not happen, and of those that must, so that what
    /// dominates comes first.
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
    /// A run that looks at no more than so many configurations.
    pub(super) fn new(search: &'s mut Search<'a, M>, supply: &'s Supply, states_max: u64) -> Self {
        let start = search.start.iter().map(|state| Configuration {
            placed: 0,
            state: *state,
            used: Usages::NONE,
            path: Paths::ROOT,
            entry: 0,
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
            moves: Moves::default(),
        }
    }

    /// Reads the history from left to right.
    pub(super) fn run(&mut self) -> End {
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
        let class = self.search.calls[call as usize].op;
        let Some(returned) = self.search.calls[call as usize].returned() else {
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
        if self.search.observers[class as usize] {
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
            .partition_point(|other| calls[*other as usize].returned() < Some(returned));
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
            self.round.position = position;
            self.moves.forget();
            self.round.fewest = 0;
            self.round.seen.clear();
            self.round.done_seen.clear();
            let mut frontier = std::mem::take(&mut self.frontier);
            for configuration in frontier.drain(..) {
                if !required && configuration.placed & slot == 0 {
                    self.finish(configuration, None);
                }
                self.offer(configuration, None);
            }
            while let Some(configuration) = self.round.next() {
                // What another that came later is better than need not be gone on with.
                if self.round.seen.is_best(configuration.entry) {
                    self.count()?;
                    self.extend(&configuration);
                }
            }
            let Round {
                done, done_seen, ..
            } = &mut self.round;
            done.retain(|configuration| done_seen.is_best(configuration.entry));
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

    /// Takes a configuration in, if it is worth it; its order goes on with a call.
    fn offer(&mut self, mut configuration: Configuration, call: Option<u32>) {
        if configuration.placed & self.round.slot != 0 {
            configuration.placed &= !self.round.slot;
            self.finish(configuration, call);
            return;
        }
        let is_beam = matches!(self.supply, Supply::Beam);
        let seen = &mut self.round.seen;
        let entry = seen.admit(&configuration, self.kinds, &self.usages, is_beam);
        if let Some(entry) = entry {
            let used = self.usages.len(configuration.used);
            let placed = configuration.placed;
            let optional = (placed & self.kinds.optional).count_ones() as usize;
            let required = self.kinds.required(placed).count_ones() as usize;
            let place = (used + optional) * (self.writers.len() + 1) + required;
            let configuration = self.enter(configuration, entry, call);
            let round = &mut self.round;
            if round.open.len() <= place {
                round.open.resize_with(place + 1, Vec::new);
            }
            round.fewest = round.fewest.min(place);
            round.open[place].push(configuration);
        }
    }

    fn finish(&mut self, configuration: Configuration, call: Option<u32>) {
        let is_beam = matches!(self.supply, Supply::Beam);
        // In none of these the returning call is placed any more.
        let seen = &mut self.round.done_seen;
        let entry = seen.admit(&configuration, self.kinds, &self.usages, is_beam);
        if let Some(entry) = entry {
            let configuration = self.enter(configuration, entry, call);
            self.round.done.push(configuration);
        }
    }

    /// The configuration with its entry, its order with the call.
    fn enter(&mut self, of: Configuration, entry: u32, call: Option<u32>) -> Configuration {
        let position = self.round.position;
        let path = call.map_or(of.path, |call| {
            self.paths.push(of.path, call as usize, position)
        });
        Configuration { path, entry, ..of }
    }

    /// Offers every configuration that is one step further.
    fn extend(&mut self, from: &Configuration) {
        let extension = self.states;
        for index in self.moves_from(from.state) {
            let Move {
                slot,
                kind,
                call,
                state,
            } = self.moves.all[index];
            let mut used = from.used;
            if slot == 0 {
                // The call is crashed. Equal ones in flight take effect before it.
                let equal = kind as usize & !1;
                let Crashed {
                    class,
                    ref calls,
                    is_counted,
                } = self.crashed[call as usize];
                if self.tried[equal..equal + 2].contains(&extension)
                    || is_counted && self.usages.count(used, class) >= calls.len()
                {
                    continue;
                }
                if is_counted {
                    used = self.usages.and(used, class);
                }
            } else if from.placed & slot != 0
                || std::mem::replace(&mut self.tried[kind as usize], extension) == extension
            {
                continue;
            }
            let call = if slot == 0 {
                self.crashed[call as usize].calls[0]
            } else {
                call
            };
            let after = Configuration {
                placed: from.placed | slot | self.observed(state),
                state,
                used,
                ..*from
            };
            self.offer(after, Some(call));
        }
    }

    /// Where the moves from a state are.
    fn moves_from(&mut self, state: StateId) -> Range<usize> {
        if let Some(known) = self.moves.from(state) {
            return known;
        }
        let begin = self.moves.all.len();
        for writer in &self.writers {
            let call = *writer as usize;
            let class = self.search.calls[call].op;
            if let Some(state) = self.search.automaton.step(state, class) {
                self.moves.all.push(Move {
                    slot: 1 << self.slots[call],
                    kind: 2 * class + u32::from(self.search.calls[call].required),
                    call: *writer,
                    state,
                });
            }
        }
        for (place, crashed) in (0..).zip(&self.crashed) {
            // A crashed call that changes nothing is better left out.
            let after = self.search.automaton.step(state, crashed.class);
            if let Some(after) = after.filter(|after| *after != state) {
                self.moves.all.push(Move {
                    slot: 0,
                    kind: 2 * crashed.class,
                    call: place,
                    state: after,
                });
            }
        }
        self.moves.know(state, begin)
    }

    /// The observers in flight that a state allows.
    fn observed(&mut self, state: StateId) -> Slots {
        if let Some(known) = self.moves.observed(state) {
            return known;
        }
        let mut observed = 0;
        for call in &self.watchers {
            let class = self.search.calls[*call as usize].op;
            if self.search.automaton.step(state, class).is_some() {
                observed |= 1 << self.slots[*call as usize];
            }
        }
        self.moves.know_observed(state, observed)
    }

    /// How many configurations were looked at, counting so many comparisons as one.
    pub(super) fn spent(&self) -> u64 {
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
        let is_endless = matches!(self.supply, Supply::Counting(_));
        let automaton = &self.search.automaton;
        if is_endless
            && (automaton.states() > OBJECT_STATES_MAX || automaton.bytes() > OBJECT_BYTES_MAX)
        {
            return Err("the object has too many states for an endless supply".to_owned());
        }
        if self.states.is_multiple_of(ASK_EVERY) {
            let spent = self.spent();
            if self.search.is_beaten(spent) || (self.search.stop)() {
                return Err("the search was stopped".to_owned());
            }
            let held = self.search.automaton.bytes()
                + self.paths.bytes()
                + self.usages.bytes()
                + self.round.bytes()
                + self.moves.bytes();
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
