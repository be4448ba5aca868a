//! TC2: what is committed, all participants have agreed to.

use std::collections::BTreeMap;

use tribunal_histories::{Claim, NodeSet, TransactionId};

use super::{Shown, yes_votes};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Unanimity, not majority.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC2",
    name: "commit-validity",
    statement: "a transaction is committed only after every participant has voted yes",
    source: "Gray and Lamport 2006, §2; TCommit.tla: canCommit",
    gated_by: &["TP1", "TP5"],
    watch: || Box::new(CommitValid::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct CommitValid {
    shown: Shown,
    /// Who takes part, and who voted yes.
    votes: BTreeMap<TransactionId, (NodeSet, NodeSet)>,
}

impl Property for CommitValid {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        for message in moment.now.sent {
            for claim in &message.claims {
                if let Claim::Asked {
                    transaction,
                    participants,
                    ..
                } = claim
                {
                    self.votes.entry(*transaction).or_default().0 = *participants;
                }
            }
        }
        for transaction in yes_votes(moment.now.sent) {
            self.votes.entry(transaction).or_default().1.insert(node);
        }
        let mut tested = false;
        let (outcomes, decisions) = self.shown.news(moment);
        let committed = outcomes
            .iter()
            .filter(|outcome| outcome.committed)
            .map(|outcome| outcome.transaction);
        let decided = decisions
            .iter()
            .filter(|decision| decision.commit)
            .map(|decision| decision.transaction);
        for transaction in committed.chain(decided) {
            tested = true;
            let (participants, yes) = self.votes.get(&transaction).copied().unwrap_or_default();
            if let Some(missing) = participants.without(yes).iter().next() {
                return Err(INFO.broken(format!(
                    "Because {node} committed transaction {transaction}, for which {missing} has not voted yes: a \
                     single participant that does not agree must keep it from being committed."
                )));
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::two_phase_commit::acted::{Bank, N1, N2, T};

    #[test]
    fn a_vote_is_missing() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.assert_holds();
        bank.finish(N1, T, true);
        bank.assert_says(
            "TC2",
            "Because n1 committed transaction c0#1, for which n2 has not voted yes: a single participant that does not \
             agree must keep it from being committed.",
        );
    }

    #[test]
    fn a_no_is_no_yes() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.vote(N2, T, false);
        bank.decide(N1, T, true, &[N1]);
        bank.assert_says(
            "TC2",
            "Because n1 committed transaction c0#1, for which n2 has not voted yes: a single participant that does not \
             agree must keep it from being committed.",
        );
    }
}
