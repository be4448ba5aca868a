//! One move of a search: a step, and all that comes of it at once.
//!
//! Three things make one move of many steps. What a node says to itself, what a client asks and what it is answered
//! arrives at once ([`Reductions::absorb`]). In a search of coarser [`Grain`], what nodes say to each other arrives at
//! once among the nodes that are in contact, and is lost elsewhere. And what can no longer matter is lost
//! ([`Reductions::moot`]). A move is carried out step by step all the same, so that its steps are those of a trace.
//!
//! Why absorbing is no loss: a message to oneself is never lost, cut or late, says the contract. A request that arrives
//! later than it was sent could have been sent later: its operation then overlaps with fewer others, and what no order
//! explained, none explains now. An answer that arrives later could have arrived earlier, for the same reason; and
//! a request that was sent again for want of the answer could have been sent again before, and have been late.

use std::cmp::Reverse;
use std::collections::VecDeque;

use tribunal_histories::{NodeId, NodeSet};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::{
    Address, Body, NotEnabled, Observer, PacketOf, SharedPacket, World,
};
use tribunal_protocols::{Loss, Step};

use super::bounds::{Budget, Grain, Reductions};

/// A step, and what comes of it at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Move<N: Explored> {
    pub(super) what: What<N>,
    /// The nodes that an exchange reaches, besides those that the step is about.
    pub(super) contact: NodeSet,
    /// The nodes that what follows an election reaches, the node itself among them or not; in rounds.
    pub(super) reach: Option<NodeSet>,
    /// Whether what is sent to several at once arrives first at the last of them, by name: between two nodes, that is the
    /// other of the two orders.
    pub(super) backwards: bool,
    /// Of those in contact, the ones whose answers are lost.
    pub(super) mute: NodeSet,
    /// Where the node crashes to which something is delivered.
    pub(super) crash: Option<CrashPoint>,
    /// Which of the packets that would be lost outlives the exchange.
    pub(super) late: Option<u16>,
}

/// What a move begins with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What<N: Explored> {
    /// A step.
    Step(Step<N>),
    /// A packet is lost: no step, for what does not arrive can as well be late for ever.
    Lose(SharedPacket<N>),
}

/// A crash in the middle of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CrashPoint {
    /// At which delivery, counted from 0.
    pub(super) delivery: u16,
    /// After how many of its effects.
    pub(super) effects: u16,
}

impl<N: Explored> Move<N> {
    /// A step in which no exchange reaches anybody.
    pub(super) fn of(step: Step<N>) -> Self {
        Self {
            what: What::Step(step),
            contact: NodeSet::EMPTY,
            reach: None,
            backwards: false,
            mute: NodeSet::EMPTY,
            crash: None,
            late: None,
        }
    }

    /// Puts what was sent in one step in the order in which it arrives. What goes to the same node keeps its order.
    fn in_order(&self, mut sent: Vec<SharedPacket<N>>) -> Vec<SharedPacket<N>> {
        match self.backwards {
            true => sent.sort_by_key(|packet| Reverse(packet.to)),
            false => sent.sort_by_key(|packet| packet.to),
        }
        sent
    }
}

/// What a move did, as far as other moves that begin alike depend on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    /// The nodes to which an exchange delivered something.
    pub(super) reached: NodeSet,
    /// By delivery to a node, how many effects it had; empty unless asked for.
    pub(super) effects: Vec<u16>,
    /// How many packets of an exchange were lost.
    pub(super) lost: u16,
    /// Whether anything followed an election of a round.
    pub(super) follows: bool,
    /// Whether it went on for more packets than are delivered in one move.
    pub(super) endless: bool,
}

/// More packets are not delivered in one move: nodes that are wrong may answer each other without end.
const DELIVERIES_MAX: usize = 200;

/// What becomes of a packet that a move has put on the network.
enum Way {
    AtOnce,
    Lost,
    Stays,
}

/// How moves are carried out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mover {
    pub(super) grain: Grain,
    pub(super) reductions: Reductions,
    /// Whether any node may crash in this search.
    pub(super) may_crash: bool,
}

impl Mover {
    pub(super) fn of(budget: &Budget, reductions: Reductions) -> Self {
        let grain = budget.grain;
        Self {
            grain,
            reductions,
            may_crash: budget.crashes > 0,
        }
    }

    /// Whether a move can be more than its step.
    pub(super) fn exchanges(&self) -> bool {
        self.grain != Grain::Packets
    }

