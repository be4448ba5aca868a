//! A cluster of openraft nodes under madsim, as a [`Subject`]: it is called, time passes, answers come.
//!
//! Each life of a node is a madsim node with the library's tasks. Whoever drives the cluster lets time pass with
//! [`Subject::advance`], which runs madsim until something has ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use madsim::runtime::{NodeHandle, Runtime};
use openraft::error::{CheckIsLeaderError, ClientWriteError, RaftError};
use openraft::{BasicNode, SnapshotPolicy};
use tokio::sync::Notify;
use tribunal::audit::subject::Completion;
use tribunal::audit::{Cut, Disturb, Kill, Ledger, Pause, Subject};
use tribunal::draw::{Domain, Draw};
use tribunal::generator::{Call, Invocation};
use tribunal::nemesis::{Grudge, PacketRates};
use tribunal_histories::{Cause, Kind, NodeId, Value};
use tribunal_protocols::contract::{Configuration, Recorded};
use tribunal_protocols::state_machine::{Action, Command, Output};

use crate::config::Config;
use crate::network::Links;
use crate::storage::Store;
use crate::types::{Proposal, Raft, node_of, number_of};
use crate::world::{Shared, World};

/// An operation that has ended, by thread and by its number.
type Ended = (usize, u64, Output);

/// What clients and whoever drives them share.
#[derive(Clone, Default)]
struct Board {
    ended: Arc<Mutex<Vec<Ended>>>,
    news: Arc<Notify>,
}

impl Board {
    fn put(&self, ended: Ended) {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(ended);
        self.news.notify_one();
    }

    fn take(&self) -> Vec<Ended> {
        std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An operation in flight.
struct Flight {
    number: u64,
    process: u32,
    call: Call,
}

/// See the [module](self).
pub(crate) struct System {
    runtime: Runtime,
    start: madsim::time::Instant,
    now_us: u64,
    pub(crate) world: Shared,
    board: Board,
    /// By thread.
    flights: Vec<Option<Flight>>,
    operations: u64,
    /// By node, the madsim node of its present life.
    lives: Vec<Option<NodeHandle>>,
    /// When the last fault was injected or ended, in microseconds.
    calm_since_us: u64,
    /// Longer than that without a fault nobody needs to wait for an answer.
    liveness_us: u64,
    ledger: Ledger,
}

impl System {
    /// A cluster whose nodes have just started and know each other.
    #[expect(
        clippy::disallowed_methods,
        reason = "madsim has the clock that is read"
    )]
    pub(crate) fn start(world: World, liveness_us: u64) -> Self {
        let (seed, nodes) = (world.seed, world.config.nodes);
        let runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
        let start = runtime.block_on(async { madsim::time::Instant::now() });
        let mut system = Self {
            runtime,
            start,
            now_us: 0,
            world: Shared::new(world),
            board: Board::default(),
            flights: Vec::new(),
            operations: 0,
            lives: (0..nodes).map(|_| None).collect(),
            calm_since_us: 0,
            liveness_us,
            ledger: Ledger::default(),
        };
        for node in NodeId::all(nodes) {
            system.boot(node);
        }
        let first = system.world.lock().site(NodeId(0)).raft.clone();
        let members = NodeId::all(nodes).map(|node| (number_of(node), BasicNode::default()));
        let members: std::collections::BTreeMap<_, _> = members.collect();
        if let Some(first) = first {
            let initialised = system.runtime.block_on(first.initialize(members));
            initialised.expect("a fresh cluster can be told its members");
        }
        system.tell_time();
        system
    }

    fn tell_time(&mut self) {
        let start = self.start;
        let passed = self.runtime.block_on(async move { start.elapsed() });
        self.now_us = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
    }

