//! Phase 1, once for all slots that are open (*Paxos Made Simple*, §3): who may lead, and what it must propose first.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, ByNode, NodeId, Role};

use super::acceptor::promise_of;
use super::message::{Message, Timer};
use super::stable::{Ballot, Disks, Proposal, Slot, Vote, Write, ballot_above};
use super::{Cx, Leadership, MultiPaxos, MultiPaxosBug, peers, probes};
use crate::quorum::{NodeSet, Quorum};

/// A ballot that a node prepares, to lead or to recover. Empty otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Candidacy {
    pub(super) ballot: Ballot,
    /// From here on it does not know what was chosen.
    pub(super) first: Slot,
    pub(super) promises: Bag<BTreeMap<NodeId, Promised>>,
}

/// What an acceptor told in its promise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Promised {
    serial: u32,
    disks: Disks,
    votes: Vec<(Slot, Vote)>,
}

impl Candidacy {
    /// The acceptors whose promises count together. An acceptor that has lost its disk since it promised does not
    /// know of its promise any more: if any of the others knows of its new disk, the promise does not count
    /// (*crash-consistent quorums*: Michael, Ports, Sharma and Szekeres, "Recovering Shared Objects Without Stable
    /// Storage", DISC 2017).
    pub(super) fn promised(&self, cx: &Cx<'_>) -> NodeSet {
        let newest = |node: &NodeId| {
            let told = self.promises.values();
            let known = told.filter_map(|promised| promised.disks.get(node).copied());
            known.max().unwrap_or(0)
        };
        let stands = |(node, promised): &(&NodeId, &Promised)| {
            cx.has(MultiPaxosBug::OldDiskCounts) || promised.serial >= newest(node)
        };
        let standing = self.promises.iter().filter(stands);
        standing.map(|(node, _)| *node).collect()
    }

    /// By slot, the vote of the highest ballot that these acceptors told of.
    pub(super) fn highest_votes(&self, among: NodeSet, cx: &Cx<'_>) -> BTreeMap<Slot, Vote> {
        let mut highest: BTreeMap<Slot, Vote> = BTreeMap::new();
        let told = self
            .promises
            .iter()
            .filter(|(node, _)| among.contains(**node));
        for (_, promised) in told {
            for (place, (slot, vote)) in (self.first..).zip(&promised.votes) {
                let slot = if cx.has(MultiPaxosBug::MergedByPlace) {
                    place
                } else {
                    *slot
                };
                let known = highest.entry(slot).or_insert(*vote);
                if vote.ballot > known.ballot {
                    *known = *vote;
                }
            }
        }
        highest
    }

    pub(super) fn knows_disks(&self) -> Disks {
        let mut disks = Disks::new();
        for (node, serial) in self.promises.values().flat_map(|promised| &promised.disks) {
            let known = disks.entry(*node).or_default();
            *known = (*serial).max(*known);
        }
        disks
    }
}

impl MultiPaxos {
    /// The election timer fired: this node has heard of no leader. Phase 1a.
    pub(super) fn campaign(&mut self, cx: &mut Cx<'_>) {
        let recovers = self.role == Role::Recovering;
        let highest = cx.durable().promised.max(self.refused_for);
        let ballot = ballot_above(
            highest.max(self.candidacy.ballot),
            cx.me(),
            cx.config().nodes,
        );
        let serial = cx.durable().serial;
        self.leader = None;
        self.candidacy = Candidacy {
            ballot,
            first: if recovers {
                1
            } else {
                cx.durable().ledger.end() + 1
            },
            ..Candidacy::default()
        };
        cx.set_timer(Timer::Election, cx.config().election_timeout());
        let first = self.candidacy.first;
        if recovers {
            cx.note(probes::RECOVERY_BEGAN);
        } else {
            self.role = Role::Candidate;
            // Nobody is asked before the ballot is on this node's disk: it must never be used for a second time.
            cx.write(Write::Promise {
                ballot,
                candidate: cx.me(),
                serial,
            });
            cx.send(cx.me(), promise_of(ballot, first, serial, cx));
        }
        for peer in peers(cx) {
            cx.send(
                peer,
                Message::Prepare {
                    ballot,
                    first,
                    serial,
                    recovers,
                },
            );
        }
    }

    /// A promise arrived. With a quorum of them this node leads, or has recovered.
    pub(super) fn count_promise(&mut self, from: NodeId, promise: Message, cx: &mut Cx<'_>) {
        let Message::Promise {
            ballot,
            asked,
            serial,
            disks,
            votes,
            ..
        } = promise
        else {
            return;
        };
        let awaited = matches!(self.role, Role::Candidate | Role::Recovering)
            && ballot == self.candidacy.ballot
            && asked == cx.durable().serial;
        if !awaited {
            return;
        }
        let promised = Promised {
            serial,
            disks,
            votes,
        };
        let replaced = self.candidacy.promises.insert(from, promised);
        if replaced.is_some_and(|before| before.serial > serial) {
            return;
        }
        let promised = self.candidacy.promised(cx);
        if promised.len() < self.candidacy.promises.len() {
            cx.note(probes::PROMISE_OF_A_LOST_DISK);
        }
        if self.role == Role::Recovering {
            self.recover(promised, cx);
        } else if Quorum::Majority.is_reached(promised, cx.config().nodes) {
            self.lead(promised, cx);
        }
    }

    /// Takes the lead: proposes again what was reported for the open slots, and nothing for those between them.
    fn lead(&mut self, promised: NodeSet, cx: &mut Cx<'_>) {
        cx.note(probes::LEADER_ELECTED);
        let candidacy = std::mem::take(&mut self.candidacy);
        let reported = candidacy.highest_votes(promised, cx);
        let chosen = cx.durable().ledger.end();
        let last_reported = reported.last_key_value().map_or(0, |(slot, _)| *slot);
        let last_learned = self.learned.last_key_value().map_or(0, |(slot, _)| *slot);
        let inherited = last_reported.max(last_learned).max(chosen);
        self.role = Role::Leader;
        self.leader = Some(cx.me());
        self.leadership = Leadership {
            ballot: candidacy.ballot,
            inherited,
            next_slot: inherited + 1,
            answered_rounds: ByNode(vec![0; cx.config().nodes]),
            ..Leadership::default()
        };
        cx.cancel_timer(Timer::Election);
        cx.set_timer(Timer::Heartbeat, cx.config().heartbeat());
        let mut proposals = Vec::new();
        for slot in chosen + 1..=inherited {
            let known = reported.get(&slot).map(|vote| vote.value);
            let known = self.learned.get(&slot).copied().or(known);
            cx.note(if known.is_some() {
                probes::VALUE_ADOPTED
            } else {
                probes::GAP_FILLED
            });
            let value = known.filter(|_| !cx.has(MultiPaxosBug::FillsWithoutAdopting));
            proposals.push((slot, value.unwrap_or(Proposal::Noop)));
        }
        self.ask_everyone(cx);
        self.propose(proposals, cx);
    }

    /// An acceptor has promised a higher ballot to somebody else.
    pub(super) fn refused(&mut self, promised: Ballot, cx: &mut Cx<'_>) {
        self.refused_for = self.refused_for.max(promised);
        if promised > self.own_ballot() && !cx.has(MultiPaxosBug::BallotNotChecked) {
            self.follow(None, cx);
        }
    }
}
