//! A cluster as one value: nodes, disks, network, timers and clients, moved by named steps.
//!
//! A world has no time. Any packet on the network may arrive next, any armed timer may fire, any node may crash:
//! [`World::enabled`] lists the steps in a fixed order and [`World::take`] takes one, always in the same way.
//! What never arrives is lost. A run of the simulator, written down as steps, is taken again here; the explorer
//! searches here; a failing trace shrinks here.

mod clients;
mod identity;
mod names;
mod network;
mod observer;
mod packet;
mod place;
mod sealed;
mod setup;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal_histories::{Cause, MessageView, NodeId, Observation};

pub use clients::client_event;
pub use names::NoSuchStep;
pub use observer::Observer;
pub use packet::{Address, Body, Packet, PacketOf};
pub use setup::{Setup, SyncMode};
pub use step::{Step, fold_delivery};

use crate::contract::{ClientId, Configuration, Durable, Effect, Input, Node};
use crate::disk::{Disk, Loss};
use crate::host::Host;
use clients::Call;
use network::Network;
use place::{Place, Shared};

/// A cluster as a value.
#[derive(Clone, Debug)]
pub struct World<N: Node> {
    config: Arc<N::Config>,
    sync: SyncMode,
    /// By node.
    places: Vec<Shared<N>>,
    network: Network<N>,
    calls: BTreeMap<ClientId, Call<N::Request>>,
    cuts: BTreeSet<(NodeId, NodeId)>,
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
        let mut world = Self {
            config: Arc::new(config),
            sync,
            places: disks.into_iter().map(Shared::new).collect(),
            network: Network::new(),
            calls: BTreeMap::new(),
            cuts: BTreeSet::new(),
        };
        for node in NodeId::all(nodes) {
            world.boot(node, observer);
        }
        world
    }

    /// A cluster with empty disks.
    pub fn fresh(config: N::Config, sync: SyncMode, observer: &mut dyn Observer) -> Self {
        let disks = vec![Disk::default(); config.nodes()];
        Self::new(config, sync, disks, observer)
    }

    /// The cluster's configuration.
    pub fn config(&self) -> &N::Config {
        &self.config
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
    pub fn network(&self) -> impl Iterator<Item = (&PacketOf<N>, u16)> {
        self.network.iter()
    }

    /// From now on, packets from one node to another arrive in the order in which they were sent, as on a connection.
    pub fn keep_order_of_packets(&mut self) {
        self.network.keep_order();
    }

    /// What was put on the network since this was last asked, in order; at first, nothing.
    pub fn take_sent(&mut self) -> Vec<PacketOf<N>> {
        self.network.take_sent()
    }

    /// Takes a packet off the network: it never arrives. Not a [step](Step), for in a world what does not arrive can as
    /// well be late for ever; whether it was there.
    pub fn lose(&mut self, packet: &PacketOf<N>) -> bool {
        self.network.take(packet)
    }

    /// Puts nodes in the places of those that are up, where `settled` gives one that will do the same.
    pub fn settle(&mut self, settled: impl Fn(&N::Config, &N, &N::Durable) -> Option<N>) {
        for place in &mut self.places {
            let Some(host) = &place.host else { continue };
            let other = settled(&self.config, host.node(), place.disk.written());
            if let (Some(other), Some(host)) = (other, &mut place.change().host) {
                host.settle(other);
            }
        }
    }

    /// Takes off the network what is not to be kept.
    pub fn retain_packets(&mut self, keep: impl FnMut(&PacketOf<N>) -> bool) {
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
            for (timer, choices) in &self.places[node.index()].timers {
                steps.extend((0..*choices).map(|choice| Step::Fire {
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
                Address::Node(_) => self.give_input(step, None, observer),
            },
            Step::Duplicate(packet) => {
                if self.network.count(packet) == 0 {
                    return Err(NotEnabled);
                }
                self.network.put(packet.clone());
                Ok(())
            }
            Step::Fire { .. } => self.give_input(step, None, observer),
            Step::Sync { node, writes } => self.reach_disk(*node, usize::from(*writes), observer),
            Step::Crash { node, loss } => self.crash(*node, *loss, observer),
            Step::CrashDuring {
                step,
                effects,
                loss,
            } => {
                let node = step.node().ok_or(NotEnabled)?;
                self.give_input(step, Some(usize::from(*effects)), observer)?;
                self.crash(node, *loss, observer)
            }
            Step::Restart { node } => {
                if self.is_up(*node) {
                    return Err(NotEnabled);
                }
                self.boot(*node, observer);
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
        let (node, input) = self.input_of(step)?;
        let place = &self.places[node.index()];
        let (mut host, mut disk) = (place.host.clone()?, place.disk.clone());
        let before = disk.waiting_count();
        let mut effects = Vec::new();
        host.step(input, &mut disk, &mut effects);
        Some(effects.len() + disk.waiting_count() - before)
    }

    /// What a step gives a node, if the step can be taken now.
    fn input_of(&self, step: &Step<N>) -> Option<(NodeId, Input<N>)> {
        match step {
            Step::Deliver(packet) if self.arrives(packet) && self.network.count(packet) > 0 => {
                input_in::<N>(packet)
            }
            Step::Fire {
                node,
                timer,
                choice,
            } if self.choices(*node, timer) > *choice => {
                let (timer, choice) = (*timer, *choice);
                Some((*node, Input::Timer { timer, choice }))
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

    fn is_up(&self, node: NodeId) -> bool {
        self.places[node.index()].host.is_some()
    }

    /// How many choices a node's timer comes with; 0 if it is not armed.
    fn choices(&self, node: NodeId, timer: &N::Timer) -> u64 {
        let timers = &self.places[node.index()].timers;
        timers.get(timer).copied().unwrap_or(0)
    }

    /// Gives a node its input; with `cut`, the node gets no further than that many effects.
    fn give_input(
        &mut self,
        step: &Step<N>,
        cut: Option<usize>,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let (node, input) = self.input_of(step).ok_or(NotEnabled)?;
        match step {
            Step::Deliver(packet) => self.remove(packet)?,
            Step::Fire { node, timer, .. } => {
                self.places[node.index()].change().timers.remove(timer);
            }
            _ => return Err(NotEnabled),
        }
        let place = node.index();
        let Place { host, disk, .. } = self.places[place].change();
        let host = host.as_mut().ok_or(NotEnabled)?;
        let mut effects = Vec::new();
        match cut {
            None => host.step(input, disk, &mut effects),
            Some(kept) => host.step_cut(input, kept, disk, &mut effects),
        }
        self.perform(node, Cause::Step, effects, observer);
        if self.sync == SyncMode::Immediate && cut.is_none() {
            while self.places[place].disk.is_dirty() {
                let writes = self.places[place].disk.unsynced_count();
                self.reach_disk(node, writes, observer)?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, packet: &PacketOf<N>) -> Result<(), NotEnabled> {
        match self.network.take(packet) {
            true => Ok(()),
            false => Err(NotEnabled),
        }
    }

    fn put(&mut self, packet: PacketOf<N>) {
        self.network.put(packet);
    }

    fn boot(&mut self, node: NodeId, observer: &mut dyn Observer) {
        let place = node.index();
        let mut effects = Vec::new();
        let here = self.places[place].change();
        let config = self.config.clone();
        here.host = Some(Host::boot(node, config, &mut here.disk, &mut effects));
        self.perform(node, Cause::Boot, effects, observer);
        while self.sync == SyncMode::Immediate && self.places[place].disk.is_dirty() {
            let writes = self.places[place].disk.unsynced_count();
            if self.reach_disk(node, writes, observer).is_err() {
                break;
            }
        }
    }

    fn reach_disk(
        &mut self,
        node: NodeId,
        writes: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let place = node.index();
        if writes == 0 || writes > self.places[place].disk.unsynced_count() {
            return Err(NotEnabled);
        }
        let Place { host, disk, .. } = self.places[place].change();
        let host = host.as_mut().ok_or(NotEnabled)?;
        let mut effects = Vec::new();
        host.synced(writes, disk, &mut effects);
        self.perform(node, Cause::Sync, effects, observer);
        Ok(())
    }

    fn crash(
        &mut self,
        node: NodeId,
        loss: Loss,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let place = node.index();
        if !self.is_up(node) {
            return Err(NotEnabled);
        }
        let here = self.places[place].change();
        here.host = None;
        here.timers.clear();
        here.disk.crash(loss);
        let end = Address::Node(node);
        self.network
            .retain(|packet| packet.from != end || packet.to != end);
        self.show(node, Cause::Crash, &[], observer);
        Ok(())
    }

    /// Does what the node asked for, and shows the node to the observer.
    fn perform(
        &mut self,
        node: NodeId,
        cause: Cause,
        effects: Vec<Effect<N>>,
        observer: &mut dyn Observer,
    ) {
        let mut sent = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    sent.push(N::message_view(to, &message));
                    let (from, to) = (Address::Node(node), Address::Node(to));
                    self.put(Packet {
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
                    self.put(Packet {
                        from,
                        to,
                        body: Body::Response { sequence, response },
                    });
                }
                Effect::SetTimer { timer, choices, .. } => {
                    self.places[node.index()]
                        .change()
                        .timers
                        .insert(timer, choices);
                }
                Effect::CancelTimer(timer) => {
                    self.places[node.index()].change().timers.remove(&timer);
                }
                Effect::Note(probe) => observer.note(probe),
                Effect::Write(_) => unreachable!("the disk's queue keeps writes"),
            }
        }
        self.show(node, cause, &sent, observer);
    }

    fn show(&self, node: NodeId, cause: Cause, sent: &[MessageView], observer: &mut dyn Observer) {
        let observation = Observation {
            node,
            cause,
            view: self.view(node),
            sent,
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

/// What a packet is to the node at its end.
fn input_in<N: Node>(packet: &PacketOf<N>) -> Option<(NodeId, Input<N>)> {
    match (packet.from, packet.to, &packet.body) {
        (Address::Node(from), Address::Node(to), Body::Message(message)) => {
            let message = message.clone();
            Some((to, Input::Message { from, message }))
        }
        (Address::Client(client), Address::Node(to), Body::Request { sequence, request }) => {
            let (sequence, request) = (*sequence, request.clone());
            let input = Input::Request {
                client,
                sequence,
                request,
            };
            Some((to, input))
        }
        _ => None,
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
