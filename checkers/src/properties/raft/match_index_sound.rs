//! RI11: what a leader believes a peer to hold, the peer holds.

use tribunal_histories::{LogView, NodeId, Role};

use crate::properties::committed::describe_record;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Match indexes are sound while leader and peer are in one term; in a later term the peer may follow another leader.
///
/// Asked when a leader raises a match index, and when a peer removes entries that were counted on.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI11",
    name: "match-index-sound",
    statement: "a peer's log equals the leader's up to the leader's match index, while both are in one term",
    source: "Raft figure 2 (matchIndex) and §5.3; ccfraft.tla MatchIndexBoundedByLogInv",
    gated_by: &["RF12", "RF13", "RF18", "RF19"],
    watch: || Box::new(MatchIndexSound),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct MatchIndexSound;

impl Property for MatchIndexSound {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let mut tested = false;
        if moment.leads() {
            tested |= leader_counts(moment)?;
        }
        if moment.dropped_entries() {
            tested |= peer_drops(moment)?;
        }
        Ok(tested)
    }
}

/// The observed node leads and may have raised match indexes.
fn leader_counts(moment: &Moment<'_>) -> Result<bool, Violation> {
    let (node, view) = (moment.now.node, &moment.now.view);
    let mut tested = false;
    for ((peer, past), progress) in moment.past().zip(view.peers) {
        let before = moment.before.peers.get(peer.index());
        let counted = before.filter(|_| moment.leads_on());
        let raised = progress.match_index > counted.map_or(0, |before| before.match_index);
        if peer == node || !raised || past.term != view.term {
            continue;
        }
        let leader = Log(node, view.log);
        let peer = Log(peer, moment.now.logs.log(peer));
        check(view.term, leader, peer, progress.match_index)?;
        tested = true;
    }
    Ok(tested)
}

/// The observed node removed entries on which a leader of its term may count.
fn peer_drops(moment: &Moment<'_>) -> Result<bool, Violation> {
    let (node, view) = (moment.now.node, &moment.now.view);
    let mut tested = false;
    for (leader, past) in moment.past() {
        if leader == node || past.role != Role::Leader || past.term != view.term {
            continue;
        }
        let counted = past.peers.get(node.index()).map_or(0, |p| p.match_index);
        if counted > moment.kept {
            let leader = Log(leader, past.log());
            check(view.term, leader, Log(node, view.log), counted)?;
            tested = true;
        }
    }
    Ok(tested)
}

struct Log<'a>(NodeId, LogView<'a>);

fn check(term: u64, leader: Log<'_>, peer: Log<'_>, index: u64) -> Result<(), Violation> {
    let (Log(leader, expected), Log(peer, found)) = (leader, peer);
    // What one of them has compacted is committed, and other properties watch over it.
    if index < expected.start || index < found.start || expected.at(index) == found.at(index) {
        return Ok(());
    }
    Err(INFO.broken(format!(
        "Because {leader}, leading term {term}, counts on {peer} to hold its log up to index {index}, where {leader} \
         has {} but {peer} has {}: a match index must not exceed what the peer holds.",
        describe_record(&expected, index),
        describe_record(&found, index),
    )))
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{N1, N2, N3, Script};

    #[test]
    fn a_peer_that_left_the_term_may_drop_what_was_counted_on() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2]);
        script.step(N2, |peer| {
            peer.follow(2);
            peer.log.truncate(0);
        });
        script.count(N1, N2, 2);
        script.assert_holds();
        assert_eq!(script.exercised("RI11"), 1);
    }

    #[test]
    fn a_leader_may_not_count_on_what_a_peer_lacks() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.step(N2, |peer| peer.log.append(1, "a"));
        script.count(N1, N2, 2);
        let violation = script.assert_breaks("RI11");
        let end =
            "but n2 has nothing at index 2: a match index must not exceed what the peer holds.";
        assert!(violation.sentence.ends_with(end), "{violation}");
    }

    #[test]
    fn a_peer_may_not_drop_what_its_leader_counts_on() {
        let mut script = Script::raft(3);
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2]);
        script.step(N2, |peer| peer.log.truncate(1));
        script.assert_breaks("RI11");
    }
}
