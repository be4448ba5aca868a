//! A client of a live cluster: asks, asks elsewhere, asks again, and in the end says what is known.
//!
//! An operation keeps its name (client, sequence) across all attempts, so a cluster with sessions carries it out
//! once. What was sent and not answered may have happened, or may yet: only an operation of which not a byte was
//! sent has surely failed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;
use tribunal_histories::{NodeId, Value};
use tribunal_protocols::world::{Address, Body, Packet, PacketOf};
use tribunal_protocols::{ClientId, Node, Reply};

use super::frame::{Frame, FrameReader};

/// Between two attempts, so that nodes that name each other as leader are not asked without end.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one node's answer; then another node is asked.
    pub attempt: Duration,
    /// For any answer; then the operation is given up.
    pub operation: Duration,
}

impl Default for Patience {
    /// For election timeouts of some hundred milliseconds: an attempt outlasts an election, an operation several.
    fn default() -> Self {
        Self {
            attempt: Duration::from_millis(300),
            operation: Duration::from_secs(1),
        }
    }
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It happened, with this result.
    Ok(Value),
    /// It did not happen and never will, for this reason.
    Fail(Value),
    /// It may have happened or may yet, and this is all that is known.
    Info(Value),
}

/// A place for one client at a time.
#[derive(Debug)]
pub struct Client {
    addresses: watch::Receiver<Vec<Option<SocketAddr>>>,
    patience: Patience,
    /// By node.
    connections: Vec<Option<Connection>>,
    /// Whom to ask next: who answered last, or was named as leader.
    target: NodeId,
}

#[derive(Debug)]
struct Connection {
    address: SocketAddr,
    frames: FrameReader<OwnedReadHalf>,
    out: OwnedWriteHalf,
}

/// What one node made of a request.
enum Attempt {
    Answered(Answer),
    Elsewhere(Option<NodeId>),
    /// The node cannot be reached; nothing was sent to it.
    Unsent,
    Unanswered,
}

impl Client {
    /// A client that finds the nodes at these addresses and begins with the node `first`.
    pub fn new(
        addresses: watch::Receiver<Vec<Option<SocketAddr>>>,
        first: NodeId,
        patience: Patience,
    ) -> Self {
        let nodes = addresses.borrow().len();
        Self {
            addresses,
            patience,
            connections: (0..nodes).map(|_| None).collect(),
            target: first,
        }
    }

    /// Has an operation carried out. `sequence` is higher than in all earlier operations of this process.
    pub async fn invoke<N: Node>(
        &mut self,
        process: ClientId,
        sequence: u32,
        request: &N::Request,
    ) -> Answer {
        let mut sent = false;
        let patience = self.patience.operation;
        let answer = timeout(
            patience,
            self.ask_until_answered::<N>(process, sequence, request, &mut sent),
        );
        match answer.await {
            Ok(answer) => answer,
            Err(_) if sent => Answer::Info(Value::text("no answer in time")),
            Err(_) => Answer::Fail(Value::text("no node could be reached")),
        }
    }

    async fn ask_until_answered<N: Node>(
        &mut self,
        process: ClientId,
        sequence: u32,
        request: &N::Request,
        sent: &mut bool,
    ) -> Answer {
        loop {
            let asked = self.target;
            // Out of its place while in use: an attempt that is cut short ends its connection too, for half a
            // frame may have been sent.
            let mut connection = self.connections[asked.index()].take();
            let attempt = timeout(
                self.patience.attempt,
                self.ask::<N>(&mut connection, process, sequence, request, sent),
            );
            let attempt = attempt.await.unwrap_or_else(|_| {
                connection = None;
                Attempt::Unanswered
            });
            self.connections[asked.index()] = connection;
            self.target = match attempt {
                Attempt::Answered(answer) => return answer,
                Attempt::Elsewhere(Some(node)) if node.index() < self.connections.len() => node,
                Attempt::Elsewhere(_) | Attempt::Unsent | Attempt::Unanswered => {
                    NodeId::from_index((asked.index() + 1) % self.connections.len())
                }
            };
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks the target, over this connection if it is still one to it.
    async fn ask<N: Node>(
        &self,
        connection: &mut Option<Connection>,
        process: ClientId,
        sequence: u32,
        request: &N::Request,
        sent: &mut bool,
    ) -> Attempt {
        let Some(address) = self.addresses.borrow()[self.target.index()] else {
            *connection = None;
            return Attempt::Unsent;
        };
        if connection.as_ref().is_none_or(|old| old.address != address) {
            *connection = connect(address).await;
        }
        let Some(open) = connection else {
            return Attempt::Unsent;
        };
        let packet: PacketOf<N> = Packet {
            from: Address::Client(process),
            to: Address::Node(self.target),
            body: Body::Request {
                sequence,
                request: request.clone(),
            },
        };
        let Ok(frame) = Frame::of(&packet) else {
            return Attempt::Unsent;
        };
        *sent = true;
        if open.out.write_all(frame.bytes()).await.is_ok()
            && let Some(response) = open.response::<N>(process, sequence).await
        {
            return match N::reply(request, &response) {
                Reply::Ok(value) => Attempt::Answered(Answer::Ok(value)),
                Reply::Fail(error) => Attempt::Answered(Answer::Fail(error)),
                Reply::Elsewhere(node) => Attempt::Elsewhere(node),
            };
        }
        *connection = None;
        Attempt::Unanswered
    }
}

async fn connect(address: SocketAddr) -> Option<Connection> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (from, out) = stream.into_split();
    Some(Connection {
        address,
        frames: FrameReader::new(from),
        out,
    })
}

impl Connection {
    /// The response to an operation; `None` when the connection ends before it comes. Answers to earlier ones are
    /// thrown away.
    async fn response<N: Node>(
        &mut self,
        process: ClientId,
        asked: u32,
    ) -> Option<<N as Node>::Response> {
        loop {
            let packet: PacketOf<N> = self.frames.next().await.ok()??.read().ok()?;
            match packet.body {
                Body::Response { sequence, response }
                    if sequence == asked && packet.to == Address::Client(process) =>
                {
                    return Some(response);
                }
                _ => {}
            }
        }
    }
}
