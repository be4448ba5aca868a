//! The model that stateright searches: its states, and what follows each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;
use stateright::{Model, Property};
use tribunal_histories::{BuildOptions, History, Kind, NodeId, NodeSet, Renaming, Renamings};
use tribunal_protocols::contract::{Configuration, Recorded};
use tribunal_protocols::explored::{Explored, Names};
use tribunal_protocols::world::Setup;
use tribunal_protocols::{Step, World};

use super::begin::Beginning;
use super::bounds::{Asked, Budget, Grain, Limits, Reductions};
use super::cost::Cost;
use super::coverage::Coverage;
use super::moves::{Move, Mover, What};
use super::neighbourhood::Neighbourhood;
use super::offers::actors;
use super::recovery::{Recovery, recovery};
use super::state::{Memory, Spent, State};
use crate::properties::{Monitor, PropertyInfo};
use crate::verdict::Answer;
use crate::{CheckRequest, check_history};

/// What is searched: a cluster, what clients do, and what may go wrong.
pub(super) struct Search<N: Explored> {
    pub(super) setup: Setup<N>,
    pub(super) budget: Budget,
    pub(super) limits: Limits,
    pub(super) reductions: Reductions,
    pub(super) mover: Mover,
    /// Where the search begins.
    pub(super) beginning: Beginning<N>,
    /// By client, what it asks, one after another.
    pub(super) requests: Vec<Vec<N::Request>>,
    /// What is asked and what goes wrong, if it is to be as in some run.
    pub(super) neighbourhood: Option<Neighbourhood<N>>,
    /// The names that nodes may have for each other, the ones that they have first.
    pub(super) renamings: Renamings,
    pub(super) properties: Vec<&'static PropertyInfo>,
    /// Whether what clients saw is judged, and not only the cluster.
    pub(super) judges_history: bool,
    /// What the clients' history is judged by.
    pub(super) model: String,
    pub(super) coverage: Coverage,
    pub(super) cost: Cost,
    /// By fingerprint, the histories of clients that were judged, and whether they are wrong: many states have the same.
    pub(super) verdicts: RwLock<FxHashMap<u64, bool>>,
    /// The kinds of timers that were seen.
    pub(super) kinds: RwLock<BTreeMap<N::Timer, usize>>,
    /// No state has further steps any more: the search is to end.
    pub(super) stopped: AtomicBool,
    /// What the cluster is asked in every state.
    pub(super) finally: Option<N::Request>,
    /// By the fingerprint of a cluster, whether it answers that.
    pub(super) recovers: RwLock<FxHashMap<u64, bool>>,
    /// From how many states something was tried.
    pub(super) visited: AtomicU64,
    /// How many states had further steps beyond the bound of depth.
    pub(super) beyond_depth: AtomicU64,
    /// How many moves had more packets than are delivered in one.
    pub(super) endless: AtomicU64,
}

/// The one property that stateright is asked: all that we judge is judged when a state is made.
pub(super) const NOTHING_WRONG: &str = "nothing wrong";

/// What is violated where a cluster does not answer though nothing goes wrong any more.
pub const NOT_LIVE: &str = "liveness";

/// What is violated where no order explains what clients saw.
pub const WRONG_HISTORY: &str = "linearizability";

/// More names than that are not tried for a state: it would take longer than the states that are left out.
const RENAMINGS_MAX: usize = 24;

impl<N: Explored> Model for Search<N> {
    type State = State<N>;
    type Action = Move<N>;

    fn init_states(&self) -> Vec<State<N>> {
        let mut memory = Memory {
            monitor: (!self.properties.is_empty()).then(|| Monitor::new(&self.properties)),
            ..Memory::default()
        };
        self.beginning.show(&self.setup, &self.budget, &mut memory);
        self.coverage.see(&memory);
        memory.notes.clear();
        memory.settle_events();
        let violation = self.violation(&memory, true);
        let (world, spent) = (self.beginning.world.clone(), Spent::default());
        let mut start = State::new(world, memory, spent, 0, &self.renamings);
        start.violation = violation;
        vec![start]
    }

