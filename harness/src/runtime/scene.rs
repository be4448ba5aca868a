//! What surrounds nodes that take the steps of a script: the packets on their way, the armed timers and the clients.
//!
//! The script says what arrives and fires. What is there to arrive and to fire is what the nodes themselves have sent and
//! armed, so a script that does not fit them comes to a step that cannot be taken.

use std::collections::BTreeMap;

use tribunal_histories::{Kind, NodeId};
use tribunal_protocols::contract::ClientId;
use tribunal_protocols::world::{Body, Observer, Packet, PacketOf, client_event};
use tribunal_protocols::{Address, Input, Node, Reply, Step};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Scene<N: Node> {
    network: BTreeMap<PacketOf<N>, u16>,
    /// By node.
    timers: Vec<BTreeMap<N::Timer, u64>>,
    /// Operations in flight.
    calls: BTreeMap<ClientId, (u32, N::Request)>,
}

impl<N: Node> Scene<N> {
    /// Nothing is on its way between so many nodes.
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            network: BTreeMap::new(),
            timers: vec![BTreeMap::new(); nodes],
            calls: BTreeMap::new(),
        }
    }

    /// A packet is on its way.
    pub(crate) fn put(&mut self, packet: PacketOf<N>) {
        *self.network.entry(packet).or_default() += 1;
    }

    fn take(&mut self, packet: &PacketOf<N>) -> Option<()> {
        let count = self.network.get_mut(packet)?;
        *count -= 1;
        if *count == 0 {
            self.network.remove(packet);
        }
        Some(())
    }

    /// The packets on their way, and how often each.
    pub(crate) fn network(&self) -> impl Iterator<Item = (&PacketOf<N>, u16)> {
        self.network.iter().map(|(packet, count)| (packet, *count))
    }

    /// The armed timers of a node, and with how many choices each.
    pub(crate) fn timers(&mut self, node: NodeId) -> &mut BTreeMap<N::Timer, u64> {
        &mut self.timers[node.index()]
    }

    /// What a step gives a node; `None` if it gives none, or is not possible here.
    pub(crate) fn input(&mut self, step: &Step<N>) -> Option<(NodeId, Input<N>)> {
        match step {
            Step::Fire {
                node,
                timer,
                choice,
            } => {
                let choices = self.timers(*node).remove(timer)?;
                let (timer, choice) = (*timer, *choice);
                (choice < choices).then_some((*node, Input::Timer { timer, choice }))
            }
            Step::Deliver(packet) => {
                self.take(packet)?;
                match (packet.from, packet.to, packet.body.clone()) {
                    (Address::Node(from), Address::Node(to), Body::Message(message)) => {
                        Some((to, Input::Message { from, message }))
                    }
                    (
                        Address::Client(client),
                        Address::Node(to),
                        Body::Request { sequence, request },
                    ) => Some((
                        to,
                        Input::Request {
                            client,
                            sequence,
                            request,
                        },
                    )),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Takes a step of clients or of the network, in which no node does anything; `None` if it is not possible here.
    pub(crate) fn outside(&mut self, step: &Step<N>, observer: &mut dyn Observer) -> Option<()> {
        match step {
            Step::Invoke {
                client,
                sequence,
                to,
                request,
            } => {
                self.calls.insert(*client, (*sequence, request.clone()));
                observer.client_event(client_event(*client, request, Kind::Invoke, None));
                self.send_request(*client, *to)
            }
            Step::Resend { client, to } => self.send_request(*client, *to),
            Step::GiveUp { client } => {
                let (_, request) = self.calls.remove(client)?;
                observer.client_event(client_event(*client, &request, Kind::Info, None));
                Some(())
            }
            Step::Deliver(packet) => self.respond(packet, observer),
            Step::Duplicate(packet) => {
                *self.network.get_mut(packet)? += 1;
                Some(())
            }
            // What a cut stops, the script does not deliver.
            Step::Cut { .. } | Step::Heal | Step::Remark(_) => Some(()),
            _ => None,
        }
    }

    fn send_request(&mut self, client: ClientId, to: NodeId) -> Option<()> {
        let (sequence, request) = self.calls.get(&client)?.clone();
        self.put(Packet {
            from: Address::Client(client),
            to: Address::Node(to),
            body: Body::Request { sequence, request },
        });
        Some(())
    }

    fn respond(&mut self, packet: &PacketOf<N>, observer: &mut dyn Observer) -> Option<()> {
        self.take(packet)?;
        let (Address::Client(client), Body::Response { sequence, response }) =
            (packet.to, &packet.body)
        else {
            return None;
        };
        let Some((_, request)) = self.calls.get(&client).filter(|call| call.0 == *sequence) else {
            return Some(());
        };
        let (kind, result) = match N::reply(request, response) {
            Reply::Ok(value) => (Kind::Ok, value),
            Reply::Fail(error) => (Kind::Fail, error),
            Reply::Elsewhere(_) => return Some(()),
        };
        observer.client_event(client_event(client, request, kind, Some(result)));
        self.calls.remove(&client);
        Some(())
    }

    /// A node crashed: its timers are gone, and what it said to itself.
    pub(crate) fn crash(&mut self, node: NodeId) {
        self.timers(node).clear();
        let end = Address::Node(node);
        self.network
            .retain(|packet, _| packet.from != end || packet.to != end);
    }
}
