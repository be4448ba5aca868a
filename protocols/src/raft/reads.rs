//! Linearizable reads without a log entry: ReadIndex (dissertation §6.4).
//!
//! A leader that receives a read remembers which entries are committed, asks its followers whether it still
//! leads (any message answered in its term says so), waits until it has applied those entries, and answers.

use tribunal_histories::{NodeId, NodeSet, PendingRead};

use super::log::Index;
use super::message::Response;
use super::{Cx, Raft, RaftBug, probes};
use crate::contract::ClientId;
use crate::state_machine::Key;

impl Raft {
    pub(super) fn read(&mut self, client: ClientId, sequence: u32, key: Key, cx: &mut Cx<'_>) {
        if cx.has(RaftBug::LocalRead) {
            return self.answer_read(client, sequence, key.0, self.applied, cx);
        }
        // A new leader does not know which entries are committed until one of its own is.
        let first_index = self.leadership.first_index;
        let index = if cx.has(RaftBug::ReadBeforeOwnCommit) {
            self.commit
        } else {
            self.commit.max(first_index)
        };
        if self.applied < index {
            cx.note(probes::READ_WAITED);
        } else if self.holds_lease() {
            cx.note(probes::READ_BY_LEASE);
            return self.answer_read(client, sequence, key.0, index, cx);
        }
        self.leadership.round += 1;
        let round = if cx.has(RaftBug::ReadWithoutQuorum) {
            0
        } else {
            self.leadership.round
        };
        self.leadership.reads.push(PendingRead {
            client,
            sequence,
            key: key.0,
            index,
            round,
        });
        self.send_to_all(cx);
        self.serve_reads(cx);
    }

    fn answer_read(
        &self,
        client: ClientId,
        sequence: u32,
        key: u32,
        index: Index,
        cx: &mut Cx<'_>,
    ) {
        let response = Response::Read {
            object: self.machine.read(Key(key)),
            term: cx.durable().term,
            index,
        };
        cx.reply(client, sequence, response);
    }

    /// A follower answered a message of this round: when it was sent, this node still led.
    pub(super) fn answered_round(&mut self, from: NodeId, round: u64, cx: &Cx<'_>) {
        self.leadership.heard.insert(from);
        let answered = &mut self.leadership.answered_rounds[from.index()];
        *answered = round.max(*answered);
        self.renew_leases(cx);
    }

    /// Whether a quorum answered this round, or a later one.
    pub(super) fn is_answered(&self, round: u64, cx: &Cx<'_>) -> bool {
        let rounds = self.leadership.answered_rounds.iter().enumerate();
        let answered: NodeSet = rounds
            .filter(|(_, answered)| **answered >= round)
            .map(|(node, _)| NodeId::from_index(node))
            .chain([cx.me()])
            .collect();
        self.is_quorum(answered, cx)
    }

    /// Answers the reads that need not wait any longer.
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_>) {
        let ready =
            |read: &PendingRead| self.applied >= read.index && self.is_answered(read.round, cx);
        let count = self.leadership.reads.iter().take_while(|read| ready(read));
        let count = count.count();
        let served: Vec<_> = self.leadership.reads.drain(..count).collect();
        for read in served {
            self.answer_read(read.client, read.sequence, read.key, read.index, cx);
        }
    }

    /// A leader that stepped down cannot tell any more.
    pub(super) fn give_up_reads(&mut self, leader: Option<NodeId>, cx: &mut Cx<'_>) {
        for read in std::mem::take(&mut self.leadership.reads) {
            cx.note(probes::DEPOSED_DURING_READ);
            if cx.has(RaftBug::ReadContextDropped) {
                self.answer_read(read.client, read.sequence, read.key, self.applied, cx);
            } else {
                cx.reply(read.client, read.sequence, Response::NotLeader(leader));
            }
        }
    }
}
