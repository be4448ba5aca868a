//! The properties of membership protocols: who is a member, who has failed, and who says so.
//!
//! GM-I2, completeness (who is gone is known to be gone, and who is back to be back), is about the end of a run: the
//! checker `membership` judges it by the tables that clients read when all faults have ended.

pub mod accuracy;
pub mod epoch_unique;
pub mod indirect_probe;
pub mod monotonic;
pub mod own_incarnation;

use tribunal_histories::{Facet, MemberView, MembersView, NodeId, Observation};

use super::{Moment, PropertyInfo};

/// The properties of membership, GM-I1 and GM-I3 to GM-I6.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &accuracy::INFO,
    &monotonic::INFO,
    &own_incarnation::INFO,
    &epoch_unique::INFO,
    &indirect_probe::INFO,
];

/// What a node that is up shows of the membership.
fn members<'a>(observation: &Observation<'a>) -> Option<MembersView<'a>> {
    match observation.view.facet {
        Facet::Members(view) => Some(view),
        _ => None,
    }
}

/// By node, what it believed of members when it was last observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Beliefs(Vec<Vec<MemberView>>);

impl Beliefs {
    /// What the observed node believed; nothing, if it has restarted since.
    fn before(&mut self, moment: &Moment<'_>) -> &[MemberView] {
        let (node, nodes) = (moment.now.node.index(), moment.nodes());
        if self.0.len() < nodes {
            self.0.resize_with(nodes, Vec::new);
        }
        if moment.restarted() {
            self.0[node].clear();
        }
        &self.0[node]
    }

    fn remember(&mut self, node: NodeId, now: &[MemberView]) {
        let known = &mut self.0[node.index()];
        known.clear();
        known.extend_from_slice(now);
    }
}

fn find(members: &[MemberView], member: NodeId) -> Option<&MemberView> {
    let place = members.binary_search_by_key(&member, |known| known.member);
    place.ok().map(|place| &members[place])
}

#[cfg(test)]
mod script;

#[cfg(test)]
mod tests {
    use tribunal_histories::Retraction;

    use super::script::{N1, N2, N3, Script};

    /// Three masters: n3 fails, two agree, and it comes back; a slot changes hands; a member is removed and joins
    /// again.
    #[test]
    fn a_correct_redis_cluster_tests_its_properties_and_breaks_none() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.suspect(N1, N3);
        script.suspect(N2, N3);
        script.report(N2, N1, N3);
        script.convict(N1, N3);
        script.adopt(N2, N3);
        script.clear(N1, N3);
        script.clear(N2, N3);
        script.own(N2, 0, 7);
        script.learn_slot(N1, 0, N2, 7);
        script.remove(N1, N3);
        script.remove(N3, N3);
        script.live_again(N3);
        script.learn_life(N1, N3);
        script.assert_holds();
        for property in ["GM-I1", "GM-I3", "GM-I4", "GM-I5"] {
            assert!(script.exercised(property) > 0, "{property}");
        }
    }

    #[test]
    fn a_correct_swim_group_tests_its_properties_and_breaks_none() {
        let mut script = Script::begin(3, Retraction::Incarnation);
        script.ask(N1, N2, N3);
        script.suspect(N1, N3);
        script.tell(N1, N2, N3);
        script.suspect(N2, N3);
        script.refute(N3);
        script.believe_refuted(N1, N3);
        script.believe_refuted(N2, N3);
        script.restart(N3);
        script.assert_holds();
        for property in ["GM-I3", "GM-I4", "GM-I6"] {
            assert!(script.exercised(property) > 0, "{property}");
        }
    }
}
