//! TLA+ specifications as nodes: what exploration must count as TLC does.
//!
//! A node holds the whole state of a specification and takes its actions, so that a world is in as many states as the
//! specification: TLC, SPIN and stateright agree on how many those are. There are two encodings. In the first, a timer
//! is armed as long as an action is enabled, with a choice for each. In the second, the specification's messages are
//! packets that the node sends to itself: as in TLA+ they are never removed, so one that arrives is sent again.

pub(crate) mod paxos;
pub(crate) mod two_phase;

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_checkers::explore::{Budget, Question, Reductions, Strategy, Timeouts};
use tribunal_histories::{LogView, MessageView, NodeId, Value, View};
use tribunal_protocols::Bugs;
use tribunal_protocols::contract::{
    Configuration, Context, Datum, Durable, Input, Node, Recorded, Reply, TimerRange,
};
use tribunal_protocols::explored::{Expedition, Explored, Names};
use tribunal_protocols::scenario::Staged;
use tribunal_protocols::world::{Setup, SyncMode};

/// A specification: its state and its next-state relation. Actions that are not enabled, or that change nothing, are
/// left out.
pub(crate) trait Specification:
    Clone + fmt::Debug + Eq + std::hash::Hash + Send + Sync + 'static
{
    /// Its name.
    const NAME: &'static str;

    /// A disjunct of the next-state relation, with its parameters.
    type Action: Datum + Copy + fmt::Display;

    /// The initial state of a model of this size: so many resource managers, so many ballots.
    fn initial(size: u8) -> Self;

    /// The actions that are enabled and wait for no message of their own.
    fn internal(&self, actions: &mut Vec<Self::Action>);

    /// The actions that are the receipt of a message that was sent, enabled or not.
    fn receipts(&self, actions: &mut Vec<Self::Action>);

    /// Whether an action is enabled and changes something.
    fn is_enabled(&self, action: Self::Action) -> bool;

    /// Takes an action that is enabled.
    fn take(&mut self, action: Self::Action);
}

/// How a specification is put into a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Encoding {
    /// All of it in the node; an action is a choice of its timer.
    Choices,
    /// Messages are packets on the network as well; receiving one is an action.
    Packets,
}

/// A specification's constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Constants {
    /// How many resource managers, or ballots.
    pub(crate) size: u8,
    /// How it is put into a world.
    pub(crate) encoding: Encoding,
}

impl Configuration for Constants {
    fn of(_nodes: usize) -> Self {
        Self {
            size: 2,
            encoding: Encoding::Choices,
        }
    }

    fn with_bugs(self, _bugs: Bugs) -> Self {
        self
    }

    fn varied(self, _below: &mut dyn FnMut(u64) -> u64) -> Self {
        self
    }

    fn nodes(&self) -> usize {
        1
    }

    fn bugs(&self) -> Bugs {
        Bugs::NONE
    }

    fn patience_us(&self) -> u64 {
        1
    }
}

/// A specification's state as a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Specified<S: Specification> {
    state: S,
}

type Cx<'a, S> = Context<'a, Specified<S>>;

impl<S: Specification> Specified<S> {
    /// The question how many states a model of this size has: no bound at all.
    pub(crate) fn question(size: u8, encoding: Encoding, strategy: Strategy) -> Question<Self> {
        let setup = Setup::fresh(Constants { size, encoding }, SyncMode::Immediate);
        let budget = Budget {
            timeouts: Timeouts {
                others: None,
                named: Vec::new(),
            },
            ..Budget::default()
        };
        Question {
            reductions: Reductions::NONE,
            strategy,
            ..Question::of(setup, budget)
        }
    }

    /// The enabled actions that the timer chooses from.
    fn choices(&self, cx: &Cx<'_, S>) -> Vec<S::Action> {
        let mut actions = Vec::new();
        self.state.internal(&mut actions);
        if cx.config().encoding == Encoding::Choices {
            let internal = actions.len();
            self.state.receipts(&mut actions);
            let mut place = 0;
            actions.retain(|action| {
                place += 1;
                place <= internal || self.state.is_enabled(*action)
            });
        }
        actions
    }

    /// Arms the timer if an action is enabled, and disarms it otherwise.
    fn offer(&self, cx: &mut Cx<'_, S>) {
        let range = TimerRange {
            min_us: 1,
            max_us: 1,
        };
        match self.choices(cx).len() {
            0 => cx.cancel_timer(Next),
            choices => cx.set_timer_to_choose(Next, range, choices as u64),
        }
    }

    fn act(&mut self, action: S::Action, cx: &mut Cx<'_, S>) {
        let by_packets = cx.config().encoding == Encoding::Packets;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if by_packets {
            self.state.receipts(&mut before);
        }
        self.state.take(action);
        if by_packets {
            self.state.receipts(&mut after);
        }
        for receipt in after
            .into_iter()
            .filter(|receipt| !before.contains(receipt))
        {
            cx.send(cx.me(), receipt);
        }
        self.offer(cx);
    }
}

impl<S: Specification> Node for Specified<S> {
    const NAME: &'static str = S::NAME;

    type Config = Constants;
    type Message = S::Action;
    type Timer = Next;
    type Request = Nothing;
    type Response = Nothing;
    type Durable = Nothing;
    type Bug = u8;

    fn boot(cx: &mut Cx<'_, S>) -> Self {
        let node = Self {
            state: S::initial(cx.config().size),
        };
        node.offer(cx);
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_, S>) {
        match input {
            Input::Timer { choice, .. } => {
                let choice = usize::try_from(choice).expect("a choice of few");
                self.act(self.choices(cx)[choice], cx);
            }
            Input::Message { message, .. } => {
                cx.send(cx.me(), message);
                if self.state.is_enabled(message) {
                    self.act(message, cx);
                }
            }
            Input::Request { .. } | Input::Synced => {}
        }
    }

    fn view<'a>(&'a self, _durable: &'a Nothing) -> View<'a> {
        View::default()
    }

    fn message_view(to: NodeId, _message: &S::Action) -> MessageView {
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

impl<S: Specification> Staged for Specified<S> {
    /// There are no clients, whose history a model would judge.
    const MODEL: &'static str = "register";

    fn disk(_words: &str) -> Option<Nothing> {
        None
    }

    fn value(&self, _object: &str) -> Option<String> {
        None
    }
}

impl<S: Specification> Explored for Specified<S> {
    const NAMES_MATTER: Names = Names::OfActors;
    const GRID: &'static [Expedition] = &[];

    fn is_of_election(_message: &S::Action) -> bool {
        false
    }
}

/// The one timer of a specification: its next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Next;

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("next")
    }
}

/// A specification has no clients and no disks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

impl FromStr for Nothing {
    type Err = Infallible;

    fn from_str(_text: &str) -> Result<Self, Infallible> {
        Ok(Self)
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