    /// Whether a packet belongs to an exchange, and does not stay on the network when that is over.
    pub(super) fn is_exchanged<N: Explored>(&self, packet: &PacketOf<N>, is_answer: bool) -> bool {
        match (&packet.body, self.grain) {
            _ if packet.from == packet.to => false,
            (Body::Message(_), Grain::Exchanges | Grain::Rounds) => true,
            (Body::Message(_), Grain::Answers) => is_answer,
            (Body::Message(message), Grain::Elections) => N::is_of_election(message),
            _ => false,
        }
    }

    /// Whether a node tells itself what comes of an election that was one step.
    fn is_after_election<N: Explored>(&self, packet: &PacketOf<N>) -> bool {
        match &packet.body {
            Body::Message(message) => self.grain == Grain::Elections && !N::is_of_election(message),
            _ => false,
        }
    }

    fn way<N: Explored>(
        &self,
        packet: &PacketOf<N>,
        is_answer: bool,
        party: NodeSet,
        mute: NodeSet,
    ) -> Way {
        match (packet.from, packet.to) {
            _ if self.is_exchanged::<N>(packet, is_answer) => {
                let arrives = |end| matches!(end, Address::Node(node) if party.contains(node));
                let silent = matches!(packet.from, Address::Node(node) if mute.contains(node));
                match arrives(packet.from) && arrives(packet.to) && !silent {
                    true => Way::AtOnce,
                    false => Way::Lost,
                }
            }
            (Address::Node(from), Address::Node(to)) if from != to => Way::Stays,
            // Had an answer been late, the node would have told itself later.
            (_, Address::Node(_)) if self.is_after_election::<N>(packet) => Way::Stays,
            _ if self.reductions.absorb => Way::AtOnce,
            _ => Way::Stays,
        }
    }

    /// Carries out a move. `taken` is told every step; with `count_effects`, it is found out where a crash could come in
    /// between.
    ///
    /// # Errors
    /// If it cannot be done here; the world is then as it was.
    #[expect(
        clippy::too_many_lines,
        reason = "a move is one loop, whose arms share the queue and what is lost"
    )]
    pub(super) fn carry_out<N: Explored>(
        &self,
        world: &mut World<N>,
        it: &Move<N>,
        observer: &mut dyn Observer,
        count_effects: bool,
        taken: &mut dyn FnMut(&Step<N>),
    ) -> Result<Carried, NotEnabled> {
        let mut carried = Carried::default();
        let step = match &it.what {
            What::Step(step) => step,
            What::Lose(packet) => {
                return match world.lose(packet) {
                    true => Ok(carried),
                    false => Err(NotEnabled),
                };
            }
        };
        let mut party = it.contact;
        let beginner = begins_at(step);
        if let Some(node) = beginner {
            party.insert(node);
        }
        if count_effects {
            // A world that is asked for the first time says nothing of what it has sent before.
            world.take_sent();
        }
        world.take(step, observer)?;
        taken(step);
        let mut follows = false;
        let answers = |packet: &PacketOf<N>| match step {
            Step::Deliver(asked) => (packet.from, packet.to) == (asked.to, asked.from),
            _ => false,
        };
        let mut queue = VecDeque::new();
        let mut sort = |queue: &mut VecDeque<_>, sent: Vec<SharedPacket<N>>, is_first: bool| {
            for packet in it.in_order(sent) {
                let is_answer = is_first && answers(&packet);
                let exchanged = self.is_exchanged::<N>(&packet, is_answer);
                let way = match (&packet.body, it.reach, beginner) {
                    (Body::Message(message), Some(reach), Some(beginner))
                        if !N::is_of_election(message) =>
                    {
                        follows = true;
                        way_in_round::<N>(&packet, beginner, reach, it.mute)
                    }
                    (_, Some(_), _) => self.way::<N>(&packet, is_answer, party, NodeSet::EMPTY),
                    _ => self.way::<N>(&packet, is_answer, party, it.mute),
                };
                if !matches!(way, Way::Stays) {
                    queue.push_back((way, exchanged, packet));
                }
            }
        };
        sort(&mut queue, world.take_sent(), true);
        let mut lost = Vec::new();
        let mut crashed = false;
        let mut deliveries = 0;
        while let Some((way, exchanged, packet)) = queue.pop_front() {
            match way {
                Way::Stays => {}
                Way::Lost => lost.push(packet),
                Way::AtOnce if crashed && exchanged => lost.push(packet),
                Way::AtOnce if deliveries == DELIVERIES_MAX => {
                    carried.endless = true;
                    if exchanged {
                        lost.push(packet);
                    }
                }
                Way::AtOnce => {
                    deliveries += 1;
                    let to = match packet.to {
                        Address::Node(node) => Some(node),
                        Address::Client(_) => None,
                    };
                    let mut step = Step::Deliver(packet.clone());
                    let delivery = u16::try_from(carried.effects.len()).unwrap_or(u16::MAX);
                    if let Some(at) = it.crash
                        && to.is_some()
                        && at.delivery == delivery
                    {
                        crashed = true;
                        step = Step::CrashDuring {
                            step: Box::new(step),
                            effects: at.effects,
                            loss: Loss::Last(0),
                        };
                    }
                    if to.is_some() {
                        let effects = count_effects.then(|| world.effects_of(&step)).flatten();
                        let effects = u16::try_from(effects.unwrap_or(0)).unwrap_or(u16::MAX);
                        carried.effects.push(effects);
                    }
                    match world.take(&step, observer) {
                        Ok(()) => {
                            taken(&step);
                            sort(&mut queue, world.take_sent(), false);
                            if let Some(node) = to.filter(|_| exchanged) {
                                carried.reached.insert(node);
                            }
                        }
                        Err(NotEnabled) if exchanged => lost.push(packet),
                        Err(NotEnabled) => {}
                    }
                }
            }
        }
        carried.follows = follows;
        carried.lost = u16::try_from(lost.len()).unwrap_or(u16::MAX);
        for (place, packet) in (0..).zip(&lost) {
            if it.late != Some(place) {
                world.lose(packet);
            }
        }
        let whole = matches!(self.grain, Grain::Exchanges | Grain::Rounds);
        if self.reductions.moot && !whole {
            lose_what_is_moot(world, self.may_crash);
        }
        if self.reductions.inert {
            let quiet = whole && is_quiet(world);
            world.settle(quiet, N::settled);
        }
        Ok(carried)
    }
}

