//! TC4: a decision stands.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{Cause, Claim, NodeId, TransactionId};

use super::{Shown, verb};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// A transaction is decided once.
///
/// Decisions of a coordinator and of its backup are decisions about the same thing; so are those before and after a
/// crash. A participant does not end a transaction twice either.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC4",
    name: "stable-decisions",
    statement: "a transaction is decided one way only, by whomever, across restarts",
    source: "Gray and Lamport 2006, §2: committed and aborted are final (TCommit.tla: Decide)",
    gated_by: &["TP7", "TP8"],
    watch: || Box::new(Stable::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Stable {
    shown: Shown,
    decided: BTreeMap<TransactionId, (NodeId, bool)>,
    ended: BTreeMap<(NodeId, TransactionId), bool>,
    /// The transactions whose decision somebody was told.
    told: BTreeSet<TransactionId>,
}

impl Stable {
    /// A node crashed: what it had not written down, and nobody was told, was never decided.
    fn forget_what_is_lost(&mut self, node: NodeId) {
        self.ended.retain(|(owner, _), _| *owner != node);
        let told = &self.told;
        self.decided
            .retain(|transaction, (first, _)| *first != node || told.contains(transaction));
    }
}

impl Property for Stable {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let (outcomes, decisions) = self.shown.news(moment);
        for claim in moment.now.sent.iter().flat_map(|message| &message.claims) {
            if let Claim::Decided { transaction, .. } = claim {
                self.told.insert(*transaction);
            }
        }
        if moment.now.cause == Cause::Crash {
            self.forget_what_is_lost(node);
        }
        for decision in decisions {
            let transaction = decision.transaction;
            let entry = self.decided.entry(transaction);
            let (first, commit) = *entry.or_insert((node, decision.commit));
            if commit != decision.commit {
                return Err(INFO.broken(format!(
                    "Because {node} decided to {} transaction {transaction} after {first} had decided to {} it: a \
                     decision must stand, whoever crashes.",
                    verb(decision.commit),
                    verb(commit),
                )));
            }
        }
        for outcome in outcomes {
            let entry = self.ended.entry((node, outcome.transaction));
            if *entry.or_insert(outcome.committed) != outcome.committed {
                return Err(INFO.broken(format!(
                    "Because {node} ended transaction {} both ways: what is committed or aborted must stay so.",
                    outcome.transaction,
                )));
            }
        }
        Ok(!decisions.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::two_phase_commit::acted::{Bank, N1, N2, T};

    #[test]
    fn a_decision_is_repeated_but_not_changed() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.vote(N2, T, true);
        bank.decide(N1, T, true, &[N1, N2]);
        bank.decide(N2, T, true, &[]);
        bank.assert_holds();
        bank.decide(N2, T, false, &[]);
        bank.assert_says(
            "TC4",
            "Because n2 decided to abort transaction c0#1 after n1 had decided to commit it: a decision must stand, \
             whoever crashes.",
        );
    }

    #[test]
    fn what_nobody_was_told_may_be_decided_anew_after_a_crash() {
        let mut bank = Bank::of(2);
        bank.decide_silently(N1, T, true);
        bank.actors[0].decisions.clear();
        bank.crash(N1);
        bank.boot(N1);
        bank.decide(N1, T, false, &[]);
        bank.assert_holds();
    }

    #[test]
    fn a_participant_ends_a_transaction_once() {
        let mut bank = Bank::of(2);
        bank.finish(N1, T, false);
        bank.finish(N1, T, true);
        bank.assert_says(
            "TC4",
            "Because n1 ended transaction c0#1 both ways: what is committed or aborted must stay so.",
        );
    }
}
