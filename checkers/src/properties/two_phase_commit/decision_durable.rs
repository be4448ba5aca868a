//! TC6: a commit that was told outlives a crash.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{Cause, Claim, NodeId, TransactionId};

use super::commitment;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Whoever tells a commit can tell it again.
///
/// Judged when a node crashes. Aborts need not be on a disk: what nobody knows may be presumed aborted.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC6",
    name: "decision-durable",
    statement: "a node that crashes finds on its disk every commit that it told somebody of",
    source: "Gray 1978, §5.8.3.3: the commit record is forced before anybody is told",
    gated_by: &["TP2", "TP3"],
    watch: || Box::new(DecisionDurable::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct DecisionDurable {
    told: BTreeMap<NodeId, BTreeSet<TransactionId>>,
}

impl Property for DecisionDurable {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        for claim in moment.now.sent.iter().flat_map(|message| &message.claims) {
            if let Claim::Decided {
                transaction,
                commit: true,
            } = claim
            {
                self.told.entry(node).or_default().insert(*transaction);
            }
        }
        if moment.now.cause != Cause::Crash {
            return Ok(false);
        }
        let Some(told) = self.told.get(&node) else {
            return Ok(false);
        };
        let decisions = commitment(moment).decisions.iter();
        let kept: BTreeSet<_> = decisions
            .filter(|decision| decision.commit)
            .map(|decision| decision.transaction)
            .collect();
        match told.difference(&kept).next() {
            Some(transaction) => Err(INFO.broken(format!(
                "Because {node} told that transaction {transaction} is committed, and after its crash does not know: a \
                 commit must be on disk before anybody hears of it."
            ))),
            None => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::two_phase_commit::acted::{Bank, N1, N2, T};

    #[test]
    fn a_commit_that_was_told_is_on_disk() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.vote(N2, T, true);
        bank.decide(N1, T, true, &[N1, N2]);
        bank.crash(N1);
        bank.assert_holds();
        bank.boot(N1);
        bank.actors[0].decisions.clear();
        bank.crash(N1);
        bank.assert_says(
            "TC6",
            "Because n1 told that transaction c0#1 is committed, and after its crash does not know: a commit must be \
             on disk before anybody hears of it.",
        );
    }
}
