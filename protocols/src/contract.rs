//! The contract between a protocol and whatever runs it.
//!
//! A [`Node`] is a value that takes an [`Input`] and answers with an ordered list of [`Effect`]s. What must
//! survive a crash is a type of its own, [`Durable`], changed only by the effect [`Effect::Write`]; all else is
//! volatile and lives in the node. Three rules make the contract:
//!
//! 1. Effects are executed in order. **A send or reply emitted after a write waits until that write has reached
//!    the disk.** Most real bugs of this family break this rule, so the contract keeps it and a planted bug has
//!    to emit its effects in the wrong order.
//! 2. A crash keeps what had reached the disk and, of what had not, whatever the disk happened to keep
//!    ([`Loss`](crate::disk::Loss)); it may cut a list of effects at any place.
//! 3. A node has no clock and no randomness: a timer is armed with a range and, where the node has a choice to make
//!    when it fires, with a number of choices; the driver picks both.
//!
//! A node may send to itself: such a message is never lost, cut, delayed or duplicated, and a crash forgets it. It
//! waits for the disk like any other, so a role of a node may talk to another of its roles as if they were apart.

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tribunal_histories::{LogView, MessageView, NodeId, Value, View};

use crate::bugs::Bugs;
use crate::disk::Disk;

/// Everything that crosses a boundary: compared and ordered for canonical states, serialised for the wire.
pub trait Datum:
    Clone + Debug + Eq + Ord + Hash + Send + Sync + Serialize + DeserializeOwned + 'static
{
}
impl<T: Clone + Debug + Eq + Ord + Hash + Send + Sync + Serialize + DeserializeOwned + 'static>
    Datum for T
{
}

/// A client, by its process number: it has at most one operation in flight and one session with the cluster.
pub type ClientId = u32;

