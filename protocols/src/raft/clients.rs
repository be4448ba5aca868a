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
        if command.action == Action::LocalRead {
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
        self.send_to_all(cx);
    }
}
