//! What surrounds a node that is a process: real time, TCP connections and a file.
//!
//! This is the [`Env`] of the live runtime. It runs on one thread; the log has another, which brings whatever
//! was written meanwhile to the disk with one `fsync`, while the node goes on with its next inputs.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::mpsc as blocking;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tribunal_histories::{Cause, NodeId, Role};
use tribunal_protocols::world::{Address, Body, Packet, PacketOf};
use tribunal_protocols::{ClientId, Disk, Effect, Host, Input, Node, TimerRange};

use super::frame::Frame;
use super::node_process::Report;
use super::outlet::Outlet;
use super::wal::{self, WriteAheadLog};
use crate::draw::{Domain, Draw};
use crate::runtime::env::{Env, Turn};

/// A packet that came over a connection, and the way back.
pub(super) struct Arrival<N: Node> {
    pub(super) packet: PacketOf<N>,
    pub(super) back: Outlet,
}

/// The surroundings of one node in one incarnation.
pub(super) struct Surroundings<N: Node> {
    pub(super) me: NodeId,
    pub(super) disk: Disk<N>,
    pub(super) log: LogThread,
    /// By node; this node's own is `None`.
    pub(super) peers: Vec<Option<Outlet>>,
    pub(super) arrivals: mpsc::Receiver<Arrival<N>>,
    pub(super) timers: Timers<N::Timer>,
    /// What the node sent itself.
    pub(super) loopback: VecDeque<N::Message>,
    /// Where each client last asked from.
    pub(super) clients: BTreeMap<ClientId, Outlet>,
    /// Whether the node leads, as it last reported.
    pub(super) leads: bool,
    /// Closed when whoever started this process is gone.
    pub(super) parent: mpsc::Receiver<()>,
    /// Why the node could not go on, if it could not.
    pub(super) failure: Option<io::Error>,
}

impl<N: Node> Env<N> for Surroundings<N> {
    async fn next(&mut self) -> Option<Turn<N>> {
        loop {
            if self.failure.is_some() {
                return None;
            }
            if let Some(message) = self.loopback.pop_front() {
                let from = self.me;
                return Some(Turn::Input(Input::Message { from, message }));
            }
            tokio::select! {
                biased;
                _ = self.parent.recv() => return None,
                synced = self.log.synced() => match synced {
                    Ok(writes) => return Some(Turn::Synced(writes)),
                    Err(error) => self.failure = Some(error),
                },
                (timer, choice) = self.timers.fired() => return Some(Turn::Input(Input::Timer { timer, choice })),
                arrival = self.arrivals.recv() => {
                    if let Some(input) = self.input(arrival?) {
                        return Some(Turn::Input(input));
                    }
                }
            }
        }
    }

    fn with_disk<R>(&mut self, work: impl FnOnce(&mut Disk<N>) -> R) -> R {
        work(&mut self.disk)
    }

    async fn perform(&mut self, host: &Host<N>, _: Cause, effects: &mut Vec<Effect<N>>) {
        let mut done = effects
            .drain(..)
            .try_for_each(|effect| self.execute(effect));
        done = done.and_then(|()| self.log.begin(&self.disk));
        if let Err(error) = done.and_then(|()| self.report_leading(host)) {
            self.failure = Some(error);
        }
    }
}

impl<N: Node> Surroundings<N> {
    /// What a packet means to the node; nothing, if it is not for this one.
    fn input(&mut self, Arrival { packet, back }: Arrival<N>) -> Option<Input<N>> {
        match (packet.from, packet.body) {
            _ if packet.to != Address::Node(self.me) => None,
            (Address::Node(from), Body::Message(message)) => Some(Input::Message { from, message }),
            (Address::Client(client), Body::Request { sequence, request }) => {
                self.clients.insert(client, back);
                Some(Input::Request {
                    client,
                    sequence,
                    request,
                })
            }
            _ => None,
        }
    }

    fn report_leading(&mut self, host: &Host<N>) -> io::Result<()> {
        let leads = host.view(&self.disk).role == Role::Leader;
        if std::mem::replace(&mut self.leads, leads) == leads {
            return Ok(());
        }
        Report::Leads(leads).tell()
    }

    fn execute(&mut self, effect: Effect<N>) -> io::Result<()> {
        let from = Address::Node(self.me);
        match effect {
            Effect::Send { to, message } if to == self.me => self.loopback.push_back(message),
            Effect::Send { to, message } => {
                let packet: PacketOf<N> = Packet {
                    from,
                    to: Address::Node(to),
                    body: Body::Message(message),
                };
                let frame = Frame::of(&packet).map_err(io::Error::other)?;
                if let Some(Some(peer)) = self.peers.get(to.index()) {
                    peer.send(frame);
                }
            }
            Effect::Reply {
                client,
                sequence,
                response,
            } => {
                let packet: PacketOf<N> = Packet {
                    from,
                    to: Address::Client(client),
                    body: Body::Response { sequence, response },
                };
                let frame = Frame::of(&packet).map_err(io::Error::other)?;
                if let Some(back) = self.clients.get(&client) {
                    back.send(frame);
                }
            }
            Effect::SetTimer {
                timer,
                after,
                choices,
            } => self.timers.set(timer, after, choices),
            Effect::CancelTimer(timer) => self.timers.cancel(timer),
            Effect::Note(probe) => Report::Note(probe.into()).tell()?,
            Effect::Write(_) => unreachable!("the disk's queue keeps writes"),
        }
        Ok(())
    }
}

/// The armed timers, and when each fires.
pub(super) struct Timers<T> {
    /// When each fires, and with how many choices.
    armed: BTreeMap<T, (Instant, u64)>,
    durations: Draw,
}

