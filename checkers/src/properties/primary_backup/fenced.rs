//! PB-I2: a view has one primary, and who knows of a newer view is done with it.

use std::collections::BTreeMap;

use tribunal_histories::{Claim, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// One primary a view, and the fence between views.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PB-I2",
    name: "fenced",
    statement: "a view has one primary ever, and a node that knows of a newer view neither acts as primary of an older \
                one nor takes operations from it",
    source: "Oki and Liskov 1988, §4; Kafka's leader epoch",
    gated_by: &["PB3", "PB12", "PB13"],
    watch: || Box::new(Fenced::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Fenced {
    primaries: BTreeMap<u64, NodeId>,
    /// By node, the newest view that it has known of since it started; a crash may lose one that was not written down.
    newest: BTreeMap<NodeId, u64>,
    /// By node, the newest view of which it has told others. What it sends may have waited for its disk since before it
    /// heard of a newer view; but messages leave a node in the order in which it made them.
    told: BTreeMap<NodeId, u64>,
}

impl Property for Fenced {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (node, view) = (moment.now.node, moment.now.view.term);
        let newest = self.newest.entry(node).or_default();
        *newest = if moment.restarted() {
            view
        } else {
            view.max(*newest)
        };
        let newest = *newest;
        let mut tested = false;
        if moment.was_elected() {
            tested = true;
            let first = *self.primaries.entry(view).or_insert(node);
            // Without view changes a primary that starts again is that of the same view.
            if first != node {
                return Err(INFO.broken(format!(
                    "Because {node} became primary of view {view}, whose primary was {first}: a view must have one \
                     primary."
                )));
            }
        }
        if moment.leads() && view < newest {
            return Err(INFO.broken(format!(
                "Because {node} acts as primary of view {view} though it knows of view {newest}: a primary that was \
                 deposed must not return."
            )));
        }
        for message in moment.now.sent {
            let told = self.told.entry(node).or_default();
            *told = message.term.max(*told);
            for claim in &message.claims {
                if let Claim::Accepted(vote) = claim {
                    tested = true;
                    if vote.ballot < *told {
                        return Err(INFO.broken(format!(
                            "Because {node} took operations of view {} though it knows of view {told}: who has agreed \
                             to a view must take nothing from earlier ones.",
                            vote.ballot,
                        )));
                    }
                }
            }
        }
        Ok(tested)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Role;

    use crate::properties::primary_backup::acted::{accepted, begin_view, replicas};
    use crate::properties::script::{N1, N2, N3};

    #[test]
    fn a_view_has_one_primary() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2, N3]);
        begin_view(&mut script, N2, 1, &[N1, N2, N3]);
        script.assert_says(
            "PB-I2",
            "Because n2 became primary of view 1, whose primary was n1: a view must have one primary.",
        );
    }

    #[test]
    fn who_was_deposed_does_not_return() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2, N3]);
        script.step(N1, |deposed| deposed.follow(2));
        script.assert_holds();
        script.step(N1, |returned| {
            returned.term = 1;
            returned.role = Role::Leader;
        });
        script.assert_says(
            "PB-I2",
            "Because n1 acts as primary of view 1 though it knows of view 2: a primary that was deposed must not \
             return.",
        );
    }

    #[test]
    fn nothing_is_taken_from_earlier_views() {
        let mut script = replicas();
        script.step(N2, |backup| backup.follow(2));
        script.step_and_send(N2, |_| {}, &[accepted(2, 1)]);
        script.assert_holds();
        script.step_and_send(N2, |_| {}, &[accepted(1, 1)]);
        script.assert_says(
            "PB-I2",
            "Because n2 took operations of view 1 though it knows of view 2: who has agreed to a view must take \
             nothing from earlier ones.",
        );
    }
}
