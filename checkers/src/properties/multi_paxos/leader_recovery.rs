//! MP3: a leader proposes only in slots of which a quorum of promises told it.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, Claim, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Phase 1 is run for every slot in which a leader proposes: once for all is enough, for one of them is not.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "MP3",
    name: "leader-recovery",
    statement: "when the leader of a ballot proposes in a slot, a quorum has told it of that slot in its promises",
    source: "Lamport, Paxos Made Simple (2001) §3: a new leader executes phase 1 for all instances that it does not \
             know chosen",
    gated_by: &["MP1"],
    watch: || Box::new(LeaderRecovery::default()),
};

/// The first and the last of some slots; `None` where all that follow are among them.
type Slots = (u64, Option<u64>);

/// By acceptor, the slots that it told of.
type Told = Bag<BTreeMap<NodeId, Slots>>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct LeaderRecovery {
    /// By ballot and candidate, the slots that each acceptor told of.
    covered: Bag<BTreeMap<(u64, NodeId), Told>>,
    /// The last proposals that were judged, by proposer: they are sent to every acceptor.
    judged: Bag<BTreeMap<NodeId, (u64, u64)>>,
}

impl LeaderRecovery {
    fn covering(&self, ballot: u64, proposer: NodeId, slot: u64) -> usize {
        let told = self.covered.get(&(ballot, proposer));
        let told = told.into_iter().flat_map(|told| &told.0);
        told.filter(|(_, (first, last))| *first <= slot && last.is_none_or(|last| slot <= last))
            .count()
    }
}

impl Property for LeaderRecovery {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        let mut tested = false;
        for sent in moment.now.sent {
            for claim in &sent.claims {
                match claim {
                    Claim::Covers {
                        ballot,
                        first,
                        last,
                    } => {
                        let told = self.covered.entry((*ballot, sent.to)).or_default();
                        told.insert(node, (*first, *last));
                    }
                    Claim::Proposed(vote) => {
                        let proposal = (vote.ballot, vote.slot);
                        if self.judged.insert(node, proposal) == Some(proposal) {
                            continue;
                        }
                        tested = true;
                        let covering = self.covering(vote.ballot, node, vote.slot);
                        if covering <= moment.nodes() / 2 {
                            return Err(INFO.broken(format!(
                                "Because {node} proposed {} in slot {} under ballot {}, and the promises of that \
                                 ballot told of this slot by {covering} of {} acceptors only: a leader must have run \
                                 phase 1 with a majority, {}, for every slot in which it proposes.",
                                vote.value,
                                vote.slot,
                                vote.ballot,
                                moment.nodes(),
                                moment.nodes() / 2 + 1,
                            )));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::multi_paxos::script::{Cluster, N1, N2, N3};

    #[test]
    fn promises_for_all_open_slots_are_enough() {
        let mut cluster = Cluster::of(3);
        for acceptor in [N1, N3] {
            cluster.covers(acceptor, N1, 1, (3, None));
        }
        cluster.proposes(N1, 1, 3);
        cluster.proposes(N1, 1, 9);
        cluster.assert_holds();
        assert_eq!(cluster.exercised("MP3"), 2);
    }

    #[test]
    fn a_promise_for_one_slot_says_nothing_of_the_next() {
        let mut cluster = Cluster::of(3);
        for acceptor in [N1, N2, N3] {
            cluster.covers(acceptor, N2, 2, (1, Some(1)));
        }
        cluster.proposes(N2, 2, 1);
        cluster.assert_holds();
        cluster.proposes(N2, 2, 2);
        cluster.assert_says(
            "MP3",
            "Because n2 proposed 5 in slot 2 under ballot 2, and the promises of that ballot told of this slot by 0 \
             of 3 acceptors only: a leader must have run phase 1 with a majority, 2, for every slot in which it \
             proposes.",
        );
    }

    #[test]
    fn promises_to_another_candidate_do_not_count() {
        let mut cluster = Cluster::of(3);
        for acceptor in [N1, N2] {
            cluster.covers(acceptor, N2, 2, (1, None));
        }
        cluster.proposes(N1, 2, 1);
        cluster.assert_breaks("MP3");
    }
}
