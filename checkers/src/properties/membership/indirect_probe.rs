//! GM-I6: nobody suspects a member before others have tried to reach it.

use std::collections::BTreeSet;

use tribunal_histories::{Claim, MemberStatus, MemberView, NodeId, Retraction};

use super::{Beliefs, find, members};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Who suspects a member was told so, or has asked another to reach it since it last did, unless it knows no other.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GM-I6",
    name: "indirect-probe",
    statement: "a member that does not answer is suspected only after others were asked to reach it",
    source: "SWIM §3.1: ping-req to k members before a member is declared failed",
    gated_by: &["GM10"],
    watch: || Box::new(IndirectProbe::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct IndirectProbe {
    beliefs: Beliefs,
    /// Who has asked others to reach whom.
    asked: BTreeSet<(NodeId, NodeId)>,
    /// To whom was told that a member is suspected: to, about, in which life and incarnation.
    told: BTreeSet<(NodeId, NodeId, u64, u64)>,
}

fn can_help(member: &MemberView) -> bool {
    matches!(member.status, MemberStatus::Alive | MemberStatus::Suspect)
}

impl Property for IndirectProbe {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let swim = |retraction| retraction == Retraction::Incarnation;
        let Some(view) = members(moment.now).filter(|view| swim(view.retraction)) else {
            return Ok(false);
        };
        let node = moment.now.node;
        for message in moment.now.sent {
            for claim in &message.claims {
                match claim {
                    Claim::AskedToReach(member) => drop(self.asked.insert((node, *member))),
                    Claim::Member(told) if told.status == MemberStatus::Suspect => {
                        let (member, generation) = (told.member, told.generation);
                        let suspicion = (message.to, member, generation, told.incarnation);
                        self.told.insert(suspicion);
                    }
                    _ => {}
                }
            }
        }
        let before = self.beliefs.before(moment);
        if before == view.members {
            return Ok(false);
        }
        let mut tested = false;
        for belief in view.members {
            let MemberView {
                member,
                generation,
                incarnation,
                ..
            } = *belief;
            if belief.status != MemberStatus::Suspect || find(before, member) == Some(belief) {
                continue;
            }
            let was_told = self.told.contains(&(node, member, generation, incarnation));
            let mut others = view.members.iter().filter(|other| can_help(other));
            let has_help = others.any(|other| other.member != node && other.member != member);
            if !was_told && has_help {
                tested = true;
                // What was asked for one suspicion does not count for the next.
                let has_asked = self.asked.remove(&(node, member));
                if !has_asked {
                    return Err(INFO.broken(format!(
                        "Because {node} suspects {member} in incarnation {incarnation}, which nobody told it, and has \
                         asked no other to reach it: a link that fails must not make a member suspected."
                    )));
                }
            }
        }
        self.beliefs.remember(node, view.members);
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Retraction;

    use crate::properties::membership::script::{N1, N2, N3, Script};

    #[test]
    fn who_asks_nobody_suspects_nobody() {
        let mut script = Script::begin(3, Retraction::Incarnation);
        script.suspect(N1, N3);
        script.assert_says(
            "GM-I6",
            "Because n1 suspects n3 in incarnation 0, which nobody told it, and has asked no other to reach it: a link \
             that fails must not make a member suspected.",
        );
    }

    #[test]
    fn there_may_be_nobody_to_ask() {
        let mut script = Script::begin(2, Retraction::Incarnation);
        script.suspect(N1, N2);
        script.assert_holds();
    }

    #[test]
    fn to_have_asked_once_is_not_enough_for_ever() {
        let mut script = Script::begin(3, Retraction::Incarnation);
        script.ask(N1, N2, N3);
        script.suspect(N1, N3);
        script.refute(N3);
        script.believe_refuted(N1, N3);
        script.assert_holds();
        script.suspect(N1, N3);
        script.assert_breaks("GM-I6");
    }
}
