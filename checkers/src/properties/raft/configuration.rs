//! RI14: configurations change so that no two groups of nodes can decide apart, and leaders have their quorum's votes.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, GroupView, NodeId, NodeSet, Voters, VotersRecord};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The rules of membership change, each where a node acts on it.
///
/// A node acts by the last configuration in its log, and by the one before as soon as that is cut off. A leader appends
/// a configuration only if the one before it is committed, if an entry of its own term is committed, if the quorums of
/// the two meet, and if the voters that it adds have what is committed. And it leads because a quorum of its
/// configuration voted for it.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI14",
    name: "configuration",
    statement: "leaders are elected by quorums of the last configuration in their logs, and change it by the rules",
    source: "dissertation §4.1 to §4.3; Ongaro's correction of 2015; ccfraft.tla LogConfigurationConsistentInv",
    gated_by: &[
        "MC1", "MC2", "MC3", "MC4", "MC6", "MC7", "MC8", "MC9", "MC12",
    ],
    watch: || Box::new(Configuration::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Configuration {
    /// By term and candidate, who voted for it.
    votes: Bag<BTreeMap<(u64, NodeId), NodeSet>>,
}

impl Property for Configuration {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        for granted in moment.now.sent.iter().filter(|sent| sent.grants_vote) {
            let votes = self.votes.entry((granted.term, granted.to)).or_default();
            votes.insert(node);
        }
        let Some(group) = moment.group() else {
            return Ok(false);
        };
        acts_by_its_log(node, &group)?;
        if !moment.leads() {
            return Ok(false);
        }
        if moment.was_elected() {
            let votes = self.votes.get(&(view.term, node)).copied();
            let votes = votes.unwrap_or_default().or(NodeSet::of(node));
            elected(moment, votes)?;
            return Ok(true);
        }
        // A leader's log only grows: what lies beyond what it kept was appended now.
        let last = group.changes.last().filter(|last| last.index > moment.kept);
        if let Some(last) = last {
            changed(moment, &group, last)?;
        }
        Ok(last.is_some())
    }
}

/// A node acts by the last configuration in its log.
fn acts_by_its_log(node: NodeId, group: &GroupView<'_>) -> Result<(), Violation> {
    let last = group
        .changes
        .last()
        .map_or(group.initial, |last| last.voters);
    if group.voters == last {
        return Ok(());
    }
    Err(INFO.broken(format!(
        "Because {node} acts by the configuration {}, while the last in its log is {last}: a configuration must be in \
         force exactly as long as it is in the log, committed or not.",
        group.voters,
    )))
}

/// A leader was elected by these votes. It is judged by the configuration in which it asked for them.
fn elected(moment: &Moment<'_>, votes: NodeSet) -> Result<(), Violation> {
    let (node, term) = (moment.now.node, moment.now.view.term);
    let voters = match moment.before.voters {
        Some(voters) => voters,
        None => moment.voters(node),
    };
    if voters.has_quorum(votes) {
        return Ok(());
    }
    Err(INFO.broken(format!(
        "Because {node} leads term {term} with the votes of {votes}: a leader must have the votes of a majority of its \
         voters, {voters}."
    )))
}

/// A leader appended a configuration.
fn changed(
    moment: &Moment<'_>,
    group: &GroupView<'_>,
    last: &VotersRecord,
) -> Result<(), Violation> {
    let (node, view) = (moment.now.node, &moment.now.view);
    let VotersRecord { index, voters } = *last;
    let before = match group.changes {
        [.., before, _] => *before,
        _ => VotersRecord {
            index: 0,
            voters: group.initial,
        },
    };
    let broken = |why: String| {
        Err(INFO.broken(format!(
            "Because {node}, leading term {}, appended the configuration {voters} as entry {index} {why}",
            view.term,
        )))
    };
    if before.index > view.commit_index {
        return broken(format!(
            "while the one before it, {} of entry {}, was not committed: at most one configuration may be uncommitted.",
            before.voters, before.index,
        ));
    }
    let known = view.log.at(view.commit_index);
    if known.is_some_and(|known| known.term != view.term) {
        return broken(
            "before it had committed an entry of its own term: another leader may be changing the same configuration \
             in another way."
                .to_owned(),
        );
    }
    if !voters.meets(before.voters) {
        return broken(format!(
            "after {}: each majority of the one must have a node in common with each majority of the other.",
            before.voters,
        ));
    }
    match newcomer_behind(moment, voters, before.voters) {
        None => Ok(()),
        Some((newcomer, match_index)) => broken(format!(
            "when {newcomer} was known to hold only {match_index} of {} committed entries: a new voter must have \
             caught up before.",
            view.commit_index,
        )),
    }
}

