//! The properties of Raft, one file each, in the true forms: those that correct Raft keeps over whole histories.
//!
//! The paper is D. Ongaro and J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014;
//! the dissertation is D. Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014, whose appendix B proves
//! the lemmas. TLA+ names are those of `etcdraft.tla` (etcd-io/raft), `ccfraft.tla` (microsoft/CCF) and SandTable's
//! specifications (EuroSys 2024).
//!
//! Three published invariants are left out because correct Raft breaks them: etcd's `LeaderCompletenessInv` (it
//! compares with the entry's term; [`leader_completeness`] compares with the term in which it was committed),
//! `MoreUpToDateCorrectInv`, and `VotesGrantedInv`.

pub mod commit_durable;
pub mod configuration;
pub mod current_term_commit;
pub mod election_safety;
pub mod index_bounds;
pub mod leader_append_only;
pub mod leader_completeness;
pub mod lease;
pub mod log_matching;
pub mod match_index_sound;
pub mod monotonic;
pub mod pre_vote;
pub mod quorum_log;
pub mod read_index;
pub mod same_state;
pub mod snapshot;
pub mod state_machine_safety;
pub mod term_bounds;
pub mod vote_once;

use super::PropertyInfo;

/// The properties of Raft.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &election_safety::INFO,
    &vote_once::INFO,
    &leader_append_only::INFO,
    &log_matching::INFO,
    &leader_completeness::INFO,
    &state_machine_safety::INFO,
    &commit_durable::INFO,
    &current_term_commit::INFO,
    &monotonic::INFO,
    &term_bounds::INFO,
    &match_index_sound::INFO,
    &index_bounds::INFO,
    &quorum_log::INFO,
    &configuration::INFO,
    &pre_vote::INFO,
    &snapshot::INFO,
    &read_index::INFO,
    &lease::INFO,
    &same_state::INFO,
];

#[cfg(test)]
mod tests {
    use tribunal_histories::Digest;

    use crate::properties::script::{N1, N2, N3, Script};

    /// Three terms of correct Raft: an uncommitted entry is overwritten, a node restarts, another compacts its log
    /// and a third is brought up to date by its snapshot.
    fn three_terms() -> Script {
        let mut script = Script::with_committed(3, "ab");
        script.commit(N2, 2);
        script.step(N1, |leader| leader.append("lost"));
        script.elect(N2, 2, &[N3]);
        script.step(N2, |leader| leader.append("c"));
        script.replicate(N2, &[N1, N3]);
        script.commit(N2, 3);
        script.commit(N3, 3);
        script.restart(N2);
        script.would_vote(N1, 3, N3);
        script.elect(N3, 3, &[N1]);
        script.step(N3, |leader| leader.append("d"));
        script.replicate(N3, &[N1]);
        script.commit(N3, 4);
        script.commit(N1, 4);
        for node in [N3, N1] {
            script.step(node, |node| node.apply(4, Digest(4)));
        }
        script.read(N3, 4, |_| {});
        script.step(N3, |leader| leader.log.compact(4));
        script.step(N3, |leader| leader.append("e"));
        script.replicate(N3, &[N2]);
        script.commit(N3, 5);
        script.step(N2, |node| {
            node.commit_index = 5;
            node.apply(5, Digest(5));
        });
        script.step(N3, |node| node.apply(5, Digest(5)));
        script
    }

    #[test]
    fn correct_raft_tests_every_property_and_breaks_none() {
        let script = three_terms();
        script.assert_holds();
        for exercise in script.monitor.exercised() {
            assert!(exercise.count > 0, "{} was never tested", exercise.property);
        }
    }

    #[test]
    fn ids_count_up_and_names_differ() {
        let mut names = std::collections::BTreeSet::new();
        let mut last = 0;
        for info in super::PROPERTIES {
            let number: u32 = info.id.strip_prefix("RI").unwrap().parse().unwrap();
            assert!(number > last, "{}", info.id);
            assert!(names.insert(info.name), "{}", info.name);
            last = number;
        }
    }

    #[test]
    fn a_cloned_monitor_goes_its_own_way() {
        let before = three_terms();
        let mut after = before.clone();
        after.commit(N3, 4);
        after.assert_breaks("RI9");
        before.assert_holds();
    }

    #[test]
    fn nothing_is_judged_after_the_first_violation() {
        let mut script = three_terms();
        script.commit(N3, 4);
        let judged = script.monitor.observations();
        script.commit(N3, 3);
        assert_eq!(script.monitor.observations(), judged);
        script.assert_breaks("RI9");
    }
}
