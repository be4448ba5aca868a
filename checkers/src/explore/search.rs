//! The search as stateright has it: which steps there are in a state, and what each leads to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use stateright::{Model, Property};
use tribunal_histories::{BuildOptions, History, Kind, NodeId};
use tribunal_protocols::contract::{ClientId, Configuration};
use tribunal_protocols::world::{Setup, SyncMode};
use tribunal_protocols::{Loss, Node, Step};

use super::bounds::{Budget, Limits};
use super::coverage::Coverage;
use super::state::{Memory, Spent, State};
use crate::properties::Monitor;
use crate::verdict::Answer;
use crate::{CheckRequest, check_history};

/// What is searched: a cluster, what clients do, and what may go wrong.
pub(super) struct Search<N: Node> {
    pub(super) setup: Setup<N>,
    pub(super) budget: Budget,
    pub(super) limits: Limits,
    /// By client, what it asks, one after another.
    pub(super) requests: Vec<Vec<N::Request>>,
    /// What the clients' history is judged by.
    pub(super) model: String,
    pub(super) coverage: Coverage,
    /// No state has further steps any more: the search is to end.
    pub(super) stopped: AtomicBool,
    /// How many states had further steps beyond the bound of depth.
    pub(super) beyond_depth: AtomicU64,
}

/// The one property that stateright is asked: all that we judge is judged when a state is made.
pub(super) const NOTHING_WRONG: &str = "nothing wrong";

impl<N: Node> Model for Search<N> {
    type State = State<N>;
    type Action = Step<N>;

    fn init_states(&self) -> Vec<State<N>> {
        let mut memory = Memory {
            monitor: Monitor::of(N::NAME),
            ..Memory::default()
        };
        let world = self.setup.start(&mut memory);
        memory.notes.clear();
        vec![State::new(world, memory, Spent::default(), 0)]
    }

    fn actions(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        if state.violation.is_some() || self.stopped.load(Ordering::Relaxed) {
            return;
        }
        if self
            .limits
            .depth
            .is_some_and(|depth| state.depth as usize >= depth)
        {
            self.beyond_depth.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.natural_steps(state, steps);
        self.crashes(state, steps);
        self.client_steps(state, steps);
    }

    fn next_state(&self, state: &State<N>, step: Step<N>) -> Option<State<N>> {
        let mut world = state.world.clone();
        let mut memory = state.memory.clone();
        memory.notes.clear();
        let seen = memory.events.len();
        world.take(&step, &mut memory).ok()?;
        if self.is_beyond_term(&world) {
            return None;
        }
        self.coverage.count(&step, &memory);
        let mut spent = state.spent;
        match &step {
            Step::Fire { .. } => spent.timeouts += 1,
            Step::Crash { .. } => spent.crashes += 1,
            Step::CrashDuring { step, .. } => {
                spent.crashes += 1;
                spent.timeouts += u8::from(matches!(**step, Step::Fire { .. }));
            }
            Step::Duplicate(_) => spent.duplicates += 1,
            Step::Resend { .. } => spent.resends += 1,
            _ => {}
        }
        let returned = memory.events[seen..]
            .iter()
            .any(|event| event.kind != Kind::Invoke);
        let violation = self.violation(&memory, returned);
        let mut next = State::new(world, memory, spent, state.depth + 1);
        next.violation = violation;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(NOTHING_WRONG, |_, state: &State<N>| {
            state.violation.is_none()
        })]
    }
}

impl<N: Node> Search<N> {
    /// What may happen without a client or a fault: packets arrive, writes reach disks, and timers fire, within the
    /// budget.
    fn natural_steps(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        let timers = state.spent.timeouts < self.budget.timeouts;
        let enabled = state.world.enabled().into_iter();
        steps.extend(enabled.filter(|step| timers || !matches!(step, Step::Fire { .. })));
        if state.spent.duplicates < self.budget.duplicates {
            let packets = state.world.network().filter(|(_, count)| *count == 1);
            steps.extend(packets.map(|(packet, _)| Step::Duplicate(packet.clone())));
        }
    }

    /// Nodes crash, within the budget, between steps and, if so wished, in the middle of them; nodes that are down
    /// start again.
    fn crashes(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        let world = &state.world;
        let may_crash = state.spent.crashes < self.budget.crashes;
        let within = self.budget.crash_within_steps && may_crash;
        let whole = steps.len();
        for place in 0..whole {
            if !within {
                break;
            }
            let Some(effects) = world.effects_of(&steps[place]) else {
                continue;
            };
            // After no effect, nothing but the packet or timer is gone; after all, the node crashes between steps.
            steps.extend(
                (1..effects)
                    .map(|kept| Step::CrashDuring {
                        step: Box::new(steps[place].clone()),
                        effects: u16::try_from(kept).unwrap_or(u16::MAX),
                        loss: Loss::Last(0),
                    })
                    .collect::<Vec<_>>(),
            );
        }
        for node in NodeId::all(self.setup.config.nodes()) {
            if world.node(node).is_none() {
                steps.push(Step::Restart { node });
            } else if may_crash {
                let loss = Loss::All;
                steps.push(Step::Crash { node, loss });
                if self.setup.sync == SyncMode::Explicit && world.disk(node).is_dirty() {
                    let loss = Loss::Last(0);
                    steps.push(Step::Crash { node, loss });
                }
            }
        }
    }

    /// Clients that wait for nothing invoke their next operation, at any node; others send theirs again, within the
    /// budget.
    fn client_steps(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        let nodes = self.setup.config.nodes();
        for (client, requests) in (0 as ClientId..).zip(&self.requests) {
            let (made, open) = state.world.call(client).unwrap_or((0, false));
            if open {
                if state.spent.resends < self.budget.resends {
                    steps.extend(NodeId::all(nodes).map(|to| Step::Resend { client, to }));
                }
            } else if let Some(request) = requests.get(made as usize) {
                steps.extend(NodeId::all(nodes).map(|to| Step::Invoke {
                    client,
                    sequence: made + 1,
                    to,
                    request: request.clone(),
                }));
            }
        }
    }

    fn is_beyond_term(&self, world: &tribunal_protocols::World<N>) -> bool {
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
        if !returned {
            return None;
        }
        let records = memory.events.iter().cloned();
        let history = History::from_records(records, BuildOptions::default()).ok()?;
        let verdict = check_history(&history, &CheckRequest::new(&*self.model), &|| false).ok()?;
        (verdict.answer() == Answer::Invalid).then(|| "linearizability".into())
    }
}
