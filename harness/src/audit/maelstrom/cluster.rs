//! A cluster of nodes in time: which message arrives when, and what the nemesis does to it.
//!
//! The [`World`] knows what can happen; here it is decided when, from the seed. [`virtual_time`](super::virtual_time)
//! goes from one moment to the next as soon as every node is at rest; [`wall_clock`](super::wall_clock) waits for each
//! moment to come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tribunal_histories::NodeId;

use super::message::Endpoint;
use super::network::{Latency, Network};
use super::step::{Named, Step};
use super::wall_clock::Watched;
use super::world::{Setup, World};
use crate::audit::subject::Completion;
use crate::audit::{Cut, Disturb, Kill, Ledger, Pause, Subject};
use crate::generator::Invocation;
use crate::nemesis::{Grudge, PacketRates};

/// What time is.
#[derive(Debug)]
pub(super) enum Clock {
    /// The time of the event in hand, in nanoseconds.
    Virtual { now_ns: u64 },
    /// The time since the start.
    Wall { start: Instant },
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) world: World,
    pub(super) clock: Clock,
    network: Network,
    /// Messages by when they arrive, and in which order they were sent.
    pub(super) agenda: BTreeMap<(u64, u64), u64>,
    scheduled: u64,
    /// Messages of which two copies are to arrive.
    doubled: BTreeSet<u64>,
    /// Messages that have arrived at nodes which do not take them yet.
    held: BTreeMap<NodeId, Vec<u64>>,
    paused: BTreeSet<NodeId>,
    events_max: u64,
    pub(super) is_out_of_events: bool,
    /// By node, how it is watched in real time.
    pub(super) watched: Vec<Watched>,
}

impl Cluster {
    pub(super) fn new(
        setup: Setup,
        latency: Latency,
        events_max: u64,
        clock: Clock,
        record: bool,
    ) -> Self {
        Self {
            network: Network::new(setup.seed, latency),
            watched: vec![Watched::default(); setup.cluster.nodes],
            world: World::new(setup, record),
            clock,
            agenda: BTreeMap::new(),
            scheduled: 0,
            doubled: BTreeSet::new(),
            held: BTreeMap::new(),
            paused: BTreeSet::new(),
            events_max,
            is_out_of_events: false,
        }
    }

