//! A cluster as one value: nodes, disks, network, timers and clients, moved by named steps.
//!
//! A world has no time. Any packet on the network may arrive next, any armed timer may fire, any node may crash:
//! [`World::enabled`] lists the steps in a fixed order and [`World::take`] takes one, always in the same way.
//! What never arrives is lost. A run of the simulator, written down as steps, is taken again here; the explorer
//! searches here; a failing trace shrinks here.

mod clients;
mod deed;
mod identity;
mod known;
mod names;
mod network;
mod observer;
mod packet;
mod place;
mod sealed;
mod setup;
mod step;

use std::collections::BTreeSet;
use std::sync::Arc;

use tribunal_histories::{NodeId, Observation};

pub use clients::client_event;
pub use names::NoSuchStep;
pub use observer::Observer;
pub use packet::{Address, Body, Packet, PacketOf, SharedPacket};
pub use setup::{Setup, SyncMode};
pub use step::{Step, fold_delivery};

use crate::contract::{Configuration, Durable, Node, TimerRange};
use crate::disk::{Disk, Loss};
use crate::host::Host;
use clients::Calls;
use deed::{Deed, Deeds, Happening};
use known::Known;
use network::Network;
use place::Shared;
use sealed::Sealed;

/// A cluster as a value.
#[derive(Clone, Debug)]
pub struct World<N: Node> {
    fixed: Arc<Fixed<N>>,
    /// By node.
    places: Vec<Shared<N>>,
    network: Network<N>,
    calls: Arc<Sealed<Calls<N>>>,
    cuts: BTreeSet<(NodeId, NodeId)>,
    /// The timers that were armed since that was last asked, if anybody asks.
    armed: Option<Vec<ArmedTimer<N>>>,
}

/// A node's timer, and how long it is to take.
pub type ArmedTimer<N> = (NodeId, <N as Node>::Timer, TimerRange);

/// What is the same for a world and its clones, whatever happens in them.
#[derive(Debug)]
struct Fixed<N: Node> {
    config: Arc<N::Config>,
    sync: SyncMode,
    /// What nodes did before, if that is remembered.
    known: Option<Known<N>>,
}

/// The step cannot be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the step is not enabled here")]
pub struct NotEnabled;

impl<N: Node> World<N> {
    /// A cluster whose nodes have just started, each from its disk, in order.
    pub fn new(
        config: N::Config,
        sync: SyncMode,
        disks: Vec<Disk<N>>,
        observer: &mut dyn Observer,
    ) -> Self {
        let nodes = config.nodes();
        assert_eq!(disks.len(), nodes, "a disk a node");
        let fixed = Fixed {
            config: Arc::new(config),
            sync,
            known: None,
        };
        let mut world = Self {
            fixed: Arc::new(fixed),
            places: disks.into_iter().map(Shared::new).collect(),
            network: Network::new(),
            calls: Arc::new(Sealed::new(Calls::<N>::new())),
            cuts: BTreeSet::new(),
            armed: None,
        };
        for node in NodeId::all(nodes) {
            world.happens(node, Happening::Boot, observer);
        }
        world
    }

    /// From now on, what a node does in this world is looked up if a node did it before in this world or a clone of it.
    /// For searches, in which the same happens over and over; it changes nothing.
    pub fn remember_deeds(&mut self) {
        self.fixed = Arc::new(Fixed {
            config: self.fixed.config.clone(),
            sync: self.fixed.sync,
            known: Some(Known::new()),
        });
    }

    /// A cluster with empty disks.
    pub fn fresh(config: N::Config, sync: SyncMode, observer: &mut dyn Observer) -> Self {
        let disks = vec![Disk::default(); config.nodes()];
        Self::new(config, sync, disks, observer)
    }

    /// The cluster's configuration.
    pub fn config(&self) -> &N::Config {
        &self.fixed.config
    }

