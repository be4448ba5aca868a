//! TC1: no participant commits what another aborts.

use std::collections::BTreeMap;

use tribunal_histories::{Cause, NodeId, TransactionId};

use super::{Shown, done};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// All or none.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC1",
    name: "atomicity",
    statement: "no participant commits a transaction that another has ever aborted, nor the other way round",
    source: "Gray and Lamport 2006, §2; TCommit.tla: TCConsistent, over the history",
    gated_by: &["TP4", "TP5", "TP9", "TP10"],
    watch: || Box::new(Consistent::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Consistent {
    shown: Shown,
    /// Who ended a transaction, and whether it committed it.
    ended: BTreeMap<TransactionId, BTreeMap<NodeId, bool>>,
}

impl Property for Consistent {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let (outcomes, _) = self.shown.news(moment);
        if moment.now.cause == Cause::Crash {
            // What it had not written down, it has not done.
            for ended in self.ended.values_mut() {
                ended.remove(&node);
            }
        }
        for outcome in outcomes {
            let ended = self.ended.entry(outcome.transaction).or_default();
            let other = ended
                .iter()
                .find(|(_, committed)| **committed != outcome.committed);
            if let Some((other, committed)) = other.filter(|(other, _)| **other != node) {
                return Err(INFO.broken(format!(
                    "Because {node} {} transaction {}, which {other} {}: either all participants commit a transaction \
                     or none does.",
                    done(outcome.committed),
                    outcome.transaction,
                    done(*committed),
                )));
            }
            ended.insert(node, outcome.committed);
        }
        Ok(!outcomes.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::two_phase_commit::acted::{Bank, N1, N2, T};

    #[test]
    fn one_aborts_what_the_other_commits() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.vote(N2, T, true);
        bank.finish(N1, T, true);
        bank.assert_holds();
        // What is lost before anybody heard of it was never done.
        bank.finish(N2, bank.another(), false);
        bank.actors[1].outcomes.clear();
        bank.crash(N2);
        bank.boot(N2);
        bank.finish(N1, bank.another(), true);
        bank.assert_holds();
        bank.finish(N2, T, false);
        bank.assert_says(
            "TC1",
            "Because n2 aborted transaction c0#1, which n1 committed: either all participants commit a transaction or \
             none does.",
        );
    }
}
