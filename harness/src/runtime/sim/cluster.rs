//! A simulated cluster: everything around the nodes, on simulated time.
//!
//! The cluster knows no runtime. A driver asks it for the next [`Directive`], carries it out on the node, and
//! hands back what the node asked for; the plain loop and the madsim runtime are two such drivers, and both give
//! the same run for the same seed, step by step.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tribunal_histories::{Cause, Digest, EventRecord, MessageView, NodeId, Observation};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::world::{Body, DisksOf, Observer, Packet, PacketOf, fold_delivery};
use tribunal_protocols::{Address, Disk, Effect, Host, Input, Loss, Node, Step};

use super::agenda::Agenda;
use super::clients::{ClientEvent, Clients};
use super::faults::Faults;
use super::network::Network;
use super::place::Place;
use super::settings::Settings;
use super::witness::Witness;
use crate::draw::{Domain, Draw};
use crate::runtime::env::Turn;

/// What a driver is to do next.
#[derive(Debug)]
pub enum Directive<N: Node> {
    /// Start a node from its disk.
    Boot(NodeId),
    /// Give a node its next turn.
    Turn(NodeId, Turn<N>),
    /// Throw away what a node has in memory. Its disk has already crashed.
    Kill(NodeId),
    /// Some time has passed: if the run is to end early, [stop](Cluster::stop) it; then ask again.
    MayStop,
    /// Nothing more: the run is over.
    Done(End),
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All operations were made, all faults healed and all final reads tried.
    Complete,
    /// A cluster property was violated.
    Violation,
    /// The bound on events was reached.
    EventsMax,
    /// The caller stopped it: its time was up, or it was interrupted.
    Stopped,
}

/// Something that happens at a time.
#[derive(Debug)]
pub(super) enum Event<N: Node> {
    Packet(PacketOf<N>),
    Timer {
        node: NodeId,
        timer: N::Timer,
        generation: u64,
    },
    Synced {
        node: NodeId,
        incarnation: u32,
        writes: usize,
    },
    Client(ClientEvent),
    Fault,
}

/// What a run did, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets that arrived.
    pub packets: u64,
    /// Packets that nodes sent one another, where they are counted apart.
    pub packets_between_nodes: u64,
    /// Packets that were lost or stopped by a cut.
    pub packets_lost: u64,
    /// Packets that arrived twice.
    pub packets_duplicated: u64,
    /// Events of every kind.
    pub events: u64,
    /// Unsynced writes that crashes lost.
    pub writes_lost: u64,
    /// Steps that a crash cut in the middle.
    pub steps_cut: u64,
}

/// A cluster and its surroundings; see the [module](self).
#[derive(Debug)]
pub struct Cluster<N: Node> {
    pub(super) config: Arc<N::Config>,
    pub(super) settings: Settings,
    pub(super) agenda: Agenda<Event<N>>,
    pub(super) network: Network,
    pub(super) places: Vec<Place<N>>,
    pub(super) clients: Clients<N>,
    pub(super) faults: Faults,
    pub(super) disks: Vec<Disk<N>>,
    pub(super) directives: VecDeque<Directive<N>>,
    pub(super) witness: Witness,
    pub(super) tally: Tally,
    pub(super) end: Option<End>,
    digest: Digest,
    steps: Option<Vec<Recorded<N>>>,
    /// The node that has the turn dies at its end, with this loss.
    dying: Option<Loss>,
    /// What nodes sent themselves: it arrives before anything else happens.
    pub(super) loopback: VecDeque<PacketOf<N>>,
    sent: Vec<MessageView>,
    /// At so many events the driver may stop the run.
    may_stop_at: u64,
}

/// A driver is asked whether to stop once in so many events.
const MAY_STOP_EVERY: u64 = 1024;

