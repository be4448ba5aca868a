//! A cluster acted out by hand, for the tests of properties: a test says what nodes do, the script observes it.

use tribunal_histories::{
    Cause, Claim, Digest, Facet, GroupView, LogRecord, LogView, Logs, MessageView, NodeId, NodeSet,
    Observation, PeerProgress, PendingRead, Role, View, Voters, VotersRecord,
};

use super::{Monitor, Violation};

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);
pub(super) const N4: NodeId = NodeId(3);
pub(super) const N5: NodeId = NodeId(4);

#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    start: u64,
    base: LogRecord,
    records: Vec<LogRecord>,
}

impl Log {
    pub(super) fn view(&self) -> LogView<'_> {
        LogView {
            start: self.start,
            base: self.base,
            records: &self.records,
        }
    }

    /// Appends one entry a payload.
    pub(super) fn append(&mut self, term: u64, payloads: &str) {
        for payload in payloads.chars() {
            let prefix = self.view().last().prefix.then(&(term, payload));
            self.records.push(LogRecord { term, prefix });
        }
    }

    /// Removes all entries above an index.
    pub(super) fn truncate(&mut self, index: u64) {
        self.records.truncate((index - self.start) as usize);
    }

    /// Forgets all entries up to an index.
    pub(super) fn compact(&mut self, index: u64) {
        self.base = self.view().at(index).unwrap();
        self.records.drain(..(index - self.start) as usize);
        self.start = index;
    }
}

/// What a node shows, and what of it is on its disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Actor {
    pub(super) role: Role,
    pub(super) term: u64,
    pub(super) voted_for: Option<NodeId>,
    pub(super) log: Log,
    pub(super) commit_index: u64,
    pub(super) applied_index: u64,
    pub(super) state: Digest,
    pub(super) peers: Vec<PeerProgress>,
    pub(super) leader: Option<NodeId>,
    pub(super) initial: Voters,
    /// The configurations in its log.
    pub(super) changes: Vec<VotersRecord>,
    /// The configuration that it acts by, if it is another than the last in its log.
    pub(super) acts_by: Option<Voters>,
    pub(super) reads: Vec<PendingRead>,
    pub(super) lease: bool,
    pub(super) disk: Disk,
}

/// What a crash leaves of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) term: u64,
    pub(super) voted_for: Option<NodeId>,
    pub(super) log: Log,
}

impl Actor {
    pub(super) fn follow(&mut self, term: u64) {
        if term != self.term {
            self.voted_for = None;
        }
        self.term = term;
        self.role = Role::Follower;
        self.peers.clear();
    }

    pub(super) fn append(&mut self, payloads: &str) {
        self.log.append(self.term, payloads);
    }

    /// Appends a configuration.
    pub(super) fn change(&mut self, voters: Voters) {
        self.append("c");
        let index = self.log.view().last_index();
        self.changes.push(VotersRecord { index, voters });
    }

    /// Applies entries up to an index, and comes to a state.
    pub(super) fn apply(&mut self, index: u64, state: Digest) {
        self.applied_index = index;
        self.state = state;
    }

    fn voters(&self) -> Voters {
        let last = self.changes.last().map(|change| change.voters);
        self.acts_by.or(last).unwrap_or(self.initial)
    }

    fn view(&self) -> View<'_> {
        View {
            role: self.role,
            term: self.term,
            voted_for: self.voted_for,
            log: self.log.view(),
            commit_index: self.commit_index,
            applied_index: self.applied_index,
            peers: &self.peers,
            state: self.state,
            facet: Facet::Group(GroupView {
                leader: self.leader,
                initial: self.initial,
                changes: &self.changes,
                voters: self.voters(),
                reads: &self.reads,
                lease: self.lease,
            }),
        }
    }
}

#[derive(Clone, Debug)]
struct Actors(Vec<Actor>);

impl Logs for Actors {
    fn nodes(&self) -> usize {
        self.0.len()
    }

    fn log(&self, node: NodeId) -> LogView<'_> {
        self.0[node.index()].log.view()
    }

    fn durable_log(&self, node: NodeId) -> LogView<'_> {
        self.0[node.index()].disk.log.view()
    }
}

/// A cluster and the monitor that watches it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    actors: Actors,
    pub(super) monitor: Monitor,
}

