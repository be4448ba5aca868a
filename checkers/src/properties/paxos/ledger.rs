//! What is remembered of ballots: who accepted, who promised and what was proposed, slot by slot.
//!
//! Nothing is ever taken back: an acceptance that its acceptor forgot in a crash, or that a later one took the place
//! of, is still a vote (`Voting.tla`: `votes` only grows).

use std::collections::BTreeMap;

use tribunal_histories::{Bag, Facet, NodeId, NodeSet, Quorum, Value, View, Vote};

use crate::properties::kept::Kept;

/// By slot and ballot.
type Places<T> = BTreeMap<(u64, u64), T>;

/// Every acceptance that was announced (phase 2b), by slot and ballot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Votes {
    cast: Kept<Places<Vec<(Value, NodeSet)>>>,
}

impl Votes {
    /// Enters a vote: who has now voted for this value under this ballot; `None` if the vote is not new.
    pub(super) fn cast(&mut self, acceptor: NodeId, vote: &Vote) -> Option<NodeSet> {
        if self.has(acceptor, vote) {
            return None;
        }
        let cast = self.cast.change();
        let values = cast.entry((vote.slot, vote.ballot)).or_default();
        // In the order of the values, so that it does not matter which came first.
        let place = values.binary_search_by(|(value, _)| value.cmp(&vote.value));
        let place = place.unwrap_or_else(|place| {
            values.insert(place, (vote.value.clone(), NodeSet::EMPTY));
            place
        });
        let acceptors = &mut values[place].1;
        acceptors.insert(acceptor);
        Some(*acceptors)
    }

    /// An acceptor need not know its votes any more.
    pub(super) fn forget(&mut self, acceptor: NodeId) {
        let values = self.cast.change().values_mut().flatten();
        values.for_each(|(_, acceptors)| acceptors.remove(acceptor));
    }

    /// Whether this acceptor has cast this vote.
    pub(super) fn has(&self, acceptor: NodeId, vote: &Vote) -> bool {
        self.under(vote.slot, vote.ballot)
            .iter()
            .any(|(value, acceptors)| *value == vote.value && acceptors.contains(acceptor))
    }

    /// The values that have votes under a ballot, each with its acceptors.
    pub(super) fn under(&self, slot: u64, ballot: u64) -> &[(Value, NodeSet)] {
        self.cast.get(&(slot, ballot)).map_or(&[], Vec::as_slice)
    }

    /// The ballots of a slot below `ballot` that have votes, each with the acceptors of a value.
    pub(super) fn below(&self, slot: u64, ballot: u64) -> impl Iterator<Item = (u64, NodeSet)> {
        let ballots = self.cast.range((slot, 0)..(slot, ballot));
        ballots.flat_map(|((_, lower), values)| {
            let values = values.iter();
            values.map(move |(_, acceptors)| (*lower, *acceptors))
        })
    }

    /// An acceptor's vote of the highest ballot below `ballot`, in each slot from `first_slot` on.
    pub(super) fn highest_below(
        &self,
        acceptor: NodeId,
        ballot: u64,
        first_slot: u64,
    ) -> BTreeMap<u64, (u64, &Value)> {
        let votes = self.cast.range((first_slot, 0)..);
        let its_own = votes.filter(|((_, voted), _)| *voted < ballot);
        its_own
            .flat_map(|((slot, voted), values)| {
                let its_own = values.iter().filter(|(_, who)| who.contains(acceptor));
                its_own.map(move |(value, _)| (*slot, (*voted, value)))
            })
            .collect()
    }
}

/// Every value that was proposed (phase 2a), by slot and ballot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Proposals {
    proposed: Kept<Places<Vec<Value>>>,
}

impl Proposals {
    /// Enters a proposal.
    pub(super) fn add(&mut self, vote: &Vote) {
        if !self.has(vote) {
            let proposed = self.proposed.change();
            let values = proposed.entry((vote.slot, vote.ballot)).or_default();
            let place = values.partition_point(|value| *value < vote.value);
            values.insert(place, vote.value.clone());
        }
    }

