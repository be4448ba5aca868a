//! Liveness of a state: if nothing went wrong from here on, would the cluster answer?
//!
//! "Eventually" cannot be seen on a finite path, and within budgets a path ends where timers may not fire any more. So
//! the question is put as to a simulated cluster when its faults are over: what was on its way between nodes is lost, all
//! cuts end, nodes that are down start, from then on every packet arrives, timers take the time that they were armed
//! for, and a client asks until it is answered. A correct cluster answers within a few of the longest timeouts; one that
//! has not done so after [`PATIENCES`] of them, whichever of [`TRIES`] courses time takes, is stuck, and the way to that
//! state is the counterexample. (In TLA+: a `<>` under fairness, checked along a few fair behaviours from every state.
//! That none of them answers refutes liveness as far as anybody would wait; that all do does not prove it.)

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{EventRecord, Kind, NodeId, Observation, fingerprint};
use tribunal_protocols::contract::{ClientId, Configuration};
use tribunal_protocols::world::{Observer, SharedPacket};
use tribunal_protocols::{Node, Step, World};

/// For so many of the longest timeouts of the protocol a healed cluster may take to answer.
pub const PATIENCES: u64 = 20;

/// How many courses of time are tried before a cluster counts as stuck.
const TRIES: u64 = 3;

/// More events are not simulated: nodes that are wrong may answer each other without end.
const EVENTS_MAX: usize = 200_000;

/// How long packets are on their way and writes to disks take: from, and up to.
const LATENCY_US: (u64, u64) = (500, 1_500);

/// Whether a healed cluster answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It does, after so long.
    Answered {
        /// In microseconds of the protocol's timers.
        after_us: u64,
    },
    /// It does not in so long.
    Silent {
        /// In microseconds of the protocol's timers.
        for_us: u64,
    },
    /// Too much happened to see it to an end.
    Endless,
}

/// Whether the cluster would answer this request if nothing went wrong from here on.
pub fn recovery<N: Node>(world: &World<N>, request: &N::Request) -> Recovery {
    let courses = (0..TRIES).map(|course| Healed::of(world, request, course).run());
    let mut last = Recovery::Endless;
    for recovery in courses {
        last = recovery;
        if !matches!(recovery, Recovery::Silent { .. }) {
            break;
        }
    }
    last
}

/// What comes next.
enum Due<N: Node> {
    Arrive(SharedPacket<N>),
    Fire(NodeId, N::Timer),
    Sync(NodeId),
    /// The client asks, or asks again, so many times before.
    Ask(usize),
}

/// Sees how the operation ended that was over last.
#[derive(Default)]
struct LastEnd(Option<Kind>);

impl Observer for LastEnd {
    fn observe(&mut self, _observation: &Observation<'_>) {}

    fn client_event(&mut self, event: EventRecord) {
        self.0 = Some(event.kind);
    }

    fn note(&mut self, _probe: &'static str) {}
}

/// A cluster in which nothing goes wrong, with a clock.
struct Healed<'a, N: Node> {
    world: World<N>,
    now_us: u64,
    /// By when, and in the order in which it was put there.
    agenda: BTreeMap<(u64, u64), Due<N>>,
    /// Which course time takes.
    course: u64,
    /// How many numbers were drawn.
    drawn: u64,
    /// When an armed timer fires: as it was armed last.
    timers: BTreeMap<(NodeId, N::Timer), u64>,
    /// The nodes whose writes are on their way to their disks.
    syncing: BTreeSet<NodeId>,
    /// Who asks, what, and which of its operations this is.
    client: ClientId,
    request: &'a N::Request,
    sequence: u32,
    is_answered: bool,
    has_failed: bool,
}

impl<'a, N: Node> Healed<'a, N> {
    fn of(world: &World<N>, request: &'a N::Request, course: u64) -> Self {
        let mut world = world.clone();
        // A world that is asked for the first time says nothing of what was before.
        world.take_sent();
        world.take_armed();
        let mut clients = 0..ClientId::MAX;
        let newcomer = clients.find(|client| world.call(*client).is_none());
        let mut healed = Self {
            world,
            now_us: 0,
            agenda: BTreeMap::new(),
            course,
            drawn: 0,
            timers: BTreeMap::new(),
            syncing: BTreeSet::new(),
            client: newcomer.unwrap_or(ClientId::MAX),
            request,
            sequence: 0,
            is_answered: false,
            has_failed: false,
        };
        healed.begin();
        healed
    }

