//! What all nodes of a simulated cluster share with what is around them: disks, links, the witness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tribunal::audit::Ledger;
use tribunal::draw::{Domain, Draw};
use tribunal::nemesis::{Grudge, PacketRates};
use tribunal::runtime::sim::Tally;
use tribunal_checkers::properties::Monitor;
use tribunal_histories::{Cause, LogRecord, LogView, Logs, NodeId, Observation, Role, View};
use tribunal_protocols::state_machine::StateMachine;

use crate::config::{Config, Misuse};
use crate::disk::{Disk, Snapshot, Write};
use crate::types::{LogId, Raft, StoredMembership, node_of, term_of};

/// A node, as the world around it sees it.
#[derive(Default)]
pub(crate) struct Site {
    pub(crate) disk: Disk,
    pub(crate) machine: StateMachine,
    pub(crate) applied: Option<LogId>,
    /// That entry's term, and a digest of all up to it, which the log may not have any more.
    pub(crate) applied_record: LogRecord,
    pub(crate) membership: StoredMembership,
    /// The library's handle, while the node runs.
    pub(crate) raft: Option<Raft>,
    pub(crate) up: bool,
    /// How often it was started.
    pub(crate) life: u64,
    syncs: u64,
}

impl Site {
    /// Begins to run again from what is on the disk.
    pub(crate) fn recall(&mut self) {
        let snapshot = self.disk.written.snapshot.clone();
        let Some(snapshot) = snapshot else {
            self.machine = StateMachine::default();
            self.applied = None;
            self.applied_record = LogRecord::default();
            self.membership = StoredMembership::default();
            return;
        };
        self.load(&snapshot);
    }

    /// Takes over a snapshot's state.
    pub(crate) fn load(&mut self, snapshot: &Snapshot) {
        self.machine = snapshot.machine.clone();
        self.applied = Some(snapshot.last);
        self.applied_record = snapshot.record;
        self.membership = snapshot.membership.clone();
    }

    /// Whether the library says that it leads, in the term that is on its disk.
    fn leads(&self) -> bool {
        let Some(raft) = self.raft.as_ref().filter(|_| self.up) else {
            return false;
        };
        let metrics = raft.metrics();
        let metrics = metrics.borrow();
        metrics.state == openraft::ServerState::Leader
            && Some(metrics.vote) == self.disk.written.vote
            && metrics.vote.is_committed()
    }

    fn view(&self) -> View<'_> {
        let state = &self.disk.written;
        let vote = state.vote;
        let applied = self.applied.map_or(0, |applied| applied.index + 1);
        View {
            role: if self.leads() {
                Role::Leader
            } else {
                Role::Follower
            },
            term: vote.map_or(0, |vote| {
                term_of(vote.leader_id.term, vote.leader_id.node_id)
            }),
            voted_for: vote.map(|vote| node_of(vote.leader_id.node_id)),
            log: state.log(),
            commit_index: applied,
            applied_index: applied,
            state: self.machine.digest(),
            ..View::default()
        }
    }
}

/// See the [module](self).
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) seed: u64,
    pub(crate) sites: Vec<Site>,
    pub(crate) monitor: Option<Monitor>,
    pub(crate) ledger: Ledger,
    pub(crate) tally: Tally,
    pub(crate) grudge: Grudge,
    pub(crate) rates: PacketRates,
    pub(crate) paused: BTreeSet<NodeId>,
    /// By link, how many messages were sent on it.
    sent: Vec<u64>,
    /// The last entries of all snapshots that ever were.
    snapshots: BTreeMap<LogId, LogRecord>,
    /// By thread, the operation that is waited for: clients ask no more for what is given up.
    pub(crate) waited_for: BTreeMap<usize, u64>,
}

/// What becomes of a message that is sent.
pub(crate) struct Fate {
    /// When it arrives; never, if it is lost.
    pub(crate) after: Option<Duration>,
    /// When it arrives again.
    pub(crate) again_after: Option<Duration>,
}

struct Disks<'a>(&'a [Site]);

impl Logs for Disks<'_> {
    fn nodes(&self) -> usize {
        self.0.len()
    }

    fn log(&self, node: NodeId) -> LogView<'_> {
        self.0[node.index()].disk.written.log()
    }

    fn durable_log(&self, node: NodeId) -> LogView<'_> {
        self.0[node.index()].disk.synced.log()
    }
}

