//! A ZAB cluster acted out by hand, for the tests of its properties.

use tribunal_histories::{
    Cause, Claim, Digest, Facet, HistoryClaim, LogRecord, LogView, Logs, MessageView, NodeId,
    Observation, Phase, PrimariesView, Role, View, Zxid,
};

use crate::properties::Monitor;

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);

/// What a node shows, and what a crash leaves of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Actor {
    role: Role,
    pub(super) accepted: u64,
    pub(super) current: u64,
    phase: Phase,
    epoch: u64,
    records: Vec<LogRecord>,
    zxids: Vec<Zxid>,
    pub(super) applied_index: u64,
    pub(super) state: Digest,
    pub(super) deliveries: u64,
    disk: Disk,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    epochs: (u64, u64),
    records: Vec<LogRecord>,
    zxids: Vec<Zxid>,
}

impl Actor {
    /// Accepts a transaction behind the last.
    pub(super) fn append(&mut self, epoch: u64, counter: u64) {
        let zxid = Zxid { epoch, counter };
        let prefix = self
            .records
            .last()
            .map_or_else(Digest::default, |last| last.prefix);
        let (term, prefix) = (epoch, prefix.then(&zxid));
        self.records.push(LogRecord { term, prefix });
        self.zxids.push(zxid);
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.records.truncate(length);
        self.zxids.truncate(length);
    }

    /// Is in the broadcast phase of an epoch.
    pub(super) fn follow(&mut self, epoch: u64) {
        self.accepted = self.accepted.max(epoch);
        self.current = self.current.max(epoch);
        (self.role, self.phase, self.epoch) = (Role::Follower, Phase::Broadcast, epoch);
    }

    /// The disk names other epochs.
    pub(super) fn disk_epochs(&mut self, accepted: u64, current: u64) {
        self.disk.epochs = (accepted, current);
    }

    /// Has delivered up to an index.
    pub(super) fn deliver(&mut self, index: u64) {
        (self.applied_index, self.deliveries) = (index, index);
        let last = index
            .checked_sub(1)
            .and_then(|place| self.records.get(place as usize));
        self.state = last.map_or_else(Digest::default, |record| record.prefix);
    }

    fn sync(&mut self) {
        self.disk = Disk {
            epochs: (self.accepted, self.current),
            records: self.records.clone(),
            zxids: self.zxids.clone(),
        };
    }

    fn view(&self) -> View<'_> {
        View {
            role: self.role,
            term: self.accepted,
            log: log(&self.records),
            commit_index: self.applied_index,
            applied_index: self.applied_index,
            state: self.state,
            facet: Facet::Primaries(PrimariesView {
                accepted_epoch: self.accepted,
                current_epoch: self.current,
                phase: self.phase,
                epoch: self.epoch,
                deliveries: self.deliveries,
                zxids: &self.zxids,
            }),
            ..View::default()
        }
    }
}

fn log(records: &[LogRecord]) -> LogView<'_> {
    LogView {
        records,
        ..LogView::default()
    }
}

#[derive(Clone, Debug)]
struct Actors(Vec<Actor>);

impl Logs for Actors {
    fn nodes(&self) -> usize {
        self.0.len()
    }

    fn log(&self, node: NodeId) -> LogView<'_> {
        log(&self.0[node.index()].records)
    }

    fn durable_log(&self, node: NodeId) -> LogView<'_> {
        log(&self.0[node.index()].disk.records)
    }
}

/// A cluster and the monitor that watches it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    actors: Actors,
    monitor: Monitor,
}

/// A claim about the transaction `epoch:counter` at an index, made in `epoch`; as the tests have it, of that epoch.
pub(super) fn claim(epoch: u64, counter: u64, index: u64) -> HistoryClaim {
    HistoryClaim {
        epoch,
        zxid: Zxid { epoch, counter },
        index,
    }
}

impl Script {
    /// Boots a cluster.
    pub(super) fn zab(nodes: usize) -> Self {
        Self::with_disks(nodes, &[])
    }

    /// Boots a cluster whose disks all have these transactions.
    pub(super) fn with_disks(nodes: usize, zxids: &[(u64, u64)]) -> Self {
        let mut actor = Actor::default();
        for (epoch, counter) in zxids {
            actor.append(*epoch, *counter);
        }
        actor.sync();
        let mut script = Self {
            actors: Actors(vec![actor; nodes]),
            monitor: Monitor::of("zab").unwrap(),
        };
        for node in NodeId::all(nodes) {
            script.observe(node, Cause::Boot, &[]);
        }
        script
    }

    fn observe(&mut self, node: NodeId, cause: Cause, sent: &[MessageView]) {
        let view = self.actors.0[node.index()].view();
        let logs = &self.actors;
        self.monitor.observe(&Observation {
            node,
            cause,
            view,
            sent,
            logs,
        });
    }

