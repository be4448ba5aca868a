//! A bank acted out by hand, for the tests of its properties.

use tribunal_histories::{
    Cause, Claim, CommitmentView, DecisionView, Facet, LogView, Logs, MessageView, NodeId, NodeSet,
    Observation, OutcomeView, TransactionId, View,
};

use crate::properties::Monitor;

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);

/// The transaction `c0#1`.
pub(super) const T: TransactionId = TransactionId {
    client: 0,
    sequence: 1,
    attempt: 0,
};

/// What a node shows; its disk keeps it all.
#[derive(Clone, Debug, Default)]
pub(super) struct Actor {
    pub(super) in_doubt: Vec<TransactionId>,
    pub(super) outcomes: Vec<OutcomeView>,
    pub(super) decisions: Vec<DecisionView>,
}

fn set(nodes: &[NodeId]) -> NodeSet {
    nodes.iter().copied().collect()
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

/// A bank and the monitor that watches it.
pub(super) struct Bank {
    pub(super) actors: Vec<Actor>,
    pub(super) monitor: Monitor,
}

impl Bank {
    pub(super) fn of(nodes: usize) -> Self {
        let mut bank = Self {
            actors: vec![Actor::default(); nodes],
            monitor: Monitor::of("two_phase_commit").unwrap(),
        };
        for node in NodeId::all(nodes) {
            bank.boot(node);
        }
        bank
    }

    pub(super) fn another(&self) -> TransactionId {
        TransactionId { sequence: 2, ..T }
    }

    fn observe(&mut self, node: NodeId, cause: Cause, claim: Option<Claim>) {
        let actor = &self.actors[node.index()];
        let sent: Vec<_> = claim
            .into_iter()
            .map(|claim| MessageView {
                to: N1,
                term: 0,
                grants_vote: false,
                claims: vec![claim],
            })
            .collect();
        let view = View {
            facet: Facet::Commitment(CommitmentView {
                in_doubt: &actor.in_doubt,
                outcomes: &actor.outcomes,
                decisions: &actor.decisions,
            }),
            ..View::default()
        };
        self.monitor.observe(&Observation {
            node,
            cause,
            view,
            sent: &sent,
            logs: &NoLogs(self.actors.len()),
        });
    }

    pub(super) fn boot(&mut self, node: NodeId) {
        self.observe(node, Cause::Boot, None);
    }

    pub(super) fn crash(&mut self, node: NodeId) {
        self.observe(node, Cause::Crash, None);
    }

    /// A coordinator asks for votes.
    pub(super) fn ask(
        &mut self,
        node: NodeId,
        transaction: TransactionId,
        participants: &[NodeId],
        arbiter: NodeId,
    ) {
        let claim = Claim::Asked {
            transaction,
            participants: set(participants),
            arbiter,
        };
        self.observe(node, Cause::Step, Some(claim));
    }

    /// A participant votes; with a yes it is in doubt.
    pub(super) fn vote(&mut self, node: NodeId, transaction: TransactionId, yes: bool) {
        if yes {
            self.actors[node.index()].in_doubt.push(transaction);
        }
        let claim = Claim::Prepared { transaction, yes };
        self.observe(node, Cause::Step, Some(claim));
    }

    /// A coordinator of two participants decides with these yes votes, and tells it.
    pub(super) fn decide(
        &mut self,
        node: NodeId,
        transaction: TransactionId,
        commit: bool,
        yes: &[NodeId],
    ) {
        self.write_decision(node, transaction, commit, yes);
        let claim = Claim::Decided {
            transaction,
            commit,
        };
        self.observe(node, Cause::Step, Some(claim));
    }

    /// A backup decides, and nobody has heard of it yet.
    pub(super) fn decide_silently(
        &mut self,
        node: NodeId,
        transaction: TransactionId,
        commit: bool,
    ) {
        self.write_decision(node, transaction, commit, &[]);
        self.observe(node, Cause::Step, None);
    }

    fn write_decision(
        &mut self,
        node: NodeId,
        transaction: TransactionId,
        commit: bool,
        yes: &[NodeId],
    ) {
        self.actors[node.index()].decisions.push(DecisionView {
            transaction,
            commit,
            participants: set(&[N1, N2]),
            yes: set(yes),
        });
    }

    /// A participant learns an outcome.
    pub(super) fn finish(&mut self, node: NodeId, transaction: TransactionId, committed: bool) {
        let actor = &mut self.actors[node.index()];
        actor.in_doubt.retain(|doubtful| *doubtful != transaction);
        actor.outcomes.push(OutcomeView {
            transaction,
            committed,
        });
        self.observe(node, Cause::Step, None);
    }

    #[track_caller]
    pub(super) fn assert_holds(&self) {
        assert_eq!(self.monitor.violations(), &[]);
    }

    /// The last observation broke this property first, for this reason.
    #[track_caller]
    pub(super) fn assert_says(&self, property: &str, sentence: &str) {
        let violations = self.monitor.violations();
        let violation = violations
            .iter()
            .find(|violation| violation.property == property)
            .unwrap_or_else(|| panic!("{violations:?}"));
        assert_eq!(violation.sentence, sentence);
    }
}
