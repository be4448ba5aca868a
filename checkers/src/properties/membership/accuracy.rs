//! GM-I1: a member is marked as failed only if a majority of masters found it so at about the same time.

use std::collections::BTreeSet;
use std::fmt::Write;

use tribunal_histories::{Claim, MemberStatus, MemberView, MembersView, NodeId, Retraction};

use super::{Beliefs, find, members};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Accuracy of FAIL.
///
/// Who marks a member as failed either was told so by someone who did, or suspects the member itself and has reports
/// of other masters, not older than the window, which with itself make a majority of the masters that it knows. The
/// reports are those that the node shows; that they were really made is checked against what was sent.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GM-I1",
    name: "fail-accuracy",
    statement: "a member is marked FAIL only when a majority of masters suspects it within the window, the marker among \
                those that do",
    source: "Redis Cluster specification, Failure detection; cluster_legacy.c, markNodeAsFailingIfNeeded",
    gated_by: &["GM1", "GM2", "GM3"],
    watch: || Box::new(Accuracy::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Accuracy {
    beliefs: Beliefs,
    /// By node, its count of ticks when it was last observed.
    ticks: Vec<u64>,
    /// Who was told by whom that a member is suspected: to, by, about.
    reported: BTreeSet<(NodeId, NodeId, NodeId)>,
    /// Who was told that a member has failed: to, about, in which life.
    announced: BTreeSet<(NodeId, NodeId, u64)>,
}

impl Accuracy {
    fn note_claims(&mut self, moment: &Moment<'_>) {
        let by = moment.now.node;
        for message in moment.now.sent {
            for claim in &message.claims {
                match claim {
                    Claim::Member(MemberView {
                        member,
                        status: MemberStatus::Suspect | MemberStatus::Dead,
                        ..
                    }) => drop(self.reported.insert((message.to, by, *member))),
                    Claim::Gone { member, generation } => {
                        self.announced.insert((message.to, *member, *generation));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Judges that a node has marked a member as failed.
    fn judge(
        &self,
        node: NodeId,
        view: &MembersView<'_>,
        failed: &MemberView,
        suspected: bool,
    ) -> Result<(), Violation> {
        let about = failed.member;
        let masters = || {
            let present = |known: &&MemberView| known.status != MemberStatus::Removed;
            view.members
                .iter()
                .filter(|known| known.votes)
                .filter(present)
        };
        let counts = |by: NodeId| {
            by == node
                || view.reports.iter().any(|report| {
                    (report.about, report.by) == (about, by)
                        && view.now - report.at <= view.window
                        && self.reported.contains(&(node, by, about))
                })
        };
        let behind: Vec<_> = masters()
            .map(|master| master.member)
            .filter(|by| counts(*by))
            .collect();
        if suspected && behind.len() > masters().count() / 2 {
            return Ok(());
        }
        let mut names = String::new();
        for by in &behind {
            let _ = write!(names, "{}{by}", if names.is_empty() { "" } else { ", " });
        }
        let names = if names.is_empty() {
            "no master"
        } else {
            &names
        };
        let own = if suspected {
            ""
        } else {
            " and without having suspected it"
        };
        Err(INFO.broken(format!(
            "Because {node} marked {about} as failed with {names} of {} masters behind it{own}: a majority of the \
             masters must suspect a member, the marker among those that do, and tell so within {} of the marker's \
             ticks.",
            masters().count(),
            view.window
        )))
    }
}

impl Property for Accuracy {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let Some(view) = members(moment.now).filter(|view| view.retraction == Retraction::Contact)
        else {
            return Ok(false);
        };
        self.note_claims(moment);
        let node = moment.now.node;
        self.ticks.resize(moment.nodes().max(self.ticks.len()), 0);
        let ticked = self.ticks[node.index()] != view.now;
        self.ticks[node.index()] = view.now;
        let before = self.beliefs.before(moment).to_vec();
        if before == view.members {
            return Ok(false);
        }
        let mut tested = false;
        for failed in view.members {
            let known = find(&before, failed.member).map(|known| (known.generation, known.status));
            let is_new = failed.status == MemberStatus::Dead
                && known != Some((failed.generation, MemberStatus::Dead));
            let told = (node, failed.member, failed.generation);
            if is_new && !self.announced.contains(&told) {
                // In a tick the node may come to suspect the member and mark it at once.
                let suspected = ticked || known.map(|known| known.1) == Some(MemberStatus::Suspect);
                self.judge(node, &view, failed, suspected)?;
                tested = true;
            }
        }
        self.beliefs.remember(node, view.members);
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Retraction;

    use crate::properties::membership::script::{N1, N2, N3, N4, N5, Script};

    #[test]
    fn one_is_no_majority() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.suspect(N1, N3);
        script.convict(N1, N3);
        script.assert_says(
            "GM-I1",
            "Because n1 marked n3 as failed with n1 of 3 masters behind it: a majority of the masters must suspect a \
             member, the marker among those that do, and tell so within 4 of the marker's ticks.",
        );
    }

    #[test]
    fn an_old_report_does_not_count() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.suspect(N2, N3);
        script.report(N2, N1, N3);
        script.pass(N1, 4);
        script.suspect(N1, N3);
        let mut later = script.clone();
        script.convict(N1, N3);
        script.assert_holds();
        later.pass(N1, 1);
        later.convict(N1, N3);
        later.assert_breaks("GM-I1");
    }

    #[test]
    fn a_replica_does_not_count() {
        let mut script = Script::begin(5, Retraction::Contact);
        script.make_replicas(&[N4, N5]);
        script.suspect(N1, N3);
        script.report(N4, N1, N3);
        script.report(N5, N1, N3);
        script.convict(N1, N3);
        script.assert_breaks("GM-I1");
    }

    #[test]
    fn a_report_that_nobody_made_does_not_count() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.suspect(N1, N3);
        script.forge_report(N2, N1, N3);
        script.convict(N1, N3);
        script.assert_breaks("GM-I1");
    }

    #[test]
    fn who_was_told_needs_no_majority_of_its_own_and_who_does_not_suspect_must_be_told() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.suspect(N2, N3);
        script.report(N2, N1, N3);
        let mut unsuspecting = script.clone();
        script.suspect(N1, N3);
        script.convict(N1, N3);
        script.adopt(N2, N3);
        script.assert_holds();
        unsuspecting.convict(N1, N3);
        unsuspecting.assert_breaks("GM-I1");
    }
}
