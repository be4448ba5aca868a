//! A cluster of Paxos acted out by hand, for the tests of its properties.

use tribunal_histories::{
    BallotView, Cause, Claim, Facet, Learned, LogView, Logs, MessageView, NodeId, Observation,
    Quorum, Value, View, Vote,
};

use crate::properties::{Monitor, Violation};

pub(super) use crate::properties::script::{N1, N2, N3, N4, N5};

/// So many nodes, without logs.
#[derive(Clone, Debug)]
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
    quorums: [Quorum; 2],
    /// By node, what it has learned.
    learned: Vec<Vec<Learned>>,
    /// Every acceptance, in order.
    votes: Vec<(NodeId, Vote)>,
    /// The slot that claims are about.
    slot: u64,
    pub(super) monitor: Monitor,
}

impl Cluster {
    /// Boots a cluster that goes by majorities.
    pub(super) fn of(nodes: usize) -> Self {
        Self::booted(nodes, [Quorum::Majority, Quorum::Majority])
    }

    /// Boots a cluster in which so many promises let a ballot go on, and so many votes choose.
    pub(super) fn counting(nodes: usize, promises: usize, votes: usize) -> Self {
        Self::booted(nodes, [Quorum::AtLeast(promises), Quorum::AtLeast(votes)])
    }

    fn booted(nodes: usize, quorums: [Quorum; 2]) -> Self {
        let mut cluster = Self {
            quorums,
            learned: vec![Vec::new(); nodes],
            votes: Vec::new(),
            slot: 0,
            monitor: Monitor::of("paxos").unwrap(),
        };
        for node in NodeId::all(nodes) {
            cluster.observe(node, Cause::Boot, &[]);
        }
        cluster
    }

    fn observe(&mut self, node: NodeId, cause: Cause, sent: &[MessageView]) {
        let [prepare_quorum, accept_quorum] = &self.quorums;
        let facet = Facet::Ballots(BallotView {
            prepare_quorum,
            accept_quorum,
            learned: &self.learned[node.index()],
        });
        let view = match cause {
            Cause::Crash => View::default(),
            _ => View {
                facet,
                ..View::default()
            },
        };
        self.monitor.observe(&Observation {
            node,
            cause,
            view,
            sent,
            logs: &NoLogs(self.learned.len()),
        });
    }

    fn says(&mut self, node: NodeId, to: NodeId, claim: Claim) {
        let sent = MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: vec![claim],
        };
        self.observe(node, Cause::Step, &[sent]);
    }

    fn vote(&self, ballot: u64, value: i64) -> Vote {
        Vote {
            ballot,
            slot: self.slot,
            value: value.into(),
        }
    }

    /// What follows is about this slot; a promise tells of it and those after it.
    pub(super) fn in_slot(&mut self, slot: u64) -> &mut Self {
        self.slot = slot;
        self
    }

    /// An acceptor promises a ballot to a proposer, and tells of a vote.
    pub(super) fn promises(
        &mut self,
        acceptor: NodeId,
        proposer: NodeId,
        ballot: u64,
        told: Option<(u64, i64)>,
    ) {
        let accepted = told.map(|(ballot, value)| self.vote(ballot, value));
        let claim = Claim::Promised {
            ballot,
            first_slot: self.slot,
            accepted: accepted.into_iter().collect(),
        };
        self.says(acceptor, proposer, claim);
    }

    /// Acceptors promise a ballot, and have no votes to tell of.
    pub(super) fn prepares(&mut self, proposer: NodeId, ballot: u64, acceptors: &[NodeId]) {
        for &acceptor in acceptors {
            self.promises(acceptor, proposer, ballot, None);
        }
    }

    /// A proposer asks all to accept.
    pub(super) fn proposes(&mut self, proposer: NodeId, ballot: u64, value: i64) {
        let claim = Claim::Proposed(self.vote(ballot, value));
        for to in NodeId::all(self.learned.len()) {
            self.says(proposer, to, claim.clone());
        }
    }

    /// Acceptors accept.
    pub(super) fn accepts(&mut self, acceptors: &[NodeId], ballot: u64, value: i64) {
        let vote = self.vote(ballot, value);
        for &acceptor in acceptors {
            self.votes.push((acceptor, vote.clone()));
            self.says(acceptor, N1, Claim::Accepted(vote.clone()));
        }
    }

    /// A ballot with these acceptors from beginning to end.
    pub(super) fn chooses(
        &mut self,
        proposer: NodeId,
        ballot: u64,
        value: i64,
        acceptors: &[NodeId],
    ) {
        for &acceptor in acceptors {
            let its_own =
                |(who, vote): &&(NodeId, Vote)| *who == acceptor && vote.slot == self.slot;
            let last = self.votes.iter().rfind(its_own);
            let told = last.and_then(|(_, vote)| Some((vote.ballot, vote.value.as_int()?)));
            self.promises(acceptor, proposer, ballot, told);
        }
        self.proposes(proposer, ballot, value);
        self.accepts(acceptors, ballot, value);
    }

    /// A learner takes a value for chosen.
    pub(super) fn learns(&mut self, node: NodeId, value: i64) {
        let learned = self.taken(value);
        self.learned[node.index()].push(learned);
        self.observe(node, Cause::Step, &[]);
    }

    /// A node tells another what is chosen.
    pub(super) fn tells(&mut self, node: NodeId, to: NodeId, value: i64) {
        let learned = self.taken(value);
        self.says(node, to, Claim::Learned(learned));
    }

    fn taken(&self, value: i64) -> Learned {
        Learned {
            slot: self.slot,
            value: Value::Int(value),
        }
    }

    /// A node crashes and starts again.
    pub(super) fn restart(&mut self, node: NodeId) {
        self.learned[node.index()].clear();
        self.observe(node, Cause::Crash, &[]);
        self.observe(node, Cause::Boot, &[]);
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