/// What is left of a cluster when its run is over.
#[derive(Debug)]
pub struct Remains<N: Node> {
    /// What the witness saw.
    pub witness: Witness,
    /// The numbers.
    pub tally: Tally,
    /// The steps, if they were kept.
    pub recorded: Option<Vec<Recorded<N>>>,
    /// An operation of the final phase that was not answered in time.
    pub unanswered: Option<String>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

/// A step, or what a client saw, as a recorder keeps it.
#[derive(Clone, Debug)]
pub enum Recorded<N: Node> {
    /// What happened, and when, in nanoseconds of simulated time.
    Step(u64, Step<N>),
    /// What a client saw.
    Event(EventRecord),
}

impl<N: Node> Cluster<N> {
    /// A cluster at time 0, its nodes yet to boot. With `record`, every step is kept.
    pub fn new(
        config: N::Config,
        settings: Settings,
        clients: Clients<N>,
        faults: Faults,
        record: bool,
    ) -> Self {
        let nodes = config.nodes();
        let mut cluster = Self {
            config: Arc::new(config),
            agenda: Agenda::new(settings.seed, settings.choice),
            network: Network::new(settings.seed, nodes, settings.latency_us),
            places: (0..nodes).map(|_| Place::new()).collect(),
            clients,
            faults,
            disks: vec![Disk::default(); nodes],
            directives: NodeId::all(nodes).map(Directive::Boot).collect(),
            witness: Witness::default(),
            tally: Tally::default(),
            end: None,
            digest: Digest::default(),
            steps: record.then(Vec::new),
            dying: None,
            loopback: VecDeque::new(),
            sent: Vec::new(),
            may_stop_at: MAY_STOP_EVERY,
            settings,
        };
        for place in &mut cluster.places {
            place.up = true;
        }
        cluster.agenda.push(0, Event::Client(ClientEvent::Ask));
        cluster.agenda.push(0, Event::Fault);
        cluster
    }

    /// Has the run watched by a witness.
    #[must_use]
    pub fn watched_by(mut self, witness: Witness) -> Self {
        self.witness = witness;
        self
    }

    /// The nodes' configuration.
    pub fn config(&self) -> Arc<N::Config> {
        self.config.clone()
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.places.len()
    }

    /// The time of the last event, in nanoseconds since the start.
    pub fn now_ns(&self) -> u64 {
        self.agenda.now_ns()
    }

    /// The disk of a node.
    pub fn disk(&mut self, node: NodeId) -> &mut Disk<N> {
        &mut self.disks[node.index()]
    }

    /// What the next event comes to.
    pub fn next_directive(&mut self) -> Directive<N> {
        loop {
            if let Some(directive) = self.directives.pop_front() {
                return directive;
            }
            if let Some(packet) = self.loopback.pop_front() {
                if let Some((node, turn)) = self.happen(Event::Packet(packet)) {
                    return Directive::Turn(node, turn);
                }
                continue;
            }
            if let Some(end) = self.over() {
                return Directive::Done(end);
            }
            if self.tally.events >= self.may_stop_at {
                self.may_stop_at += MAY_STOP_EVERY;
                return Directive::MayStop;
            }
            let Some(event) = self.agenda.pop() else {
                return Directive::Done(End::Complete);
            };
            self.tally.events += 1;
            if let Some((node, turn)) = self.happen(event) {
                return Directive::Turn(node, turn);
            }
        }
    }

    /// Ends the run before its time.
    pub fn stop(&mut self) {
        self.end = Some(End::Stopped);
    }

    fn over(&mut self) -> Option<End> {
        if self.witness.has_seen_enough() {
            self.end = Some(End::Violation);
        } else if self.tally.events >= self.settings.events_max {
            self.end = Some(End::EventsMax);
        }
        self.end
    }

    /// Lets an event happen; what it comes to for a node is a turn.
    fn happen(&mut self, event: Event<N>) -> Option<(NodeId, Turn<N>)> {
        let node = match &event {
            Event::Packet(Packet {
                to: Address::Node(node),
                ..
            })
            | Event::Timer { node, .. }
            | Event::Synced { node, .. } => *node,
            Event::Packet(Packet {
                to: Address::Client(_),
                ..
            }) => {
                if let Event::Packet(packet) = event {
                    self.respond(packet);
                }
                return None;
            }
            Event::Client(event) => {
                self.client_event(*event);
                return None;
            }
            Event::Fault => {
                self.inject_faults();
                return None;
            }
        };
        if self.places[node.index()].paused {
            self.places[node.index()].backlog.push_back(event);
            return None;
        }
        self.turn(node, event).map(|turn| (node, turn))
    }