    /// Brings a node to life from its disk.
    fn boot(&mut self, node: NodeId) {
        let life = {
            let mut world = self.world.lock();
            let site = world.site(node);
            site.life += 1;
            site.recall();
            site.life
        };
        let handle = self
            .runtime
            .create_node()
            .name(format!("{node}.{life}"))
            .build();
        let world = self.world.clone();
        let started = handle.spawn(started(world, node, life));
        let raft = self.runtime.block_on(started);
        if let Ok(raft) = raft {
            let mut world = self.world.lock();
            let site = world.site(node);
            site.raft = Some(raft);
            site.up = true;
            world.observe(node, Cause::Boot);
        }
        self.lives[node.index()] = Some(handle);
    }

    /// Ends all tasks; madsim frees those of nodes that are killed only, once time passes.
    pub(crate) fn end(mut self) -> (Shared, u64) {
        self.world.lock().waited_for.clear();
        for node in NodeId::all(self.lives.len()) {
            if let Some(handle) = self.lives[node.index()].take() {
                self.runtime.handle().kill(handle.id());
            }
            self.world.lock().site(node).raft = None;
        }
        self.runtime
            .block_on(async { madsim::time::sleep(Duration::from_secs(10)).await });
        (self.world, self.now_us)
    }

    fn finish(&mut self, ended: Ended) -> Option<Completion> {
        let (thread, number, output) = ended;
        let flight = self.flights[thread].take_if(|flight| flight.number == number)?;
        let (kind, value) = match output {
            Output::Done => (Kind::Ok, Value::Nil),
            Output::Value(object) => (Kind::Ok, Value::from(&object)),
            Output::Mismatch => (Kind::Fail, Value::text("mismatch")),
        };
        Some(self.complete(thread, &flight, kind, value))
    }

    fn complete(&mut self, thread: usize, flight: &Flight, kind: Kind, value: Value) -> Completion {
        let mut world = self.world.lock();
        world.ledger.now_ns = Some(self.now_us * 1_000);
        world
            .ledger
            .complete(flight.process, kind, &flight.call, &value);
        Completion {
            thread,
            kind,
            value,
        }
    }

    /// The operation that a healed cluster has left unanswered for too long.
    pub(crate) fn unanswered(&self) -> Option<String> {
        let flight = self.flights.iter().flatten().next()?;
        let is_late = self.now_us >= self.calm_since_us + self.liveness_us;
        is_late.then(|| format!("{} of process {}", flight.call.function, flight.process))
    }

    fn injected(&mut self) {
        self.calm_since_us = self.now_us;
    }
}

/// Starts the library on a node.
async fn started(world: Shared, node: NodeId, life: u64) -> Raft {
    let Config {
        heartbeat_ms,
        election_ms,
        max_payload_entries,
        snapshot_after,
        entries_kept,
        ..
    } = world.lock().config.clone();
    let set_up = openraft::Config {
        heartbeat_interval: heartbeat_ms,
        election_timeout_min: election_ms.0,
        election_timeout_max: election_ms.1,
        install_snapshot_timeout: 1_000,
        max_payload_entries,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(snapshot_after),
        max_in_snapshot_log_to_keep: entries_kept,
        ..openraft::Config::default()
    };
    let set_up = Arc::new(
        set_up
            .validate()
            .expect("the configuration is one that the library takes"),
    );
    let links = Links {
        world: world.clone(),
        from: node,
    };
    let store = Store { world, node, life };
    Raft::new(number_of(node), set_up, links, store.clone(), store)
        .await
        .expect("the library starts from what it has stored")
}

/// How an attempt ended.
enum Attempt {
    Done(Output),
    /// To be tried again, there if a node is named.
    Elsewhere(Option<NodeId>),
}

