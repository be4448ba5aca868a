//! The probe: a node that does as it is told.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogView, MessageView, NodeId, Value, View};
use tribunal_protocols::contract::{Configuration, Recorded};
use tribunal_protocols::{Bugs, Context, Durable, Input, Node, Reply, TimerRange};

/// A node that does what a client tells it, word by word, an effect a word:
///
/// `write:x` writes a line; `send:x` has the other node send x back; `arm:1:40` arms timer 1 for 40 ms and
/// `cancel:1` disarms it; `reply` answers `done`, `disk` the lines and `show` all that the node knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Probe {
    heard: Vec<String>,
    fired: Vec<u8>,
}

/// A cluster of probes has no options but its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probes(pub(crate) usize);

impl Configuration for Probes {
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

/// A text: a message, a request, an answer, a line on the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Text(pub(crate) String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Text {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Recorded for Text {
    fn record(&self) -> (&'static str, Value, Value) {
        ("do", Value::Nil, Value::text(&self.0))
    }

    fn from_record(_function: &str, _key: &Value, value: &Value) -> Option<Self> {
        value.as_name().map(|text| Self(text.to_owned()))
    }
}

/// A timer, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Timer(u8);

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Timer> for u8 {
    fn from(timer: Timer) -> Self {
        timer.0
    }
}

/// The lines on a probe's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Lines(Vec<String>);

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk [{}]", self.0.join(", "))
    }
}

impl Durable for Lines {
    type Write = Text;

    fn apply(&mut self, write: &Text) {
        self.0.push(write.0.clone());
    }

    fn torn(_write: &Text) -> Option<Text> {
        None
    }

    fn log(&self) -> LogView<'_> {
        LogView::default()
    }

    fn view(&self) -> View<'_> {
        View::default()
    }
}

/// The node that only sends back what it is sent.
const OTHER: usize = 1;
/// What it answers clients.
const ELSEWHERE: &str = "elsewhere";

impl Probe {
    fn shown(&self, lines: &Lines) -> Text {
        Text(format!(
            "{lines} heard [{}] fired {:?}",
            self.heard.join(", "),
            self.fired
        ))
    }
}

impl Node for Probe {
    const NAME: &'static str = "probe";

    type Config = Probes;
    type Message = Text;
    type Timer = Timer;
    type Request = Text;
    type Response = Text;
    type Durable = Lines;
    type Bug = Timer;

    fn boot(_context: &mut Context<'_, Self>) -> Self {
        Self::default()
    }

    fn step(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        match input {
            Input::Timer { timer, .. } => self.fired.push(timer.0),
            Input::Synced => self.heard.push("synced".to_owned()),
            Input::Message { from, message } if context.me().index() == OTHER => {
                context.send(from, message);
            }
            Input::Message {
                message: Text(text),
                ..
            } => {
                let place = if context.synced().0.contains(&text) {
                    "on disk"
                } else {
                    "not on disk"
                };
                self.heard.push(format!("{text} {place}"));
            }
            Input::Request {
                client, sequence, ..
            } if context.me().index() == OTHER => {
                context.reply(client, sequence, Text(ELSEWHERE.to_owned()));
            }
            Input::Request {
                client,
                sequence,
                request,
            } => {
                for word in request.0.split(' ') {
                    let parts: Vec<_> = word.split(':').collect();
                    match parts[..] {
                        ["write", line] => context.write(Text(line.to_owned())),
                        ["send", text] => {
                            context.send(NodeId::from_index(OTHER), Text(text.to_owned()));
                        }
                        ["arm", timer, ms] => {
                            let us = ms.parse::<u64>().expect("a duration") * 1_000;
                            let after = TimerRange {
                                min_us: us,
                                max_us: us,
                            };
                            context.set_timer(Timer(timer.parse().expect("a timer")), after);
                        }
                        ["cancel", timer] => {
                            context.cancel_timer(Timer(timer.parse().expect("a timer")));
                        }
                        ["reply"] => context.reply(client, sequence, Text("done".to_owned())),
                        ["disk"] => {
                            let lines = Text(context.durable().to_string());
                            context.reply(client, sequence, lines);
                        }
                        ["show"] => {
                            let shown = self.shown(context.durable());
                            context.reply(client, sequence, shown);
                        }
                        _ => panic!("a probe cannot `{word}`"),
                    }
                }
            }
        }
    }

    fn view<'a>(&'a self, _durable: &'a Lines) -> View<'a> {
        View::default()
    }

    fn message_view(to: NodeId, _message: &Text) -> MessageView {
        MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: Vec::new(),
        }
    }

    fn reply(_request: &Text, response: &Text) -> Reply {
        if response.0 == ELSEWHERE {
            return Reply::Elsewhere(Some(NodeId::from_index(0)));
        }
        Reply::Ok(Value::text(&response.0))
    }
}
