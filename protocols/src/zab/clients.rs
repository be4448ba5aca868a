//! What a node does for clients: operations through the leader, each an ordered transaction that is delivered once,
//! and reads of what one node has delivered.
//!
//! A read is ordered as well, so that it is linearizable. (ZooKeeper's own reads are local; its `sync` goes through
//! the leader but not through a quorum, so that a `sync` and then a read may still be old if the leader was deposed.)

use tribunal_histories::{Phase, Zxid};

use super::history::{Index, Transaction};
use super::message::Response;
use super::{Cx, Stage, Zab, ZabBug, probes};
use crate::contract::ClientId;
use crate::state_machine::{Action, Command, Output};

impl Zab {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        command: Command,
        cx: &mut Cx<'_>,
    ) {
        if command.action == Action::LocalRead {
            let response = self.local_read(command, cx);
            return cx.reply(client, sequence, response);
        }
        let (epoch, initial) = match &self.stage {
            Stage::Leading(leading) if self.is_established() => (leading.epoch, leading.initial),
            Stage::Following(following) => {
                cx.note(probes::SENT_ELSEWHERE);
                let leader = Some(following.leader);
                return cx.reply(client, sequence, Response::NotLeader(leader));
            }
            _ => return cx.reply(client, sequence, Response::NotLeader(None)),
        };
        if command.action == Action::Read && cx.has(ZabBug::ReadNotOrdered) {
            let output = Output::Value(self.machine.read(command.key));
            return cx.reply(client, sequence, Response::Answer(output));
        }
        if let Some(output) = self.machine.answered(client, sequence)
            && !cx.has(ZabBug::NoSessions)
        {
            cx.note(probes::ANSWERED_FROM_SESSION);
            return cx.reply(client, sequence, Response::Answer(output));
        }
        let Some(zxid) = next_zxid(epoch, initial, cx) else {
            cx.note(probes::COUNTER_ROLLED_OVER);
            cx.reply(client, sequence, Response::NotLeader(None));
            return self.look_for_leader(cx);
        };
        let transaction = Transaction {
            zxid,
            client,
            sequence,
            command,
        };
        cx.write(cx.durable().history.append(vec![transaction]));
        self.broadcast(epoch, cx);
    }

    /// What this node has delivered, if it is up to date with a leader and has delivered again what it had before.
    fn local_read(&self, command: Command, cx: &mut Cx<'_>) -> Response {
        if self.phase() != Phase::Broadcast || self.applied < self.recalled {
            cx.note(probes::NOT_SERVING);
            return Response::NotLeader(None);
        }
        Response::Answer(Output::Value(self.machine.read(command.key)))
    }
}

/// The name of the next transaction of an epoch, if it has one more.
fn next_zxid(epoch: u64, initial: Index, cx: &Cx<'_>) -> Option<Zxid> {
    let last = cx.durable().history.last_zxid();
    if cx.has(ZabBug::CounterOverflows) {
        return Some(zxid_after_overflow(epoch, initial, cx));
    }
    let counter = if last.epoch < epoch {
        1
    } else {
        last.counter + 1
    };
    (counter <= cx.config().counter_max).then_some(Zxid { epoch, counter })
}

/// As in ZooKeeper before 3.3.5: a new primary begins with the first name of its epoch, and goes on by adding one to a
/// number of which the epoch is the upper half. For a planted bug.
fn zxid_after_overflow(epoch: u64, initial: Index, cx: &Cx<'_>) -> Zxid {
    let history = &cx.durable().history;
    let last = history.last_zxid();
    let (epoch, counter) = match () {
        () if history.last_index() == initial => (epoch, 1),
        () if last.counter < cx.config().counter_max => (last.epoch, last.counter + 1),
        () => (last.epoch + 1, 1),
    };
    Zxid { epoch, counter }
}