/// Reads when the node has applied up to an index, as `ensure_linearizable` has it. That waits on a channel of tokio's, which
/// wakes those who wait in an order that no seed decides.
async fn read(world: &Shared, to: NodeId, life: u64, ask: Proposal, upto: Option<u64>) -> Attempt {
    loop {
        {
            let mut world = world.lock();
            let site = world.site(to);
            if site.life != life {
                // It was killed since: who begins anew has not said that it may be read.
                return Attempt::Elsewhere(None);
            }
            if site.applied.map(|applied| applied.index) >= upto {
                return Attempt::Done(Output::Value(site.machine.read(ask.command.key)));
            }
        }
        madsim::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Asks a node once.
async fn attempt(world: &Shared, to: NodeId, proposal: Proposal) -> Attempt {
    let (raft, life, by_index) = {
        let mut world = world.lock();
        let by_index = world.config.reads_by_index;
        let site = world.site(to);
        let raft = site.raft.clone().filter(|_| site.up);
        (raft, site.life, by_index)
    };
    let Some(raft) = raft else {
        return Attempt::Elsewhere(None);
    };
    if by_index && proposal.command.action == Action::Read {
        return match raft.get_read_log_id().await {
            Ok((reads_from, _)) => {
                read(world, to, life, proposal, reads_from.map(|id| id.index)).await
            }
            Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward))) => {
                Attempt::Elsewhere(forward.leader_id.map(node_of))
            }
            Err(_) => Attempt::Elsewhere(None),
        };
    }
    match raft.client_write(proposal).await {
        Ok(written) => written
            .data
            .0
            .map_or(Attempt::Elsewhere(None), Attempt::Done),
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
            Attempt::Elsewhere(forward.leader_id.map(node_of))
        }
        Err(_) => Attempt::Elsewhere(None),
    }
}

/// A client's operation, tried until it is done: the session makes it happen once.
async fn operate(world: Shared, board: Board, thread: usize, number: u64, proposal: Proposal) {
    let (seed, nodes, patience_us, (least, most)) = {
        let world = world.lock();
        (
            world.seed,
            world.config.nodes,
            world.config.patience_us(),
            world.config.latency_us,
        )
    };
    let mut hint = None;
    // Who asks again too soon adds to the load that it waits for: every attempt is an entry.
    let mut patience = Duration::from_micros(patience_us);
    for tried in 0.. {
        let mut draw = Draw::keyed(seed, Domain::Client, number, tried);
        let to = hint.unwrap_or_else(|| NodeId::from_index(draw.index(nodes)));
        let (there, back) = (draw.between(least, most), draw.between(least, most));
        madsim::time::sleep(Duration::from_micros(there)).await;
        let is_waited_for = world.lock().waited_for.get(&thread) == Some(&number);
        if !is_waited_for {
            return;
        }
        let asked = attempt(&world, to, proposal);
        match madsim::time::timeout(patience, asked).await {
            Ok(Attempt::Done(output)) => {
                madsim::time::sleep(Duration::from_micros(back)).await;
                return board.put((thread, number, output));
            }
            Ok(Attempt::Elsewhere(leader)) => {
                hint = leader;
                madsim::time::sleep(Duration::from_micros(back + patience_us / 10)).await;
            }
            Err(_) => {
                hint = None;
                patience = (2 * patience).min(Duration::from_micros(4 * patience_us));
            }
        }
    }
}

impl Subject for System {
    fn nodes(&self) -> usize {
        self.lives.len()
    }

    fn now_us(&self) -> u64 {
        self.now_us
    }

    fn up(&self) -> BTreeSet<NodeId> {
        let world = self.world.lock();
        NodeId::all(self.lives.len())
            .filter(|node| world.sites[node.index()].up)
            .collect()
    }

    /// Of faults only: all else is in the world's, where the nodes write too.
    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    fn call(&mut self, invocation: &Invocation) {
        let Invocation {
            thread,
            process,
            call,
        } = invocation;
        if self.flights.len() <= *thread {
            self.flights.resize_with(thread + 1, || None);
        }
        self.operations += 1;
        let number = self.operations;
        {
            let mut world = self.world.lock();
            world.ledger.now_ns = Some(self.now_us * 1_000);
            world.ledger.invoke(*process, call);
            world.waited_for.insert(*thread, number);
        }
        let command = Command::from_record(call.function, &call.key, &call.value)
            .expect("the workload is one that is served");
        let proposal = Proposal {
            client: *process,
            sequence: u32::try_from(number).unwrap_or(u32::MAX),
            command,
        };
        let (world, board, thread) = (self.world.clone(), self.board.clone(), *thread);
        self.flights[thread] = Some(Flight {
            number,
            process: *process,
            call: call.clone(),
        });
        self.runtime.block_on(async move {
            madsim::task::spawn(operate(world, board, thread, number, proposal));
        });
    }

