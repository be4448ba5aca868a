//! The relay between the nodes: every message of theirs passes through here, so that links can be cut.
//!
//! Each directed link has a port of its own for the lifetime of the cluster, whatever processes come and go at
//! its ends. A cut link keeps its connections and swallows frames: a partition is silence, not a broken
//! connection, and a one-way cut is exact. As in the simulator, a cut is looked at when a frame is sent and again
//! when it is delivered. Clients do not pass through here: they reach every node, as in
//! [`World`](tribunal_protocols::World).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tribunal_histories::NodeId;

use super::frame::{Frame, FrameReader};
use super::outlet::Outlet;
use crate::draw::{Domain, Draw};
use crate::nemesis::PacketRates;

/// How many frames a link holds back at most; then its sender has to lose some.
const HELD_MAX: usize = 4096;

/// How long a frame that others are to overtake is held back at most, in microseconds.
const OVERTAKEN_US_MAX: u64 = 20_000;

/// A directed link: from whom, to whom.
pub type LinkEnds = (NodeId, NodeId);

/// What the relay did with frames, all links together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Passed on to their receiver, duplicates too.
    pub passed: u64,
    /// Swallowed because the link was cut.
    pub cut: u64,
    /// Lost by the rate of loss.
    pub lost: u64,
    /// Passed on twice.
    pub duplicated: u64,
}

/// How it is between the nodes now.
#[derive(Debug, Default)]
struct Weather {
    cuts: BTreeSet<LinkEnds>,
    rates: PacketRates,
    traffic: Traffic,
}

/// A relay for every directed link of a cluster. Dropped, it carries nothing any more.
#[derive(Debug)]
pub struct Relay {
    weather: Arc<Mutex<Weather>>,
    /// Where senders reach their link.
    entries: BTreeMap<LinkEnds, SocketAddr>,
    /// By node, where it listens.
    nodes: Vec<watch::Sender<Option<SocketAddr>>>,
    /// Aborted when dropped.
    _links: JoinSet<()>,
}

impl Relay {
    /// A relay for a cluster of so many nodes, none of which listens yet. What is random comes from the seed.
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// If the system has no ports left.
    pub async fn start(nodes: usize, seed: u64) -> io::Result<Self> {
        let mut relay = Self {
            weather: Arc::default(),
            entries: BTreeMap::new(),
            nodes: NodeId::all(nodes)
                .map(|_| watch::Sender::new(None))
                .collect(),
            _links: JoinSet::new(),
        };
        for from in NodeId::all(nodes) {
            for to in NodeId::all(nodes).filter(|to| *to != from) {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                relay.entries.insert((from, to), listener.local_addr()?);
                let link = Link {
                    ends: (from, to),
                    key: (from.index() * nodes + to.index()) as u64,
                    seed,
                    weather: relay.weather.clone(),
                    outlet: Outlet::to(relay.nodes[to.index()].subscribe()),
                    frames: 0,
                    held: BTreeMap::new(),
                };
                relay._links.spawn(link.carry(listener));
            }
        }
        Ok(relay)
    }

    /// Where a node sends what is for another; `None` if there is no such link.
    pub fn entry(&self, from: NodeId, to: NodeId) -> Option<SocketAddr> {
        self.entries.get(&(from, to)).copied()
    }

    /// A node listens here from now on, or nowhere: then what is sent to it is lost.
    pub fn node_listens(&self, node: NodeId, address: Option<SocketAddr>) {
        self.nodes[node.index()].send_replace(address);
    }

    /// Exactly these links are cut from now on.
    pub fn cut(&self, links: impl IntoIterator<Item = LinkEnds>) {
        lock(&self.weather).cuts = links.into_iter().collect();
    }

    /// Frames are lost, duplicated, delayed and reordered so from now on.
    pub fn disturb(&self, rates: PacketRates) {
        lock(&self.weather).rates = rates;
    }

    /// What was done so far.
    pub fn traffic(&self) -> Traffic {
        lock(&self.weather).traffic
    }
}

fn lock(weather: &Mutex<Weather>) -> MutexGuard<'_, Weather> {
    // Plain data, whole after every statement: a panic elsewhere does not spoil it.
    weather.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One direction between two nodes.
