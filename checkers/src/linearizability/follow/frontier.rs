//! The configurations that some order of what has happened so far can be in, of one object, as it goes on.
//!
//! Just-in-time linearization as the search does it (Lowe 2017), but what is behind is forgotten: states are kept as
//! they are and not numbered, there are no paths, and what a call did is gone when it has returned. The same
//! exchanges keep the set small: observers take effect as soon as they can; of equal calls in flight the one that
//! returns first takes effect first, and before an equal crashed one; fewer crashed calls used is better.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::Limits;
use crate::model::Model;

/// Calls in flight, a bit each.
type Slots = u128;

/// What some order can have come to.
#[derive(Clone, Debug)]
struct Configuration<S> {
    state: S,
    /// The calls in flight that have taken effect.
    placed: Slots,
    /// How many crashed calls of each class have taken effect; classes at the end that have none are absent.
    crashed: Vec<u32>,
}

/// A call in flight that will return.
#[derive(Clone, Debug)]
struct Pending<Op> {
    call: u64,
    op: Op,
    /// The event at which it returns.
    returns: u64,
    slot: Slots,
    observes: bool,
}

/// Equal calls that never return.
#[derive(Clone, Debug)]
struct Crashed<Op> {
    op: Op,
    begun: u32,
}

/// Why an object cannot be followed any longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// More calls in flight than there are bits.
    #[error(
        "more than {} operations are in flight at once on one object",
        Slots::BITS
    )]
    TooManyInFlight,
    /// A call with an unknown result that no model explains.
    #[error("an operation that has a meaning only together with its result did not end")]
    Meaningless,
    /// Too many configurations at one return.
    #[error("the search reached its limit of {0} states at one event")]
    TooManyStates(u64),
    /// Configurations too large.
    #[error("the search reached its limit of {} MiB of memory", .0 >> 20)]
    TooMuchMemory(usize),
}

/// The configurations of one object.
#[derive(Clone, Debug)]
pub(super) struct Frontier<M: Model> {
    model: M,
    configurations: Vec<Configuration<M::State>>,
    /// In the order of their returns.
    pending: Vec<Pending<M::Op>>,
    crashed: Vec<Crashed<M::Op>>,
    limits: Limits,
    /// How many configurations have been looked at.
    pub(super) states: u64,
}

impl<M: Model> Frontier<M> {
    /// An object in its first state.
    pub(super) fn new(model: M, limits: Limits) -> Self {
        let first = Configuration {
            state: model.initial(),
            placed: 0,
            crashed: Vec::new(),
        };
        Self {
            model,
            configurations: vec![first],
            pending: Vec::new(),
            crashed: Vec::new(),
            limits,
            states: 0,
        }
    }

    /// A call begins that never returns: it may take effect at any time, or never.
    pub(super) fn crash(&mut self, op: M::Op) {
        if self.model.observes_only(&op) {
            return;
        }
        match self.crashed.iter_mut().find(|crashed| crashed.op == op) {
            Some(crashed) => crashed.begun += 1,
            None => self.crashed.push(Crashed { op, begun: 1 }),
        }
    }

    /// A call begins that will return at an event.
    ///
    /// # Errors
    /// When there are too many in flight.
    pub(super) fn invoke(&mut self, call: u64, op: M::Op, returns: u64) -> Result<(), Lost> {
        let taken = self.pending.iter().fold(0, |taken, one| taken | one.slot);
        let free = (!taken).trailing_zeros();
        if free == Slots::BITS {
            return Err(Lost::TooManyInFlight);
        }
        let slot = 1 << free;
        let observes = self.model.observes_only(&op);
        if observes {
            for configuration in &mut self.configurations {
                if self.model.step(&configuration.state, &op).is_some() {
                    configuration.placed |= slot;
                }
            }
        }
        let place = self.pending.partition_point(|one| one.returns < returns);
        let pending = Pending {
            call,
            op,
            returns,
            slot,
            observes,
        };
        self.pending.insert(place, pending);
        Ok(())
    }

    /// A call returns, and has taken effect. Whether an order is left.
    ///
    /// # Errors
    /// When there are too many to look at.
    pub(super) fn complete(&mut self, call: u64) -> Result<bool, Lost> {
        let Some(returning) = self.pending.iter().find(|one| one.call == call) else {
            return Ok(true);
        };
        let slot = returning.slot;
        let mut round = Round::new(slot);
        for configuration in std::mem::take(&mut self.configurations) {
            round.offer(configuration);
        }
        let mut looked_at = 0;
        while let Some(configuration) = round.next() {
            looked_at += 1;
            if looked_at > self.limits.states_max {
                return Err(Lost::TooManyStates(self.limits.states_max));
            }
            // Each is held by an antichain and by a list.
            let bytes = self.model.bytes(&configuration.state) + size_of_val(&configuration);
            if 2 * round.admitted * bytes > self.limits.memory_bytes_max {
                return Err(Lost::TooMuchMemory(self.limits.memory_bytes_max));
            }
            self.extend(&configuration, &mut round);
        }
        self.states += looked_at;
        self.pending.retain(|one| one.call != call);
        self.configurations = round.done;
        Ok(!self.configurations.is_empty())
    }

