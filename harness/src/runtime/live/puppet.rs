//! A node's process in which nothing happens by itself: the same host loop over the same files, on a script's orders.
//!
//! Whoever connects holds the strings: it says what arrives, which timer fires, which writes are brought to the log, and
//! is told what the node then sent, armed and shows. Nothing is sent to anybody else.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tribunal_histories::{Cause, NodeId};
use tribunal_protocols::world::{Address, Body, Packet, PacketOf};
use tribunal_protocols::{Disk, Effect, Host, Input, Node};

use super::frame::{Frame, FrameReader};
use super::node_process::{NodeError, while_doing};
use super::wal::{self, WriteAheadLog};
use crate::runtime::env::{Env, Turn, host};

/// What a scripted node is to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) enum Order<N: Node> {
    /// Take what is given.
    Take(Given<N>),
    /// Take what is given, but get no further than so many effects.
    TakeInPart(Given<N>, usize),
    /// Bring the oldest writes to the log, so many, and go on when they are on the disk.
    Sync(usize),
    /// Bring the oldest writes to the log, so many, and do not notice: the process is about to be killed.
    Keep(usize),
}

/// What a scripted node is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) enum Given<N: Node> {
    /// A packet arrives.
    Packet(PacketOf<N>),
    /// A timer fires, and comes with a choice.
    Timer(N::Timer, u64),
}

/// What came of an order, or of the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Turned<N: Node> {
    /// What the node sent, in order, to itself too.
    pub(super) sent: Vec<PacketOf<N>>,
    /// The timers that are armed now, and with how many choices each.
    pub(super) timers: Vec<(N::Timer, u64)>,
    /// What the node shows of itself.
    pub(super) view: String,
    /// How many writes are not on the disk.
    pub(super) unsynced: usize,
}

impl<N: Node> Given<N> {
    /// What gives a node this input.
    pub(super) fn of(me: NodeId, input: Input<N>) -> Option<Self> {
        let to = Address::Node(me);
        Some(match input {
            Input::Message { from, message } => Self::Packet(Packet {
                from: Address::Node(from),
                to,
                body: Body::Message(message),
            }),
            Input::Request {
                client,
                sequence,
                request,
            } => Self::Packet(Packet {
                from: Address::Client(client),
                to,
                body: Body::Request { sequence, request },
            }),
            Input::Timer { timer, choice } => Self::Timer(timer, choice),
            Input::Synced => return None,
        })
    }

    fn input(self) -> Option<Input<N>> {
        match self {
            Self::Timer(timer, choice) => Some(Input::Timer { timer, choice }),
            Self::Packet(packet) => match (packet.from, packet.body) {
                (Address::Node(from), Body::Message(message)) => {
                    Some(Input::Message { from, message })
                }
                (Address::Client(client), Body::Request { sequence, request }) => {
                    Some(Input::Request {
                        client,
                        sequence,
                        request,
                    })
                }
                _ => None,
            },
        }
    }
}

/// The surroundings of a scripted node.
struct Strings<N: Node> {
    me: NodeId,
    disk: Disk<N>,
    log: WriteAheadLog,
    timers: BTreeMap<N::Timer, u64>,
    orders: FrameReader<OwnedReadHalf>,
    reports: OwnedWriteHalf,
    /// Closed when whoever started this process is gone.
    parent: mpsc::Receiver<()>,
    failure: Option<io::Error>,
}

/// Hosts a node on the orders of the first that connects, until it goes away.
///
/// # Errors
/// When the connection or the disk fails.
pub(super) async fn run<N: Node>(
    me: NodeId,
    config: N::Config,
    durable: N::Durable,
    log: WriteAheadLog,
    listener: TcpListener,
    mut parent: mpsc::Receiver<()>,
) -> Result<(), NodeError> {
    let accepted = tokio::select! {
        biased;
        _ = parent.recv() => return Ok(()),
        accepted = listener.accept() => accepted,
    };
    let (connection, _) = accepted.map_err(while_doing("nobody took the strings"))?;
    connection
        .set_nodelay(true)
        .map_err(while_doing("cannot set up the connection"))?;
    let (orders, reports) = connection.into_split();
    let mut strings = Strings::<N> {
        me,
        disk: Disk::holding(durable),
        log,
        timers: BTreeMap::new(),
        orders: FrameReader::new(orders),
        reports,
        parent,
        failure: None,
    };
    host(me, Arc::new(config), &mut strings).await;
    match strings.failure {
        None => Ok(()),
        Some(error) => Err(while_doing("the scripted node stopped")(error)),
    }
}

