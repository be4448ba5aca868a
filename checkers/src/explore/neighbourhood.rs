//! The neighbourhood of a failure: all runs in which the same timers fire, the same nodes crash and clients ask the same,
//! each at most as often, and that end in the same violation.
//!
//! Every move in it is one step, so the shortest path is the shortest trace. What makes no trace shorter is left out:
//!
//! - A request that is delivered is delivered at once: its operation could have begun later, and what no order of
//!   operations explained, none explains then. (Requests that are sent again may be late.)
//! - An answer is delivered at once or never, for the same reason.
//! - A client that gives up is one that is never answered; a link that is cut is one whose packets are late.
//! - A step that changes nothing, and a message that can no longer matter, could be taken out of the trace.
//!
//! How much further a neighbourhood reaches is its [`Reach`]: the nearer ones are small, and what they find bounds the
//! depth of the further ones.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

use tribunal_histories::{NodeId, NodeSet};
use tribunal_protocols::contract::ClientId;
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::{Address, Body, PacketOf, SharedPacket, SyncMode, World};
use tribunal_protocols::{Loss, Step};

use super::moves::Move;
use super::state::State;

/// Which messages between nodes arrive, in the runs of a neighbourhood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// From one node to another, at most as many of a kind as arrived in the known run.
    Deliveries,
    /// Those of the kinds that arrived there, from the same node at the same.
    Links,
    /// Those of the kinds that arrived there, between any nodes that took part.
    Kinds,
    /// All.
    Everything,
}

impl Reach {
    /// All of them, the nearest first.
    pub const ALL: [Self; 4] = [Self::Deliveries, Self::Links, Self::Kinds, Self::Everything];

    /// What arrives, in words.
    pub fn told(self) -> &'static str {
        match self {
            Self::Deliveries => {
                "no more messages of a kind on a link than arrived in the known trace"
            }
            Self::Links => "messages of the kinds, and on the links, of the known trace",
            Self::Kinds => {
                "messages of the kinds of the known trace, between the nodes that take part in it"
            }
            Self::Everything => "all messages",
        }
    }
}

/// What sort of message it is, from whom to whom.
type Class<N> = (
    Address,
    Address,
    Discriminant<<N as tribunal_protocols::Node>::Message>,
);

/// What a run did that did not happen by itself, and what came of it.
#[derive(Clone, Debug)]
pub struct Neighbourhood<N: Explored> {
    /// How far it reaches.
    pub reach: Reach,
    /// What is violated at the end: a property, or what [`explore`](super::explore) calls a wrong history.
    pub violated: String,
    /// Timers that fire and requests that are sent again, and how often.
    counted: Vec<(Step<N>, u8)>,
    /// By client, its operations in order.
    invoked: BTreeMap<ClientId, Vec<Step<N>>>,
    /// By node, how often it crashes.
    crashes: BTreeMap<NodeId, u8>,
    /// What disks lost in crashes, beyond the last writes.
    losses: Vec<Loss>,
    /// Whether some crash came in the middle of a step.
    crash_within_steps: bool,
    /// Nodes that did something, or from which something arrived.
    party: NodeSet,
    /// Messages that arrived, and how often.
    arrived: Vec<(Class<N>, u8)>,
    /// Messages that arrived twice, and how often; and how often a client's packet did.
    duplicated: Vec<(Class<N>, u8)>,
    duplicated_of_clients: u8,
}

/// How much of a neighbourhood a path has used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Used {
    /// Of each thing that is counted, how often it was done.
    counts: Arc<[u8]>,
    /// The client whose request is to be delivered next.
    asking: Option<ClientId>,
}

