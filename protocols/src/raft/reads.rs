//! Linearizable reads without a log entry: ReadIndex (dissertation §6.4).
//!
//! A leader that receives a read remembers which entries are committed, asks its followers whether it still
//! leads (any message answered in its term says so), waits until it has applied those entries, and answers.

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::log::Index;
use super::message::Response;
use super::{Cx, Raft, RaftBug, probes};
use crate::contract::ClientId;
use crate::state_machine::{Key, Output};

/// A read that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PendingRead {
    client: ClientId,
    sequence: u32,
    key: Key,
    /// The state machine must have applied this entry.
    index: Index,
    /// A majority must have answered this round.
    round: u64,
}

impl Raft {
    pub(super) fn read(&mut self, client: ClientId, sequence: u32, key: Key, cx: &mut Cx<'_>) {
        if cx.has(RaftBug::LocalRead) {
            let output = Output::Value(self.machine.read(key));
            return cx.reply(client, sequence, Response::Answer(output));
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
        }
        self.leadership.round += 1;
        let round = if cx.has(RaftBug::ReadWithoutQuorum) {
            0
        } else {
            self.leadership.round
        };
        self.leadership.reads.push_back(PendingRead {
            client,
            sequence,
            key,
            index,
            round,
        });
        self.send_to_all(cx);
        self.serve_reads(cx);
    }

    /// A follower answered a message of this round: when it was sent, this node still led.
    pub(super) fn answered_round(&mut self, from: NodeId, round: u64) {
        let answered = &mut self.leadership.answered_rounds[from.index()];
        *answered = round.max(*answered);
    }

    /// Answers the reads that need not wait any longer.
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_>) {
        while let Some(read) = self.leadership.reads.front().copied() {
            let me = cx.me().index();
            let rounds = self.leadership.answered_rounds.iter().enumerate();
            let answers = rounds
                .filter(|(node, round)| *node == me || **round >= read.round)
                .count();
            if answers < cx.config().majority() || self.applied < read.index {
                return;
            }
            self.leadership.reads.pop_front();
            let output = Output::Value(self.machine.read(read.key));
            cx.reply(read.client, read.sequence, Response::Answer(output));
        }
    }

    /// A leader that stepped down cannot tell any more.
    pub(super) fn give_up_reads(&mut self, leader: Option<NodeId>, cx: &mut Cx<'_>) {
        for read in std::mem::take(&mut self.leadership.reads) {
            cx.note(probes::DEPOSED_DURING_READ);
            cx.reply(read.client, read.sequence, Response::NotLeader(leader));
        }
    }
}