    fn turn(&mut self, node: NodeId, event: Event<N>) -> Option<Turn<N>> {
        match event {
            Event::Packet(packet) => {
                let gone =
                    !self.places[node.index()].up || self.network.is_cut(packet.from, packet.to);
                if gone {
                    self.tally.packets_lost += 1;
                    return None;
                }
                self.tally.packets += 1;
                Some(self.input(node, InputEvent::Packet(packet)))
            }
            Event::Timer {
                node,
                timer,
                generation,
            } => {
                let now_ns = self.now_ns();
                let place = &mut self.places[node.index()];
                let position = place
                    .armed
                    .iter()
                    .position(|armed| armed.generation == generation)?;
                let deadline_ns = place.armed[position].deadline_ns;
                if deadline_ns > now_ns {
                    self.agenda.push_at(
                        deadline_ns,
                        Event::Timer {
                            node,
                            timer,
                            generation,
                        },
                    );
                    return None;
                }
                let choices = place.armed.swap_remove(position).choices;
                let choice = match choices {
                    1 => 0,
                    _ => self.choose(node, generation, choices),
                };
                Some(self.input(node, InputEvent::Timer(timer, choice)))
            }
            Event::Synced {
                node,
                incarnation,
                writes,
            } => {
                let place = &mut self.places[node.index()];
                if place.incarnation != incarnation || !place.up {
                    return None;
                }
                place.syncing = false;
                self.record(Step::Sync {
                    node,
                    writes: u16::try_from(writes).unwrap_or(u16::MAX),
                });
                Some(Turn::Synced(writes))
            }
            Event::Client(_) | Event::Fault => None,
        }
    }

    /// Makes an input a turn, and writes down the step that it is. A doomed node does not survive it.
    fn input(&mut self, node: NodeId, event: InputEvent<N>) -> Turn<N> {
        let doomed = self.places[node.index()].doomed.take();
        if doomed.is_none() {
            match &event {
                InputEvent::Packet(packet) => self.record_delivery(packet),
                InputEvent::Timer(timer, choice) => self.record(Step::Fire {
                    node,
                    timer: *timer,
                    choice: *choice,
                }),
            }
            return Turn::Input(event.into_input());
        }
        let (effects, loss) = doomed.unwrap_or_default();
        self.dying = Some(loss);
        let step = Box::new(match &event {
            InputEvent::Packet(packet) => Step::Deliver(packet.clone().into()),
            InputEvent::Timer(timer, choice) => Step::Fire {
                node,
                timer: *timer,
                choice: *choice,
            },
        });
        self.tally.steps_cut += 1;
        self.record(Step::CrashDuring {
            step,
            effects: u16::try_from(effects).unwrap_or(u16::MAX),
            loss,
        });
        Turn::CutShort {
            input: event.into_input(),
            effects,
        }
    }

