//! A library's node as a [`Node`] of ours.
//!
//! The contract wants nodes that can be copied and compared, and libraries' nodes cannot. But they are deterministic:
//! a node is what it was started from and what it was given since, so that is kept beside it. A copy is made by giving
//! the same again, and two nodes are equal if they were given the same. That is more than equal states, so an
//! exploration of a library is right but merges little.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tribunal_histories::{MessageView, NodeId, View};
use tribunal_protocols::contract::{
    ClientId, Configuration, Context, Input, Node, Reply, TimerRange,
};
use tribunal_protocols::explored::{Expedition, Explored, Names};
use tribunal_protocols::scenario::Staged;
use tribunal_protocols::state_machine::{Command, StateMachine};

use crate::journal::{Journal, Record, State};
use crate::service::Response;
use crate::wire::Wire;

/// What a node waits for: libraries count ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Timer {
    /// The next tick.
    Tick,
}

impl std::fmt::Display for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tick")
    }
}

/// Something that a node was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Given {
    /// A message.
    Message(NodeId, Wire),
    /// A tick, with a number that was drawn for the node.
    Tick(u64),
    /// A client's command.
    Request(ClientId, u32, Command),
    /// The disk has so many changes of the journal.
    Synced(u64),
}

/// Something that a node does.
pub(crate) enum Deed<S: State> {
    /// It writes to its journal.
    Write(S::Change),
    /// It sends a message.
    Send(NodeId, Wire),
    /// It answers a client.
    Reply(ClientId, u32, Response),
}

/// A sans-IO library, with what it needs around it.
pub(crate) trait Library: Debug + Send + Sync + Sized + 'static {
    /// The name in the registry and in traces.
    const NAME: &'static str;
    /// What all nodes are started with.
    type Config: Clone
        + Debug
        + Eq
        + Send
        + Sync
        + Serialize
        + DeserializeOwned
        + Configuration
        + 'static;
    /// What is kept on disk.
    type State: State;
    /// Planted misuses.
    type Bug: Copy + Into<u8>;

    /// How long a tick takes, in microseconds, and below what number the one is that comes with it.
    fn tick(config: &Self::Config) -> (u64, u64);

    /// Starts a node from its disk.
    fn start(
        me: NodeId,
        config: &Self::Config,
        disk: &Journal<Self::State>,
        deeds: &mut Vec<Deed<Self::State>>,
    ) -> Self;

    /// Gives it something.
    fn take(&mut self, config: &Self::Config, given: &Given, deeds: &mut Vec<Deed<Self::State>>);

    /// What it shows of itself.
    fn view<'a>(&'a self, disk: &'a Self::State) -> View<'a>;

    /// The service's state.
    fn machine(&self) -> &StateMachine;
}

#[derive(Debug)]
struct Beginning<L: Library> {
    me: NodeId,
    config: L::Config,
    disk: Journal<L::State>,
}

/// A library's node, with all that it was given.
#[derive(Debug)]
pub(crate) struct Recalled<L: Library> {
    beginning: Arc<Beginning<L>>,
    given: Vec<Given>,
    live: L,
}

impl<L: Library> Clone for Recalled<L> {
    fn clone(&self) -> Self {
        let Beginning { me, config, disk } = &*self.beginning;
        let mut deeds = Vec::new();
        let mut live = L::start(*me, config, disk, &mut deeds);
        for given in &self.given {
            deeds.clear();
            live.take(config, given, &mut deeds);
        }
        Self {
            beginning: Arc::clone(&self.beginning),
            given: self.given.clone(),
            live,
        }
    }
}

impl<L: Library> PartialEq for Recalled<L> {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = (&*self.beginning, &*other.beginning);
        self.given == other.given
            && left.me == right.me
            && left.disk == right.disk
            && left.config == right.config
    }
}

impl<L: Library> Eq for Recalled<L> {}

impl<L: Library> Hash for Recalled<L> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.beginning.me.hash(hasher);
        self.beginning.disk.hash(hasher);
        self.given.hash(hasher);
    }
}

/// Does what a library's node wants done.
fn perform<L: Library>(deeds: Vec<Deed<L::State>>, context: &mut Context<'_, Recalled<L>>) {
    for deed in deeds {
        match deed {
            Deed::Write(change) => {
                let number = context.durable().changes + 1;
                context.write(Record { number, change });
            }
            Deed::Send(to, message) => context.send(to, message),
            Deed::Reply(client, sequence, response) => context.reply(client, sequence, response),
        }
    }
}

/// Has it ticked again.
fn tick_again<L: Library>(context: &mut Context<'_, Recalled<L>>) {
    let (us, choices) = L::tick(context.config());
    let after = TimerRange {
        min_us: us,
        max_us: us,
    };
    context.set_timer_to_choose(Timer::Tick, after, choices);
}

impl<L: Library> Node for Recalled<L> {
    const NAME: &'static str = L::NAME;

    type Config = L::Config;
    type Message = Wire;
    type Timer = Timer;
    type Request = Command;
    type Response = Response;
    type Durable = Journal<L::State>;
    type Bug = L::Bug;

    fn boot(context: &mut Context<'_, Self>) -> Self {
        let beginning = Beginning {
            me: context.me(),
            config: context.config().clone(),
            disk: context.durable().clone(),
        };
        let Beginning { me, config, disk } = &beginning;
        let mut deeds = Vec::new();
        let live = L::start(*me, config, disk, &mut deeds);
        perform(deeds, context);
        tick_again(context);
        Self {
            beginning: Arc::new(beginning),
            given: Vec::new(),
            live,
        }
    }

    fn step(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        let given = match input {
            Input::Message { from, message } => Given::Message(from, message),
            Input::Timer { choice, .. } => Given::Tick(choice),
            Input::Request {
                client,
                sequence,
                request,
            } => Given::Request(client, sequence, request),
            Input::Synced => Given::Synced(context.synced().changes),
        };
        let mut deeds = Vec::new();
        self.live.take(&self.beginning.config, &given, &mut deeds);
        let ticked = matches!(given, Given::Tick(_));
        self.given.push(given);
        perform(deeds, context);
        if ticked {
            tick_again(context);
        }
    }

    fn view<'a>(&'a self, durable: &'a Self::Durable) -> View<'a> {
        self.live.view(&durable.state)
    }

    fn message_view(to: NodeId, message: &Wire) -> MessageView {
        message.view(to)
    }

    fn reply(_request: &Command, response: &Response) -> Reply {
        response.meaning()
    }
}

impl<L: Library> Staged for Recalled<L> {
    const MODEL: &'static str = "kv";

    fn disk(_words: &str) -> Option<Journal<L::State>> {
        None
    }

    fn value(&self, object: &str) -> Option<String> {
        Some(self.live.machine().read(object.parse().ok()?).to_string())
    }
}

impl<L: Library> Explored for Recalled<L> {
    const NAMES_MATTER: Names = Names::OfAll;

    const GRID: &'static [Expedition] = &[Expedition {
        name: "elections",
        about: "one write, a few ticks",
        flags: "--terms 1 --timeouts 8 --op 'write x 1'",
    }];

    fn is_of_election(_message: &Wire) -> bool {
        false
    }
}
