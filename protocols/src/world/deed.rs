//! What can happen to one node, and what comes of it: a function of its place and of nothing else.

use std::sync::Arc;

use tribunal_histories::{Cause, MessageView, NodeId, fingerprint};

use super::packet::{Address, Body, Packet, PacketOf, SharedPacket};
use super::place::{Armed, Place, Shared};
use super::setup::SyncMode;
use crate::contract::{Effect, Input, Node, TimerRange};
use crate::disk::Loss;
use crate::host::Host;

/// What happens to a node.
#[derive(Debug)]
pub(super) enum Happening<N: Node> {
    /// It starts from its disk.
    Boot,
    /// Something arrives. With `cut`, the node gets no further than that many effects.
    Deliver {
        packet: SharedPacket<N>,
        cut: Option<usize>,
    },
    /// A timer fires.
    Fire {
        timer: N::Timer,
        choice: u64,
        cut: Option<usize>,
    },
    /// Its oldest writes reach its disk.
    Sync(usize),
    /// It crashes.
    Crash(Loss),
}

impl<N: Node> Happening<N> {
    /// What properties are told of it.
    fn cause(&self) -> Cause {
        match self {
            Self::Boot => Cause::Boot,
            Self::Deliver { .. } | Self::Fire { .. } => Cause::Step,
            Self::Sync(_) => Cause::Sync,
            Self::Crash(_) => Cause::Crash,
        }
    }

    /// A number that equal happenings to a node share.
    pub(super) fn fingerprint(&self, node: NodeId) -> u64 {
        match self {
            Self::Boot => fingerprint(&(0_u8, node)),
            Self::Deliver { packet, cut } => fingerprint(&(1_u8, packet.plain_fingerprint(), cut)),
            Self::Fire { timer, choice, cut } => fingerprint(&(2_u8, node, timer, choice, cut)),
            Self::Sync(writes) => fingerprint(&(3_u8, node, writes)),
            Self::Crash(loss) => fingerprint(&(4_u8, node, loss)),
        }
    }

    /// What then happens of itself: where writes reach the disk at once, they do.
    pub(super) fn then(&self, place: &Place<N>, sync: SyncMode) -> Option<Self> {
        let whole = match self {
            Self::Boot | Self::Sync(_) => true,
            Self::Deliver { cut, .. } | Self::Fire { cut, .. } => cut.is_none(),
            Self::Crash(_) => false,
        };
        let at_once = sync == SyncMode::Immediate && whole && place.disk.is_dirty();
        at_once.then(|| Self::Sync(place.disk.unsynced_count()))
    }
}

/// What a node did when something happened to it, but for what is to be seen at its place.
#[derive(Debug)]
pub(super) struct Deed<N: Node> {
    pub(super) cause: Cause,
    /// What it sent, as properties see it.
    pub(super) sent: Vec<MessageView>,
    pub(super) packets: Vec<SharedPacket<N>>,
    /// The timers that it armed.
    pub(super) armed: Vec<(N::Timer, TimerRange)>,
    /// The probes that it hit.
    pub(super) notes: Vec<&'static str>,
    /// How many effects it had: the places where a crash may cut it.
    pub(super) effects: usize,
}

/// A deed and the place after it; several, if one happening led to the next.
pub(super) type Deeds<N> = Arc<[(Shared<N>, Deed<N>)]>;

impl<N: Node> Place<N> {
    /// Something happens to the node at this place.
    pub(super) fn undergo(
        &mut self,
        node: NodeId,
        what: &Happening<N>,
        config: &Arc<N::Config>,
    ) -> Deed<N> {
        let waited = self.disk.waiting_count();
        let mut effects = Vec::new();
        match what {
            Happening::Boot => {
                let host = Host::boot(node, config.clone(), &mut self.disk, &mut effects);
                self.host = Some(host);
            }
            Happening::Crash(loss) => {
                self.host = None;
                self.timers.clear();
                self.disk.crash(*loss);
            }
            Happening::Sync(writes) => {
                if let Some(host) = &mut self.host {
                    host.synced(*writes, &mut self.disk, &mut effects);
                }
            }
            Happening::Deliver { packet, cut } => {
                if let Some(input) = input_in::<N>(packet) {
                    self.give(input, *cut, &mut effects);
                }
            }
            Happening::Fire { timer, choice, cut } => {
                self.timers.remove(timer);
                let (timer, choice) = (*timer, *choice);
                self.give(Input::Timer { timer, choice }, *cut, &mut effects);
            }
        }
        let waits = self.disk.waiting_count().saturating_sub(waited);
        let mut deed = Deed {
            cause: what.cause(),
            sent: Vec::new(),
            packets: Vec::new(),
            armed: Vec::new(),
            notes: Vec::new(),
            effects: effects.len() + waits,
        };
        for effect in effects {
            self.perform(node, effect, &mut deed);
        }
        deed
    }

    fn give(&mut self, input: Input<N>, cut: Option<usize>, effects: &mut Vec<Effect<N>>) {
        let Some(host) = &mut self.host else { return };
        match cut {
            None => host.step(input, &mut self.disk, effects),
            Some(kept) => host.step_cut(input, kept, &mut self.disk, effects),
        }
    }

    /// Does what the node asked for.
    fn perform(&mut self, node: NodeId, effect: Effect<N>, deed: &mut Deed<N>) {
        let from = Address::Node(node);
        let mut send = |to, body| {
            let packet = Packet { from, to, body };
            deed.packets.push(SharedPacket::from(packet));
        };
        match effect {
            Effect::Send { to, message } => {
                deed.sent.push(N::message_view(to, &message));
                send(Address::Node(to), Body::Message(message));
            }
            Effect::Reply {
                client,
                sequence,
                response,
            } => {
                let view = N::answer_view(node, client, sequence, &response);
                deed.sent.extend(view);
                send(
                    Address::Client(client),
                    Body::Response { sequence, response },
                );
            }
            Effect::SetTimer {
                timer,
                after,
                choices,
            } => {
                self.timers.insert(timer, Armed { choices, after });
                deed.armed.push((timer, after));
            }
            Effect::CancelTimer(timer) => {
                self.timers.remove(&timer);
            }
            Effect::Note(probe) => deed.notes.push(probe),
            Effect::Write(_) => unreachable!("the disk's queue keeps writes"),
        }
    }
}

/// What a packet is to the node at its end.
fn input_in<N: Node>(packet: &PacketOf<N>) -> Option<Input<N>> {
    match (packet.from, packet.to, &packet.body) {
        (Address::Node(from), Address::Node(_), Body::Message(message)) => {
            let message = message.clone();
            Some(Input::Message { from, message })
        }
        (Address::Client(client), Address::Node(_), Body::Request { sequence, request }) => {
            let (sequence, request) = (*sequence, request.clone());
            Some(Input::Request {
                client,
                sequence,
                request,
            })
        }
        _ => None,
    }
}
