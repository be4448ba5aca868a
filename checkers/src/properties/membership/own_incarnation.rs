//! GM-I4: only a member itself raises its incarnation, and begins a new life.

use tribunal_histories::{Cause, NodeId};

use super::{Beliefs, find, members};
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Whoever believes in an incarnation of another has it from that one.
///
/// What a node has on its disk when it boots is taken as given: a run may begin with old disks.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "GM-I4",
    name: "own-incarnation",
    statement: "only a member itself raises its incarnation or begins a new life",
    source: "SWIM §4.2: the incarnation number is incremented by the member alone",
    gated_by: &["GM13"],
    watch: || Box::new(OwnIncarnation::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct OwnIncarnation {
    beliefs: Beliefs,
    /// By node, the highest life and incarnation that it ever was in.
    highest: Vec<(u64, u64)>,
}

impl OwnIncarnation {
    fn raise(&mut self, member: NodeId, reached: (u64, u64)) {
        if self.highest.len() <= member.index() {
            self.highest.resize(member.index() + 1, (0, 0));
        }
        let highest = &mut self.highest[member.index()];
        *highest = reached.max(*highest);
    }
}

impl Property for OwnIncarnation {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let Some(view) = members(moment.now) else {
            return Ok(false);
        };
        let node = moment.now.node;
        let before = self.beliefs.before(moment);
        if before == view.members {
            return Ok(false);
        }
        let before = before.to_vec();
        let mut tested = false;
        for belief in view.members {
            let reached = (belief.generation, belief.incarnation);
            let known = find(&before, belief.member);
            if known.is_some_and(|known| (known.generation, known.incarnation) >= reached) {
                continue;
            }
            if belief.member == node || moment.now.cause == Cause::Boot {
                self.raise(belief.member, reached);
                continue;
            }
            tested = true;
            let highest = self.highest.get(belief.member.index()).copied();
            if highest.is_none_or(|highest| highest < reached) {
                let (generation, incarnation) = highest.unwrap_or_default();
                return Err(INFO.broken(format!(
                    "Because {node} believes `{belief}`, and {} was never beyond g{generation}.{incarnation}: only a \
                     member itself may raise its incarnation or begin a new life.",
                    belief.member
                )));
            }
        }
        self.beliefs.remember(node, view.members);
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Retraction;

    use crate::properties::membership::script::{N1, N3, Script};

    #[test]
    fn nobody_speaks_for_another() {
        let mut script = Script::begin(3, Retraction::Incarnation);
        script.set(N1, N3, |member| member.incarnation = 1);
        script.assert_says(
            "GM-I4",
            "Because n1 believes `n3 g1.1 alive`, and n3 was never beyond g1.0: only a member itself may raise its \
             incarnation or begin a new life.",
        );
    }

    #[test]
    fn nobody_begins_anothers_life() {
        let mut script = Script::begin(3, Retraction::Contact);
        script.set(N1, N3, |member| member.generation = 2);
        script.assert_breaks("GM-I4");
    }
}