    /// Whether a vote is for what was proposed.
    pub(super) fn has(&self, vote: &Vote) -> bool {
        self.under(vote.slot, vote.ballot).contains(&vote.value)
    }

    /// What was proposed under a ballot.
    pub(super) fn under(&self, slot: u64, ballot: u64) -> &[Value] {
        let proposed = self.proposed.get(&(slot, ballot));
        proposed.map_or(&[], Vec::as_slice)
    }
}

/// Every promise (phase 1b), by ballot and by the proposer that it was made to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Promises {
    made: Kept<Bag<BTreeMap<(u64, NodeId), ByAcceptor>>>,
}

type ByAcceptor = Bag<BTreeMap<NodeId, Promise>>;

/// An acceptor's promise, and what it told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Promise {
    pub(super) acceptor: NodeId,
    first_slot: u64,
    /// By slot: ballot and value.
    reports: BTreeMap<u64, (u64, Value)>,
}

impl Promise {
    /// What it told of a slot; `None` if that it has accepted nothing.
    pub(super) fn report(&self, slot: u64) -> Option<&(u64, Value)> {
        self.reports.get(&slot)
    }
}

impl Promises {
    /// Enters a promise. One that was made before stands: the proposer may have gone on with it.
    pub(super) fn add(
        &mut self,
        acceptor: NodeId,
        proposer: NodeId,
        (ballot, first_slot): (u64, u64),
        accepted: &[Vote],
    ) {
        let made = self.made.get(&(ballot, proposer));
        if made.is_some_and(|made| made.contains_key(&acceptor)) {
            return;
        }
        let reports = accepted
            .iter()
            .map(|vote| (vote.slot, (vote.ballot, vote.value.clone())));
        let promise = Promise {
            acceptor,
            first_slot,
            reports: reports.collect(),
        };
        let made = self.made.change().entry((ballot, proposer)).or_default();
        made.insert(acceptor, promise);
    }

    /// The promises that a proposer may rest a proposal on.
    pub(super) fn to(
        &self,
        proposer: NodeId,
        slot: u64,
        ballot: u64,
    ) -> impl Iterator<Item = &Promise> + Clone {
        let made = self.made.get(&(ballot, proposer));
        made.into_iter()
            .flat_map(|made| made.values())
            .filter(move |promise| promise.first_slot <= slot)
    }
}

/// By which quorums the cluster goes: as its nodes say, or majorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Quorums {
    told: Kept<Option<(Quorum, Quorum)>>,
}

impl Quorums {
    /// Whether a node has told.
    pub(super) fn are_told(&self) -> bool {
        self.told.is_some()
    }

    /// Listens to a node, until one has told.
    pub(super) fn listen(&mut self, view: &View<'_>) {
        if self.told.is_none()
            && let Facet::Ballots(shown) = view.facet
        {
            let quorums = (shown.prepare_quorum.clone(), shown.accept_quorum.clone());
            *self.told.change() = Some(quorums);
        }
    }

    /// Whether the promises of these acceptors let a ballot go on.
    pub(super) fn may_propose(&self, acceptors: NodeSet, nodes: usize) -> bool {
        let told = self.told.as_ref().map(|told| &told.0);
        told.unwrap_or(&Quorum::Majority)
            .is_reached(acceptors, nodes)
    }

    /// Whether the acceptances of these acceptors choose a value.
    pub(super) fn choose(&self, acceptors: NodeSet, nodes: usize) -> bool {
        let told = self.told.as_ref().map(|told| &told.1);
        told.unwrap_or(&Quorum::Majority)
            .is_reached(acceptors, nodes)
    }
}

/// Names a slot in a sentence, where there are several.
pub(super) fn in_slot(slot: u64) -> String {
    match slot {
        0 => String::new(),
        slot => format!(" in slot {slot}"),
    }
}
