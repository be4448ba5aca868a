//! An acceptor: it promises and it votes (*Paxos Made Simple*, §2.2, phases 1b and 2b).
//!
//! Its promise holds for all slots at once, so a leader needs only one (§3). It must look at the ballot of every
//! single proposal all the same: that somebody leads does not mean that nobody else does.

use tribunal_histories::{NodeId, Role};

use super::message::{Message, Timer};
use super::stable::{Ballot, Proposal, Slot, Write};
use super::{Cx, MultiPaxos, MultiPaxosBug, Reads, probes};

impl MultiPaxos {
    /// Phase 1b. What the candidate asks: from which slot on, on which disk, and whether only to recover.
    pub(super) fn answer_prepare(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        (first, serial, recovers): (Slot, u32, bool),
        cx: &mut Cx<'_>,
    ) {
        let promised = cx.durable().promised;
        if self.role == Role::Recovering || ballot == promised {
            return;
        }
        if ballot < promised {
            return cx.send(from, Message::Nack { promised });
        }
        // A node that recovers leads nobody: its ballot takes no lease away.
        let leases = cx.config().reads == Reads::Lease && !recovers;
        if leases && (self.lease_granted || self.holds_lease()) {
            return cx.note(probes::LEASE_KEPT_A_CANDIDATE_OUT);
        }
        self.follow(None, cx);
        let promise = Write::Promise {
            ballot,
            candidate: from,
            serial,
        };
        if cx.has(MultiPaxosBug::PromiseNotDurable) {
            cx.write_but_forget_to_persist(&promise);
        } else {
            cx.write(promise);
        }
        cx.send(from, promise_of(ballot, first, serial, cx));
        cx.set_timer(Timer::Election, cx.config().election_timeout());
    }

    /// Phase 2b, for any number of slots.
    pub(super) fn answer_accept(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        proposals: Vec<(Slot, Proposal)>,
        chosen: Slot,
        cx: &mut Cx<'_>,
    ) {
        if self.role == Role::Recovering {
            return;
        }
        let promised = cx.durable().promised;
        if ballot < promised {
            cx.note(probes::LATE_PROPOSAL_REFUSED);
            if !cx.has(MultiPaxosBug::BallotNotChecked) {
                return cx.send(from, Message::Nack { promised });
            }
        } else {
            self.heard_leader(from, ballot, cx);
        }
        let held = &cx.durable().votes;
        let is_new =
            |(slot, _): &&(Slot, Proposal)| held.get(slot).is_none_or(|vote| vote.ballot < ballot);
        let votes: Vec<_> = proposals.iter().filter(is_new).copied().collect();
        if !votes.is_empty() || ballot > promised {
            cx.write(Write::Votes { ballot, votes });
        }
        let votes = proposals;
        cx.send(from, Message::Accepted { ballot, votes });
        self.learn_up_to(ballot, chosen, cx);
    }

    /// A leader lets itself be heard: that this node answers says that it has promised no higher ballot.
    pub(super) fn answer_heartbeat(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        chosen: Slot,
        round: u64,
        cx: &mut Cx<'_>,
    ) {
        let promised = cx.durable().promised;
        if ballot < promised {
            return cx.send(from, Message::Nack { promised });
        }
        self.heard_leader(from, ballot, cx);
        self.learn_up_to(ballot, chosen, cx);
        let takes_part = self.role != Role::Recovering;
        let answer = Message::Alive {
            ballot,
            chosen: cx.durable().ledger.end(),
            round: if takes_part { round } else { 0 },
        };
        cx.send(from, answer);
    }

    /// Somebody leads in a ballot that this node may take part in.
    fn heard_leader(&mut self, leader: NodeId, ballot: Ballot, cx: &mut Cx<'_>) {
        if self.role == Role::Recovering {
            self.leader = Some(leader);
            return;
        }
        if leader == cx.me() {
            return;
        }
        if ballot > self.own_ballot() {
            self.follow(Some(leader), cx);
        }
        if self.role == Role::Follower {
            self.leader = Some(leader);
            self.lease_granted = true;
            cx.set_timer(Timer::Election, cx.config().election_timeout());
        }
    }
}

/// A promise as this node's disk has it: with its votes in the slots from `first` on, to a candidate whose disk has
/// the serial number `asked`.
pub(super) fn promise_of(ballot: Ballot, first: Slot, asked: u32, cx: &Cx<'_>) -> Message {
    let disk = cx.durable();
    let last = cx.has(MultiPaxosBug::PreparesOneSlot).then_some(first);
    let told = disk.votes.range(first..=last.unwrap_or(Slot::MAX));
    Message::Promise {
        ballot,
        first,
        last,
        asked,
        serial: disk.serial,
        disks: disk.disks.clone(),
        votes: told.map(|(slot, vote)| (*slot, *vote)).collect(),
    }
}