struct Link {
    ends: LinkEnds,
    /// What names this link where randomness is drawn.
    key: u64,
    seed: u64,
    weather: Arc<Mutex<Weather>>,
    outlet: Outlet,
    /// How many frames came so far, and how many copies of them were held.
    frames: u64,
    held: BTreeMap<(Instant, u64), Frame>,
}

impl Link {
    async fn carry(mut self, listener: TcpListener) {
        let mut sender: Option<FrameReader<TcpStream>> = None;
        loop {
            self.deliver();
            let may_take = self.held.len() < HELD_MAX;
            tokio::select! {
                biased;
                () = until(self.held.keys().next()) => {}
                // A new connection: the node was restarted. Who sent over the old one is no more.
                accepted = listener.accept() => match accepted {
                    Ok((connection, _)) => sender = Some(FrameReader::new(connection)),
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                frame = next_frame(&mut sender), if may_take => match frame {
                    Some(frame) => self.take(frame),
                    None => sender = None,
                },
            }
        }
    }

    /// A frame is sent: decides what becomes of it.
    fn take(&mut self, frame: Frame) {
        let mut draw = Draw::keyed(self.seed, Domain::Link, self.key, self.frames);
        self.frames += 1;
        let mut weather = lock(&self.weather);
        let rates = weather.rates;
        if weather.cuts.contains(&self.ends) {
            weather.traffic.cut += 1;
            return;
        }
        if draw.chance(rates.loss_ppm) {
            weather.traffic.lost += 1;
            return;
        }
        let twice = draw.chance(rates.duplicate_ppm);
        weather.traffic.duplicated += u64::from(twice);
        drop(weather);
        let copies = [Some(frame.clone()), twice.then_some(frame)];
        for (copy, frame) in copies.into_iter().flatten().enumerate() {
            let mut delay_us = draw.between(0, rates.delay_us_max);
            if draw.chance(rates.reorder_ppm) {
                delay_us += draw.between(1, OVERTAKEN_US_MAX);
            }
            let due = Instant::now() + Duration::from_micros(delay_us);
            self.held
                .insert((due, 2 * self.frames + copy as u64), frame);
        }
    }

    /// Passes on what is due.
    fn deliver(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= now) {
            let frame = first.remove();
            let mut weather = lock(&self.weather);
            if weather.cuts.contains(&self.ends) {
                weather.traffic.cut += 1;
            } else {
                weather.traffic.passed += 1;
                self.outlet.send(frame);
            }
        }
    }
}

/// Waits until something is due: for ever, if nothing is.
async fn until(due: Option<&(Instant, u64)>) {
    match due {
        Some((due, _)) => tokio::time::sleep_until(*due).await,
        None => std::future::pending().await,
    }
}

