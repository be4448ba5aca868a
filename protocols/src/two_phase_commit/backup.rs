//! The backup of a coordinator: it writes decisions down before anybody is told, and a participant in doubt may ask it
//! while the coordinator is silent.
//!
//! Nobody can tell a slow coordinator from a dead one, so the backup must not merely stand in for it: what it has
//! written down first *is* the decision, for the coordinator too. It is the one acceptor of Paxos Commit with F = 0
//! (Gray and Lamport 2006, §5). `2PCwithBTM.tla` shows what happens otherwise.

use tribunal_histories::{DecisionView, NodeId, TransactionId};

use super::config::Scheme;
use super::ledger::Write;
use super::message::Message;
use super::{Cx, TwoPhaseCommit, TwoPhaseCommitBug as Bug, probes};
use crate::quorum::NodeSet;

impl TwoPhaseCommit {
    /// A coordinator wants a decision written down.
    pub(super) fn record(&mut self, from: NodeId, decision: DecisionView, cx: &mut Cx<'_>) {
        let DecisionView {
            transaction,
            commit,
            ..
        } = decision;
        let commit = match cx.durable().arbitrated(transaction) {
            Some(earlier) => earlier,
            None => {
                self.arbitrate(decision, cx);
                commit
            }
        };
        cx.send(
            from,
            Message::Recorded {
                transaction,
                commit,
            },
        );
    }

    /// A participant in doubt asks: what is not decided is aborted now.
    pub(super) fn answer_as_arbiter(
        &mut self,
        from: NodeId,
        transaction: TransactionId,
        cx: &mut Cx<'_>,
    ) {
        let known = cx.durable().arbitrated(transaction);
        let commit = match known.filter(|_| !cx.has(Bug::BackupDoesNotLook)) {
            Some(commit) => commit,
            None => {
                cx.note(probes::BACKUP_ABORTED);
                let attempt = transaction.attempt + u32::from(cx.has(Bug::AbortUnderAnotherKey));
                let decision = DecisionView {
                    transaction: TransactionId {
                        attempt,
                        ..transaction
                    },
                    commit: false,
                    participants: NodeSet::EMPTY,
                    yes: NodeSet::EMPTY,
                };
                self.arbitrate(decision, cx);
                false
            }
        };
        cx.send(
            from,
            Message::Outcome {
                transaction,
                commit,
            },
        );
    }

    fn arbitrate(&mut self, decision: DecisionView, cx: &mut Cx<'_>) {
        self.decisions.push(decision);
        cx.write(Write::Arbitrate { decision });
    }

    /// Whether this node decides about a transaction in its coordinator's place.
    pub(super) fn is_backup_for(transaction: TransactionId, cx: &Cx<'_>) -> bool {
        cx.config().scheme == Scheme::Backup && cx.config().arbiter(transaction) == cx.me()
    }
}