impl World {
    pub(crate) fn new(config: Config, seed: u64, monitor: Option<Monitor>, record: bool) -> Self {
        let nodes = config.nodes;
        Self {
            config,
            seed,
            sites: (0..nodes).map(|_| Site::default()).collect(),
            monitor,
            ledger: Ledger::new(record),
            tally: Tally::default(),
            grudge: Grudge::default(),
            rates: PacketRates::default(),
            paused: BTreeSet::new(),
            sent: vec![0; nodes * nodes],
            snapshots: BTreeMap::new(),
            waited_for: BTreeMap::new(),
        }
    }

    pub(crate) fn site(&mut self, node: NodeId) -> &mut Site {
        &mut self.sites[node.index()]
    }

    /// Shows a node to the properties.
    pub(crate) fn observe(&mut self, node: NodeId, cause: Cause) {
        let Some(mut monitor) = self.monitor.take() else {
            return;
        };
        monitor.observe(&Observation {
            node,
            cause,
            view: self.sites[node.index()].view(),
            sent: &[],
            logs: &Disks(&self.sites),
        });
        self.monitor = Some(monitor);
    }

    /// An entry's term, and a digest of all up to it. A node that purges what it never had takes it from a snapshot.
    pub(crate) fn record_of(&self, node: NodeId, id: &LogId) -> LogRecord {
        let own = self.sites[node.index()].disk.written.record_of(id);
        own.or_else(|| self.snapshots.get(id).copied())
            .unwrap_or_default()
    }

    /// Whether a property was violated.
    pub(crate) fn has_seen_enough(&self) -> bool {
        self.monitor
            .as_ref()
            .is_some_and(|monitor| monitor.violation().is_some())
    }

    /// A node writes; which write it is, and how long that takes to reach the disk.
    pub(crate) fn write(&mut self, node: NodeId, write: Write) -> (u64, Duration) {
        let lies = self.config.bugs.contains(Misuse::FlushLies.into());
        let (least, most) = self.config.sync_us;
        let seed = self.seed;
        if let Write::Snapshot(snapshot) = &write {
            self.snapshots.insert(snapshot.last, snapshot.record);
        }
        let site = self.site(node);
        let number = site.disk.write(write);
        site.syncs += 1;
        let mut draw = Draw::keyed(seed, Domain::Disk, node.index() as u64, site.syncs);
        let us = if lies { 0 } else { draw.between(least, most) };
        self.observe(node, Cause::Step);
        (number, Duration::from_micros(us))
    }

    /// Writes have reached the disk, or a disk that lies says so.
    pub(crate) fn sync(&mut self, node: NodeId, upto: u64) {
        if self.config.bugs.contains(Misuse::FlushLies.into()) {
            return;
        }
        self.site(node).disk.sync(upto);
        self.observe(node, Cause::Sync);
    }

    /// A message is sent.
    pub(crate) fn send(&mut self, from: NodeId, to: NodeId) -> Fate {
        let link = from.index() * self.sites.len() + to.index();
        self.sent[link] += 1;
        let mut draw = Draw::keyed(self.seed, Domain::Link, link as u64, self.sent[link]);
        let (least, most) = self.config.latency_us;
        let mut us = draw.between(least, most);
        let mut again_us = us + draw.between(least, 4 * most);
        let rates = self.rates;
        let (lost, doubled) = (
            draw.chance(rates.loss_ppm),
            draw.chance(rates.duplicate_ppm),
        );
        let late = draw.between(0, rates.delay_us_max.max(most));
        if rates.delay_us_max > 0 || draw.chance(rates.reorder_ppm) {
            us += late;
            again_us += late;
        }
        self.tally.events += 1;
        if lost || self.grudge.drops(to, from) {
            self.tally.packets_lost += 1;
            return Fate {
                after: None,
                again_after: None,
            };
        }
        self.tally.packets_duplicated += u64::from(doubled);
        Fate {
            after: Some(Duration::from_micros(us)),
            again_after: doubled.then(|| Duration::from_micros(again_us)),
        }
    }

    /// A message arrives, if it may; then the handle of the node that it arrives at.
    pub(crate) fn arrive(&mut self, from: NodeId, to: NodeId, what: &str) -> Option<Raft> {
        if self.grudge.drops(to, from) || !self.sites[to.index()].up {
            self.tally.packets_lost += 1;
            return None;
        }
        self.tally.packets += 1;
        self.ledger.step(&format!("deliver {from}→{to} {what}"));
        self.sites[to.index()].raft.clone()
    }
}

/// The world, shared.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// All tasks are on one thread, and none holds this while it waits.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