impl<N: Explored> Neighbourhood<N> {
    /// The neighbourhood of a run with these steps, which ends in this violation.
    pub fn of<'s>(
        steps: impl IntoIterator<Item = &'s Step<N>>,
        violated: &str,
        reach: Reach,
    ) -> Self {
        let mut near = Self {
            reach,
            violated: violated.to_owned(),
            counted: Vec::new(),
            invoked: BTreeMap::new(),
            crashes: BTreeMap::new(),
            losses: Vec::new(),
            crash_within_steps: false,
            party: NodeSet::EMPTY,
            arrived: Vec::new(),
            duplicated: Vec::new(),
            duplicated_of_clients: 0,
        };
        for step in steps {
            near.add(step);
        }
        near
    }

    fn add(&mut self, step: &Step<N>) {
        if let Some(node) = step.node() {
            self.party.insert(node);
        }
        match step {
            Step::Fire { .. } | Step::Resend { .. } => increment(&mut self.counted, step.clone()),
            Step::Invoke { client, .. } => {
                self.invoked.entry(*client).or_default().push(step.clone());
            }
            Step::Crash { node, loss } => self.add_crash(*node, *loss),
            Step::CrashDuring { step, loss, .. } => {
                self.crash_within_steps = true;
                if let Some(node) = step.node() {
                    self.add_crash(node, *loss);
                }
                self.add(step);
            }
            Step::Deliver(packet) => {
                if let Address::Node(from) = packet.from {
                    self.party.insert(from);
                }
                if let Some(class) = class_of::<N>(packet) {
                    increment(&mut self.arrived, class);
                }
            }
            Step::Duplicate(packet) => match class_of::<N>(packet) {
                Some(class) => increment(&mut self.duplicated, class),
                None => {
                    self.duplicated_of_clients = self.duplicated_of_clients.saturating_add(1);
                }
            },
            // Packets arrive or do not, whether or not a link was cut; nodes that are down may start again.
            Step::GiveUp { .. }
            | Step::Sync { .. }
            | Step::Restart { .. }
            | Step::Cut { .. }
            | Step::Heal
            | Step::Remark(_) => {}
        }
    }

    fn add_crash(&mut self, node: NodeId, loss: Loss) {
        let count = self.crashes.entry(node).or_default();
        *count = count.saturating_add(1);
        let is_of_a_prefix = matches!(loss, Loss::All | Loss::Last(_));
        if !is_of_a_prefix && !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// Whether packets of clients may be late.
    fn clients_are_late(&self) -> bool {
        let again = |(step, _): &(Step<N>, u8)| matches!(step, Step::Resend { .. });
        self.duplicated_of_clients > 0 || self.counted.iter().any(again)
    }

    /// Where a count is kept: first what is done on purpose, then crashes, arrivals and duplicates.
    fn places(&self) -> [usize; 5] {
        let counted = self.counted.len();
        let crashes = counted + self.crashes.len();
        let arrived = crashes + self.arrived.len();
        let duplicated = arrived + self.duplicated.len();
        [counted, crashes, arrived, duplicated, duplicated + 1]
    }

    fn place_of_crash(&self, node: NodeId) -> Option<usize> {
        let place = self.crashes.keys().position(|other| *other == node);
        place.map(|place| self.places()[0] + place)
    }

    fn place_of_arrival(&self, packet: &PacketOf<N>) -> Option<usize> {
        let class = class_of::<N>(packet)?;
        let place = self.arrived.iter().position(|(known, _)| *known == class);
        place.map(|place| self.places()[1] + place)
    }

    /// Where it is counted that a step was taken, and how often it may be; `None` if it is not counted.
    fn account(&self, step: &Step<N>) -> Option<(usize, u8)> {
        match step {
            Step::Fire { .. } | Step::Resend { .. } => {
                let place = self.counted.iter().position(|(known, _)| known == step)?;
                Some((place, self.counted[place].1))
            }
            Step::Crash { node, .. } => Some((self.place_of_crash(*node)?, self.crashes[node])),
            Step::Deliver(packet) if self.reach == Reach::Deliveries => {
                let place = self.place_of_arrival(packet)?;
                Some((place, self.arrived[place - self.places()[1]].1))
            }
            Step::Duplicate(packet) => match class_of::<N>(packet) {
                Some(class) => {
                    let known = self.duplicated.iter();
                    let place = known.clone().position(|(known, _)| *known == class)?;
                    Some((self.places()[2] + place, self.duplicated[place].1))
                }
                None => Some((self.places()[3], self.duplicated_of_clients)),
            },
            _ => None,
        }
    }

    fn is_left(&self, step: &Step<N>, used: &Used) -> bool {
        self.account(step)
            .is_some_and(|(place, most)| used.counts.get(place).copied().unwrap_or(0) < most)
    }

    fn may_crash(&self, node: NodeId, used: &Used) -> bool {
        self.is_left(
            &Step::Crash {
                node,
                loss: Loss::All,
            },
            used,
        )
    }

    /// Counts a step.
    pub(super) fn spend(&self, step: &Step<N>, used: &mut Used) {
        used.asking = match step {
            Step::Invoke { client, .. } => Some(*client),
            _ => None,
        };
        if let Step::CrashDuring { step, .. } = step {
            self.spend(step, used);
            if let Some(node) = step.node() {
                self.count(self.place_of_crash(node), used);
            }
            return;
        }
        self.count(self.account(step).map(|(place, _)| place), used);
    }

    fn count(&self, place: Option<usize>, used: &mut Used) {
        let Some(place) = place else { return };
        if used.counts.is_empty() {
            used.counts = vec![0; self.places()[4]].into();
        }
        Arc::make_mut(&mut used.counts)[place] += 1;
    }

    /// Whether a packet may still arrive in a run of this neighbourhood.
    fn may_arrive(&self, packet: &SharedPacket<N>, used: &Used) -> bool {
        let Some((from, to, kind)) = class_of::<N>(packet) else {
            return true;
        };
        match self.reach {
            Reach::Everything => true,
            Reach::Kinds => {
                let takes_part =
                    |end| matches!(end, Address::Node(node) if self.party.contains(node));
                let known = self.arrived.iter().any(|((_, _, known), _)| *known == kind);
                takes_part(from) && takes_part(to) && known
            }
            Reach::Links => {
                let class = (from, to, kind);
                self.arrived.iter().any(|(known, _)| *known == class)
            }
            Reach::Deliveries => self.is_left(&Step::Deliver(packet.clone()), used),
        }
    }

    /// All moves of a state.
    pub(super) fn moves(&self, state: &State<N>, sync: SyncMode, moves: &mut Vec<Move<N>>) {
        let (world, used) = (&state.world, &state.spent.near);
        let mut steps = Vec::new();
        for step in world.enabled() {
            match &step {
                Step::Fire { .. } if !self.is_left(&step, used) => {}
                Step::Deliver(packet) if !self.may_arrive(packet, used) => {}
                Step::Sync { node, writes } => steps.extend((1..=*writes).map(|writes| {
                    let node = *node;
                    Step::Sync { node, writes }
                })),
                _ => steps.push(step),
            }
        }
        if let Some(asking) = used.asking {
            // Its request is delivered now; all else can wait.
            steps.retain(|step| {
                matches!(step, Step::Deliver(packet) if packet.from == Address::Client(asking))
            });
            self.crashes_within(state, sync, &steps, moves);
            moves.extend(steps.into_iter().map(Move::of));
            return;
        }
        self.crashes_within(state, sync, &steps, moves);
        self.of_clients(state, &mut steps);
        let twice = world.network().map(|(packet, _)| packet);
        let twice = twice.filter(|packet| packet.from != packet.to);
        let twice = twice.map(|packet| Step::Duplicate(packet.clone()));
        steps.extend(twice.filter(|step| self.is_left(step, used)));
        for node in self.crashes.keys().copied() {
            if world.node(node).is_none() {
                steps.push(Step::Restart { node });
            } else if self.may_crash(node, used) {
                let unsynced = world.disk(node).unsynced_count();
                let losses = self.losses_of(sync, unsynced);
                steps.extend(losses.map(|loss| Step::Crash { node, loss }));
            }
        }
        moves.extend(steps.into_iter().map(Move::of));
    }

    /// What a disk may lose in a crash between steps.
    fn losses_of(&self, sync: SyncMode, unsynced: usize) -> impl Iterator<Item = Loss> {
        let last = match sync {
            SyncMode::Immediate => 0,
            SyncMode::Explicit => u16::try_from(unsynced).unwrap_or(u16::MAX),
        };
        let last = (0..last).map(Loss::Last);
        [Loss::All]
            .into_iter()
            .chain(last)
            .chain(self.losses.iter().copied())
    }

    /// Where a node may crash in the middle of one of these steps, or when it has done all that the step asks for and
    /// waits for its disk.
    fn crashes_within(
        &self,
        state: &State<N>,
        sync: SyncMode,
        steps: &[Step<N>],
        moves: &mut Vec<Move<N>>,
    ) {
        if !self.crash_within_steps {
            return;
        }
        for step in steps {
            let may = |node| self.may_crash(node, &state.spent.near);
            if !step.node().is_some_and(may) {
                continue;
            }
            let effects = state.world.effects_of(step).unwrap_or(0);
            let effects = u16::try_from(effects).unwrap_or(u16::MAX);
            for effects in 1..=effects {
                // That the last writes are lost is that the step was cut before them, if nothing older is unsynced.
                let older = step
                    .node()
                    .map_or(0, |node| state.world.disk(node).unsynced_count());
                let fewer = match sync {
                    SyncMode::Immediate => 1,
                    SyncMode::Explicit => {
                        u16::try_from(older).unwrap_or(u16::MAX).saturating_add(1)
                    }
                };
                let prefix = (0..fewer).map(Loss::Last);
                moves.extend(prefix.chain(self.losses.iter().copied()).map(|loss| {
                    Move::of(Step::CrashDuring {
                        step: Box::new(step.clone()),
                        effects,
                        loss,
                    })
                }));
            }
        }
    }

    /// What clients may do in a state: their further operations, and what they send again.
    fn of_clients(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        let world = &state.world;
        for (client, operations) in &self.invoked {
            let (made, open) = world.call(*client).unwrap_or((0, false));
            let next = operations.iter().filter(|step| {
                matches!(step, Step::Invoke { sequence, to, .. }
                    if *sequence > made && world.node(*to).is_some())
            });
            steps.extend(next.filter(|_| !open).cloned());
        }
        let again = self.counted.iter().map(|(step, _)| step);
        steps.extend(
            again
                .filter(|step| {
                    let Step::Resend { client, .. } = step else {
                        return false;
                    };
                    world.call(*client).is_some_and(|(_, open)| open)
                })
                .filter(|step| self.is_left(step, &state.spent.near))
                .cloned(),
        );
    }

    /// Takes the answers off the network that are not delivered now.
    pub(super) fn before(&self, world: &mut World<N>, step: &Step<N>) {
        let answers =
            matches!(step, Step::Deliver(packet) if matches!(packet.to, Address::Client(_)));
        if !answers && !self.clients_are_late() {
            world.retain_packets(|packet| matches!(packet.to, Address::Node(_)));
        }
    }

    /// Takes the packets off the network that will not arrive in any run of this neighbourhood.
    pub(super) fn after(&self, world: &mut World<N>, used: &Used) {
        if self.reach != Reach::Everything {
            world.retain_packets(|packet| self.may_arrive(packet, used));
        }
    }
}

/// The class of a message between nodes; nothing for what is from or for a client.
fn class_of<N: Explored>(packet: &PacketOf<N>) -> Option<Class<N>> {
    match &packet.body {
        Body::Message(message) => Some((packet.from, packet.to, discriminant(message))),
        _ => None,
    }
}

/// Counts one more of a thing.
fn increment<T: PartialEq>(counts: &mut Vec<(T, u8)>, thing: T) {
    match counts.iter_mut().find(|(known, _)| *known == thing) {
        Some((_, count)) => *count = count.saturating_add(1),
        None => counts.push((thing, 1)),
    }
}