impl<N: Node> Env<N> for Strings<N> {
    async fn next(&mut self) -> Option<Turn<N>> {
        let turn = self.follow().await;
        turn.unwrap_or_else(|error| {
            self.failure = Some(error);
            None
        })
    }

    fn with_disk<R>(&mut self, work: impl FnOnce(&mut Disk<N>) -> R) -> R {
        work(&mut self.disk)
    }

    async fn perform(&mut self, host: &Host<N>, _: Cause, effects: &mut Vec<Effect<N>>) {
        let sent = effects.drain(..).filter_map(|effect| self.execute(effect));
        let sent = sent.collect();
        let turned = Turned {
            sent,
            timers: self
                .timers
                .iter()
                .map(|(timer, choices)| (*timer, *choices))
                .collect(),
            view: format!("{:?}", host.view(&self.disk)),
            unsynced: self.disk.unsynced_count(),
        };
        if let Err(error) = self.report(&turned).await {
            self.failure = Some(error);
        }
    }
}

impl<N: Node> Strings<N> {
    /// Follows orders until one is for the node.
    async fn follow(&mut self) -> io::Result<Option<Turn<N>>> {
        loop {
            if self.failure.is_some() {
                return Ok(None);
            }
            let frame = tokio::select! {
                biased;
                _ = self.parent.recv() => return Ok(None),
                frame = self.orders.next() => frame.map_err(io::Error::other)?,
            };
            let Some(frame) = frame else {
                return Ok(None);
            };
            let nothing = || io::Error::other("an order gives the node nothing");
            let order = frame.read::<Order<N>>().map_err(io::Error::other)?;
            if let Order::Take(Given::Timer(timer, _))
            | Order::TakeInPart(Given::Timer(timer, _), _) = &order
            {
                self.timers.remove(timer);
            }
            match order {
                Order::Take(given) => {
                    return given.input().map(Turn::Input).ok_or_else(nothing).map(Some);
                }
                Order::TakeInPart(given, effects) => {
                    let input = given.input().ok_or_else(nothing)?;
                    return Ok(Some(Turn::CutShort { input, effects }));
                }
                Order::Sync(writes) => {
                    self.bring(writes)?;
                    return Ok(Some(Turn::Synced(writes)));
                }
                Order::Keep(writes) => {
                    self.bring(writes)?;
                    let kept = Turned::<N> {
                        sent: Vec::new(),
                        timers: Vec::new(),
                        view: String::new(),
                        unsynced: self.disk.unsynced_count() - writes,
                    };
                    self.report(&kept).await?;
                }
            }
        }
    }

    /// Brings the oldest writes to the log.
    fn bring(&mut self, writes: usize) -> io::Result<()> {
        let mut records = Vec::new();
        for write in self.disk.unsynced().take(writes) {
            records.extend(wal::record(write)?);
        }
        self.log.append(&records)
    }

    async fn report(&mut self, turned: &Turned<N>) -> io::Result<()> {
        let frame = Frame::of(turned).map_err(io::Error::other)?;
        self.reports.write_all(frame.bytes()).await
    }

    /// Does what is to be done here; a packet is for whoever holds the strings.
    fn execute(&mut self, effect: Effect<N>) -> Option<PacketOf<N>> {
        let from = Address::Node(self.me);
        match effect {
            Effect::Send { to, message } => {
                return Some(Packet {
                    from,
                    to: Address::Node(to),
                    body: Body::Message(message),
                });
            }
            Effect::Reply {
                client,
                sequence,
                response,
            } => {
                return Some(Packet {
                    from,
                    to: Address::Client(client),
                    body: Body::Response { sequence, response },
                });
            }
            Effect::SetTimer { timer, choices, .. } => {
                self.timers.insert(timer, choices);
            }
            Effect::CancelTimer(timer) => {
                self.timers.remove(&timer);
            }
            Effect::Note(_) => {}
            Effect::Write(_) => unreachable!("the disk's queue keeps writes"),
        }
        None
    }
}