    /// Until the client is answered, or nobody would wait any longer.
    fn run(mut self) -> Recovery {
        let for_us = PATIENCES * self.world.config().patience_us();
        for _ in 0..EVENTS_MAX {
            let Some(((at_us, _), due)) = self.agenda.pop_first() else {
                return Recovery::Silent { for_us };
            };
            if at_us > for_us {
                return Recovery::Silent { for_us };
            }
            self.now_us = at_us;
            self.happen(due);
            if self.is_answered {
                return Recovery::Answered { after_us: at_us };
            }
        }
        Recovery::Endless
    }

    /// The faults end. What nodes tell themselves is never lost, says the contract; of all else that is on its way, a trace
    /// does not say what was lost.
    fn begin(&mut self) {
        self.world.retain_packets(|packet| packet.from == packet.to);
        let each = |(packet, count): (&SharedPacket<N>, u16)| {
            std::iter::repeat_n(packet.clone(), usize::from(count))
        };
        for packet in self.world.network().flat_map(each).collect::<Vec<_>>() {
            self.later(LATENCY_US, Due::Arrive(packet));
        }
        for (node, timer, after) in self.world.timers().collect::<Vec<_>>() {
            self.arm(node, timer, (after.min_us, after.max_us));
        }
        self.take(&Step::Heal);
        for node in NodeId::all(self.world.config().nodes()) {
            if !self.world.is_up(node) {
                self.take(&Step::Restart { node });
            }
        }
        self.later((0, 0), Due::Ask(0));
    }

    /// A number between two, both included.
    fn draw(&mut self, (from, to): (u64, u64)) -> u64 {
        self.drawn += 1;
        from + fingerprint(&(self.course, self.drawn)) % (to.saturating_sub(from) + 1)
    }

    fn later(&mut self, after_us: (u64, u64), due: Due<N>) -> u64 {
        let at = self.now_us + self.draw(after_us);
        self.agenda.insert((at, self.drawn), due);
        at
    }

    fn arm(&mut self, node: NodeId, timer: N::Timer, after_us: (u64, u64)) {
        let at = self.later(after_us, Due::Fire(node, timer));
        self.timers.insert((node, timer), at);
    }

    /// Takes a step, if it can be taken.
    fn take(&mut self, step: &Step<N>) {
        // What cannot be taken any more, as a timer that was cancelled, makes no difference.
        let mut end = LastEnd::default();
        let _ = self.world.take(step, &mut end);
        if self.world.call(self.client) == Some((self.sequence, false)) {
            self.is_answered |= end.0 == Some(Kind::Ok);
            self.has_failed |= end.0 == Some(Kind::Fail);
        }
        self.follow();
    }

    /// What comes of what was done last.
    fn follow(&mut self) {
        for packet in self.world.take_sent() {
            self.later(LATENCY_US, Due::Arrive(packet));
        }
        for (node, timer, after) in self.world.take_armed() {
            self.arm(node, timer, (after.min_us, after.max_us));
        }
        for node in NodeId::all(self.world.config().nodes()) {
            if self.world.disk(node).unsynced_count() > 0 && self.syncing.insert(node) {
                self.later(LATENCY_US, Due::Sync(node));
            }
        }
    }

    fn happen(&mut self, due: Due<N>) {
        match due {
            Due::Arrive(packet) => self.take(&Step::Deliver(packet)),
            Due::Fire(node, timer) => {
                if self.timers.get(&(node, timer)) != Some(&self.now_us) {
                    return; // it was armed anew
                }
                let choices = self.world.choices(node, &timer);
                let choice = self.draw((0, choices.saturating_sub(1)));
                self.take(&Step::Fire {
                    node,
                    timer,
                    choice,
                });
            }
            Due::Sync(node) => {
                self.syncing.remove(&node);
                let writes = u16::try_from(self.world.disk(node).unsynced_count());
                let writes = writes.unwrap_or(u16::MAX);
                self.take(&Step::Sync { node, writes });
            }
            Due::Ask(before) => self.ask(before),
        }
    }

    /// The client asks a node, each time another.
    fn ask(&mut self, before: usize) {
        let nodes = self.world.config().nodes();
        let to = NodeId::all(nodes).nth(before % nodes);
        let to = to.expect("there are as many nodes");
        let client = self.client;
        let again = self.sequence > 0 && !self.has_failed;
        let step = match again {
            true => Step::Resend { client, to },
            false => {
                self.has_failed = false;
                self.sequence += 1;
                Step::Invoke {
                    client,
                    sequence: self.sequence,
                    to,
                    request: self.request.clone(),
                }
            }
        };
        self.take(&step);
        let patience_us = self.world.config().patience_us() / 2;
        self.later((patience_us, patience_us), Due::Ask(before + 1));
    }
}
