//! What a node does for clients: commands through the log, each applied once (paper §8, dissertation §6.3).

use tribunal_histories::Role;

use super::log::{Entry, Payload};
use super::message::Response;
use super::{Cx, Raft, RaftBug, probes};
use crate::contract::ClientId;
use crate::state_machine::{Action, Command, Output};

impl Raft {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        command: Command,
        cx: &mut Cx<'_>,
    ) {
        let local = command.action == Action::Read && cx.has(RaftBug::AnyNodeServesReads);
        if command.action == Action::LocalRead && self.applied < self.recalled {
            // A node that started anew first applies what it had applied before: what it tells only grows.
            return cx.reply(client, sequence, Response::NotLeader(None));
        }
        if local || command.action == Action::LocalRead {
            let output = Output::Value(self.machine.read(command.key));
            return cx.reply(client, sequence, Response::Answer(output));
        }
        if self.role != Role::Leader {
            cx.note(probes::SENT_ELSEWHERE);
            return cx.reply(client, sequence, Response::NotLeader(self.leader));
        }
        if self.leadership.transfer.is_some() {
            // It would only put off the change of leader.
            return cx.reply(client, sequence, Response::NotNow);
        }
        if command.action == Action::Read {
            return self.read(client, sequence, command.key, cx);
        }
        if let Some(output) = self.machine.answered(client, sequence)
            && !cx.has(RaftBug::NoSessions)
        {
            cx.note(probes::ANSWERED_FROM_SESSION);
            return cx.reply(client, sequence, Response::Answer(output));
        }
        if cx.has(RaftBug::ReplyBeforeCommit) {
            let output = self.machine.clone().apply_again(command);
            if output != Output::Mismatch {
                cx.reply(client, sequence, Response::Answer(output));
            }
        }
        let entry = Entry {
            term: cx.durable().term,
            payload: Payload::Command {
                client,
                sequence,
                command,
            },
        };
        let log = &cx.durable().log;
        let mut after = log.last_index();
        if cx.has(RaftBug::LeaderOverwrites) && after > self.commit {
            after -= 1;
        }
        cx.write(log.append(after, vec![entry]));
        if cx.has(RaftBug::WaitsByIndexOnly) {
            self.waiting.insert(after + 1, (client, sequence));
        }
        self.send_to_all(cx);
    }

    /// What a leader that remembers who waits for which index, and not for which entry, answers when it applies one.
    pub(super) fn answer_by_index(&mut self, cx: &mut Cx<'_>) {
        if let Some((client, sequence)) = self.waiting.remove(&self.applied) {
            cx.reply(client, sequence, Response::Answer(Output::Done));
        }
    }

    /// A leader that steps down does not know what will become of the commands that are not committed: their clients
    /// ask the next one. A planted bug has it tell them that nothing will.
    pub(super) fn give_up_commands(&mut self, cx: &mut Cx<'_>) {
        if !cx.has(RaftBug::TimeoutIsFailure) {
            return;
        }
        let log = &cx.durable().log;
        let uncommitted: Vec<_> = (self.commit + 1..=log.last_index())
            .filter_map(|index| log.entry(index))
            .filter_map(|entry| match entry.payload {
                Payload::Command {
                    client, sequence, ..
                } => Some((client, sequence)),
                Payload::Noop | Payload::Voters(_) => None,
            })
            .collect();
        for (client, sequence) in uncommitted {
            cx.reply(client, sequence, Response::Abandoned);
        }
    }
}