    fn actions(&self, state: &State<N>, moves: &mut Vec<Move<N>>) {
        self.visited.fetch_add(1, Ordering::Relaxed);
        self.cost.visit();
        if state.violation.is_some() || self.stopped.load(Ordering::Relaxed) {
            return;
        }
        let depth = self.limits.depth;
        if depth.is_some_and(|depth| state.depth as usize >= depth) {
            self.beyond_depth.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.moves(state, moves);
    }

    fn next_state(&self, state: &State<N>, it: Move<N>) -> Option<State<N>> {
        let mut world = state.world.clone();
        let mut memory = state.memory.clone();
        memory.notes.clear();
        let seen = memory.events.len();
        if let (Some(near), What::Step(step)) = (&self.neighbourhood, &it.what) {
            near.before(&mut world, step);
        }
        let carried = self
            .mover
            .carry_out(&mut world, &it, &mut memory, false, &mut |_| ())
            .ok()?;
        if carried.endless {
            self.endless.fetch_add(1, Ordering::Relaxed);
        }
        if self.is_beyond_term(&world) {
            return None;
        }
        self.coverage.count(&it, &memory);
        let spent = self.spend(state.spent.clone(), &it);
        if let Some(near) = &self.neighbourhood {
            if memory.events.len() == seen && self.is_idle(state, &world, &memory) {
                return None;
            }
            near.after(&mut world, &spent.near);
        }
        let returned = memory.events[seen..]
            .iter()
            .any(|event| event.kind != Kind::Invoke);
        if !self.judges_history {
            memory.events = Arc::default();
        } else if memory.events.len() > seen {
            if self.reductions.history {
                memory.order_events();
            }
            memory.settle_events();
        }
        let violation = self.violation(&memory, returned);
        if let (Some(near), Some(violated)) = (&self.neighbourhood, &violation) {
            if near.violated != **violated {
                return None;
            }
            // Breadth first, nothing nearer is left; what waits is not looked at any more.
            self.stopped.store(true, Ordering::Relaxed);
        }
        let mut next = State::new(world, memory, spent, state.depth + 1, &self.renamings);
        next.violation = violation;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            NOTHING_WRONG,
            |search: &Self, state: &State<N>| {
                state.violation.is_none() && search.recovers(&state.world)
            },
        )]
    }

    fn format_action(&self, it: &Move<N>) -> String {
        match &it.what {
            What::Step(step) if it.contact.is_empty() => step.to_string(),
            What::Step(step) => format!("{step}, with {}", it.contact),
            What::Lose(packet) => format!("lose {packet}"),
        }
    }
}

impl<N: Explored> Search<N> {
    /// Whether a step changed nothing but the packet that arrived, so that a trace without it is as bad.
    fn is_idle(&self, before: &State<N>, world: &World<N>, memory: &Memory) -> bool {
        let ghosts = |memory: &Memory| {
            let monitor = memory.monitor.as_ref();
            monitor.map(|monitor| monitor.fingerprint(&self.renamings, 0))
        };
        world.has_only_lost_packets_since(&before.world)
            && ghosts(memory) == ghosts(&before.memory)
            && memory
                .monitor
                .as_ref()
                .and_then(Monitor::violation)
                .is_none()
    }

    /// What a path has used when it has made a move more.
    fn spend(&self, mut spent: Spent, it: &Move<N>) -> Spent {
        spent.drops += u8::try_from(it.mute.len()).unwrap_or(u8::MAX);
        spent.crashes += u8::from(it.crash.is_some());
        match &it.what {
            What::Lose(_) => spent.drops += 1,
            What::Step(step) => {
                if let Some(near) = &self.neighbourhood {
                    near.spend(step, &mut spent.near);
                }
                self.spend_step(&mut spent, step);
            }
        }
        spent
    }

    fn spend_step(&self, spent: &mut Spent, step: &Step<N>) {
        match step {
            Step::Fire { timer, .. } if self.neighbourhood.is_none() => {
                let kind = self.kind_of(timer);
                let counts = self.budget.timeouts.allowed(kind).is_some();
                spent.timeouts[kind] += u8::from(counts);
            }
            Step::Crash { .. } => spent.crashes += 1,
            Step::CrashDuring { step, .. } => {
                spent.crashes += 1;
                self.spend_step(spent, step);
            }
            Step::Restart { .. } => spent.restarts += u8::from(self.budget.restarts.is_some()),
            Step::Duplicate(_) => spent.duplicates += 1,
            Step::Resend { .. } if self.neighbourhood.is_none() => spent.resends += 1,
            Step::Cut { .. } => spent.cuts += 1,
            _ => {}
        }
    }

    /// The place of a timer's kind among those that are counted.
    pub(super) fn kind_of(&self, timer: &N::Timer) -> usize {
        if self.budget.timeouts.named.is_empty() {
            return 0;
        }
        let known = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = known.get(timer) {
            return *kind;
        }
        drop(known);
        let kind = self.budget.timeouts.kind_of(&timer.to_string());
        let mut known = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(*timer, kind);
        kind
    }