/// A protocol: the volatile state of one node, and how it moves.
pub trait Node: Clone + Debug + Eq + Hash + Send + Sync + Sized + 'static {
    /// The name in the registry and in every trace.
    const NAME: &'static str;

    /// What all nodes of a cluster are started with.
    type Config: Clone
        + Debug
        + Eq
        + Send
        + Sync
        + Serialize
        + DeserializeOwned
        + Configuration
        + 'static;
    /// What nodes send each other. Its text is exact: two messages that print alike are equal.
    type Message: Datum + Display;
    /// What a node waits for. Arming an armed timer replaces it.
    type Timer: Datum + Copy + Display;
    /// What clients ask for.
    type Request: Datum + Display + FromStr + Recorded;
    /// What they are answered.
    type Response: Datum + Display;
    /// What survives a crash.
    type Durable: Durable;
    /// Its planted bugs, by [`Bug::number`](crate::bugs::Bug::number).
    type Bug: Copy + Into<u8>;

    /// Brings a node to life from its disk: at first start and after every crash, there is no other way.
    fn boot(context: &mut Context<'_, Self>) -> Self;

    /// Takes one input.
    fn step(&mut self, input: Input<Self>, context: &mut Context<'_, Self>);

    /// What the node shows of itself to properties.
    fn view<'a>(&'a self, durable: &'a Self::Durable) -> View<'a>;

    /// What a message shows to properties.
    fn message_view(to: NodeId, message: &Self::Message) -> MessageView;

    /// What an answer to a client shows to properties, as a message to the node itself; by default nothing.
    fn answer_view(
        _me: NodeId,
        _client: ClientId,
        _sequence: u32,
        _response: &Self::Response,
    ) -> Option<MessageView> {
        None
    }

    /// What a response means to the client that made a request.
    fn reply(request: &Self::Request, response: &Self::Response) -> Reply;
}

/// What every configuration tells.
pub trait Configuration: Sized {
    /// The usual configuration of a cluster of this size.
    fn of(nodes: usize) -> Self;
    /// The same configuration with planted bugs on.
    #[must_use]
    fn with_bugs(self, bugs: Bugs) -> Self;
    /// Another configuration that must be as correct: options on or off, limits small or large. `below(n)` gives
    /// a number less than `n`; the same numbers give the same configuration.
    #[must_use]
    fn varied(self, below: &mut dyn FnMut(u64) -> u64) -> Self;
    /// The size of the cluster.
    fn nodes(&self) -> usize;
    /// The planted bugs that are on.
    fn bugs(&self) -> Bugs;
    /// The longest that a node waits for another before it acts on its own, in microseconds (an election timeout,
    /// where there are elections): the unit in which liveness is measured.
    fn patience_us(&self) -> u64;
    /// Why a cluster so configured cannot be right, planted bugs aside: quorums that do not meet, say.
    fn objection(&self) -> Option<String> {
        None
    }
}

/// The same configuration with some fields set: a field's name, and its value as JSON or, if it is none, as text.
///
/// # Errors
/// A field that the configuration does not have, or a value that it cannot have.
pub fn with_fields<'a, C: Serialize + DeserializeOwned>(
    config: &C,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<C, serde_json::Error> {
    let mut json = serde_json::to_value(config)?;
    for (name, value) in fields {
        json[name] = serde_json::from_str(value)
            .unwrap_or_else(|_| serde_json::Value::String(value.to_owned()));
    }
    serde_json::from_value(json)
}

/// How a request stands in a history.
pub trait Recorded: Sized {
    /// The operation's name, the key of its object and its argument.
    fn record(&self) -> (&'static str, Value, Value);

    /// The request that has this record; `None` if the protocol serves no such operation. A key of nil is the
    /// one object of a workload that has only one.
    fn from_record(function: &str, key: &Value, value: &Value) -> Option<Self>;

    /// Whether it asks what one node knows, whoever leads: each client then asks a node of its own.
    fn is_local(&self) -> bool {
        false
    }

    /// Whether it is about the cluster and not about its objects (a change of its members): it then stands in a history
    /// as something that the nemesis did, as in Jepsen's, and no model judges it.
    fn is_administrative(&self) -> bool {
        false
    }
}

/// What a response means to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It happened, with this result.
    Ok(Value),
    /// It did not happen and never will, for this reason.
    Fail(Value),
    /// Ask again, there if a node is named: this one could not tell.
    Elsewhere(Option<NodeId>),
}

/// The part of a node that survives a crash.
pub trait Durable: Datum + Default {
    /// A change of it: as small as what is really written.
    type Write: Datum + Display;

    /// Makes a change. A change that does not fit (the one before it was lost) is left out, as a log's recovery
    /// leaves out what lies behind a gap.
    fn apply(&mut self, write: &Self::Write);

    /// What is left of a write that a crash tore in the middle; `None` if nothing is.
    fn torn(write: &Self::Write) -> Option<Self::Write>;

    /// The log in it, for properties.
    fn log(&self) -> LogView<'_>;

    /// What a node that is down shows to properties.
    fn view(&self) -> View<'_>;

    /// The disk that takes the place of one that was lost whole: it knows that it is not the first, and of what it
    /// replaces only that. Its node then comes up as [`Role::Recovering`](tribunal_histories::Role::Recovering) until
    /// it has re-learned enough. `None`, where a protocol does not claim to survive that; no disk is lost whole then.
    fn replacing(lost: &Self) -> Option<Self> {
        let _ = lost;
        None
    }
}

/// What a node is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<N: Node> {
    /// A message from a peer.
    Message {
        /// The sender, as the network knows it.
        from: NodeId,
        /// What it says.
        message: N::Message,
    },
    /// A timer that was armed fired; it is no longer armed.
    Timer {
        /// Which.
        timer: N::Timer,
        /// Which of the choices that it was armed with was made for the node; 0 if it was armed with none.
        choice: u64,
    },
    /// A client asks. The pair (client, sequence) names the operation across retries.
    Request {
        /// Who.
        client: ClientId,
        /// Which of its operations.
        sequence: u32,
        /// What.
        request: N::Request,
    },
    /// Writes reached the disk: see [`Context::synced`].
    Synced,
}