    /// Executes what a node asked for, in order, and shows the node to the witness.
    pub fn perform(&mut self, host: &Host<N>, cause: Cause, effects: &mut Vec<Effect<N>>) {
        let node = host.me();
        let mut sent = std::mem::take(&mut self.sent);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { to, message } => {
                    sent.push(N::message_view(to, &message));
                    let (from, to) = (Address::Node(node), Address::Node(to));
                    self.send(Packet {
                        from,
                        to,
                        body: Body::Message(message),
                    });
                }
                Effect::Reply {
                    client,
                    sequence,
                    response,
                } => {
                    sent.extend(N::answer_view(node, client, sequence, &response));
                    let (from, to) = (Address::Node(node), Address::Client(client));
                    self.send(Packet {
                        from,
                        to,
                        body: Body::Response { sequence, response },
                    });
                }
                Effect::SetTimer {
                    timer,
                    after,
                    choices,
                } => self.arm(node, timer, after, choices),
                Effect::CancelTimer(timer) => {
                    self.places[node.index()]
                        .armed
                        .retain(|armed| armed.timer != timer);
                }
                Effect::Note(probe) => self.witness.note(probe),
                Effect::Write(_) => unreachable!("the disk's queue keeps writes"),
            }
        }
        self.sync(node);
        let view = host.view(&self.disks[node.index()]);
        self.places[node.index()].role = view.role;
        self.witness.observe(&Observation {
            node,
            cause,
            view,
            sent: &sent,
            logs: &DisksOf(&self.disks),
        });
        sent.clear();
        self.sent = sent;
        if let Some(loss) = self.dying.take() {
            self.crash(node, loss);
        }
    }

    /// What the node has to go on with, of so many ways, when a timer fires.
    fn choose(&self, node: NodeId, generation: u64, choices: u64) -> u64 {
        let node = node.index() as u64;
        Draw::keyed(self.settings.seed, Domain::Choice, node, generation).below(choices)
    }

    pub(super) fn send(&mut self, packet: PacketOf<N>) {
        let (from, to) = (packet.from, packet.to);
        if from == to {
            return self.loopback.push_back(packet);
        }
        if self.network.is_cut(from, to) {
            self.tally.packets_lost += 1;
            return;
        }
        let fate = self.network.send(from, to);
        let Some(arrives_ns) = fate.arrives_ns else {
            self.tally.packets_lost += 1;
            return;
        };
        let link = self.network.link(from, to);
        if let Some(again_ns) = fate.again_ns {
            self.tally.packets_duplicated += 1;
            self.record(Step::Duplicate(packet.clone().into()));
            self.agenda
                .push_packet(link, again_ns, Event::Packet(packet.clone()));
        }
        self.agenda
            .push_packet(link, arrives_ns, Event::Packet(packet));
    }
}

/// What is written down.
impl<N: Node> Cluster<N> {
    pub(super) fn record(&mut self, step: Step<N>) {
        self.digest = step.fold(self.digest);
        let now_ns = self.now_ns();
        if let Some(steps) = &mut self.steps {
            steps.push(Recorded::Step(now_ns, step));
        }
    }

    pub(super) fn record_delivery(&mut self, packet: &PacketOf<N>) {
        self.digest = fold_delivery::<N>(self.digest, packet);
        let now_ns = self.now_ns();
        if let Some(steps) = &mut self.steps {
            steps.push(Recorded::Step(now_ns, Step::Deliver(packet.clone().into())));
        }
    }

    pub(super) fn record_event(&mut self, mut event: EventRecord) {
        event.time_ns = Some(self.now_ns());
        if let Some(steps) = &mut self.steps {
            steps.push(Recorded::Event(event.clone()));
        }
        self.witness.client_event(event);
    }

    /// A digest of every step so far.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Within how long, in microseconds, the final operations had to be answered.
    pub fn liveness_us(&self) -> u64 {
        self.settings.liveness_us
    }

    /// What is left when the run is over.
    pub fn into_remains(self) -> Remains<N> {
        Remains {
            witness: self.witness,
            tally: self.tally,
            recorded: self.steps,
            unanswered: self.clients.unanswered,
            faults: self.faults.counts,
        }
    }
}

enum InputEvent<N: Node> {
    Packet(PacketOf<N>),
    Timer(N::Timer, u64),
}

impl<N: Node> InputEvent<N> {
    fn into_input(self) -> Input<N> {
        match self {
            Self::Timer(timer, choice) => Input::Timer { timer, choice },
            Self::Packet(packet) => match (packet.from, packet.body) {
                (Address::Node(from), Body::Message(message)) => Input::Message { from, message },
                (Address::Client(client), Body::Request { sequence, request }) => Input::Request {
                    client,
                    sequence,
                    request,
                },
                _ => unreachable!("nodes get messages from nodes and requests from clients"),
            },
        }
    }
}
