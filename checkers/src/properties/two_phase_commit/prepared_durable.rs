//! TC5: a yes outlives a crash.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{Cause, NodeId, TransactionId};

use super::{commitment, yes_votes};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Whoever said yes can commit, whatever happens to it.
///
/// Judged when a node crashes: what it said yes to is prepared on its disk, or its outcome is there.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC5",
    name: "prepared-durable",
    statement: "a participant that crashes finds on its disk whatever it voted yes for",
    source: "Gray 1978, §5.8.3.3: the prepare record is forced before the vote; TwoPhase.tla: RMPrepare",
    gated_by: &["TP6"],
    watch: || Box::new(PreparedDurable::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct PreparedDurable {
    /// By node, what it voted yes for and has not ended on its disk in an earlier crash.
    promised: BTreeMap<NodeId, BTreeSet<TransactionId>>,
}

impl Property for PreparedDurable {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let mut promises = yes_votes(moment.now.sent).peekable();
        if promises.peek().is_some() {
            self.promised.entry(node).or_default().extend(promises);
        }
        if moment.now.cause != Cause::Crash {
            return Ok(false);
        }
        let Some(promised) = self.promised.get_mut(&node) else {
            return Ok(false);
        };
        let kept = commitment(moment);
        for outcome in kept.outcomes {
            promised.remove(&outcome.transaction);
        }
        let lost = promised
            .iter()
            .find(|transaction| !kept.in_doubt.contains(transaction));
        match lost {
            Some(transaction) => Err(INFO.broken(format!(
                "Because {node} voted yes for transaction {transaction}, and after its crash knows nothing of it: a \
                 participant must be able to commit whatever it voted yes for."
            ))),
            None => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::two_phase_commit::acted::{Bank, N1, N2, T};

    #[test]
    fn a_promise_is_kept_or_fulfilled_but_not_forgotten() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N2, T, true);
        bank.crash(N2);
        bank.boot(N2);
        bank.finish(N2, T, false);
        bank.crash(N2);
        bank.boot(N2);
        bank.assert_holds();
        let next = bank.another();
        bank.vote(N2, next, true);
        bank.actors[1].in_doubt.clear();
        bank.crash(N2);
        bank.assert_says(
            "TC5",
            "Because n2 voted yes for transaction c0#2, and after its crash knows nothing of it: a participant must be \
             able to commit whatever it voted yes for.",
        );
    }
}