/// What becomes of a packet after an election of a round.
fn way_in_round<N: Explored>(
    packet: &PacketOf<N>,
    beginner: NodeId,
    reach: NodeSet,
    mute: NodeSet,
) -> Way {
    let arrives = match (packet.from, packet.to) {
        (Address::Node(from), Address::Node(to)) if from == beginner => reach.contains(to),
        (Address::Node(from), Address::Node(to)) if to == beginner => !mute.contains(from),
        _ => false,
    };
    match arrives {
        true => Way::AtOnce,
        false => Way::Lost,
    }
}

/// The node with which an exchange begins that a step brings about.
pub(super) fn begins_at<N: Explored>(step: &Step<N>) -> Option<NodeId> {
    match step {
        Step::Invoke { to, .. } | Step::Resend { to, .. } => Some(*to),
        other => other.node(),
    }
}

/// Whether nothing that a node said is on its way, or waits for a disk.
fn is_quiet<N: Explored>(world: &World<N>) -> bool {
    let said = |packet: &PacketOf<N>| matches!(packet.body, Body::Message(_));
    let mut nodes = NodeId::all(world.config().nodes());
    !world.network().any(|(packet, _)| said(packet))
        && !nodes.any(|node| world.disk(node).is_dirty())
}

/// Takes the packets off the network that can no longer matter to those to whom they are going.
fn lose_what_is_moot<N: Explored>(world: &mut World<N>, may_crash: bool) {
    let moot = |world: &World<N>, packet: &PacketOf<N>| match (packet.from, packet.to, &packet.body)
    {
        (Address::Node(from), Address::Node(to), Body::Message(message)) => {
            is_moot(world, from, to, message, may_crash)
        }
        (_, Address::Client(client), Body::Response { sequence, .. }) => {
            world.call(client) != Some((*sequence, true))
        }
        _ => false,
    };
    let found: Vec<_> = world
        .network()
        .map(|(packet, _)| packet)
        .filter(|packet| moot(world, packet))
        .cloned()
        .collect();
    if !found.is_empty() {
        world.retain_packets(|packet| !found.contains(packet));
    }
}

/// Whether a message can no longer matter to a node.
pub(super) fn is_moot<N: Explored>(
    world: &World<N>,
    from: NodeId,
    to: NodeId,
    message: &N::Message,
    may_crash: bool,
) -> bool {
    let (node, disk) = (world.node(to), world.disk(to).written());
    N::is_moot(world.config(), node, disk, from, message, may_crash)
}
