//! TC3: what all agree to is not aborted.

use super::Shown;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Non-triviality: without it, a protocol that aborts everything is right.
///
/// A coordinator may abort because a vote did not come in time: that a vote was sent is not enough. But one that has
/// every participant's yes in its hands has no reason left.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "TC3",
    name: "abort-validity",
    statement: "a coordinator that has every participant's yes does not abort",
    source: "Gray and Lamport 2006, §2 (non-triviality)",
    gated_by: &["TP13"],
    watch: || Box::new(AbortValid::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct AbortValid {
    shown: Shown,
}

impl Property for AbortValid {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (_, decisions) = self.shown.news(moment);
        for decision in decisions {
            let all_agreed =
                !decision.participants.is_empty() && decision.yes == decision.participants;
            if all_agreed && !decision.commit {
                return Err(INFO.broken(format!(
                    "Because {} aborted transaction {} though it had the yes of every participant: without a no or a \
                     missing vote it must commit.",
                    moment.now.node, decision.transaction,
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
    fn an_abort_needs_a_reason() {
        let mut bank = Bank::of(2);
        bank.ask(N1, T, &[N1, N2], N1);
        bank.vote(N1, T, true);
        bank.vote(N2, T, true);
        bank.decide(N1, bank.another(), false, &[N1]);
        bank.assert_holds();
        bank.decide(N1, T, false, &[N1, N2]);
        bank.assert_says(
            "TC3",
            "Because n1 aborted transaction c0#1 though it had the yes of every participant: without a no or a missing \
             vote it must commit.",
        );
    }
}
