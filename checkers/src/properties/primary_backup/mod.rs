//! The properties of primary-backup, one file each, over whole histories.
//!
//! After P. Alsberg and J. Day (ICSE 1976), and the views of B. Oki and B. Liskov (PODC 1988). A view is what other
//! protocols call a term, the primary its leader.
//!
//! PB-I6, that reads are current, is what the clients' history shows (`linearizability`): a primary that does not know
//! whether it still is one looks to itself just like one that is.

pub mod acknowledged_everywhere;
pub mod deterministic;
pub mod fenced;
pub mod kept_on_rejoin;
pub mod new_primary_complete;
pub mod same_operations;

use super::PropertyInfo;

/// The properties of primary-backup, PB-I1 to PB-I5 and PB-I7.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &acknowledged_everywhere::INFO,
    &fenced::INFO,
    &new_primary_complete::INFO,
    &same_operations::INFO,
    &deterministic::INFO,
    &kept_on_rejoin::INFO,
];

#[cfg(test)]
mod acted {
    use tribunal_histories::{Claim, Digest, MessageView, NodeId, PeerProgress, Role, Value, Vote};

    use crate::properties::script::Script;

    /// Three replicas.
    pub(super) fn replicas() -> Script {
        Script::of("primary_backup", 3)
    }

    /// A node begins a view with these members.
    pub(super) fn begin_view(script: &mut Script, node: NodeId, view: u64, members: &[NodeId]) {
        script.step(node, |primary| {
            primary.follow(view);
            primary.role = Role::Leader;
            primary.peers = vec![PeerProgress::default(); 3];
            primary.members = Some(members.iter().copied().collect());
        });
    }

    /// A primary appends operations, and backups get its log onto their disks.
    pub(super) fn replicate(
        script: &mut Script,
        primary: NodeId,
        payloads: &str,
        backups: &[NodeId],
    ) {
        script.step(primary, |primary| primary.append(payloads));
        script.replicate(primary, backups);
    }

    /// A node knows that operations up to an index are acknowledged, and has applied them.
    pub(super) fn acknowledge(script: &mut Script, node: NodeId, index: u64, state: &str) {
        script.step(node, |node| {
            node.commit_index = index;
            node.applied_index = index;
            node.state = Digest::default().then(state);
        });
    }

    /// A backup says that it has operations up to an index.
    pub(super) fn accepted(view: u64, index: u64) -> MessageView {
        MessageView {
            to: NodeId(0),
            term: view,
            grants_vote: false,
            claims: vec![Claim::Accepted(Vote {
                ballot: view,
                slot: index,
                value: Value::Nil,
            })],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::acted::{accepted, acknowledge, begin_view, replicas, replicate};
    use crate::properties::script::{N1, N2, N3};

    #[test]
    fn a_change_of_view_tests_everything_and_breaks_nothing() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2, N3]);
        replicate(&mut script, N1, "ab", &[N2, N3]);
        script.step_and_send(N2, |_| {}, &[accepted(1, 2)]);
        acknowledge(&mut script, N1, 2, "ab");
        acknowledge(&mut script, N2, 2, "ab");
        replicate(&mut script, N1, "c", &[]);
        begin_view(&mut script, N2, 2, &[N2, N3]);
        replicate(&mut script, N2, "d", &[N3]);
        acknowledge(&mut script, N2, 3, "abd");
        script.restart(N1);
        replicate(&mut script, N2, "e", &[N1, N3]);
        acknowledge(&mut script, N1, 3, "abd");
        script.assert_holds();
        for exercise in script.monitor.exercised() {
            assert!(exercise.count > 0, "{} was never tested", exercise.property);
        }
    }

    #[test]
    fn names_and_ids_differ() {
        let mut names = std::collections::BTreeSet::new();
        for info in super::PROPERTIES {
            assert!(
                names.insert(info.name) && names.insert(info.id),
                "{}",
                info.id
            );
        }
    }
}
