//! The relay in front of the nodes' ports: every connection to a node passes through here, so that it can be cut and
//! delayed.
//!
//! What passes is a stream, of which no byte can be left out: a cut holds everything back until it is healed, as TCP
//! does when its packets are dropped and sent again, and so does a lost packet, for the time after which TCP sends
//! again. A connection that is begun over a cut link stays silent. Each direction of a connection is a link of its own,
//! so a one-way cut is exact: requests arrive and answers do not. Who is at the other end the kernel says
//! ([`Processes`]); who is none of ours passes freely.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place of an audit of real processes in which messages wait for real time"
)]

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as BlockingListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tribunal_histories::NodeId;

use super::owner::{Owner, Processes};
use crate::draw::{Domain, Draw};
use crate::nemesis::PacketRates;

/// After so long TCP sends again what was lost: the least that Linux waits.
const SENT_AGAIN: Duration = Duration::from_millis(200);

/// How long a piece is late at most that others would have overtaken.
const OVERTAKEN_US_MAX: u64 = 20_000;

/// How many pieces a link holds; then its sender has to wait.
const HELD_MAX: usize = 64;

/// How much is passed on at a time.
const PIECE_BYTES: usize = 16 << 10;

/// From which node to which.
pub(super) type Link = (NodeId, NodeId);

/// How it is between the nodes now.
#[derive(Clone, Debug, Default)]
struct Weather {
    cuts: BTreeSet<Link>,
    rates: PacketRates,
}

/// What passed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Pieces of streams.
    pub(super) pieces: u64,
    /// Those of them between nodes.
    pub(super) between_nodes: u64,
    /// Those of them that were late as if a packet had been lost.
    pub(super) lost: u64,
}

#[derive(Debug, Default)]
struct Counts {
    pieces: AtomicU64,
    between_nodes: AtomicU64,
    lost: AtomicU64,
    connections: AtomicU64,
}

/// A relay in front of some ports. Dropped, it carries nothing any more.
#[derive(Debug)]
pub(super) struct Relay {
    weather: watch::Sender<Weather>,
    counts: Arc<Counts>,
    /// By node and port, where others reach it.
    pub(super) doors: Vec<Vec<u16>>,
    /// Ends with the relay, and everything that runs in it.
    runtime: Option<Runtime>,
}

/// What every connection shares.
#[derive(Clone)]
struct Shared {
    weather: watch::Receiver<Weather>,
    counts: Arc<Counts>,
    processes: Processes,
    is_client_cut: bool,
    seed: u64,
}

impl Relay {
    /// A relay in front of the ports at which nodes listen, or will.
    ///
    /// # Errors
    /// The system has no ports or threads left.
    pub(super) fn start(
        listen: &[Vec<u16>],
        processes: &Processes,
        is_client_cut: bool,
        seed: u64,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("relay")
            .enable_all()
            .build()?;
        let weather = watch::Sender::default();
        let shared = Shared {
            weather: weather.subscribe(),
            counts: Arc::default(),
            processes: processes.clone(),
            is_client_cut,
            seed,
        };
        let mut doors = Vec::new();
        for (node, ports) in NodeId::all(listen.len()).zip(listen) {
            let mut of_node = Vec::new();
            for port in ports {
                let listener = BlockingListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                of_node.push(listener.local_addr()?.port());
                let _here = runtime.enter();
                let listener = TcpListener::from_std(listener)?;
                runtime.spawn(receive(listener, node, *port, shared.clone()));
            }
            doors.push(of_node);
        }
        Ok(Self {
            weather,
            counts: shared.counts,
            doors,
            runtime: Some(runtime),
        })
    }

    /// Exactly these links are cut from now on.
    pub(super) fn cut(&self, links: BTreeSet<Link>) {
        self.weather.send_modify(|weather| weather.cuts = links);
    }

    /// Pieces are lost, delayed and late so from now on.
    pub(super) fn disturb(&self, rates: PacketRates) {
        self.weather.send_modify(|weather| weather.rates = rates);
    }

