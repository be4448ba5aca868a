//! Leadership transfer: a leader that is asked to lets another lead (dissertation §3.10).
//!
//! It takes no more commands, brings the other's log up to its own, and asks it to hold an election at once. Should
//! that come to nothing within an election timeout, it goes on as before.

use serde::{Deserialize, Serialize};
use tribunal_histories::{NodeId, Role};

use super::log::Term;
use super::message::{Campaign, Message, Response, Timer};
use super::{Cx, Raft, RaftBug, probes};
use crate::contract::ClientId;

/// A transfer that a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PendingTransfer {
    client: ClientId,
    sequence: u32,
    to: NodeId,
    /// Whether the other has been asked.
    asked: bool,
}

impl Raft {
    /// A leader is asked to let `to` lead.
    pub(super) fn transfer(
        &mut self,
        client: ClientId,
        sequence: u32,
        to: NodeId,
        cx: &mut Cx<'_>,
    ) {
        if to == cx.me() {
            return cx.reply(client, sequence, Response::Changed);
        }
        if !self.voters(cx).contains(to) {
            return cx.reply(client, sequence, Response::Impossible);
        }
        if self.leadership.transfer.is_some() {
            return cx.reply(client, sequence, Response::NotNow);
        }
        self.leadership.transfer = Some(PendingTransfer {
            client,
            sequence,
            to,
            asked: false,
        });
        cx.set_timer(Timer::Transfer, cx.config().transfer_timeout());
        self.send_entries(to, cx);
        self.hand_over(cx);
    }

    /// Asks the other to take over as soon as it has all of the log. From then on it may win at any time, so that no
    /// lease is worth anything in this term any more.
    pub(super) fn hand_over(&mut self, cx: &mut Cx<'_>) {
        let Some(transfer) = self.leadership.transfer.filter(|transfer| !transfer.asked) else {
            return;
        };
        let progress = &self.leadership.peers[transfer.to.index()];
        let has_all = progress.match_index == cx.durable().log.last_index();
        if !has_all && !cx.has(RaftBug::TransferTrusted) {
            return;
        }
        cx.note(probes::LEADER_HANDED_OVER);
        if !cx.has(RaftBug::LeaseSurvivesTransfer) {
            self.give_up_leases(cx);
        }
        self.leadership.handed_over = true;
        self.leadership.transfer = Some(PendingTransfer {
            asked: true,
            ..transfer
        });
        let term = cx.durable().term;
        cx.send(transfer.to, Message::TimeoutNow { term });
    }

    /// The leader wants this node to lead.
    pub(super) fn take_over(&mut self, term: Term, cx: &mut Cx<'_>) {
        if term == cx.durable().term && self.role == Role::Follower && self.may_lead(cx) {
            cx.set_timer(Timer::Election, cx.config().election_timeout());
            self.start_election(Campaign::Transfer, cx);
        }
    }

    /// The other has not taken over in time.
    pub(super) fn give_up_transfer(&mut self, cx: &mut Cx<'_>) {
        if let Some(transfer) = self.leadership.transfer.take() {
            cx.note(probes::TRANSFER_GIVEN_UP);
            cx.reply(transfer.client, transfer.sequence, Response::NotNow);
        }
    }

    /// Tells who asked for a change of the cluster that this node can do no more about it.
    pub(super) fn give_up_changes(&mut self, response: Response, cx: &mut Cx<'_>) {
        let change = self.leadership.change.take();
        let change = change.map(|change| (change.client, change.sequence));
        let transfer = self.leadership.transfer.take();
        let transfer = transfer.map(|transfer| (transfer.client, transfer.sequence));
        for (client, sequence) in change.into_iter().chain(transfer) {
            cx.reply(client, sequence, response.clone());
        }
    }
}