/// The range that a driver draws a timer's duration from, in microseconds, both ends included. In
/// [`World`](crate::world::World) it has no meaning: any armed timer may fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerRange {
    /// The shortest, in microseconds.
    pub min_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
}

/// What a node asks its driver to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect<N: Node> {
    /// Bring a change to the disk. The node itself sees the change at once.
    Write(<N::Durable as Durable>::Write),
    /// Send a message to a node.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: N::Message,
    },
    /// Answer a client.
    Reply {
        /// Whom.
        client: ClientId,
        /// Which of its operations.
        sequence: u32,
        /// What.
        response: N::Response,
    },
    /// Arm a timer, or arm it anew.
    SetTimer {
        /// Which.
        timer: N::Timer,
        /// How long.
        after: TimerRange,
        /// How many ways the node has to go on when it fires, of which the driver picks one; at least 1.
        choices: u64,
    },
    /// Disarm a timer.
    CancelTimer(N::Timer),
    /// Something worth counting happened: a probe of the coverage report.
    Note(&'static str),
}

/// What a node has in its hands while it takes a step: its configuration, its disk and the list of effects.
#[derive(Debug)]
pub struct Context<'a, N: Node> {
    me: NodeId,
    config: &'a N::Config,
    disk: &'a mut Disk<N>,
    effects: &'a mut Vec<Effect<N>>,
}

impl<'a, N: Node> Context<'a, N> {
    pub(crate) fn new(
        me: NodeId,
        config: &'a N::Config,
        disk: &'a mut Disk<N>,
        effects: &'a mut Vec<Effect<N>>,
    ) -> Self {
        Self {
            me,
            config,
            disk,
            effects,
        }
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The cluster's configuration.
    pub fn config(&self) -> &'a N::Config {
        self.config
    }

    /// Whether a planted bug is on.
    pub fn has(&self, bug: N::Bug) -> bool {
        self.config.bugs().contains(bug.into())
    }

    /// The durable state with all writes so far, whether or not they have reached the disk.
    pub fn durable(&self) -> &N::Durable {
        self.disk.written()
    }

    /// The durable state as a crash now would leave it at worst.
    pub fn synced(&self) -> &N::Durable {
        self.disk.synced()
    }

    /// Changes the durable state. What is sent or replied after this waits until the change has reached the disk.
    pub fn write(&mut self, write: <N::Durable as Durable>::Write) {
        self.disk.write_to_cache(&write);
        self.effects.push(Effect::Write(write));
    }

    /// Changes the durable state in memory only: what a protocol that forgets to persist does. For planted bugs.
    pub fn write_but_forget_to_persist(&mut self, write: &<N::Durable as Durable>::Write) {
        self.disk.write_to_cache(write);
    }

    /// Sends a message to a node, which may be this one.
    pub fn send(&mut self, to: NodeId, message: N::Message) {
        self.effects.push(Effect::Send { to, message });
    }

    /// Answers a client.
    pub fn reply(&mut self, client: ClientId, sequence: u32, response: N::Response) {
        self.effects.push(Effect::Reply {
            client,
            sequence,
            response,
        });
    }

    /// Arms a timer, or arms it anew.
    pub fn set_timer(&mut self, timer: N::Timer, after: TimerRange) {
        self.set_timer_to_choose(timer, after, 1);
    }

    /// Arms a timer, or arms it anew, that comes with a choice when it fires: a number below `choices`. This is how
    /// a node picks a peer at random: it has no randomness of its own.
    pub fn set_timer_to_choose(&mut self, timer: N::Timer, after: TimerRange, choices: u64) {
        let choices = choices.max(1);
        self.effects.push(Effect::SetTimer {
            timer,
            after,
            choices,
        });
    }

    /// Disarms a timer.
    pub fn cancel_timer(&mut self, timer: N::Timer) {
        self.effects.push(Effect::CancelTimer(timer));
    }

    /// Counts a probe.
    pub fn note(&mut self, probe: &'static str) {
        self.effects.push(Effect::Note(probe));
    }
}
