//! A protocol that does next to nothing: what it costs is what the runtime costs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogView, MessageView, NodeId, Value, View};
use tribunal_protocols::contract::{Configuration, Recorded};
use tribunal_protocols::{Bugs, Context, Durable, Input, Node, Reply, TimerRange};

/// A node that sends every message on to the next node, with a number one higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Echo;

/// How many messages are always in flight.
pub const IN_FLIGHT: usize = 20;

/// The size of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes(pub usize);

impl Configuration for Nodes {
    fn of(nodes: usize) -> Self {
        Self(nodes)
    }

    fn with_bugs(self, _bugs: Bugs) -> Self {
        self
    }

    fn varied(self, _below: &mut dyn FnMut(u64) -> u64) -> Self {
        self
    }

    fn nodes(&self) -> usize {
        self.0
    }

    fn bugs(&self) -> Bugs {
        Bugs::NONE
    }

    fn patience_us(&self) -> u64 {
        300_000
    }
}

/// What is sent: how often it was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ball(u64);

impl fmt::Display for Ball {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ball {}", self.0)
    }
}

/// What a protocol without timers, clients and disk has in their places.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

impl FromStr for Nothing {
    type Err = fmt::Error;

    fn from_str(text: &str) -> Result<Self, fmt::Error> {
        (text == "nothing").then_some(Self).ok_or(fmt::Error)
    }
}

impl From<Nothing> for u8 {
    fn from(_: Nothing) -> Self {
        0
    }
}

impl Recorded for Nothing {
    fn record(&self) -> (&'static str, Value, Value) {
        ("nothing", Value::Nil, Value::Nil)
    }

    fn from_record(_function: &str, _key: &Value, _value: &Value) -> Option<Self> {
        None
    }
}

impl Durable for Nothing {
    type Write = Self;

    fn apply(&mut self, _write: &Self) {}

    fn torn(_write: &Self) -> Option<Self> {
        None
    }

    fn log(&self) -> LogView<'_> {
        LogView::default()
    }

    fn view(&self) -> View<'_> {
        View::default()
    }
}

fn next(context: &Context<'_, Echo>, step: usize) -> NodeId {
    NodeId::from_index((context.me().index() + step) % context.config().nodes())
}

impl Node for Echo {
    const NAME: &'static str = "echo";

    type Config = Nodes;
    type Message = Ball;
    type Timer = Nothing;
    type Request = Nothing;
    type Response = Nothing;
    type Durable = Nothing;
    type Bug = Nothing;

    fn boot(context: &mut Context<'_, Self>) -> Self {
        // The first ball to each node goes out when all are up.
        let after = TimerRange {
            min_us: 1_000,
            max_us: 1_000,
        };
        context.set_timer(Nothing, after);
        Self
    }

    fn step(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        match input {
            Input::Message {
                message: Ball(count),
                ..
            } => {
                let step = 1 + usize::from(count % 2 == 1);
                context.send(next(context, step), Ball(count + 1));
            }
            Input::Timer { .. } => {
                let nodes = context.config().nodes();
                for ball in 0..IN_FLIGHT / nodes {
                    context.send(next(context, 1 + ball % (nodes - 1)), Ball(0));
                }
            }
            Input::Request { .. } | Input::Synced => {}
        }
    }

    fn view<'a>(&'a self, _durable: &'a Nothing) -> View<'a> {
        View::default()
    }

    fn message_view(to: NodeId, _message: &Ball) -> MessageView {
        MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: Vec::new(),
        }
    }

    fn reply(_request: &Nothing, _response: &Nothing) -> Reply {
        Reply::Ok(Value::Nil)
    }
}