    pub(super) fn is_beyond_term(&self, world: &World<N>) -> bool {
        let Some(bound) = self.budget.term else {
            return false;
        };
        NodeId::all(self.setup.config.nodes()).any(|node| world.view(node).term > bound)
    }

    /// Why a state is bad, if it is: a cluster property, or a history that grew and is not linearizable any more.
    fn violation(&self, memory: &Memory, returned: bool) -> Option<Arc<str>> {
        if let Some(violation) = memory.monitor.as_ref().and_then(Monitor::violation) {
            return Some(violation.property.into());
        }
        if !returned || !self.judges_history {
            return None;
        }
        let judged = |verdicts: &FxHashMap<u64, bool>| verdicts.get(&memory.told).copied();
        let known = judged(&self.verdicts.read().unwrap_or_else(PoisonError::into_inner));
        let wrong = known.unwrap_or_else(|| {
            let wrong = self.is_wrong(memory);
            let mut verdicts = self
                .verdicts
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            verdicts.insert(memory.told, wrong);
            wrong
        });
        wrong.then(|| WRONG_HISTORY.into())
    }

    /// How many clusters were healed and asked.
    pub(super) fn healed(&self) -> usize {
        let known = self.recovers.read().unwrap_or_else(PoisonError::into_inner);
        known.len()
    }

    /// Whether a cluster answers what it is asked, if nothing goes wrong from here on.
    fn recovers(&self, world: &World<N>) -> bool {
        let Some(request) = &self.finally else {
            return true;
        };
        if self.stopped.load(Ordering::Relaxed) {
            return true;
        }
        let cluster = world.fingerprint(&self.renamings, 0);
        let known = self.recovers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(recovers) = known.get(&cluster) {
            return *recovers;
        }
        drop(known);
        let recovers = match recovery(world, request) {
            Recovery::Answered { .. } => true,
            Recovery::Silent { .. } => false,
            Recovery::Endless => {
                self.endless.fetch_add(1, Ordering::Relaxed);
                true
            }
        };
        let mut known = self
            .recovers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(cluster, recovers);
        recovers
    }

    /// Whether no order explains what clients saw.
    fn is_wrong(&self, memory: &Memory) -> bool {
        let records = memory.events.iter().cloned();
        let Ok(history) = History::from_records(records, BuildOptions::default()) else {
            return false;
        };
        let request = CheckRequest::new(&*self.model);
        let verdict = check_history(&history, &request, &|| false);
        verdict.is_ok_and(|verdict| verdict.answer() == Answer::Invalid)
    }
}

/// The names that nodes may have for each other in a search. Nodes are alike if they begin alike and may do the same: those
/// that clients ask and whose timers fire among themselves, if names are of no matter to the protocol, and the others
/// among themselves. Where clients name nodes, or ask one of their own, or a run is to be followed, nobody is alike.
pub(super) fn renamings<N: Explored>(
    setup: &Setup<N>,
    budget: &Budget,
    requests: &[Vec<N::Request>],
    near: Option<&Neighbourhood<N>>,
    reductions: Reductions,
) -> Renamings {
    let nodes = setup.config.nodes();
    let named = requests.iter().flatten().any(Recorded::is_administrative);
    // An exchange takes two of the orders in which what one node sends to several may arrive: between more than two they
    // are not all, and what is left out would depend on names.
    let several = nodes > 3 && budget.contacts.is_none_or(|most| most > 2);
    let orders = matches!(
        budget.grain,
        Grain::Elections | Grain::Exchanges | Grain::Rounds
    ) && several;
    if orders || !reductions.nodes || named || near.is_some() || !setup.disks.is_empty() {
        return Renamings::none(nodes);
    }
    let actors = NodeSet::all(actors(budget, nodes));
    let passive = NodeSet::all(nodes).without(actors);
    let mut classes = Vec::new();
    if N::NAMES_MATTER != Names::OfAll {
        classes.push(passive);
    }
    if N::NAMES_MATTER == Names::Nobodys && budget.asked == Asked::Any {
        classes.push(actors);
    }
    let mut all = Renaming::within(nodes, &classes);
    while all.len() > RENAMINGS_MAX {
        // A smaller class leaves out fewer states, and is as right.
        let largest = classes.iter_mut().max_by_key(|class| class.len());
        let last = largest.and_then(|class| class.iter().last().map(|last| (class, last)));
        let Some((class, last)) = last else { break };
        class.remove(last);
        all = Renaming::within(nodes, &classes);
    }
    Renamings::new(all)
}
