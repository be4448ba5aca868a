//! TC8: when a transaction is blocked, nobody ends it.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{Cause, Claim, NodeId, NodeSet, TransactionId};

use super::{Shown, commitment, done};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The detector of blocking.
///
/// A transaction is blocked when the one node that can decide it is down, every participant that is up has voted yes
/// and does not know the outcome, nobody who is up knows it, and nobody was told: no message on its way can tell.
/// Two-phase commit blocks: that is no violation, and
/// how often this property was tested says how often it happened. But then nothing can be known, so that whoever ends
/// the transaction guesses.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC8",
    name: "blocked",
    statement: "a transaction that is blocked stays so until the node that can decide it is back (tested as often as \
                one was blocked)",
    source: "Gray and Lamport 2006, §3; Bernstein, Hadzilacos and Goodman, 1987, §7.3: the window of vulnerability",
    gated_by: &["TP4", "TP5", "TP7"],
    watch: || Box::new(Blocking::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Blocking {
    shown: Shown,
    down: BTreeSet<NodeId>,
    in_doubt: BTreeMap<NodeId, Vec<TransactionId>>,
    /// Who takes part, and who decides.
    asked: BTreeMap<TransactionId, (NodeSet, NodeId)>,
    /// Who knows of a decision or an outcome.
    known: BTreeMap<TransactionId, BTreeSet<NodeId>>,
    /// Whose outcome somebody was told.
    told: BTreeSet<TransactionId>,
    blocked: BTreeSet<TransactionId>,
}

impl Blocking {
    fn is_blocked(&self, transaction: TransactionId) -> bool {
        let Some((participants, arbiter)) = self.asked.get(&transaction) else {
            return false;
        };
        let doubts = |node: &NodeId| {
            let doubtful = self.in_doubt.get(node);
            doubtful.is_some_and(|doubtful| doubtful.contains(&transaction))
        };
        let up = |node: &NodeId| !self.down.contains(node);
        let mut live = participants.iter().filter(up).peekable();
        let known = self.known.get(&transaction);
        self.down.contains(arbiter)
            && live.peek().is_some()
            && live.all(|node| doubts(&node))
            && !known.is_some_and(|known| known.iter().any(up))
            && !self.told.contains(&transaction)
    }

    /// What an observation says about who is in doubt and what was said; whether that changed anything.
    fn learn(&mut self, moment: &Moment<'_>) -> bool {
        let node = moment.now.node;
        let mut changed = matches!(moment.now.cause, Cause::Crash | Cause::Boot);
        let in_doubt = commitment(moment).in_doubt;
        let before = self.in_doubt.entry(node).or_default();
        if before != in_doubt {
            before.clear();
            before.extend_from_slice(in_doubt);
            changed = true;
        }
        for claim in moment.now.sent.iter().flat_map(|message| &message.claims) {
            match claim {
                Claim::Asked {
                    transaction,
                    participants,
                    arbiter,
                } => {
                    self.asked.insert(*transaction, (*participants, *arbiter));
                }
                Claim::Decided { transaction, .. } => {
                    changed |= self.told.insert(*transaction);
                }
                _ => {}
            }
        }
        changed
    }
}

impl Property for Blocking {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let (outcomes, decisions) = self.shown.news(moment);
        let outcomes = outcomes
            .iter()
            .map(|seen| (seen.transaction, seen.committed));
        let decisions = decisions.iter().map(|seen| (seen.transaction, seen.commit));
        match moment.now.cause {
            Cause::Crash => {
                self.down.insert(node);
                for known in self.known.values_mut() {
                    known.remove(&node);
                }
            }
            Cause::Boot => {
                self.down.remove(&node);
            }
            _ => {}
        }
        let mut changed = false;
        for (transaction, commit) in outcomes.chain(decisions) {
            let arbiter = self.asked.get(&transaction).map(|asked| asked.1);
            let guesses = self.blocked.contains(&transaction)
                && moment.now.cause != Cause::Crash
                && arbiter.is_some_and(|arbiter| self.down.contains(&arbiter));
            if let Some(arbiter) = arbiter.filter(|_| guesses) {
                return Err(INFO.broken(format!(
                    "Because {node} {} transaction {transaction} while it was blocked: {arbiter}, who alone can decide, \
                     was down, and every participant that was up was in doubt, so that nobody could know.",
                    done(commit),
                )));
            }
            self.known.entry(transaction).or_default().insert(node);
            changed = true;
        }
        if !self.learn(moment) && !changed {
            return Ok(false);
        }
        let doubtful: BTreeSet<_> = self.in_doubt.values().flatten().copied().collect();
        let blocked: BTreeSet<_> = doubtful
            .into_iter()
            .filter(|transaction| self.is_blocked(*transaction))
            .collect();
        let newly_blocked = !blocked.is_subset(&self.blocked);
        self.blocked = blocked;
        Ok(newly_blocked)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::two_phase_commit::acted::{Bank, N1, N2, N3, T};

    /// n2 and n3 are prepared; n1, who decides, is down.
    fn blocked() -> Bank {
        let mut bank = Bank::of(3);
        bank.ask(N1, T, &[N2, N3], N1);
        bank.vote(N2, T, true);
        bank.vote(N3, T, true);
        assert_eq!(times_blocked(&bank), 0);
        bank.crash(N1);
        bank.assert_holds();
        assert_eq!(times_blocked(&bank), 1);
        bank
    }

    fn times_blocked(bank: &Bank) -> u64 {
        let mut exercised = bank.monitor.exercised();
        exercised
            .find(|exercise| exercise.property == "TC8")
            .unwrap()
            .count
    }

    #[test]
    fn what_is_blocked_waits_for_who_decides() {
        let mut bank = blocked();
        bank.boot(N1);
        bank.finish(N2, T, true);
        bank.finish(N3, T, true);
        bank.assert_holds();
    }

    #[test]
    fn who_ends_it_guesses() {
        let mut bank = blocked();
        bank.finish(N3, T, false);
        bank.assert_says(
            "TC8",
            "Because n3 aborted transaction c0#1 while it was blocked: n1, who alone can decide, was down, and every \
             participant that was up was in doubt, so that nobody could know.",
        );
    }

    #[test]
    fn one_who_knows_is_enough() {
        let mut bank = Bank::of(3);
        bank.ask(N1, T, &[N2, N3], N1);
        bank.vote(N2, T, true);
        bank.vote(N3, T, true);
        bank.finish(N2, T, true);
        bank.crash(N1);
        bank.finish(N3, T, true);
        bank.assert_holds();
        assert_eq!(times_blocked(&bank), 0);
    }
}
