//! Our Paxos as stateright's actors: the same node code in an `ActorModel`.
//!
//! stateright's actors bring their own network, timers and state. They leave out what a delivery does that changes
//! nothing (the message then stays), so that they have other states than our `World`, for the same question.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use tribunal_histories::{Facet, NodeId};
use tribunal_protocols::paxos::{Config, Message, Paxos, Request, Response};
use tribunal_protocols::{Disk, Effect, Host, Input};

use super::paxos::{BOUND, CLIENTS, NODES};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sent {
    /// Between nodes.
    Message(Message),
    /// To a node.
    Request(Request),
    /// To a client.
    Response(Response),
}

/// Nodes come first; each client asks the node of its own number.
#[derive(Clone, Debug)]
pub enum Role {
    /// A node.
    Node(Arc<Config>),
    /// A client.
    Client(Request),
}

/// An actor's state.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum State {
    /// A node.
    Node(Box<Place>),
    /// A client, and what it was told.
    Client(Option<Response>),
}

/// A node and its disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    host: Host<Paxos>,
    disk: Disk<Paxos>,
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.node().hash(state);
        self.disk.hash(state);
    }
}

/// Does what a node asked for, its writes at once. Timers are not set: the question is without timeouts.
fn perform(place: &mut Place, mut effects: Vec<Effect<Paxos>>, out: &mut Out<Role>) {
    while place.disk.is_dirty() {
        let mut released = Vec::new();
        let writes = place.disk.unsynced_count();
        place.host.synced(writes, &mut place.disk, &mut released);
        effects.append(&mut released);
    }
    for effect in effects {
        match effect {
            Effect::Send { to, message } => out.send(Id::from(to.index()), Sent::Message(message)),
            Effect::Reply {
                client, response, ..
            } => out.send(Id::from(NODES + client as usize), Sent::Response(response)),
            _ => {}
        }
    }
}

impl Actor for Role {
    type Msg = Sent;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _storage: &Option<()>, out: &mut Out<Self>) -> State {
        match self {
            Self::Client(request) => {
                out.send(Id::from(usize::from(id) - NODES), Sent::Request(*request));
                State::Client(None)
            }
            Self::Node(config) => {
                let mut disk = Disk::default();
                let mut effects = Vec::new();
                let me = NodeId::from_index(usize::from(id));
                let host = Host::boot(me, config.clone(), &mut disk, &mut effects);
                let mut place = Place { host, disk };
                perform(&mut place, effects, out);
                State::Node(Box::new(place))
            }
        }
    }

    fn on_msg(
        &self,
        _id: Id,
        state: &mut Cow<'_, State>,
        from: Id,
        sent: Sent,
        out: &mut Out<Self>,
    ) {
        if let (State::Client(None), Sent::Response(response)) = (&**state, sent) {
            *state.to_mut() = State::Client(Some(response));
            return;
        }
        let input = match sent {
            Sent::Message(message) => Input::Message {
                from: NodeId::from_index(usize::from(from)),
                message,
            },
            Sent::Request(request) => Input::Request {
                client: u32::try_from(usize::from(from) - NODES).expect("few clients"),
                sequence: 1,
                request,
            },
            Sent::Response(_) => return,
        };
        let State::Node(before) = &**state else {
            return;
        };
        let mut place = before.clone();
        let mut effects = Vec::new();
        let Place { host, disk } = &mut *place;
        host.step(input, disk, &mut effects);
        perform(&mut place, effects, out);
        if place != *before {
            *state.to_mut() = State::Node(place);
        }
    }
}

/// The model.
pub fn model() -> ActorModel<Role, (), ()> {
    let config = Arc::new(super::paxos::config());
    let nodes = (0..NODES).map(|_| Role::Node(config.clone()));
    let clients = (1..=CLIENTS).map(|value| {
        let value = i64::try_from(value).expect("few clients");
        Role::Client(Request::Propose(value))
    });
    ActorModel::new((), ())
        .actors(nodes.chain(clients))
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Always, "agreement", |_, state| {
            let mut learned =
                places(state).filter_map(|place| match place.host.view(&place.disk).facet {
                    Facet::Ballots(shown) => shown.learned.first().cloned(),
                    _ => None,
                });
            let first = learned.next();
            learned.all(|other| Some(other) == first)
        })
        .within_boundary(|(), state| {
            places(state).all(|place| place.disk.written().promised() <= BOUND)
        })
}

fn places(state: &stateright::actor::ActorModelState<Role>) -> impl Iterator<Item = &Place> {
    state
        .actor_states
        .iter()
        .filter_map(|state| match &**state {
            State::Node(place) => Some(&**place),
            State::Client(_) => None,
        })
}