    /// The time, in nanoseconds.
    pub(super) fn now_ns(&self) -> u64 {
        match &self.clock {
            Clock::Virtual { now_ns } => *now_ns,
            Clock::Wall { start } => u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// Starts every node, and waits until all take part or one cannot.
    pub(super) fn start(&mut self, stop: &dyn Fn() -> bool) {
        for node in self.world.nodes() {
            self.take(&Step::Start(node));
        }
        while !self.is_broken() && !stop() && self.world.not_ready().next().is_some() {
            self.advance(Some(self.now_ns() / 1_000 + 100_000));
            if matches!(self.clock, Clock::Virtual { .. }) && self.agenda.is_empty() {
                self.blame_the_silent();
            }
        }
    }

    /// Starts the first node alone.
    pub(super) fn start_one(&mut self, stop: &dyn Fn() -> bool) {
        self.take(&Step::Start(NodeId(0)));
        while !self.is_broken() && !stop() && self.world.not_ready().next().is_some() {
            self.advance(Some(self.now_ns() / 1_000 + 100_000));
            if matches!(self.clock, Clock::Virtual { .. }) && self.agenda.is_empty() {
                return;
            }
        }
    }

    /// In virtual time all nodes are at rest and nothing is on its way: who has not answered will not.
    pub(super) fn blame_the_silent(&mut self) {
        let silent = self.world.not_ready().next();
        if let Some(node) = silent {
            let why = "it has read it, waits for input, and has written nothing".to_owned();
            self.world
                .blame(node, super::misbehaviour::Wrong::NoInit { why });
        }
    }

    /// Takes a step now, and puts what follows from it on its way.
    pub(super) fn take(&mut self, step: &Step) -> Vec<Completion> {
        self.world.ledger.now_ns = Some(self.now_ns());
        let completions = self.world.take(step);
        self.send_all();
        if self.world.ledger.steps() as u64 > self.events_max {
            self.is_out_of_events = true;
        }
        completions
    }

    /// Decides what becomes of the messages that were sent.
    pub(super) fn send_all(&mut self) {
        for number in self.world.take_sent() {
            let Some(letter) = self.world.letter(number) else {
                continue;
            };
            let (from, to) = (letter.from, letter.to);
            let fate = self.network.fate(from, to, letter.ordinal);
            match fate.arrives_ns {
                Some(_) if self.network.is_cut(from, to) => self.lose(number),
                Some(arrives_ns) => self.schedule(number, arrives_ns),
                None => self.lose(number),
            }
            if let Some(again_ns) = fate
                .again_ns
                .filter(|_| self.world.letter(number).is_some())
            {
                self.schedule(number, again_ns);
                self.doubled.insert(number);
            }
        }
        self.release();
    }

    fn schedule(&mut self, number: u64, in_ns: u64) {
        self.scheduled += 1;
        self.agenda
            .insert((self.now_ns() + in_ns, self.scheduled), number);
    }

    fn lose(&mut self, number: u64) {
        if let Some(named) = self.world.named(number) {
            self.world.take(&Step::Lose(named));
        }
    }

    /// Nodes that take messages now are given those that arrived before.
    fn release(&mut self) {
        let takes = |node: &NodeId| self.world.is_ready(*node) && !self.paused.contains(node);
        let nodes: Vec<_> = self.held.keys().copied().filter(takes).collect();
        for node in nodes {
            for number in self.held.remove(&node).unwrap_or_default() {
                self.schedule(number, 0);
            }
        }
    }

    /// A message arrives.
    pub(super) fn arrive(&mut self, number: u64) -> Vec<Completion> {
        let Some(named) = self.world.named(number) else {
            return Vec::new();
        };
        if let Endpoint::Node(node) = named.to {
            if self.network.is_cut(named.from, named.to) || !self.world.is_up(node) {
                self.take(&Step::Lose(named));
                return Vec::new();
            }
            if !self.world.is_ready(node) || self.paused.contains(&node) {
                self.held.entry(node).or_default().push(number);
                return Vec::new();
            }
        }
        let step = if self.doubled.remove(&number) {
            Step::Duplicate(named)
        } else {
            Step::Deliver(named)
        };
        self.take(&step)
    }

    pub(super) fn is_paused(&self, node: NodeId) -> bool {
        self.paused.contains(&node)
    }

    fn note(&mut self, text: String) {
        self.take(&Step::Note(text));
    }
}

impl Subject for Cluster {
    fn nodes(&self) -> usize {
        self.world.nodes().count()
    }

    fn now_us(&self) -> u64 {
        self.now_ns() / 1_000
    }

    fn up(&self) -> BTreeSet<NodeId> {
        let nodes = self.world.nodes();
        nodes.filter(|node| self.world.is_up(*node)).collect()
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.world.ledger.now_ns = Some(self.now_ns());
        &mut self.world.ledger
    }

    fn call(&mut self, invocation: &Invocation) {
        self.take(&Step::Invoke {
            process: invocation.process,
            call: invocation.call.clone(),
        });
    }

    fn give_up(&mut self, thread: usize) -> Completion {
        let process = self.world.process_at(thread);
        let given_up = process.map(|process| self.take(&Step::GiveUp { process }));
        let completion = given_up.and_then(|mut completions| completions.pop());
        completion.expect("a client that gives up has an operation in flight")
    }

    fn advance(&mut self, until_us: Option<u64>) -> Vec<Completion> {
        match self.clock {
            Clock::Virtual { .. } => self.advance_in_virtual_time(until_us),
            Clock::Wall { .. } => self.advance_by_the_wall_clock(until_us),
        }
    }

    fn is_broken(&self) -> bool {
        self.world.is_over() || self.is_out_of_events
    }

    fn as_kill(&mut self) -> Option<&mut dyn Kill> {
        Some(self)
    }

    fn as_pause(&mut self) -> Option<&mut dyn Pause> {
        Some(self)
    }

    fn as_cut(&mut self) -> Option<&mut dyn Cut> {
        Some(self)
    }

    fn as_disturb(&mut self) -> Option<&mut dyn Disturb> {
        Some(self)
    }
}

impl Kill for Cluster {
    fn kill(&mut self, node: NodeId) {
        self.take(&Step::Kill(node));
        self.paused.remove(&node);
        for number in self.held.remove(&node).unwrap_or_default() {
            let lost: Option<Named> = self.world.named(number);
            if let Some(named) = lost {
                self.take(&Step::Lose(named));
            }
        }
        self.watched[node.index()] = Watched::default();
    }

    fn restart(&mut self, node: NodeId) {
        self.take(&Step::Start(node));
    }
}

impl Pause for Cluster {
    fn pause(&mut self, node: NodeId) {
        self.note(format!("pause {node}"));
        self.paused.insert(node);
        if let (Clock::Wall { .. }, Some(process)) = (&self.clock, self.world.process(node)) {
            process.pause();
        }
    }

    fn resume(&mut self, node: NodeId) {
        self.note(format!("resume {node}"));
        self.paused.remove(&node);
        self.watched[node.index()] = Watched::default();
        if let (Clock::Wall { .. }, Some(process)) = (&self.clock, self.world.process(node)) {
            process.resume();
        }
        self.release();
    }

    fn paused(&self) -> BTreeSet<NodeId> {
        self.paused.clone()
    }
}

impl Cut for Cluster {
    fn cut(&mut self, grudge: &Grudge) {
        self.note(match grudge.is_empty() {
            true => "heal the network".to_owned(),
            false => format!("partition {grudge}"),
        });
        self.network.cut(grudge);
    }
}

impl Disturb for Cluster {
    fn disturb(&mut self, rates: PacketRates) {
        self.note(match rates == PacketRates::default() {
            true => "calm the packets".to_owned(),
            false => format!("disturb packets: {rates}"),
        });
        self.network.disturb(rates);
    }
}