    /// A node, if it is up.
    pub fn node(&self, node: NodeId) -> Option<&N> {
        self.places[node.index()].host.as_ref().map(Host::node)
    }

    /// A node's disk.
    pub fn disk(&self, node: NodeId) -> &Disk<N> {
        &self.places[node.index()].disk
    }

    /// What a node shows of itself; of one that is down, what is on its disk.
    pub fn view(&self, node: NodeId) -> tribunal_histories::View<'_> {
        let disk = self.disk(node);
        match &self.places[node.index()].host {
            Some(host) => host.view(disk),
            None => disk.synced().view(),
        }
    }

    /// The packets on the network, and how often each.
    pub fn network(&self) -> impl Iterator<Item = (&SharedPacket<N>, u16)> {
        self.network.iter()
    }

    /// From now on, packets from one node to another arrive in the order in which they were sent, as on a connection.
    pub fn keep_order_of_packets(&mut self) {
        self.network.keep_order();
    }

    /// What was put on the network since this was last asked, in order; at first, nothing.
    pub fn take_sent(&mut self) -> Vec<SharedPacket<N>> {
        self.network.take_sent()
    }

    /// The timers that are armed.
    pub fn timers(&self) -> impl Iterator<Item = ArmedTimer<N>> {
        NodeId::all(self.places.len()).flat_map(|node| {
            let timers = self.places[node.index()].timers.iter();
            timers.map(move |(timer, armed)| (node, *timer, armed.after))
        })
    }

    /// How many choices a node's timer comes with when it fires; 0 if it is not armed.
    pub fn choices(&self, node: NodeId, timer: &N::Timer) -> u64 {
        let timers = &self.places[node.index()].timers;
        timers.get(timer).map_or(0, |armed| armed.choices)
    }

    /// The timers that were armed, or armed anew, since this was last asked, in order; at first, none.
    pub fn take_armed(&mut self) -> Vec<ArmedTimer<N>> {
        self.armed.replace(Vec::new()).unwrap_or_default()
    }

    /// Takes a packet off the network: it never arrives. Not a [step](Step), for in a world what does not arrive can as
    /// well be late for ever; whether it was there.
    pub fn lose(&mut self, packet: &SharedPacket<N>) -> bool {
        self.network.take(packet)
    }

    /// Puts nodes in the places of those that are up, where `settled` gives one that will do the same: the same function
    /// at every call, which is told whether all is `quiet`.
    pub fn settle(
        &mut self,
        quiet: bool,
        settled: impl Fn(&N::Config, &N, &N::Durable, bool) -> Option<N>,
    ) {
        let config = &*self.fixed.config;
        for place in &mut self.places {
            let other = place.settled(quiet, |node, disk| settled(config, node, disk, quiet));
            if let Some(other) = other.cloned() {
                *place = other;
            }
        }
    }

    /// Takes off the network what is not to be kept.
    pub fn retain_packets(&mut self, keep: impl FnMut(&SharedPacket<N>) -> bool) {
        self.network.retain(keep);
    }

    /// Whether nothing gets from one node to another.
    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.cuts.contains(&(from, to))
    }

    /// Everything that may happen without a client or a fault injector wanting it, in a fixed order: packets
    /// arrive, timers fire, writes reach disks.
    pub fn enabled(&self) -> Vec<Step<N>> {
        let packets = self
            .network
            .next()
            .filter(|packet| self.arrives(packet))
            .cloned()
            .map(Step::Deliver);
        let mut steps: Vec<_> = packets.collect();
        for node in NodeId::all(self.places.len()) {
            for (timer, armed) in &self.places[node.index()].timers {
                steps.extend((0..armed.choices).map(|choice| Step::Fire {
                    node,
                    timer: *timer,
                    choice,
                }));
            }
            let unsynced = u16::try_from(self.disk(node).unsynced_count()).unwrap_or(u16::MAX);
            if unsynced > 0 && self.is_up(node) {
                steps.push(Step::Sync {
                    node,
                    writes: unsynced,
                });
            }
        }
        steps
    }

    /// Takes a step, and tells the observer what is then to be seen.
    ///
    /// # Errors
    /// [`NotEnabled`] if it cannot be taken now; the world is then as it was.
    pub fn take(&mut self, step: &Step<N>, observer: &mut dyn Observer) -> Result<(), NotEnabled> {
        match step {
            Step::Invoke {
                client,
                sequence,
                to,
                request,
            } => self.invoke(*client, *sequence, *to, request, observer),
            Step::Resend { client, to } => self.resend(*client, *to),
            Step::GiveUp { client } => self.give_up(*client, observer),
            Step::Deliver(packet) => match packet.to {
                Address::Client(client) => self.respond(client, packet, observer),
                Address::Node(_) => self.give(step, None, observer),
            },
            Step::Duplicate(packet) => {
                if !self.network.has(packet) {
                    return Err(NotEnabled);
                }
                self.network.put(packet.clone());
                Ok(())
            }
            Step::Fire { .. } => self.give(step, None, observer),
            Step::Sync { node, writes } => self.reach_disk(*node, usize::from(*writes), observer),
            Step::Crash { node, loss } => self.crash(*node, *loss, observer),
            Step::CrashDuring {
                step,
                effects,
                loss,
            } => {
                let node = step.node().ok_or(NotEnabled)?;
                self.give(step, Some(usize::from(*effects)), observer)?;
                self.crash(node, *loss, observer)
            }
            Step::Restart { node } => {
                if self.is_up(*node) {
                    return Err(NotEnabled);
                }
                self.happens(*node, Happening::Boot, observer);
                Ok(())
            }
            Step::Cut { from, to } => {
                self.cuts.extend(
                    from.iter()
                        .flat_map(|from| to.iter().map(|to| (*from, *to))),
                );
                Ok(())
            }
            Step::Heal => {
                self.cuts.clear();
                Ok(())
            }
            Step::Remark(_) => Ok(()),
        }
    }

    /// How many effects a step that gives a node an input has: the places where a crash may cut it. `None` for other
    /// steps, and for those that cannot be taken now.
    pub fn effects_of(&self, step: &Step<N>) -> Option<usize> {
        let (node, what) = self.given(step, None)?;
        if let Some(deeds) = self.known_deeds(node, &what) {
            return deeds.first().map(|(_, deed)| deed.effects);
        }
        let mut place = self.places[node.index()].clone();
        let deed = place.change().undergo(node, &what, &self.fixed.config);
        Some(deed.effects)
    }

    /// What a step gives a node, if the step can be taken now.
    fn given(&self, step: &Step<N>, cut: Option<usize>) -> Option<(NodeId, Happening<N>)> {
        match step {
            Step::Deliver(packet) if self.arrives(packet) && self.network.has(packet) => {
                let Address::Node(node) = packet.to else {
                    return None;
                };
                let packet = packet.clone();
                Some((node, Happening::Deliver { packet, cut }))
            }
            Step::Fire {
                node,
                timer,
                choice,
            } if self.choices(*node, timer) > *choice => {
                let (timer, choice) = (*timer, *choice);
                Some((*node, Happening::Fire { timer, choice, cut }))
            }
            _ => None,
        }
    }

    fn arrives(&self, packet: &PacketOf<N>) -> bool {
        match (packet.from, packet.to) {
            (Address::Node(from), Address::Node(to)) => {
                let cut = from != to && self.cuts.contains(&(from, to));
                self.is_up(to) && !cut
            }
            (Address::Client(_), Address::Node(to)) => self.is_up(to),
            (_, Address::Client(_)) => true,
        }
    }

    /// Whether a node is up.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.places[node.index()].host.is_some()
    }

    /// Gives a node its input; with `cut`, the node gets no further than that many effects.
    fn give(
        &mut self,
        step: &Step<N>,
        cut: Option<usize>,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let (node, what) = self.given(step, cut).ok_or(NotEnabled)?;
        if let Step::Deliver(packet) = step {
            self.network.take(packet);
        }
        self.happens(node, what, observer);
        Ok(())
    }

    fn reach_disk(
        &mut self,
        node: NodeId,
        writes: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let unsynced = self.disk(node).unsynced_count();
        if writes == 0 || writes > unsynced || !self.is_up(node) {
            return Err(NotEnabled);
        }
        self.happens(node, Happening::Sync(writes), observer);
        Ok(())
    }

    fn crash(
        &mut self,
        node: NodeId,
        loss: Loss,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        if !self.is_up(node) {
            return Err(NotEnabled);
        }
        let end = Address::Node(node);
        self.network
            .retain(|packet| packet.from != end || packet.to != end);
        self.happens(node, Happening::Crash(loss), observer);
        Ok(())
    }

    /// Something happens to a node, and what then happens of itself.
    fn happens(&mut self, node: NodeId, what: Happening<N>, observer: &mut dyn Observer) {
        if let Some(deeds) = self.known_deeds(node, &what) {
            for (place, deed) in &*deeds {
                self.places[node.index()] = place.clone();
                self.make_known(node, deed, observer);
            }
            return;
        }
        let mut next = Some(what);
        while let Some(what) = next {
            let place = &mut self.places[node.index()];
            let deed = place.change().undergo(node, &what, &self.fixed.config);
            next = what.then(place, self.fixed.sync);
            self.make_known(node, &deed, observer);
        }
    }

    /// What a node does when something happens to it, if such things are remembered.
    fn known_deeds(&self, node: NodeId, what: &Happening<N>) -> Option<Deeds<N>> {
        let known = self.fixed.known.as_ref()?;
        let here = &self.places[node.index()];
        let key = (here.plain_fingerprint(), what.fingerprint(node));
        Some(known.deeds(key, || {
            let mut deeds = Vec::new();
            let mut place = here.clone();
            let mut undergo = |what: &Happening<N>| {
                let deed = place.change().undergo(node, what, &self.fixed.config);
                deeds.push((place.clone(), deed));
                what.then(&place, self.fixed.sync)
            };
            let mut next = undergo(what);
            while let Some(what) = next {
                next = undergo(&what);
            }
            deeds.into()
        }))
    }

    /// Puts what a node sent on the network, and shows the node to the observer.
    fn make_known(&mut self, node: NodeId, deed: &Deed<N>, observer: &mut dyn Observer) {
        for packet in &deed.packets {
            self.network.put(packet.clone());
        }
        if let Some(log) = &mut self.armed {
            let armed = deed.armed.iter();
            log.extend(armed.map(|(timer, after)| (node, *timer, *after)));
        }
        for note in &deed.notes {
            observer.note(note);
        }
        let observation = Observation {
            node,
            cause: deed.cause,
            view: self.view(node),
            sent: &deed.sent,
            logs: self,
        };
        observer.observe(&observation);
    }
}

impl<N: Node> tribunal_histories::Logs for World<N> {
    fn nodes(&self) -> usize {
        self.places.len()
    }

    fn log(&self, node: NodeId) -> tribunal_histories::LogView<'_> {
        self.disk(node).written().log()
    }

    fn durable_log(&self, node: NodeId) -> tribunal_histories::LogView<'_> {
        self.disk(node).synced().log()
    }
}

/// The disks of a cluster as properties see them.
#[derive(Debug)]
pub struct DisksOf<'a, N: Node>(pub &'a [Disk<N>]);

impl<N: Node> tribunal_histories::Logs for DisksOf<'_, N> {
    fn nodes(&self) -> usize {
        self.0.len()
    }

    fn log(&self, node: NodeId) -> tribunal_histories::LogView<'_> {
        self.0[node.index()].written().log()
    }

    fn durable_log(&self, node: NodeId) -> tribunal_histories::LogView<'_> {
        self.0[node.index()].synced().log()
    }
}