    pub(super) fn actor(&mut self, node: NodeId) -> &mut Actor {
        &mut self.actors.0[node.index()]
    }

    /// A node takes a step.
    pub(super) fn step(&mut self, node: NodeId, change: impl FnOnce(&mut Actor)) {
        change(self.actor(node));
        self.observe(node, Cause::Step, &[]);
    }

    /// What a node has written reaches its disk.
    pub(super) fn sync(&mut self, node: NodeId) {
        self.actor(node).sync();
        self.observe(node, Cause::Sync, &[]);
    }

    /// A node sends a message with a claim.
    pub(super) fn send(&mut self, node: NodeId, to: NodeId, claim: Claim) {
        let claims = vec![claim];
        let sent = MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims,
        };
        self.observe(node, Cause::Step, &[sent]);
    }

    /// A node promises to take part in an epoch.
    pub(super) fn promise(&mut self, node: NodeId, epoch: u64, leader: NodeId) {
        self.step(node, |actor| actor.accepted = epoch);
        self.actor(node).sync();
        let promise = MessageView {
            to: leader,
            term: epoch,
            grants_vote: true,
            claims: Vec::new(),
        };
        self.observe(node, Cause::Sync, &[promise]);
    }

    /// A node crashes and starts again from its disk.
    pub(super) fn crash(&mut self, node: NodeId) {
        let disk = self.actor(node).disk.clone();
        *self.actor(node) = Actor {
            accepted: disk.epochs.0,
            current: disk.epochs.1,
            records: disk.records.clone(),
            zxids: disk.zxids.clone(),
            disk,
            ..Actor::default()
        };
        self.observe(node, Cause::Crash, &[]);
        self.observe(node, Cause::Boot, &[]);
    }

    /// A node is established in an epoch, and these follow it with its history; all deliver it.
    pub(super) fn establish(&mut self, node: NodeId, epoch: u64, followers: &[NodeId]) {
        self.step(node, |leader| {
            let length = leader.records.len() as u64;
            leader.follow(epoch);
            leader.role = Role::Leader;
            leader.deliver(length);
        });
        self.sync(node);
        let leader = self.actor(node).clone();
        for &follower in followers {
            self.step(follower, |actor| {
                (actor.records, actor.zxids) = (leader.records.clone(), leader.zxids.clone());
                actor.follow(epoch);
                actor.deliver(leader.applied_index);
            });
            self.sync(follower);
        }
    }

    /// A primary broadcasts its next transaction, and these accept it, too.
    pub(super) fn broadcast(&mut self, primary: NodeId, followers: &[NodeId]) {
        let leader = self.actor(primary);
        let epoch = leader.epoch;
        let last = leader.zxids.last().filter(|last| last.epoch == epoch);
        let counter = last.map_or(1, |last| last.counter + 1);
        for node in [&[primary], followers].concat() {
            self.step(node, |actor| actor.append(epoch, counter));
            self.sync(node);
        }
    }

    /// A node delivers up to an index.
    pub(super) fn deliver(&mut self, node: NodeId, index: u64) {
        self.step(node, |actor| actor.deliver(index));
    }

    #[track_caller]
    pub(super) fn assert_holds(&self) {
        assert_eq!(self.monitor.violations(), &[]);
    }

    /// The last observation broke one property and no other.
    #[track_caller]
    pub(super) fn assert_breaks(&self, property: &str) -> &str {
        let [violation] = self.monitor.violations() else {
            panic!(
                "one violation was expected: {:#?}",
                self.monitor.violations()
            );
        };
        assert_eq!(violation.property, property, "{violation}");
        &violation.sentence
    }

    #[track_caller]
    pub(super) fn assert_says(&self, property: &str, sentence: &str) {
        assert_eq!(self.assert_breaks(property), sentence);
    }

    /// Of what the last observation broke, this property was first.
    #[track_caller]
    pub(super) fn assert_first(&self, property: &str, sentence: &str) {
        let first = self.monitor.violation().expect("something is broken");
        assert_eq!((first.property, &*first.sentence), (property, sentence));
    }

    /// The last observation broke this property among others.
    #[track_caller]
    pub(super) fn assert_among(&self, property: &str) {
        let mut violations = self.monitor.violations().iter();
        let found = violations.any(|violation| violation.property == property);
        assert!(found, "{:#?}", self.monitor.violations());
    }

    #[track_caller]
    pub(super) fn assert_some_says(&self, sentence: &str) {
        let mut violations = self.monitor.violations().iter();
        let found = violations.any(|violation| violation.sentence == sentence);
        assert!(found, "{:#?}", self.monitor.violations());
    }

    /// How often a property was put to the test.
    pub(super) fn exercised(&self, property: &str) -> u64 {
        let mut exercises = self.monitor.exercised();
        let exercise = exercises.find(|exercise| exercise.property == property);
        exercise.unwrap().count
    }
}
