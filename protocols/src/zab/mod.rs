//! ZAB: the atomic broadcast of ZooKeeper, in which primaries succeed each other.
//!
//! After F. Junqueira, B. Reed and M. Serafini, *Zab: High-performance broadcast for primary-backup systems* (DSN
//! 2011), here "the paper", with ZooKeeper's Fast Leader Election for its phase 0 and ZooKeeper's way to bring
//! histories up to date (DIFF, TRUNC, SNAP). One file a phase: [`election`] (0), [`discovery`] (1),
//! [`synchronization`] (2) and [`broadcast`] (3); [`clients`] has what clients ask for, and [`history`] what survives
//! a crash.
//!
//! As in ZooKeeper, the elected leader is the node with the newest history, and gives up when a follower's turns out
//! to be newer; in the paper it takes over that follower's history. Either keeps what was committed.

mod broadcast;
mod clients;
mod discovery;
mod election;
mod explored;
mod staged;
mod synchronization;

pub mod bugs;
pub mod config;
pub mod history;
pub mod message;
pub mod probes;

use std::collections::BTreeMap;

use tribunal_histories::{
    Claim, Digest, Facet, HistoryClaim, MessageView, NodeId, Phase, PrimariesView, Role, Value,
    View, Zxid,
};

pub use bugs::ZabBug;
pub use config::Config;
pub use history::{Epoch, HardState, Index, Transaction};
pub use message::{Message, Response, Timer};
pub use probes::PROBES;

use crate::contract::{Context, Input, Node, Reply};
use crate::quorum::NodeSet;
use crate::state_machine::{Command, Output, StateMachine};
use election::Election;
use message::{Place, Vote};

/// The volatile state of a ZAB node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Zab {
    stage: Stage,
    /// The round of the last election that this node took part in (ZooKeeper: `logicalclock`).
    round: u64,
    /// What it voted for in that round, or would again.
    vote: Vote,
    /// To whom it promised its accepted epoch, if it was in this life.
    promised: Option<NodeId>,
    committed: Index,
    applied: Index,
    machine: StateMachine,
    /// A digest of what was delivered, in order, and how much that was.
    delivered: Digest,
    deliveries: u64,
    /// What was in the history when the node started, and was not cut off since: all that it had delivered before.
    recalled: Index,
}

/// What a node is doing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Looking(Election),
    Following(Following),
    Leading(Leading),
}

/// What only a follower keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Following {
    leader: NodeId,
    phase: Phase,
    /// The leader's epoch, once it is told.
    epoch: Epoch,
    /// Whether it has taken over the leader's history.
    synchronized: bool,
}

/// What only a leader keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Leading {
    phase: Phase,
    /// Its epoch; 0 until it is settled.
    epoch: Epoch,
    /// The newest epoch that it was told of.
    newest: Epoch,
    /// Who told its accepted epoch.
    informed: NodeSet,
    /// Who promised to take part, and from where its history goes on: current epoch and last transaction.
    promised: NodeSet,
    ends: BTreeMap<NodeId, (Epoch, Zxid)>,
    /// The end of its initial history.
    initial: Index,
    /// Who has its initial history, and up to where its history is on their disks.
    stored: BTreeMap<NodeId, Index>,
    /// Who acknowledged something since it last looked.
    heard: NodeSet,
}

type Cx<'a> = Context<'a, Zab>;

impl Zab {
    /// The objects that clients see, as far as this node has delivered transactions.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Looking(_) => Phase::Election,
            Stage::Following(following) => following.phase,
            Stage::Leading(leading) => leading.phase,
        }
    }

    /// Whether this node leads an established epoch.
    fn is_established(&self) -> bool {
        matches!(&self.stage, Stage::Leading(leading) if leading.phase == Phase::Broadcast)
    }

    /// Its part as a follower, if a message of this epoch comes from its leader.
    fn following(&mut self, from: NodeId, epoch: Epoch) -> Option<&mut Following> {
        match &mut self.stage {
            Stage::Following(following) => {
                Some(following).filter(|known| known.leader == from && known.epoch == epoch)
            }
            _ => None,
        }
    }

    /// Its part as the leader of an epoch that is settled.
    fn leading(&mut self, epoch: Epoch) -> Option<&mut Leading> {
        match &mut self.stage {
            Stage::Leading(leading) => {
                Some(leading).filter(|known| known.epoch == epoch && epoch > 0)
            }
            _ => None,
        }
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Notification {
                round,
                vote,
                standing,
            } => self.take_vote(from, round, vote, standing, cx),
            Message::FollowerInfo { accepted } => self.take_info(from, accepted, cx),
            Message::NewEpoch { epoch } => self.promise(from, epoch, cx),
            Message::AckEpoch {
                epoch,
                current,
                last,
                promises,
            } => self.take_promise(from, epoch, (current, last), promises, cx),
            Message::Sync {
                epoch,
                answers,
                how,
            } => self.take_over(from, epoch, answers, how, cx),
            Message::NewLeader { epoch, last } => self.accept_leader(from, epoch, last, cx),
            Message::AckNewLeader { epoch, last } => self.take_follower(from, epoch, last, cx),
            Message::UpToDate { epoch, committed } => {
                self.serve_from_now(from, epoch, committed, cx)
            }
            Message::Propose {
                epoch,
                after,
                transaction,
                ..
            } => self.accept(from, epoch, after, transaction, cx),
            Message::Ack { epoch, last } | Message::Pong { epoch, last } => {
                self.note_stored(from, epoch, last, cx);
            }
            Message::Commit { epoch, committed } => self.learn_commit(from, epoch, committed, cx),
            Message::Ping { epoch, committed } => self.hear_leader(from, epoch, committed, cx),
        }
    }

    fn time_is_up(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match (timer, &self.stage) {
            (Timer::Retry, Stage::Looking(_)) => self.vote_again(cx),
            (Timer::Retry, Stage::Following(_)) => self.ask_leader_again(cx),
            (Timer::Decide, Stage::Looking(_)) => self.decide(cx),
            (Timer::Leader, Stage::Following(_)) => {
                cx.note(probes::LEADER_LOST);
                self.look_for_leader(cx);
            }
            (Timer::Ping, Stage::Leading(_)) => self.ping(cx),
            (Timer::Quorum, Stage::Leading(_)) => self.look_for_followers(cx),
            _ => {}
        }
    }
}