/// The sender's next frame; `None` when the connection has ended. For ever nothing, if there is no connection.
async fn next_frame(sender: &mut Option<FrameReader<TcpStream>>) -> Option<Frame> {
    match sender {
        Some(frames) => frames.next().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::time::timeout;

    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);
    const SOON: Duration = Duration::from_secs(5);
    const SILENCE: Duration = Duration::from_millis(100);

    /// A node of the test: sends to the other through the relay, and hears what comes.
    struct End {
        out: TcpStream,
        listener: TcpListener,
        heard: Option<FrameReader<TcpStream>>,
    }

    impl End {
        async fn start(relay: &Relay, me: NodeId, other: NodeId) -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            relay.node_listens(me, Some(listener.local_addr().unwrap()));
            Self {
                out: TcpStream::connect(relay.entry(me, other).unwrap())
                    .await
                    .unwrap(),
                listener,
                heard: None,
            }
        }

        async fn say(&mut self, numbers: impl IntoIterator<Item = u32>) {
            for number in numbers {
                let frame = Frame::of(&number).unwrap();
                self.out.write_all(frame.bytes()).await.unwrap();
            }
        }

        async fn hear(&mut self) -> u32 {
            if self.heard.is_none() {
                let (connection, _) = timeout(SOON, self.listener.accept())
                    .await
                    .unwrap()
                    .unwrap();
                self.heard = Some(FrameReader::new(connection));
            }
            let heard = timeout(SOON, self.heard.as_mut().unwrap().next()).await;
            heard.unwrap().unwrap().unwrap().read().unwrap()
        }

        async fn hears_nothing(&mut self) -> bool {
            timeout(SILENCE, self.hear()).await.is_err()
        }
    }

    async fn pair() -> (Relay, End, End) {
        let relay = Relay::start(2, 7).await.unwrap();
        let a = End::start(&relay, A, B).await;
        let b = End::start(&relay, B, A).await;
        (relay, a, b)
    }

    #[tokio::test]
    async fn a_cut_is_silence_in_one_direction_until_it_is_healed() {
        let (relay, mut a, mut b) = pair().await;
        a.say([1, 2, 3]).await;
        b.say([4]).await;
        assert_eq!((b.hear().await, b.hear().await, b.hear().await), (1, 2, 3));
        assert_eq!(a.hear().await, 4);
        relay.cut([(A, B)]);
        a.say([5, 6]).await;
        b.say([7]).await;
        assert_eq!(a.hear().await, 7);
        assert!(b.hears_nothing().await);
        relay.cut([]);
        a.say([8]).await;
        assert_eq!(
            b.hear().await,
            8,
            "the same connection, without what was cut"
        );
        let traffic = relay.traffic();
        assert_eq!((traffic.passed, traffic.cut), (6, 2));
    }

    #[tokio::test]
    async fn a_cut_also_swallows_what_is_on_its_way() {
        let mut link = Link {
            ends: (A, B),
            key: 0,
            seed: 7,
            weather: Arc::default(),
            outlet: Outlet::to(watch::channel(None).1),
            frames: 0,
            held: BTreeMap::new(),
        };
        link.take(Frame::of(&1).unwrap());
        link.deliver();
        link.take(Frame::of(&2).unwrap());
        lock(&link.weather).cuts.insert((A, B));
        link.deliver();
        let traffic = lock(&link.weather).traffic;
        assert_eq!((traffic.passed, traffic.cut), (1, 1));
    }

    #[tokio::test]
    async fn delayed_frames_arrive_later_and_out_of_order() {
        let (relay, mut a, mut b) = pair().await;
        relay.disturb(PacketRates {
            delay_us_max: 60_000,
            ..PacketRates::default()
        });
        let begin = Instant::now();
        a.say(0..30).await;
        let mut heard = Vec::new();
        for _ in 0..30 {
            heard.push(b.hear().await);
        }
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert!(!heard.is_sorted());
        heard.sort_unstable();
        assert!(heard.into_iter().eq(0..30));
    }

    #[tokio::test]
    async fn frames_are_lost_and_duplicated_at_their_rates() {
        let (relay, mut a, mut b) = pair().await;
        relay.disturb(PacketRates {
            loss_ppm: 300_000,
            duplicate_ppm: 300_000,
            ..PacketRates::default()
        });
        a.say(0..400).await;
        let all_taken = async {
            while relay.traffic().passed + relay.traffic().lost < 400 + relay.traffic().duplicated {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, all_taken).await.unwrap();
        relay.disturb(PacketRates::default());
        a.say([1_000]).await;
        let mut heard = 0;
        while b.hear().await != 1_000 {
            heard += 1;
        }
        let traffic = relay.traffic();
        assert_eq!(heard, 400 - traffic.lost + traffic.duplicated);
        assert!((60..180).contains(&traffic.lost), "{traffic:?}");
        assert!((40..140).contains(&traffic.duplicated), "{traffic:?}");
    }

    #[tokio::test]
    async fn a_node_that_comes_back_elsewhere_is_found() {
        let (relay, mut a, mut b) = pair().await;
        a.say([1]).await;
        assert_eq!(b.hear().await, 1);
        drop(b);
        relay.node_listens(B, None);
        a.say([2]).await;
        let mut b = End::start(&relay, B, A).await;
        b.say([3]).await;
        assert_eq!(a.hear().await, 3);
        // What was sent while it was away may be lost or not; what is sent now arrives.
        a.say([4]).await;
        while b.hear().await != 4 {}
    }
}