    /// Offers every configuration that is one call further.
    fn extend(&self, from: &Configuration<M::State>, round: &mut Round<M::State>) {
        let mut tried: Vec<&M::Op> = Vec::new();
        for one in &self.pending {
            // An observer that could take effect here has done so already.
            if from.placed & one.slot != 0 || one.observes || tried.contains(&&one.op) {
                continue;
            }
            tried.push(&one.op);
            if let Some(state) = self.model.step(&from.state, &one.op) {
                let placed = self.observe(&state, from.placed | one.slot);
                let crashed = from.crashed.clone();
                round.offer(Configuration {
                    state,
                    placed,
                    crashed,
                });
            }
        }
        for (class, one) in self.crashed.iter().enumerate() {
            let used = from.crashed.get(class).copied().unwrap_or(0);
            if used == one.begun || tried.contains(&&one.op) {
                continue;
            }
            if let Some(state) = self.model.step(&from.state, &one.op) {
                let placed = self.observe(&state, from.placed);
                let mut crashed = from.crashed.clone();
                crashed.resize(crashed.len().max(class + 1), 0);
                crashed[class] += 1;
                round.offer(Configuration {
                    state,
                    placed,
                    crashed,
                });
            }
        }
    }

    /// The calls that have taken effect when every observer in flight has that can.
    fn observe(&self, state: &M::State, placed: Slots) -> Slots {
        let observers = self.pending.iter().filter(|one| one.observes);
        observers.fold(placed, |placed, one| {
            let can = placed & one.slot == 0 && self.model.step(state, &one.op).is_some();
            if can { placed | one.slot } else { placed }
        })
    }
}

/// The extension of the frontier at one return.
struct Round<S> {
    /// The slot of the call that returns.
    slot: Slots,
    /// What is to be extended, by the number of crashed calls used, so that what dominates comes first.
    open: BTreeMap<u64, Vec<Configuration<S>>>,
    seen: Antichain<S>,
    done: Vec<Configuration<S>>,
    done_seen: Antichain<S>,
    /// How many configurations are held.
    admitted: usize,
}

/// By state and calls placed: the crashed calls used, of configurations that none other dominates.
type Antichain<S> = FxHashMap<(S, Slots), Vec<Vec<u32>>>;

impl<S: Clone + Eq + std::hash::Hash> Round<S> {
    fn new(slot: Slots) -> Self {
        Self {
            slot,
            open: BTreeMap::new(),
            seen: FxHashMap::default(),
            done: Vec::new(),
            done_seen: FxHashMap::default(),
            admitted: 0,
        }
    }

    fn offer(&mut self, mut configuration: Configuration<S>) {
        if configuration.placed & self.slot != 0 {
            configuration.placed ^= self.slot;
            if admit(&mut self.done_seen, &configuration) {
                self.admitted += 1;
                self.done.push(configuration);
            }
        } else if admit(&mut self.seen, &configuration) {
            self.admitted += 1;
            let used = configuration.crashed.iter().map(|used| u64::from(*used));
            self.open.entry(used.sum()).or_default().push(configuration);
        }
    }

    fn next(&mut self) -> Option<Configuration<S>> {
        let mut fewest = self.open.first_entry()?;
        let configuration = fewest.get_mut().pop();
        if fewest.get().is_empty() {
            fewest.remove();
        }
        configuration
    }
}

/// Whether no configuration that was admitted before is at least as good.
fn admit<S: Clone + Eq + std::hash::Hash>(
    seen: &mut Antichain<S>,
    configuration: &Configuration<S>,
) -> bool {
    let used = &configuration.crashed;
    let at_most = |one: &[u32], other: &[u32]| {
        let of_other = other.iter().copied().chain(std::iter::repeat(0));
        one.iter().zip(of_other).all(|(one, other)| *one <= other)
    };
    let key = (configuration.state.clone(), configuration.placed);
    let admitted = seen.entry(key).or_default();
    if admitted.iter().any(|other| at_most(other, used)) {
        return false;
    }
    admitted.retain(|other| !at_most(used, other));
    admitted.push(used.clone());
    true
}