/// A new voter that the leader does not know to hold what is committed.
fn newcomer_behind(moment: &Moment<'_>, voters: Voters, before: Voters) -> Option<(NodeId, u64)> {
    let view = &moment.now.view;
    let newcomers = voters.all().without(before.all());
    newcomers
        .without(NodeSet::of(moment.now.node))
        .iter()
        .filter_map(|node| Some((node, view.peers.get(node.index())?.match_index)))
        .find(|(_, match_index)| *match_index < view.commit_index)
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Voters;

    use super::*;
    use crate::properties::script::{N1, N2, N3, N4, Script};

    fn set(nodes: &[NodeId]) -> NodeSet {
        nodes.iter().copied().collect()
    }

    /// n1 leads four nodes, of whom the first three are voters, and all have its two committed entries.
    fn three_of_four() -> Script {
        let mut script = Script::raft(4);
        for node in [N1, N2, N3, N4] {
            script.step(node, |actor| actor.initial = Voters::of(set(&[N1, N2, N3])));
        }
        script.elect(N1, 1, &[N2, N3]);
        script.step(N1, |leader| leader.append("ab"));
        script.replicate(N1, &[N2, N3, N4]);
        script.commit(N1, 2);
        script
    }

    #[test]
    fn the_voters_change_by_one_or_jointly() {
        let mut script = three_of_four();
        script.step(N1, |leader| {
            leader.change(Voters::of(set(&[N1, N2, N3, N4])))
        });
        script.replicate(N1, &[N2, N4]);
        script.commit(N1, 3);
        script.step(N1, |leader| {
            let outgoing = set(&[N1, N2, N3, N4]);
            leader.change(Voters::joint(outgoing, set(&[N1, N4])));
        });
        script.replicate(N1, &[N2, N4]);
        script.commit(N1, 4);
        script.step(N1, |leader| leader.change(Voters::of(set(&[N1, N4]))));
        script.replicate(N1, &[N4]);
        script.commit(N1, 5);
        script.elect(N4, 2, &[N1]);
        script.assert_holds();
        assert_eq!(script.exercised("RI14"), 5);
    }

    #[test]
    fn only_one_change_is_uncommitted() {
        let mut script = three_of_four();
        script.step(N1, |leader| {
            leader.change(Voters::of(set(&[N1, N2, N3, N4])))
        });
        script.step(N1, |leader| leader.change(Voters::of(set(&[N1, N2, N4]))));
        script.assert_says(
            "RI14",
            "Because n1, leading term 1, appended the configuration {n1 n2 n4} as entry 4 while the one before it, \
             {n1 n2 n3 n4} of entry 3, was not committed: at most one configuration may be uncommitted.",
        );
    }

    #[test]
    fn no_change_comes_before_an_entry_of_the_own_term_is_committed() {
        let mut script = three_of_four();
        script.commit(N2, 2);
        script.elect(N2, 2, &[N3]);
        script.step(N2, |leader| leader.change(Voters::of(set(&[N2, N3]))));
        let violation = script.assert_breaks("RI14");
        assert!(
            violation.sentence.contains("of its own term"),
            "{violation}"
        );
    }

    #[test]
    fn quorums_of_consecutive_configurations_meet() {
        let mut script = three_of_four();
        script.step(N1, |leader| leader.change(Voters::of(set(&[N1]))));
        let violation = script.assert_breaks("RI14");
        assert!(violation.sentence.contains("in common"), "{violation}");
    }

    #[test]
    fn a_new_voter_has_caught_up() {
        let mut script = three_of_four();
        script.step(N1, |leader| leader.peers[N4.index()].match_index = 2);
        script.step(N1, |leader| leader.append("c"));
        script.replicate(N1, &[N2, N3]);
        script.commit(N1, 3);
        script.step(N1, |leader| {
            leader.change(Voters::of(set(&[N1, N2, N3, N4])))
        });
        let violation = script.assert_breaks("RI14");
        assert!(
            violation
                .sentence
                .contains("n4 was known to hold only 2 of 3"),
            "{violation}"
        );
    }

    #[test]
    fn a_configuration_goes_with_its_entry() {
        let mut script = three_of_four();
        script.step(N1, |leader| {
            leader.change(Voters::of(set(&[N1, N2, N3, N4])))
        });
        script.assert_holds();
        script.step(N1, |node| {
            node.follow(2);
            node.log.truncate(2);
            node.changes.clear();
            node.acts_by = Some(Voters::of(set(&[N1, N2, N3, N4])));
        });
        script.assert_says(
            "RI14",
            "Because n1 acts by the configuration {n1 n2 n3 n4}, while the last in its log is {n1 n2 n3}: a \
             configuration must be in force exactly as long as it is in the log, committed or not.",
        );
    }

    #[test]
    fn a_stranger_does_not_elect() {
        let mut script = three_of_four();
        script.elect(N2, 2, &[N4]);
        script.assert_says(
            "RI14",
            "Because n2 leads term 2 with the votes of {n2 n4}: a leader must have the votes of a majority of its \
             voters, {n1 n2 n3}.",
        );
    }
}
