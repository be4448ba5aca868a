//! Linearizable reads that take no slot: a leader asks a majority whether it still leads, or holds a lease.
//!
//! **Quorum.** Each heartbeat has a round. That a majority answered the round which began with the read, each before
//! it promised a higher ballot, says that nobody could have led in a higher one when the read began. The leader knows
//! of all that was chosen before its time once it has applied what it inherited.
//!
//! **Lease** (*Paxos Made Live*, §5.2). Who answers a heartbeat promises nobody else until its election timer fires.
//! So from the moment when a round *began*, a majority keeps others out for as long as the shortest election timeout
//! lasts on the fastest clock; the lease is shorter by the bound on the drift of clocks. A node has no clock: the
//! lease is a timer of each round, armed when the round begins, and it ends when that fires. It is safe only as long
//! as clocks keep the bound and a node that was paused lets timers fire that came due before it answers.

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, Role};

use super::message::{Message, Response, Timer};
use super::stable::Slot;
use super::{Cx, MultiPaxos, MultiPaxosBug, Reads, peers, probes};
use crate::contract::ClientId;
use crate::quorum::{NodeSet, Quorum};
use crate::state_machine::{Key, Output};

/// A read that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PendingRead {
    pub(super) client: ClientId,
    pub(super) sequence: u32,
    key: Key,
    /// The ledger must reach this slot.
    slot: Slot,
    /// A majority must have answered this round.
    round: u64,
}

impl MultiPaxos {
    /// Begins a round: lets itself be heard by all, and asks whether it still leads.
    pub(super) fn ask_everyone(&mut self, cx: &mut Cx<'_>) {
        self.round += 1;
        if cx.config().reads == Reads::Lease {
            cx.set_timer(Timer::Lease(self.round), cx.config().lease());
        }
        for peer in peers(cx) {
            let heartbeat = Message::Heartbeat {
                ballot: self.leadership.ballot,
                chosen: cx.durable().ledger.end(),
                round: self.round,
            };
            cx.send(peer, heartbeat);
        }
        // Of one node, itself is a majority.
        self.answered_round(cx.me(), self.round, cx);
    }

    pub(super) fn read(&mut self, client: ClientId, sequence: u32, key: Key, cx: &mut Cx<'_>) {
        let chosen = cx.durable().ledger.end();
        let slot = if cx.has(MultiPaxosBug::ReadsBeforeInherited) {
            chosen
        } else {
            chosen.max(self.leadership.inherited)
        };
        if slot > chosen {
            cx.note(probes::READ_WAITED);
        }
        let alone = self.holds_lease() || cx.has(MultiPaxosBug::LeaderReadsAlone);
        let mut read = PendingRead {
            client,
            sequence,
            key,
            slot,
            round: 0,
        };
        if alone {
            self.leadership.reads.push_back(read);
            return self.serve_reads(cx);
        }
        read.round = self.round + 1;
        self.leadership.reads.push_back(read);
        self.ask_everyone(cx);
    }

    /// A node answered a round: when that began, this node still led.
    pub(super) fn answered_round(&mut self, from: NodeId, round: u64, cx: &mut Cx<'_>) {
        let answered = &mut self.leadership.answered_rounds[from.index()];
        *answered = round.max(*answered);
        if cx.config().reads == Reads::Lease
            && round > self.leadership.lease_round
            && self.is_answered(round, cx)
        {
            self.leadership.lease_round = round;
        }
        self.serve_reads(cx);
    }

    fn is_answered(&self, round: u64, cx: &Cx<'_>) -> bool {
        let rounds = NodeId::all(cx.config().nodes).zip(&self.leadership.answered_rounds);
        let answers = rounds.filter(|(_, answered)| **answered >= round);
        let answers: NodeSet = answers.map(|(node, _)| node).collect();
        round == 0 || Quorum::Majority.is_reached(answers, cx.config().nodes)
    }

    /// Answers the reads that need not wait any longer.
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_>) {
        let reads = std::mem::take(&mut self.leadership.reads);
        for read in reads {
            if cx.durable().ledger.end() < read.slot || !self.is_answered(read.round, cx) {
                self.leadership.reads.push_back(read);
                continue;
            }
            let output = Output::Value(self.machine.read(read.key));
            cx.reply(read.client, read.sequence, Response::Answer(output));
        }
    }

    /// Whether it may answer reads alone.
    pub(super) fn holds_lease(&self) -> bool {
        self.role == Role::Leader && self.leadership.lease_round > self.lease_ended
    }
}
