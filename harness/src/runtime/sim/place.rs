//! A node's place in a simulated cluster: its life, its timers and its disk's pace.

use std::collections::VecDeque;

use tribunal_histories::{Cause, NodeId, Observation, Role};
use tribunal_protocols::world::{DisksOf, Observer};
use tribunal_protocols::{Address, Durable, Loss, Node, Step, TimerRange};

use super::cluster::{Cluster, Directive, Event};
use crate::draw::{Domain, Draw};

/// A timer that is armed. The event in the agenda may be earlier than the deadline, which moves at every re-arming
/// without another event.
#[derive(Debug)]
pub(super) struct Armed<T> {
    pub(super) timer: T,
    pub(super) choices: u64,
    pub(super) deadline_ns: u64,
    pub(super) generation: u64,
}

/// A node's place.
#[derive(Debug)]
pub(super) struct Place<N: Node> {
    pub(super) up: bool,
    pub(super) paused: bool,
    pub(super) role: Role,
    /// How fast its timers run, in parts per million of true time.
    pub(super) clock_ppm: u64,
    /// How much slower its disk is, in microseconds.
    pub(super) slow_disk_us: u64,
    /// It crashes in the middle of its next step, after so many effects, with this loss.
    pub(super) doomed: Option<(usize, Loss)>,
    pub(super) incarnation: u32,
    pub(super) armed: Vec<Armed<N::Timer>>,
    pub(super) timers_set: u64,
    pub(super) syncs: u64,
    pub(super) syncing: bool,
    /// What arrived while it was paused.
    pub(super) backlog: VecDeque<Event<N>>,
}

impl<N: Node> Place<N> {
    pub(super) fn new() -> Self {
        Self {
            up: false,
            paused: false,
            role: Role::Follower,
            clock_ppm: 1_000_000,
            slow_disk_us: 0,
            doomed: None,
            incarnation: 0,
            armed: Vec::new(),
            timers_set: 0,
            syncs: 0,
            syncing: false,
            backlog: VecDeque::new(),
        }
    }
}

/// A node's life.
impl<N: Node> Cluster<N> {
    pub(super) fn arm(&mut self, node: NodeId, timer: N::Timer, after: TimerRange, choices: u64) {
        let now_ns = self.now_ns();
        let place = &mut self.places[node.index()];
        place.timers_set += 1;
        let mut draw = Draw::keyed(
            self.settings.seed,
            Domain::Timer,
            node.index() as u64,
            place.timers_set,
        );
        let true_ns = draw.between(after.min_us * 1_000, after.max_us * 1_000);
        let duration_ns =
            u64::try_from(u128::from(true_ns) * 1_000_000 / u128::from(place.clock_ppm.max(1)));
        let deadline_ns = now_ns + duration_ns.unwrap_or(u64::MAX / 2);
        if let Some(armed) = place.armed.iter_mut().find(|armed| armed.timer == timer) {
            let later = deadline_ns >= armed.deadline_ns;
            (armed.deadline_ns, armed.choices) = (deadline_ns, choices);
            if later {
                return;
            }
            armed.generation = place.timers_set;
        } else {
            place.armed.push(Armed {
                timer,
                choices,
                deadline_ns,
                generation: place.timers_set,
            });
        }
        let generation = place.timers_set;
        self.agenda.push_at(
            deadline_ns,
            Event::Timer {
                node,
                timer,
                generation,
            },
        );
    }

    /// Begins to bring a node's writes to its disk, unless it is at it.
    pub(super) fn sync(&mut self, node: NodeId) {
        let place = &mut self.places[node.index()];
        let disk = &self.disks[node.index()];
        if place.syncing || !disk.is_dirty() {
            return;
        }
        place.syncing = true;
        place.syncs += 1;
        let mut draw = Draw::keyed(
            self.settings.seed,
            Domain::Disk,
            node.index() as u64,
            place.syncs,
        );
        let (fast, slow) = self.settings.sync_us;
        let duration_us = draw.between(fast, slow) + place.slow_disk_us;
        let (incarnation, writes) = (place.incarnation, disk.unsynced_count());
        self.agenda.push(
            duration_us * 1_000,
            Event::Synced {
                node,
                incarnation,
                writes,
            },
        );
    }

    /// A node's disk and surroundings crash.
    pub(super) fn crash(&mut self, node: NodeId, loss: Loss) {
        let place = &mut self.places[node.index()];
        (place.up, place.paused, place.syncing, place.doomed) = (false, false, false, None);
        place.role = Role::Follower;
        place.incarnation += 1;
        place.armed.clear();
        place.backlog.clear();
        let end = Address::Node(node);
        self.loopback.retain(|packet| packet.to != end);
        let disk = &mut self.disks[node.index()];
        self.tally.writes_lost += disk.unsynced_count() as u64;
        disk.crash(loss);
        let view = self.disks[node.index()].synced().view();
        let logs = &DisksOf(&self.disks);
        self.witness.observe(&Observation {
            node,
            cause: Cause::Crash,
            view,
            sent: &[],
            logs,
        });
        self.directives.push_back(Directive::Kill(node));
    }

    pub(super) fn restart(&mut self, node: NodeId) {
        self.record(Step::Restart { node });
        self.places[node.index()].up = true;
        self.directives.push_back(Directive::Boot(node));
    }

    /// A node's clock jumps: its timers come due so much earlier, or later.
    pub(super) fn bump(&mut self, node: NodeId, ahead_us: i64) {
        let now_ns = self.now_ns();
        let place = &mut self.places[node.index()];
        for armed in &mut place.armed {
            let deadline_ns = armed
                .deadline_ns
                .saturating_add_signed(ahead_us.saturating_mul(-1_000))
                .max(now_ns);
            let sooner = deadline_ns < armed.deadline_ns;
            armed.deadline_ns = deadline_ns;
            if sooner {
                place.timers_set += 1;
                armed.generation = place.timers_set;
                let event = Event::Timer {
                    node,
                    timer: armed.timer,
                    generation: armed.generation,
                };
                self.agenda.push_at(deadline_ns, event);
            }
        }
    }

    pub(super) fn resume(&mut self, node: NodeId) {
        let place = &mut self.places[node.index()];
        place.paused = false;
        for event in std::mem::take(&mut place.backlog) {
            self.agenda.push(0, event);
        }
    }

    /// The nodes that lead, as far as they know.
    pub(super) fn leaders(&self) -> Vec<NodeId> {
        NodeId::all(self.places.len())
            .filter(|node| self.places[node.index()].role == Role::Leader)
            .collect()
    }
}
