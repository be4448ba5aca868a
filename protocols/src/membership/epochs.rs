//! Slots and configuration epochs, in the style of Redis Cluster: of two claims to a slot the higher epoch counts.
//!
//! That decides only if no two nodes claim a slot under the same epoch. Here an epoch is had by votes alone: each
//! master votes once an epoch (`lastVoteEpoch`), and a majority of all masters makes the epoch a node's own. Redis
//! Cluster has ways around that (`CLUSTER FAILOVER TAKEOVER`, and its answer to a collision of epochs, which is to take
//! another without asking): valkey#974 tells what came of it.

use tribunal_histories::{NodeId, Ownership};

use super::config::{Config, Style};
use super::message::{Message, Response};
use super::table::{Roster, Write};
use super::{Cx, Membership, MembershipBug, probes};
use crate::contract::ClientId;
use crate::quorum::NodeSet;

/// A claim to a slot that waits for votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Take {
    client: ClientId,
    sequence: u32,
    slot: u16,
    epoch: u64,
    votes: NodeSet,
}

/// The slots as a node begins with them: owned by the masters in turn, each under an epoch of its own
/// (`CLUSTER SET-CONFIG-EPOCH`), unless they have changed hands.
pub(super) fn slots(config: &Config, roster: &Roster) -> Vec<Ownership> {
    if config.style == Style::Swim {
        return Vec::new();
    }
    let masters = config.masters().len().min(config.founders).max(1);
    let first = |slot: u16| Ownership {
        epoch: u64::from(slot) + 1,
        owner: NodeId::from_index(usize::from(slot) % masters),
    };
    (0..config.slots)
        .map(|slot| roster.slots.get(&slot).copied().unwrap_or(first(slot)))
        .collect()
}

impl Membership {
    /// Makes a slot this node's own, if a majority of the masters lets it.
    pub(super) fn take_slot(
        &mut self,
        (client, sequence): (ClientId, u32),
        slot: u16,
        cx: &mut Cx<'_>,
    ) {
        let me = cx.me();
        if usize::from(slot) >= self.slots.len() {
            return cx.reply(client, sequence, Response::NoSuchObject);
        }
        if !self.table.has_voter(me) {
            return cx.reply(client, sequence, Response::Elsewhere);
        }
        self.epoch += 1;
        let epoch = self.epoch;
        let votes = NodeSet::EMPTY;
        self.take = Some(Take {
            client,
            sequence,
            slot,
            epoch,
            votes,
        });
        if cx.has(MembershipBug::EpochWithoutVotes) {
            return self.take_over(cx);
        }
        for master in cx.config().masters().iter() {
            cx.send(master, Message::VoteRequest { epoch });
        }
    }

    /// Votes, once an epoch.
    pub(super) fn vote(&mut self, from: NodeId, epoch: u64, cx: &mut Cx<'_>) {
        self.epoch = self.epoch.max(epoch);
        if epoch <= cx.durable().voted {
            return cx.note(probes::VOTE_REFUSED);
        }
        cx.write(Write::Voted(epoch));
        cx.send(from, Message::Vote { epoch });
    }

    pub(super) fn count_vote(&mut self, from: NodeId, epoch: u64, cx: &mut Cx<'_>) {
        let masters = cx.config().masters();
        let Some(take) = self.take.as_mut().filter(|take| take.epoch == epoch) else {
            return;
        };
        take.votes.insert(from);
        if masters.has_majority_in(take.votes) {
            self.take_over(cx);
        }
    }

    fn take_over(&mut self, cx: &mut Cx<'_>) {
        let Some(take) = self.take.take() else {
            return;
        };
        cx.note(probes::SLOT_TAKEN);
        let (number, owner) = (take.epoch, cx.me());
        let claim = Ownership {
            epoch: take.epoch,
            owner,
        };
        self.own(take.slot, claim, cx);
        cx.reply(take.client, take.sequence, Response::Done { number });
    }

    /// Hears who owns the slots.
    pub(super) fn hear_of_slots(&mut self, told: &[Ownership], epoch: u64, cx: &mut Cx<'_>) {
        self.epoch = self.epoch.max(epoch);
        for (slot, claim) in (0..).zip(told) {
            self.own(slot, *claim, cx);
        }
    }

    /// Of two claims the higher epoch counts.
    fn own(&mut self, slot: u16, claim: Ownership, cx: &mut Cx<'_>) {
        let Some(known) = self.slots.get_mut(usize::from(slot)) else {
            return;
        };
        let wins_by_name = cx.has(MembershipBug::EpochWithoutVotes)
            && claim.epoch == known.epoch
            && claim.owner < known.owner;
        if claim.epoch > known.epoch || wins_by_name {
            *known = claim;
            self.epoch = self.epoch.max(claim.epoch);
            cx.write(Write::Slot(slot, claim));
        }
    }
}
