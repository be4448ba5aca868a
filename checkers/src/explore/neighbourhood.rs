//! The neighbourhood of a run: all runs in which the same timers fire, the same nodes crash and clients ask the same,
//! each at most as often. Packets may arrive in any order, or never.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_histories::NodeId;
use tribunal_protocols::Step;
use tribunal_protocols::contract::ClientId;
use tribunal_protocols::explored::Explored;

use super::state::{Spent, State};

/// What a run did that did not happen by itself.
#[derive(Clone, Debug)]
pub struct Neighbourhood<N: Explored> {
    /// Timers that fire and requests that are sent again, and how often.
    counted: Vec<(Step<N>, u8)>,
    /// By client, its operations in order, each with the nodes that it was sent to.
    invoked: BTreeMap<ClientId, Vec<Step<N>>>,
    /// By node, how often it crashes.
    crashes: BTreeMap<NodeId, u8>,
    /// Whether some crash came in the middle of a step.
    pub(super) crash_within_steps: bool,
    pub(super) duplicates: u8,
}

impl<N: Explored> Neighbourhood<N> {
    /// The neighbourhood of a run with these steps.
    pub fn of<'s>(steps: impl IntoIterator<Item = &'s Step<N>>) -> Self {
        let mut near = Self {
            counted: Vec::new(),
            invoked: BTreeMap::new(),
            crashes: BTreeMap::new(),
            crash_within_steps: false,
            duplicates: 0,
        };
        for step in steps {
            near.add(step);
        }
        near
    }

    fn add(&mut self, step: &Step<N>) {
        match step {
            Step::Fire { .. } | Step::Resend { .. } | Step::GiveUp { .. } => {
                let known = self.counted.iter_mut().find(|(known, _)| known == step);
                match known {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => self.counted.push((step.clone(), 1)),
                }
            }
            Step::Invoke { client, .. } => {
                self.invoked.entry(*client).or_default().push(step.clone());
            }
            Step::Crash { node, .. } => *self.crashes.entry(*node).or_default() += 1,
            Step::CrashDuring { step, .. } => {
                self.crash_within_steps = true;
                if let Some(node) = step.node() {
                    *self.crashes.entry(node).or_default() += 1;
                }
                self.add(step);
            }
            Step::Duplicate(_) => self.duplicates = self.duplicates.saturating_add(1),
            // Packets arrive or do not, whether or not a link was cut; nodes that are down may start again.
            Step::Deliver(_)
            | Step::Sync { .. }
            | Step::Restart { .. }
            | Step::Cut { .. }
            | Step::Heal
            | Step::Remark(_) => {}
        }
    }

    /// How many crashes there are in all.
    pub(super) fn crashes(&self) -> u8 {
        self.crashes
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether this step may be taken once more.
    pub(super) fn has_left(&self, step: &Step<N>, spent: &Spent) -> bool {
        self.place(step)
            .is_some_and(|place| self.taken(spent, place) < self.counted[place].1)
    }

    /// Whether a node may crash once more.
    pub(super) fn may_crash(&self, node: NodeId, spent: &Spent) -> bool {
        let place = self.crashes.keys().position(|other| *other == node);
        place.is_some_and(|place| {
            self.taken(spent, self.counted.len() + place) < self.crashes[&node]
        })
    }

    fn place(&self, step: &Step<N>) -> Option<usize> {
        self.counted.iter().position(|(known, _)| known == step)
    }

    fn taken(&self, spent: &Spent, place: usize) -> u8 {
        let counts = spent.named.as_deref().unwrap_or_default();
        counts.get(place).copied().unwrap_or(0)
    }

    /// Counts a step.
    pub(super) fn spend(&self, step: &Step<N>, spent: &mut Spent) {
        let place = match step {
            Step::Crash { node, .. } => self.place_of_crash(*node),
            Step::CrashDuring { step: inner, .. } => {
                self.spend(inner, spent);
                inner.node().and_then(|node| self.place_of_crash(node))
            }
            _ => self.place(step),
        };
        if let Some(place) = place {
            let places = self.counted.len() + self.crashes.len();
            let counts = spent.named.get_or_insert_with(|| vec![0; places].into());
            Arc::make_mut(counts)[place] += 1;
        }
    }

    fn place_of_crash(&self, node: NodeId) -> Option<usize> {
        let place = self.crashes.keys().position(|other| *other == node);
        place.map(|place| self.counted.len() + place)
    }

    /// What clients may do in a state: their next operations, and what they do again.
    pub(super) fn of_clients(&self, state: &State<N>) -> Vec<Step<N>> {
        let mut steps = Vec::new();
        for (client, operations) in &self.invoked {
            let (made, open) = state.world.call(*client).unwrap_or((0, false));
            let next = operations
                .iter()
                .find(|step| matches!(step, Step::Invoke { sequence, .. } if *sequence > made));
            steps.extend(next.filter(|_| !open).cloned());
        }
        let again = self.counted.iter().map(|(step, _)| step);
        steps.extend(
            again
                .filter(|step| matches!(step, Step::Resend { .. } | Step::GiveUp { .. }))
                .filter(|step| self.has_left(step, &state.spent))
                .cloned(),
        );
        steps
    }
}
