//! GM-I3: what a node believes of a member only moves upward.

use tribunal_histories::{Claim, MemberStatus, MemberView, NodeId, Retraction};

use super::{Beliefs, find, members};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Beliefs are ordered: a later life counts more than an earlier one, and the end of a life more than anything in it.
/// Within a life, where only the member itself takes a suspicion back: Alive(i) < Suspect(i) < Dead(i) < Alive(i + 1);
/// where whoever hears from it does, the order says nothing.
///
/// A node that restarts may have forgotten what others told it. What it said of itself binds it for ever.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GM-I3",
    name: "beliefs-upward",
    statement: "of each member, a node's belief (life, incarnation, status) only moves upward",
    source: "SWIM §4.2; memberlist's order of messages; the semilattice of lives and removals",
    gated_by: &["GM6", "GM7", "GM12"],
    watch: || Box::new(Upward::default()),
};

/// Life, whether it has ended, incarnation, status.
type Rank = (u64, bool, u64, MemberStatus);

fn rank(belief: &MemberView, retraction: Retraction) -> Rank {
    let removed = belief.status == MemberStatus::Removed;
    match retraction {
        Retraction::Incarnation if !removed => {
            (belief.generation, false, belief.incarnation, belief.status)
        }
        _ => (belief.generation, removed, 0, MemberStatus::Alive),
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Upward {
    beliefs: Beliefs,
    /// By node, the highest that it told of itself.
    told: Vec<Option<MemberView>>,
}

fn fell(node: NodeId, from: &MemberView, to: Option<&MemberView>) -> Violation {
    let to = to.map_or_else(
        || "knows no such member any more".to_owned(),
        |to| format!("believes `{to}`"),
    );
    INFO.broken(format!(
        "Because {node} believed `{from}` and now {to}: what it believes of a member must only move upward, to a later \
         life or its end, or within a life to a worse status or a higher incarnation."
    ))
}

impl Property for Upward {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let Some(view) = members(moment.now) else {
            return Ok(false);
        };
        let node = moment.now.node;
        self.told.resize(moment.nodes().max(self.told.len()), None);
        let rank = |belief: &MemberView| rank(belief, view.retraction);
        let told = &mut self.told[node.index()];
        for message in moment.now.sent {
            for claim in &message.claims {
                if let Claim::Member(own) = claim
                    && own.member == node
                    && told.as_ref().is_none_or(|told| rank(told) < rank(own))
                {
                    *told = Some(*own);
                }
            }
        }
        let before = self.beliefs.before(moment);
        if before == view.members {
            return Ok(false);
        }
        for known in before {
            let now = find(view.members, known.member);
            if now.is_none_or(|now| rank(now) < rank(known)) {
                return Err(fell(node, known, now));
            }
        }
        if let Some(told) = told
            && let Some(own) = find(view.members, node)
            && rank(own) < rank(told)
        {
            return Err(INFO.broken(format!(
                "Because {node} told others `{told}` of itself and is now `{own}`: what it said of itself must hold \
                 across restarts, or others know better than it does."
            )));
        }
        let tested = !before.is_empty();
        self.beliefs.remember(node, view.members);
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{MemberStatus, Retraction};

    use crate::properties::membership::script::{N1, N2, N3, Script};

    #[test]
    fn a_suspicion_is_not_taken_back_without_an_incarnation() {
        let mut script = Script::begin(3, Retraction::Incarnation);
        script.ask(N1, N2, N3);
        script.suspect(N1, N3);
        script.set(N1, N3, |member| member.status = MemberStatus::Alive);
        script.assert_says(
            "GM-I3",
            "Because n1 believed `n3 g1.0 suspect` and now believes `n3 g1.0 alive`: what it believes of a member must \
             only move upward, to a later life or its end, or within a life to a worse status or a higher incarnation.",
        );
    }

    #[test]
    fn where_contact_takes_it_back_it_is() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.suspect(N1, N3);
        script.set(N1, N3, |member| member.status = MemberStatus::Alive);
        script.assert_holds();
    }

    #[test]
    fn nobody_comes_back_in_a_life_that_has_ended() {
        for retraction in [Retraction::Contact, Retraction::Incarnation] {
            let mut script = Script::begin(3, retraction);
            script.remove(N1, N3);
            script.assert_holds();
            script.set(N1, N3, |member| member.status = MemberStatus::Alive);
            script.assert_breaks("GM-I3");
        }
    }

    #[test]
    fn nobody_is_forgotten() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.forget(N1, N3);
        script.assert_breaks("GM-I3");
    }

    #[test]
    fn what_a_node_said_of_itself_holds_across_restarts() {
        let mut script = Script::begin(3, Retraction::Incarnation);
        script.refute(N3);
        script.restart(N3);
        script.assert_holds();
        script.tell(N3, N1, N3);
        script.restart_as(N3, |own| own.incarnation = 0);
        script.assert_breaks("GM-I3");
    }
}