impl Script {
    /// Boots a Raft cluster.
    pub(super) fn raft(nodes: usize) -> Self {
        let mut script = Self {
            actors: Actors(vec![
                Actor {
                    initial: Voters::of(NodeSet::all(nodes)),
                    ..Actor::default()
                };
                nodes
            ]),
            monitor: Monitor::of("raft").unwrap(),
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

    /// A node takes a step and sends something.
    pub(super) fn step_and_send(
        &mut self,
        node: NodeId,
        change: impl FnOnce(&mut Actor),
        sent: &[MessageView],
    ) {
        change(self.actor(node));
        self.observe(node, Cause::Step, sent);
    }

    /// A node says that it would vote for another.
    pub(super) fn would_vote(&mut self, node: NodeId, term: u64, candidate: NodeId) {
        self.step_and_send(node, |_| {}, &[claim(candidate, Claim::WouldVote { term })]);
    }

    /// A leader gets a read, and answers it after what `between` does.
    pub(super) fn read(&mut self, node: NodeId, index: u64, between: impl FnOnce(&mut Self)) {
        let (client, sequence) = (0, 1);
        let read = PendingRead {
            client,
            sequence,
            key: 0,
            index,
            round: 1,
        };
        self.step(node, |leader| leader.reads.push(read));
        between(self);
        let term = self.actor(node).term;
        let served = Claim::ReadServed {
            client,
            sequence,
            term,
            index,
        };
        self.step_and_send(node, |leader| leader.reads.clear(), &[claim(node, served)]);
    }

    /// What a node has written reaches its disk.
    pub(super) fn sync(&mut self, node: NodeId) {
        self.sync_and_send(node, &[]);
    }

    /// What a node has written reaches its disk, and what waited for it is sent.
    pub(super) fn sync_and_send(&mut self, node: NodeId, sent: &[MessageView]) {
        let actor = self.actor(node);
        actor.disk = Disk {
            term: actor.term,
            voted_for: actor.voted_for,
            log: actor.log.clone(),
        };
        self.observe(node, Cause::Sync, sent);
    }

    /// A node crashes and starts again from its disk.
    pub(super) fn restart(&mut self, node: NodeId) {
        self.restart_with(node, |_| ());
    }

    /// A node crashes, and starts again from its disk and what `change` says.
    pub(super) fn restart_with(&mut self, node: NodeId, change: impl FnOnce(&mut Actor)) {
        let actor = self.actor(node);
        let disk = actor.disk.clone();
        *actor = Actor {
            term: disk.term,
            voted_for: disk.voted_for,
            log: disk.log.clone(),
            disk,
            initial: actor.initial,
            changes: actor.changes.clone(),
            ..Actor::default()
        };
        self.observe(node, Cause::Crash, &[]);
        change(self.actor(node));
        self.observe(node, Cause::Boot, &[]);
    }

    /// A node grants a vote, durably.
    pub(super) fn grant(&mut self, node: NodeId, term: u64, candidate: NodeId) {
        self.step(node, |voter| {
            voter.follow(term);
            voter.voted_for = Some(candidate);
        });
        self.sync_and_send(node, &[grant(term, candidate)]);
    }

    /// A node wins an election with its own vote and those of others.
    pub(super) fn elect(&mut self, node: NodeId, term: u64, voters: &[NodeId]) {
        self.step(node, |candidate| {
            candidate.follow(term);
            candidate.role = Role::Candidate;
            candidate.voted_for = Some(node);
        });
        self.sync(node);
        for &voter in voters {
            self.grant(voter, term, node);
        }
        self.lead(node);
    }

    /// A candidate turns leader.
    pub(super) fn lead(&mut self, node: NodeId) {
        let nodes = self.actors.nodes();
        self.step(node, |leader| {
            leader.role = Role::Leader;
            let next_index = leader.log.view().last_index() + 1;
            let match_index = 0;
            let progress = PeerProgress {
                match_index,
                next_index,
            };
            leader.peers = vec![progress; nodes];
        });
    }

    /// A leader's log is copied to others, which acknowledge it when it is on their disks.
    pub(super) fn replicate(&mut self, leader: NodeId, followers: &[NodeId]) {
        self.sync(leader);
        let Actor {
            term, log, changes, ..
        } = self.actor(leader).clone();
        for &follower in followers {
            self.step(follower, |actor| {
                actor.follow(term);
                actor.log = log.clone();
                actor.changes = changes.clone();
                actor.commit_index = actor.commit_index.max(log.start);
            });
            self.sync(follower);
            self.count(leader, follower, log.view().last_index());
        }
    }

    /// A leader learns that a follower's log matches its own up to an index.
    pub(super) fn count(&mut self, leader: NodeId, follower: NodeId, match_index: u64) {
        let next_index = match_index + 1;
        self.step(leader, |leader| {
            leader.peers[follower.index()] = PeerProgress {
                match_index,
                next_index,
            };
        });
    }

    /// A node learns that entries up to an index are committed.
    pub(super) fn commit(&mut self, node: NodeId, index: u64) {
        self.step(node, |actor| actor.commit_index = index);
    }

    /// n1 leads term 1 of `nodes` nodes, and has committed one entry a payload, which all nodes hold.
    pub(super) fn with_committed(nodes: usize, payloads: &str) -> Self {
        let mut script = Self::raft(nodes);
        let others: Vec<_> = NodeId::all(nodes).skip(1).collect();
        script.elect(N1, 1, &others);
        script.step(N1, |leader| leader.append(payloads));
        script.replicate(N1, &others);
        script.commit(N1, payloads.len() as u64);
        script
    }

    #[track_caller]
    pub(super) fn assert_holds(&self) {
        assert_eq!(self.monitor.violations(), &[]);
    }

    /// The last observation broke one property and no other.
    #[track_caller]
    pub(super) fn assert_breaks(&self, property: &str) -> &Violation {
        let [violation] = self.monitor.violations() else {
            panic!(
                "one violation was expected: {:#?}",
                self.monitor.violations()
            );
        };
        assert_eq!(violation.property, property, "{violation}");
        violation
    }

    /// The last observation broke one property and no other, for the reason given.
    #[track_caller]
    pub(super) fn assert_says(&self, property: &str, sentence: &str) {
        assert_eq!(self.assert_breaks(property).sentence, sentence);
    }

    /// How often a property was put to the test.
    pub(super) fn exercised(&self, property: &str) -> u64 {
        let mut exercises = self.monitor.exercised();
        exercises
            .find(|exercise| exercise.property == property)
            .unwrap()
            .count
    }
}

/// A message that grants a vote.
pub(super) fn grant(term: u64, to: NodeId) -> MessageView {
    MessageView {
        to,
        term,
        grants_vote: true,
        claims: Vec::new(),
    }
}

/// A message that claims something.
pub(super) fn claim(to: NodeId, claim: Claim) -> MessageView {
    MessageView {
        to,
        term: 0,
        grants_vote: false,
        claims: vec![claim],
    }
}