impl<T: Copy + Ord> Timers<T> {
    /// No timer yet. Durations depend on the seed, the node and how often it was started.
    pub(super) fn new(seed: u64, me: NodeId, incarnation: u64) -> Self {
        Self {
            armed: BTreeMap::new(),
            durations: Draw::keyed(seed, Domain::Timer, me.index() as u64, incarnation),
        }
    }

    fn set(&mut self, timer: T, after: TimerRange, choices: u64) {
        let after_us = self.durations.between(after.min_us, after.max_us);
        let due = Instant::now() + Duration::from_micros(after_us);
        self.armed.insert(timer, (due, choices));
    }

    fn cancel(&mut self, timer: T) {
        self.armed.remove(&timer);
    }

    /// Waits for the first timer to fire; for ever, if none is armed.
    async fn fired(&mut self) -> (T, u64) {
        let first = self.armed.iter().min_by_key(|(_, (due, _))| *due);
        let Some((&timer, &(due, choices))) = first else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(due).await;
        self.armed.remove(&timer);
        let choice = match choices {
            1 => 0,
            _ => self.durations.below(choices),
        };
        (timer, choice)
    }
}

/// The thread that brings writes to the disk.
pub(super) struct LogThread {
    /// How many of the disk's unsynced writes the thread has been given.
    begun: usize,
    batches: blocking::Sender<Batch>,
    done: mpsc::UnboundedReceiver<io::Result<usize>>,
}

/// Records to append, and how many they are.
#[derive(Default)]
struct Batch {
    records: Vec<u8>,
    writes: usize,
}

impl LogThread {
    /// Starts the thread, on an open log.
    pub(super) fn start(mut log: WriteAheadLog) -> Self {
        let (batches, queue) = blocking::channel::<Batch>();
        let (tell, done) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            while let Ok(mut batch) = queue.recv() {
                for more in queue.try_iter() {
                    batch.records.extend_from_slice(&more.records);
                    batch.writes += more.writes;
                }
                let result = log.append(&batch.records).map(|()| batch.writes);
                let failed = result.is_err();
                if tell.send(result).is_err() || failed {
                    return;
                }
            }
        });
        Self {
            begun: 0,
            batches,
            done,
        }
    }

    /// Gives the thread those unsynced writes that it does not have yet.
    fn begin<N: Node>(&mut self, disk: &Disk<N>) -> io::Result<()> {
        let mut batch = Batch::default();
        for write in disk.unsynced().skip(self.begun) {
            batch.records.extend(wal::record(write)?);
            batch.writes += 1;
        }
        if batch.writes > 0 {
            self.begun += batch.writes;
            // A thread that failed has said why, and `synced` will tell.
            let _ended = self.batches.send(batch);
        }
        Ok(())
    }

    /// Waits until writes have reached the disk, and says how many: the oldest.
    async fn synced(&mut self) -> io::Result<usize> {
        let writes = match self.done.recv().await {
            Some(result) => result?,
            None => return Err(io::Error::other("the log's thread ended")),
        };
        self.begun -= writes;
        Ok(writes)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;
    use tribunal_protocols::raft::log::Write;
    use tribunal_protocols::raft::{HardState, Raft};

    use super::*;

    #[tokio::test]
    async fn timers_fire_once_unless_set_again_or_cancelled() {
        let exactly = |ms: u64| TimerRange {
            min_us: ms * 1_000,
            max_us: ms * 1_000,
        };
        let mut timers = Timers::new(1, NodeId(0), 0);
        timers.set('a', exactly(3_600_000), 1);
        timers.set('b', exactly(40), 1);
        timers.set('c', exactly(20), 1);
        timers.set('d', exactly(10), 1);
        timers.set('a', exactly(60), 3);
        timers.cancel('d');
        let begin = Instant::now();
        assert_eq!(timers.fired().await, ('c', 0));
        assert_eq!(timers.fired().await, ('b', 0));
        let (last, choice) = timers.fired().await;
        assert!(last == 'a' && choice < 3);
        assert!(begin.elapsed() >= Duration::from_millis(60));
        let nothing = timeout(Duration::from_millis(30), timers.fired()).await;
        assert!(nothing.is_err());
    }

    #[test]
    fn durations_are_drawn_anew_by_every_node_and_incarnation() {
        let wide = TimerRange {
            min_us: 0,
            max_us: u64::MAX >> 20,
        };
        let first = |seed, node, incarnation| {
            let mut timers = Timers::<char>::new(seed, NodeId(node), incarnation);
            timers.durations.between(wide.min_us, wide.max_us)
        };
        let [one, again] = [first(1, 0, 0), first(1, 0, 0)];
        assert_eq!(one, again);
        assert!(![first(2, 0, 0), first(1, 1, 0), first(1, 0, 1)].contains(&one));
    }

    #[tokio::test]
    async fn every_write_reaches_the_disk_once_and_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wal");
        let (log, _) = WriteAheadLog::open::<HardState>(&path).unwrap();
        let mut thread = LogThread::start(log);
        let mut disk = Disk::<Raft>::default();
        let mut term = 0;
        for batch in [1, 3, 2] {
            let mut effects: Vec<_> = (0..batch)
                .map(|_| {
                    term += 1;
                    let voted_for = None;
                    Effect::Write(Write::Vote { term, voted_for })
                })
                .collect();
            disk.accept(&mut effects);
            thread.begin(&disk).unwrap();
            thread.begin(&disk).unwrap();
        }
        while disk.is_dirty() {
            let synced = thread.synced().await.unwrap();
            disk.sync(synced, &mut Vec::new());
        }
        let (_, recovered) = WriteAheadLog::open::<HardState>(&path).unwrap();
        assert_eq!((recovered.records, recovered.durable.term), (6, 6));
        assert_eq!(&recovered.durable, disk.synced());
    }
}
