//! What a replica does for clients: operations through the log, each applied once, and reads at the primary.
//!
//! A read is answered from the primary's state only when a majority has said, after it came, that they know of no newer
//! view: nobody else can have acknowledged anything since.

use tribunal_histories::{NodeId, Role};

use super::log::{Entry, Index};
use super::message::Response;
use super::replication::append;
use super::{Cx, PrimaryBackup, PrimaryBackupBug as Bug, probes};
use crate::contract::ClientId;
use crate::quorum::{NodeSet, Quorum};
use crate::state_machine::{Action, Command, Key, Output};

/// A read that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PendingRead {
    client: ClientId,
    sequence: u32,
    key: Key,
    /// This operation must be applied.
    index: Index,
    /// A majority must have answered this round.
    round: u64,
}

impl PrimaryBackup {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        command: Command,
        cx: &mut Cx<'_>,
    ) {
        let read = command.action == Action::Read;
        if command.action == Action::LocalRead || read && cx.has(Bug::BackupsServeReads) {
            let output = Output::Value(self.machine.read(command.key));
            return cx.reply(client, sequence, Response::Answer(output));
        }
        if self.role != Role::Leader {
            cx.note(probes::SENT_ELSEWHERE);
            return cx.reply(client, sequence, Response::NotPrimary(self.primary));
        }
        if read {
            return self.read(client, sequence, command.key, cx);
        }
        if let Some(output) = self.machine.answered(client, sequence) {
            cx.note(probes::ANSWERED_FROM_SESSION);
            return cx.reply(client, sequence, Response::Answer(output));
        }
        let view = cx.durable().synchronised;
        let entry = Entry {
            view,
            client,
            sequence,
            command,
        };
        append(view, &[entry], cx);
        self.stream_to_all(cx);
    }

    fn read(&mut self, client: ClientId, sequence: u32, key: Key, cx: &mut Cx<'_>) {
        if cx.has(Bug::ShowsUncommitted) {
            let mut machine = self.machine.clone();
            for entry in cx.durable().log.entries_after(self.applied) {
                machine.apply(entry.client, entry.sequence, entry.command);
            }
            return cx.reply(
                client,
                sequence,
                Response::Answer(Output::Value(machine.read(key))),
            );
        }
        let index = self.commit.max(self.reign.start);
        if self.applied < index {
            cx.note(probes::READ_WAITED);
        }
        self.reign.round += 1;
        self.reign.reads.push_back(PendingRead {
            client,
            sequence,
            key,
            index,
            round: self.reign.round,
        });
        self.stream_to_all(cx);
        self.serve_reads(cx);
    }

    /// Answers the reads that need not wait any longer.
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_>) {
        while let Some(read) = self.reign.reads.front().copied() {
            let answered =
                |node: &NodeId| *node == cx.me() || self.reign.answered[node.index()] >= read.round;
            let answers: NodeSet = NodeId::all(cx.config().nodes).filter(answered).collect();
            let still_primary =
                !cx.config().view_change || Quorum::Majority.is_reached(answers, cx.config().nodes);
            if !still_primary || self.applied < read.index {
                return;
            }
            self.reign.reads.pop_front();
            let output = Output::Value(self.machine.read(read.key));
            cx.reply(read.client, read.sequence, Response::Answer(output));
        }
    }

    /// A primary that was deposed cannot tell any more.
    pub(super) fn give_up_reads(&mut self, cx: &mut Cx<'_>) {
        for read in std::mem::take(&mut self.reign.reads) {
            cx.reply(read.client, read.sequence, Response::NotPrimary(None));
        }
    }
}
