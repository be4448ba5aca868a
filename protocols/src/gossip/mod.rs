//! Gossip: updates spread from node to node until all have them.
//!
//! After A. Demers et al., *Epidemic Algorithms for Replicated Database Maintenance* (PODC 1987). Two ways of
//! spreading, each of which can be off: [`exchange`] is anti-entropy, which reaches every node with certainty and goes
//! on for ever; [`rumours`] is rumour mongering, which is faster and may miss some. What spreads is a [`table`] of
//! registers, where of two concurrent writes the last wins and the other is lost, and of counters, where nothing is.
//! [`tombstones`] says when a delete may be forgotten, [`disk`] what survives a crash, [`clients`] what clients get:
//! an answer at once, from their own node. All nodes are alike, and none is told by any other what to do.
//!
//! What is promised: once writes stop and the nodes can reach each other, all agree ([`table`]), on a value that no
//! acknowledged write has overwritten whose author knew of it. That is less than linearizability, which a register
//! spread by gossip does not have.

mod clients;
mod exchange;
mod explored;
mod peers;
mod rumours;
mod staged;
mod tombstones;

pub mod bugs;
pub mod config;
pub mod disk;
pub mod message;
pub mod probes;
pub mod request;
pub mod table;

use std::collections::{BTreeMap, VecDeque};

use tribunal_histories::{Facet, MessageView, NodeId, Value, View};

pub use bugs::GossipBug;
pub use config::{Config, Mode, Rumours};
pub use disk::HardState;
pub use message::{Body, Message, Timer};
pub use peers::Topology;
pub use probes::PROBES;
pub use request::{Ask, Object, Request};
pub use table::{Cell, Record, Stamp, Table};

use crate::contract::{Context, Input, Node, Reply};
use crate::state_machine::Output;
use rumours::Rumour;
use tombstones::Holders;

/// The volatile state of a gossip node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gossip {
    /// A logical clock that also ticks, so that it stays near those of others that hear nothing from here.
    clock: u64,
    /// How many messages it has sent since it started.
    sent: u64,
    /// The rumours that have a turn left in this round.
    hot_now: VecDeque<Rumour>,
    /// Those that have one in the next.
    hot_next: Vec<Rumour>,
    rumour_armed: bool,
    /// By cell, who is known to hold the tombstone that is there.
    holders: BTreeMap<Cell, Holders>,
}

type Cx<'a> = Context<'a, Gossip>;

impl Gossip {
    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if self.comes_too_late(from, message.number, cx) {
            return;
        }
        match message.body {
            Body::Digest { stamps, offer } => self.compare(from, &stamps, offer, cx),
            Body::Delta { records, wanted } => self.merge(from, &records, &wanted, cx),
            Body::Rumour(record) => {
                if !self.learn(&record, from, cx) && rumours::wants_feedback(cx) {
                    self.send(from, Body::Known(record.cell, record.stamp), cx);
                }
            }
            Body::Known(cell, stamp) => self.was_known(cell, stamp),
        }
        self.hear_holders(message.held, cx);
    }
}

impl Node for Gossip {
    const NAME: &'static str = "gossip";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Response = Output;
    type Durable = HardState;
    type Bug = GossipBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        cx.write(disk::Write::Boot(cx.durable().boots + 1));
        Self::arm_gossip(cx);
        Self {
            clock: cx.durable().clock,
            ..Self::default()
        }
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer {
                timer: Timer::Gossip,
                choice,
            } => self.gossip(choice, cx),
            Input::Timer {
                timer: Timer::Rumour,
                choice,
            } => self.tell_rumour(choice, cx),
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {}
        }
    }

    fn view<'a>(&'a self, durable: &'a HardState) -> View<'a> {
        View {
            state: durable.table.digest(),
            facet: Facet::Table(durable.table.entries()),
            ..View::default()
        }
    }

    fn message_view(to: NodeId, _: &Message) -> MessageView {
        MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: Vec::new(),
        }
    }

    fn reply(_: &Request, response: &Output) -> Reply {
        match response {
            Output::Done => Reply::Ok(Value::Nil),
            Output::Value(object) => Reply::Ok(object.into()),
            Output::Mismatch => Reply::Fail(Value::text("mismatch")),
        }
    }
}