/// All nodes but this one.
fn peers(cx: &Cx<'_>) -> impl Iterator<Item = NodeId> + use<> {
    let me = cx.me();
    NodeId::all(cx.config().nodes).filter(move |node| *node != me)
}

/// The place at an index of this node's history.
fn place_at(index: Index, cx: &Cx<'_>) -> Place {
    let zxid = cx.durable().history.zxid_at(index).unwrap_or_default();
    Place { zxid, index }
}

/// The end of this node's history.
fn last_place(cx: &Cx<'_>) -> Place {
    place_at(cx.durable().history.last_index(), cx)
}

impl Node for Zab {
    const NAME: &'static str = "zab";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Command;
    type Response = Response;
    type Durable = HardState;
    type Bug = ZabBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        let history = &cx.durable().history;
        let snapshot = history.snapshot();
        let mut node = Self {
            stage: Stage::Looking(Election::default()),
            round: 0,
            vote: election::own_vote(cx),
            promised: None,
            committed: snapshot.index,
            applied: snapshot.index,
            machine: snapshot.machine.clone(),
            delivered: snapshot.delivered,
            deliveries: snapshot.index,
            recalled: history.last_index(),
        };
        node.look_for_leader(cx);
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer { timer, .. } => self.time_is_up(timer, cx),
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {}
        }
    }

    fn view<'a>(&'a self, durable: &'a HardState) -> View<'a> {
        let (role, epoch) = match &self.stage {
            Stage::Looking(_) => (Role::PreCandidate, 0),
            Stage::Following(following) => (Role::Follower, following.epoch),
            Stage::Leading(leading) if self.is_established() => (Role::Leader, leading.epoch),
            Stage::Leading(leading) => (Role::Candidate, leading.epoch),
        };
        View {
            role,
            term: durable.accepted_epoch,
            log: durable.history.view(),
            commit_index: self.committed,
            applied_index: self.applied,
            state: self.delivered,
            facet: Facet::Primaries(PrimariesView {
                accepted_epoch: durable.accepted_epoch,
                current_epoch: durable.current_epoch,
                phase: self.phase(),
                epoch,
                deliveries: self.deliveries,
                zxids: durable.history.zxids(),
            }),
            ..View::default()
        }
    }

    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let claim = |epoch: &Epoch, place: &Place| HistoryClaim {
            epoch: *epoch,
            zxid: place.zxid,
            index: place.index,
        };
        let (term, claims) = match message {
            Message::Notification { .. } => (0, Vec::new()),
            Message::FollowerInfo { accepted } => (*accepted, Vec::new()),
            Message::NewEpoch { epoch }
            | Message::AckEpoch { epoch, .. }
            | Message::Sync { epoch, .. }
            | Message::UpToDate { epoch, .. }
            | Message::Ping { epoch, .. }
            | Message::Pong { epoch, .. } => (*epoch, Vec::new()),
            Message::NewLeader { epoch, last } => (*epoch, vec![Claim::Leads(claim(epoch, last))]),
            Message::AckNewLeader { epoch, last } => {
                (*epoch, vec![Claim::Follows(claim(epoch, last))])
            }
            Message::Propose { epoch, place, .. } => {
                (*epoch, vec![Claim::Broadcasts(claim(epoch, place))])
            }
            Message::Ack { epoch, last } => (*epoch, vec![Claim::Stored(claim(epoch, last))]),
            Message::Commit { epoch, committed } => {
                (*epoch, vec![Claim::Commits(claim(epoch, committed))])
            }
        };
        let grants_vote = matches!(message, Message::AckEpoch { promises: true, .. });
        MessageView {
            to,
            term,
            grants_vote,
            claims,
        }
    }

    fn reply(_request: &Command, response: &Response) -> Reply {
        match response {
            Response::Answer(Output::Done) => Reply::Ok(Value::Nil),
            Response::Answer(Output::Value(object)) => Reply::Ok(object.into()),
            Response::Answer(Output::Mismatch) => Reply::Fail(Value::text("mismatch")),
            Response::NotLeader(leader) => Reply::Elsewhere(*leader),
        }
    }
}