    /// What passed so far.
    pub(super) fn traffic(&self) -> Traffic {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            pieces: count(&self.counts.pieces),
            between_nodes: count(&self.counts.between_nodes),
            lost: count(&self.counts.lost),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Takes connections to a port of a node.
async fn receive(listener: TcpListener, node: NodeId, port: u16, shared: Shared) {
    loop {
        match listener.accept().await {
            Ok((stream, theirs)) => {
                tokio::spawn(carry(stream, theirs, node, port, shared.clone()));
            }
            // No more files may be open for now.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Carries a connection: both directions, until both have ended.
async fn carry(stream: TcpStream, theirs: SocketAddr, node: NodeId, port: u16, shared: Shared) {
    let (SocketAddr::V4(theirs), Ok(SocketAddr::V4(ours))) = (theirs, stream.local_addr()) else {
        return;
    };
    let owner = shared.processes.at_the_end_of(theirs, ours);
    let from = match owner {
        Some(Owner::Node(from)) => Some(from),
        Some(Owner::Client(beside)) if shared.is_client_cut => Some(beside),
        _ => None,
    };
    let link = |from: Option<NodeId>, is_back: bool| match from {
        Some(from) if from != node => Some(if is_back { (node, from) } else { (from, node) }),
        _ => None,
    };
    let (there, back) = (link(from, false), link(from, true));
    let mut weather = shared.weather.clone();
    // The first packets of a connection go both ways.
    let is_open = weather.wait_for(|weather| {
        !there.is_some_and(|link| weather.cuts.contains(&link))
            && !back.is_some_and(|link| weather.cuts.contains(&link))
    });
    if is_open.await.is_err() {
        return;
    }
    // A node that is down refuses, and so do we: the connection is closed.
    let Ok(to_node) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let _best_effort = (stream.set_nodelay(true), to_node.set_nodelay(true));
    let number = shared.counts.connections.fetch_add(1, Ordering::Relaxed);
    let is_between_nodes = matches!(owner, Some(Owner::Node(_)));
    let (from_them, to_them) = stream.into_split();
    let (from_node, to_node) = to_node.into_split();
    let direction = |link, is_back: bool| Direction {
        link,
        is_between_nodes,
        // Unknown callers are not disturbed.
        is_disturbed: owner.is_some(),
        key: 2 * number + u64::from(is_back),
        shared: shared.clone(),
    };
    tokio::join!(
        direction(there, false).pass(from_them, to_node),
        direction(back, true).pass(from_node, to_them),
    );
}

/// One direction of a connection.
struct Direction {
    /// The link that it is part of, if it is part of one that can be cut.
    link: Option<Link>,
    is_between_nodes: bool,
    is_disturbed: bool,
    /// What names it where randomness is drawn.
    key: u64,
    shared: Shared,
}

/// A piece of a stream, and when it may be passed on at the earliest. An empty one is the end.
type Piece = (Instant, Vec<u8>);

impl Direction {
    async fn pass(self, from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (pieces, held) = mpsc::channel(HELD_MAX);
        tokio::join!(self.take(from, pieces), self.deliver(to, held));
    }

    /// Reads what is sent, and decides when it may arrive. The end of a stream is sent as all else is.
    async fn take(&self, mut from: OwnedReadHalf, pieces: mpsc::Sender<Piece>) {
        let mut due = Instant::now();
        for number in 0.. {
            let mut bytes = vec![0; PIECE_BYTES];
            let length = from.read(&mut bytes).await.unwrap_or(0);
            bytes.truncate(length);
            // A stream keeps its order.
            due = due.max(Instant::now() + self.delay(number));
            if pieces.send((due, bytes)).await.is_err() || length == 0 {
                return;
            }
        }
    }

    fn delay(&self, number: u64) -> Duration {
        let rates = self.shared.weather.borrow().rates;
        if !self.is_disturbed || rates == PacketRates::default() {
            return Duration::ZERO;
        }
        let mut draw = Draw::keyed(self.shared.seed, Domain::Link, self.key, number);
        let mut delay = Duration::from_micros(draw.between(0, rates.delay_us_max));
        if draw.chance(rates.loss_ppm) {
            self.shared.counts.lost.fetch_add(1, Ordering::Relaxed);
            delay += SENT_AGAIN;
        }
        if draw.chance(rates.reorder_ppm) {
            delay += Duration::from_micros(draw.between(1, OVERTAKEN_US_MAX));
        }
        delay
    }

    /// Passes on what is due, while the link is not cut.
    async fn deliver(&self, mut to: OwnedWriteHalf, mut held: mpsc::Receiver<Piece>) {
        let mut weather = self.shared.weather.clone();
        while let Some((due, bytes)) = held.recv().await {
            tokio::time::sleep_until(due).await;
            if let Some(link) = self.link
                && weather
                    .wait_for(|weather| !weather.cuts.contains(&link))
                    .await
                    .is_err()
            {
                return;
            }
            if bytes.is_empty() {
                // Dropped at the end of all, it is closed in this direction.
                let _ = to.shutdown().await;
                return;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
            let counts = &self.shared.counts;
            counts.pieces.fetch_add(1, Ordering::Relaxed);
            let between = u64::from(self.is_between_nodes);
            counts.between_nodes.fetch_add(between, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream as Stream;

    use super::*;

    /// Two nodes, of which the second listens; this process is the first, or a client beside it.
    struct Pair {
        relay: Relay,
        here: Stream,
        there: Stream,
    }

    fn pair(owner: Owner, is_client_cut: bool) -> Pair {
        let processes = Processes::new();
        processes.began(std::process::id(), owner);
        let listener = BlockingListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = Relay::start(&[vec![1], vec![port]], &processes, is_client_cut, 7).unwrap();
        let here = Stream::connect((Ipv4Addr::LOCALHOST, relay.doors[1][0])).unwrap();
        let (there, _) = listener.accept().unwrap();
        Pair { relay, here, there }
    }

    fn hears(stream: &mut Stream, patience: Duration) -> Option<u8> {
        stream.set_read_timeout(Some(patience)).unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).ok().map(|()| byte[0])
    }

    const SOON: Duration = Duration::from_secs(5);
    const SILENCE: Duration = Duration::from_millis(100);
    const N1: NodeId = NodeId(0);
    const N2: NodeId = NodeId(1);

    #[test]
    fn a_cut_holds_one_direction_back_until_it_is_healed() {
        let Pair {
            relay,
            mut here,
            mut there,
        } = pair(Owner::Node(N1), true);
        here.write_all(&[1]).unwrap();
        assert_eq!(hears(&mut there, SOON), Some(1));
        relay.cut(BTreeSet::from([(N2, N1)]));
        here.write_all(&[2]).unwrap();
        there.write_all(&[3]).unwrap();
        assert_eq!(
            hears(&mut there, SOON),
            Some(2),
            "the other direction is open"
        );
        assert_eq!(hears(&mut here, SILENCE), None);
        relay.cut(BTreeSet::new());
        assert_eq!(
            hears(&mut here, SOON),
            Some(3),
            "nothing is lost of a stream"
        );
        drop(there);
        assert_eq!(here.read(&mut [0]).unwrap(), 0, "the end arrives too");
        let traffic = relay.traffic();
        assert_eq!((traffic.pieces, traffic.between_nodes), (3, 3));
    }

    #[test]
    fn clients_are_cut_with_the_node_that_they_are_beside_unless_that_is_not_wanted() {
        for is_client_cut in [true, false] {
            let Pair {
                relay,
                mut here,
                mut there,
            } = pair(Owner::Client(N1), is_client_cut);
            relay.cut(BTreeSet::from([(N1, N2)]));
            here.write_all(&[1]).unwrap();
            let patience = if is_client_cut { SILENCE } else { SOON };
            assert_eq!(hears(&mut there, patience).is_none(), is_client_cut);
            assert_eq!(relay.traffic().between_nodes, 0);
        }
    }

    #[test]
    fn what_is_delayed_arrives_later_and_in_order() {
        let Pair {
            relay,
            mut here,
            mut there,
        } = pair(Owner::Node(N1), true);
        relay.disturb(PacketRates {
            loss_ppm: 1_000_000,
            ..PacketRates::default()
        });
        let began = Instant::now();
        for number in 0..5 {
            here.write_all(&[number]).unwrap();
        }
        let heard: Vec<_> = (0..5).filter_map(|_| hears(&mut there, SOON)).collect();
        assert_eq!(heard, [0, 1, 2, 3, 4]);
        assert!(began.elapsed() >= SENT_AGAIN);
        assert!(relay.traffic().lost >= 1);
    }
}
