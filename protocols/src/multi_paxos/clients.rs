//! What a node does for clients: commands through the log, each applied once, by the leader or passed on to it.
//!
//! A command that is sent again while it is on its way gets another slot; that it is executed once is for the session
//! of its client to see to, which it must anyway, for a new leader may propose again what an old one did.

use tribunal_histories::{NodeId, Role};

use super::message::{Message, Response};
use super::{Cx, MultiPaxos, MultiPaxosBug, Reads, probes};
use crate::contract::ClientId;
use crate::state_machine::{Action, Command, Output};

impl MultiPaxos {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        command: Command,
        cx: &mut Cx<'_>,
    ) {
        let reads = command.action == Action::Read;
        let heard = self.leader.is_some_and(|leader| leader != cx.me());
        let reads_here = reads && heard && cx.has(MultiPaxosBug::FollowerServesReads);
        if command.action == Action::LocalRead || reads_here {
            let output = Output::Value(self.machine.read(command.key));
            return cx.reply(client, sequence, Response::Answer(output));
        }
        if self.role != Role::Leader {
            return self.pass_on(client, sequence, command, cx);
        }
        if reads && cx.config().reads != Reads::Log {
            return self.read(client, sequence, command.key, cx);
        }
        if let Some(output) = self.machine.answered(client, sequence)
            && !cx.has(MultiPaxosBug::NoSessions)
        {
            cx.note(probes::ANSWERED_FROM_SESSION);
            return cx.reply(client, sequence, Response::Answer(output));
        }
        if cx.has(MultiPaxosBug::ReplyBeforeChosen) {
            let output = self.machine.clone().apply_again(command);
            if output != Output::Mismatch {
                cx.reply(client, sequence, Response::Answer(output));
            }
        }
        self.leadership
            .waiting
            .push_back((client, sequence, command));
        self.propose_waiting(cx);
    }

    fn pass_on(&self, client: ClientId, sequence: u32, command: Command, cx: &mut Cx<'_>) {
        match self.leader {
            Some(leader) if cx.config().forward && leader != cx.me() => {
                cx.note(probes::COMMAND_FORWARDED);
                let forward = Message::Forward {
                    client,
                    sequence,
                    command,
                };
                cx.send(leader, forward);
            }
            leader => {
                cx.note(probes::SENT_ELSEWHERE);
                cx.reply(client, sequence, Response::NotLeader(leader));
            }
        }
    }

    /// A leader that steps down sends away whose command has no slot, and whose read it can not answer any more. What
    /// is in a slot may yet be chosen.
    pub(super) fn give_up_clients(&mut self, cx: &mut Cx<'_>) {
        let elsewhere: Option<NodeId> = self.leader.filter(|leader| *leader != cx.me());
        for (client, sequence, _) in std::mem::take(&mut self.leadership.waiting) {
            cx.reply(client, sequence, Response::NotLeader(elsewhere));
        }
        for read in std::mem::take(&mut self.leadership.reads) {
            cx.note(probes::DEPOSED_DURING_READ);
            cx.reply(read.client, read.sequence, Response::NotLeader(elsewhere));
        }
    }
}
