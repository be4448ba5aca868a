//! A cluster of Multi-Paxos acted out by hand, for the tests of its properties.

use tribunal_histories::{
    Cause, Claim, Digest, Execution, Facet, LogRecord, LogView, Logs, MessageView, NodeId,
    Observation, ReplicaView, Role, Value, View, Vote,
};

use crate::properties::Monitor;

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);

/// What a node shows.
#[derive(Clone, Debug, Default)]
struct Actor {
    role: Role,
    ballot: u64,
    records: Vec<LogRecord>,
    applied: u64,
    state: Digest,
    executed: Vec<Execution>,
    holds_lease: bool,
}

struct NoLogs(usize);

impl Logs for NoLogs {
    fn nodes(&self) -> usize {
        self.0
    }

    fn log(&self, _node: NodeId) -> LogView<'_> {
        LogView::default()
    }

    fn durable_log(&self, _node: NodeId) -> LogView<'_> {
        LogView::default()
    }
}

/// A cluster and the monitor that watches it.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    actors: Vec<Actor>,
    monitor: Monitor,
}

impl Cluster {
    pub(super) fn of(nodes: usize) -> Self {
        let own = super::PROPERTIES
            .iter()
            .filter(|info| info.id.starts_with("MP"));
        let mut cluster = Self {
            actors: vec![Actor::default(); nodes],
            monitor: Monitor::new(own),
        };
        for node in NodeId::all(nodes) {
            cluster.observe(node, Cause::Boot, &[]);
        }
        cluster
    }

    fn observe(&mut self, node: NodeId, cause: Cause, sent: &[MessageView]) {
        let actor = &self.actors[node.index()];
        let view = View {
            role: actor.role,
            term: actor.ballot,
            log: LogView {
                records: &actor.records,
                ..LogView::default()
            },
            commit_index: actor.applied,
            applied_index: actor.applied,
            state: actor.state,
            facet: Facet::Replica(ReplicaView {
                executed: &actor.executed,
                holds_lease: actor.holds_lease,
            }),
            ..View::default()
        };
        self.monitor.observe(&Observation {
            node,
            cause,
            view,
            sent,
            logs: &NoLogs(self.actors.len()),
        });
    }

    fn step(&mut self, node: NodeId, change: impl FnOnce(&mut Actor)) {
        change(&mut self.actors[node.index()]);
        self.observe(node, Cause::Step, &[]);
    }

    fn says(&mut self, node: NodeId, to: NodeId, claim: Claim) {
        let message = MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: vec![claim],
        };
        self.observe(node, Cause::Step, &[message]);
    }

    /// A node has applied these values, a letter each, which it learned under this ballot.
    pub(super) fn applies(&mut self, node: NodeId, ballot: u64, values: &str) {
        self.step(node, |actor| {
            let mut prefix = Digest::default();
            actor.records.clear();
            for value in values.chars() {
                prefix = prefix.then(&value);
                actor.records.push(LogRecord {
                    term: ballot,
                    prefix,
                });
            }
            actor.applied = actor.records.len() as u64;
        });
    }

    /// A node crashes, and starts again with nothing but its ballot.
    pub(super) fn restarts(&mut self, node: NodeId) {
        let ballot = self.actors[node.index()].ballot;
        self.actors[node.index()] = Actor {
            ballot,
            ..Actor::default()
        };
        self.observe(node, Cause::Crash, &[]);
        self.observe(node, Cause::Boot, &[]);
    }

    pub(super) fn leads(&mut self, node: NodeId, ballot: u64) {
        self.step(node, |actor| {
            (actor.role, actor.ballot) = (Role::Leader, ballot);
        });
    }

    pub(super) fn lease(&mut self, node: NodeId, holds: bool) {
        self.step(node, |actor| actor.holds_lease = holds);
    }

    pub(super) fn executes(&mut self, node: NodeId, index: u64, (client, sequence): (u32, u32)) {
        let done = Execution {
            index,
            client,
            sequence,
        };
        self.step(node, |actor| actor.executed.push(done));
    }

    pub(super) fn is_in_state(&mut self, node: NodeId, applied: u64, state: u64) {
        let values = "a".repeat(usize::try_from(applied).unwrap());
        self.actors[node.index()].state = Digest(state);
        self.applies(node, 1, &values);
    }

    /// An acceptor promises a candidate a ballot, and tells of these slots.
    pub(super) fn covers(
        &mut self,
        node: NodeId,
        candidate: NodeId,
        ballot: u64,
        (first, last): (u64, Option<u64>),
    ) {
        let claim = Claim::Covers {
            ballot,
            first,
            last,
        };
        self.says(node, candidate, claim);
    }

    pub(super) fn proposes(&mut self, node: NodeId, ballot: u64, slot: u64) {
        let value = Value::Int(5);
        self.says(
            node,
            N3,
            Claim::Proposed(Vote {
                ballot,
                slot,
                value,
            }),
        );
    }

    #[track_caller]
    pub(super) fn assert_holds(&self) {
        assert_eq!(self.monitor.violations(), &[]);
    }

    #[track_caller]
    pub(super) fn assert_breaks(&self, property: &str) -> &str {
        let [violation] = self.monitor.violations() else {
            panic!("one was expected: {:#?}", self.monitor.violations());
        };
        assert_eq!(violation.property, property, "{violation}");
        &violation.sentence
    }

    #[track_caller]
    pub(super) fn assert_says(&self, property: &str, sentence: &str) {
        assert_eq!(self.assert_breaks(property), sentence);
    }

    pub(super) fn exercised(&self, property: &str) -> u64 {
        let mut exercises = self.monitor.exercised();
        let found = exercises.find(|exercise| exercise.property == property);
        found.unwrap().count
    }
}
