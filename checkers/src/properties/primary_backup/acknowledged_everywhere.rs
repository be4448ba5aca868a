//! PB-I1: what is acknowledged is on every member's disk.

use tribunal_histories::{Facet, Quorum};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// All members have it, and the members are a majority.
///
/// Asked when a primary takes operations for acknowledged. The disks of the members are looked at as a crash now would
/// leave them.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PB-I1",
    name: "acknowledged-everywhere",
    statement: "a primary acknowledges only what is on the disks of all members of its view, at least a majority",
    source: "Alsberg and Day 1976, §3: n-host resilience; Kafka: in-sync replicas and min.insync.replicas",
    gated_by: &["PB1", "PB6", "PB12"],
    watch: || Box::new(AcknowledgedEverywhere),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct AcknowledgedEverywhere;

impl Property for AcknowledgedEverywhere {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, &moment.now.view);
        let Facet::Replicas(members) = view.facet else {
            return Ok(false);
        };
        let index = view.commit_index;
        let before = if moment.restarted() {
            0
        } else {
            moment.before.commit_index
        };
        // A new primary may know already what earlier ones acknowledged.
        if index <= before || index <= moment.committed_before {
            return Ok(false);
        }
        let count = members.len();
        if !Quorum::Majority.is_reached(members, moment.nodes()) {
            return Err(INFO.broken(format!(
                "Because {node} acknowledged operation {index} in view {} with {count} of {} nodes as its members: \
                 fewer than a majority can all be gone when the next view begins.",
                view.term,
                moment.nodes(),
            )));
        }
        let record = view.log.at(index);
        let lacking = members
            .iter()
            .find(|member| moment.now.logs.durable_log(*member).at(index) != record);
        match lacking {
            Some(member) => Err(INFO.broken(format!(
                "Because {node} acknowledged operation {index} in view {} while {member}, a member of that view, does \
                 not have it on its disk: all members must have an operation before it is acknowledged.",
                view.term,
            ))),
            None => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::primary_backup::acted::{acknowledge, begin_view, replicas, replicate};
    use crate::properties::script::{N1, N2};

    #[test]
    fn a_member_does_not_have_it() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2]);
        replicate(&mut script, N1, "a", &[N2]);
        acknowledge(&mut script, N1, 1, "a");
        replicate(&mut script, N1, "b", &[]);
        script.assert_holds();
        acknowledge(&mut script, N1, 2, "ab");
        script.assert_says(
            "PB-I1",
            "Because n1 acknowledged operation 2 in view 1 while n2, a member of that view, does not have it on its \
             disk: all members must have an operation before it is acknowledged.",
        );
    }

    #[test]
    fn a_minority_is_not_enough() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1]);
        replicate(&mut script, N1, "a", &[]);
        acknowledge(&mut script, N1, 1, "a");
        script.assert_says(
            "PB-I1",
            "Because n1 acknowledged operation 1 in view 1 with 1 of 3 nodes as its members: fewer than a majority can \
             all be gone when the next view begins.",
        );
    }
}
