//! The states of a run's state machines, by the last entry that each had applied: all replicas must agree.

use tribunal_histories::{Digest, NodeId, View};

use super::aside::Aside;

/// By applied index, the state that was shown first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct States {
    /// The state after entry `index` is at place `index - 1`, if any node ever stopped there to be seen.
    first: Vec<Option<(Digest, Aside<NodeId>)>>,
}

impl States {
    /// The state after an entry, and who showed it first; `None` if nobody did.
    pub fn after(&self, index: u64) -> Option<(Digest, NodeId)> {
        let place = usize::try_from(index.checked_sub(1)?).ok()?;
        let (state, Aside(by)) = (*self.first.get(place)?)?;
        Some((state, by))
    }

    /// The state that a node shows, if it tells one that disagrees with the state that was shown first: that state,
    /// and by whom.
    pub(super) fn contradicts(&self, view: &View<'_>) -> Option<(Digest, NodeId)> {
        let told = view.state != Digest::default();
        self.after(view.applied_index)
            .filter(|(first, _)| told && *first != view.state)
    }

    /// Takes in what a node shows.
    pub(super) fn remember(&mut self, node: NodeId, view: &View<'_>) {
        let Some(place) = view.applied_index.checked_sub(1) else {
            return;
        };
        let place = usize::try_from(place).expect("an index of a run that fits in memory");
        if view.state == Digest::default() {
            return;
        }
        if self.first.len() <= place {
            self.first.resize(place + 1, None);
        }
        self.first[place].get_or_insert((view.state, Aside(node)));
    }
}
