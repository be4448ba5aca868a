//! PX6: what is accepted was proposed.

use tribunal_histories::Claim;

use super::ledger::{Proposals, in_slot};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Validity: a vote is for a value that was proposed under its ballot, so that what is chosen was proposed. That a
/// proposal is a client's, or the value of an older vote, is for the clients' history and for
/// [`shows_safe`](super::shows_safe) to judge.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PX6",
    name: "validity",
    statement: "an acceptor accepts only what was proposed under that ballot",
    source: "Lamport, Paxos Made Simple (2001) §2.1: only a value that has been proposed may be chosen; Paxos.tla: \
             MsgInv, 2b",
    gated_by: &["BP22"],
    watch: || Box::new(Validity::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Validity {
    proposals: Proposals,
}

impl Property for Validity {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            match claim {
                Claim::Proposed(vote) => self.proposals.add(vote),
                Claim::Accepted(vote) => {
                    tested = true;
                    if !self.proposals.has(vote) {
                        let proposed = self.proposals.under(vote.slot, vote.ballot);
                        let proposed: Vec<_> = proposed.iter().map(ToString::to_string).collect();
                        let proposed = match &proposed[..] {
                            [] => "nothing".to_owned(),
                            values => format!("only {}", values.join(", ")),
                        };
                        return Err(INFO.broken(format!(
                            "Because {} accepted {} under ballot {}{}, where {proposed} was proposed: an acceptor must \
                             accept what it is asked to accept.",
                            moment.now.node,
                            vote.value,
                            vote.ballot,
                            in_slot(vote.slot)
                        )));
                    }
                }
                _ => {}
            }
        }
        Ok(tested)
    }

    fn concerns(&self, moment: &Moment<'_>) -> bool {
        moment.claims(|claim| matches!(claim, Claim::Accepted(_) | Claim::Proposed(_)))
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn a_value_is_proposed_before_it_is_accepted() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("PX6"), 2);
    }

    #[test]
    fn an_acceptor_does_not_choose_values() {
        let mut cluster = Cluster::of(3);
        cluster.chooses(N1, 1, 5, &[N1, N2]);
        cluster.promises(N2, N3, 3, Some((1, 5)));
        cluster.promises(N3, N3, 3, None);
        cluster.proposes(N3, 3, 5);
        cluster.accepts(&[N3], 3, 6);
        cluster.assert_says(
            "PX6",
            "Because n3 accepted 6 under ballot 3, where only 5 was proposed: an acceptor must accept what it is \
             asked to accept.",
        );
    }
}