    fn give_up(&mut self, thread: usize) -> Completion {
        let flight = self.flights[thread].take();
        let flight = flight.expect("an operation is in flight there");
        self.world.lock().waited_for.remove(&thread);
        self.complete(thread, &flight, Kind::Info, Value::text("timeout"))
    }

    fn advance(&mut self, until_us: Option<u64>) -> Vec<Completion> {
        let until_us = until_us.unwrap_or(self.now_us + 1_000_000);
        let wait = Duration::from_micros(until_us.saturating_sub(self.now_us));
        let news = Arc::clone(&self.board.news);
        self.runtime.block_on(async move {
            // Whether there is news or it is time, there is something to be looked at.
            let _ = madsim::time::timeout(wait, news.notified()).await;
        });
        self.tell_time();
        let ended = self.board.take();
        ended
            .into_iter()
            .filter_map(|ended| self.finish(ended))
            .collect()
    }

    fn is_broken(&self) -> bool {
        self.world.lock().has_seen_enough() || self.unanswered().is_some()
    }

    fn as_kill(&mut self) -> Option<&mut dyn Kill> {
        Some(self)
    }

    fn as_pause(&mut self) -> Option<&mut dyn Pause> {
        Some(self)
    }

    fn as_cut(&mut self) -> Option<&mut dyn Cut> {
        Some(self)
    }

    fn as_disturb(&mut self) -> Option<&mut dyn Disturb> {
        Some(self)
    }
}

impl Kill for System {
    fn kill(&mut self, node: NodeId) {
        self.injected();
        let Some(handle) = self.lives[node.index()].take() else {
            return;
        };
        self.runtime.handle().kill(handle.id());
        let mut world = self.world.lock();
        world.ledger.step(&format!("crash {node}"));
        let site = world.site(node);
        site.up = false;
        site.raft = None;
        // Whatever of that life is still under way has no more say.
        site.life += 1;
        let lost = site.disk.crash();
        site.recall();
        world.tally.writes_lost += lost;
        world.observe(node, Cause::Crash);
    }

    fn restart(&mut self, node: NodeId) {
        self.injected();
        self.world.lock().ledger.step(&format!("restart {node}"));
        if self.lives[node.index()].is_none() {
            self.boot(node);
            self.tell_time();
        }
    }
}

impl Pause for System {
    fn pause(&mut self, node: NodeId) {
        self.injected();
        if let Some(handle) = &self.lives[node.index()] {
            self.runtime.handle().pause(handle.id());
            let mut world = self.world.lock();
            world.paused.insert(node);
            world.ledger.step(&format!("pause {node}"));
        }
    }

    fn resume(&mut self, node: NodeId) {
        self.injected();
        let was_paused = self.world.lock().paused.remove(&node);
        if let Some(handle) = self.lives[node.index()].as_ref().filter(|_| was_paused) {
            self.runtime.handle().resume(handle.id());
            self.world.lock().ledger.step(&format!("resume {node}"));
        }
    }

    fn paused(&self) -> BTreeSet<NodeId> {
        self.world.lock().paused.clone()
    }
}

impl Cut for System {
    fn cut(&mut self, grudge: &Grudge) {
        self.injected();
        let mut world = self.world.lock();
        world.grudge = grudge.clone();
        let links: Vec<_> = grudge
            .links()
            .map(|(at, from)| format!("{from}→{at}"))
            .collect();
        world.ledger.step(&format!("cut {}", links.join(" ")));
    }
}

impl Disturb for System {
    fn disturb(&mut self, rates: PacketRates) {
        self.injected();
        let mut world = self.world.lock();
        world.rates = rates;
        world.ledger.step(&format!("disturb {rates}"));
    }
}
