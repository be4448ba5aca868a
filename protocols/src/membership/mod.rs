//! Membership and failure detection by gossip, in two styles that share all but the detection.
//!
//! Shared are the table of members ([`table`]), what messages tell of it ([`gossip`]), and how clients let members
//! join, remove them and read the table ([`churn`]). A member has *lives*: one that was removed may join again only
//! in a new life, which it takes itself (a new node id of Redis Cluster, a generation of Cassandra). So removals and
//! joins form a semilattice, and what nodes know of them converges by taking the greater.
//!
//! - [`majority`], in the style of Redis Cluster (`cluster_legacy.c`): who does not answer is suspected (PFAIL) by the
//!   one who asked; a majority of masters makes it agreed (FAIL), and whoever hears from the member takes it back.
//!   Slots are owned by configuration epochs ([`epochs`]).
//! - [`probing`], in the style of SWIM (A. Das, I. Gupta, A. Motivala, *SWIM: Scalable Weakly-consistent
//!   Infection-style Process Group Membership Protocol*, DSN 2002): direct and indirect pings, suspicion, refutation
//!   by incarnations; with Lifeguard's buddy system (Dadgar, Phillips, Currey, DSN-W 2018).

mod churn;
mod epochs;
mod explored;
mod gossip;
mod majority;
mod probing;
mod staged;
#[cfg(test)]
mod tests;

pub mod bugs;
pub mod config;
pub mod message;
pub mod probes;
pub mod table;

use tribunal_histories::{
    Claim, Facet, MemberStatus, MembersView, MessageView, NodeId, Ownership, Retraction, Value,
    View,
};

pub use bugs::MembershipBug;
pub use config::{Config, Style};
pub use message::{Message, News, Request, Response, Timer};
pub use probes::PROBES;
pub use table::{Life, Roster, Table};

use crate::contract::{Context, Input, Node, Reply};
use churn::Join;
use epochs::Take;
use gossip::Gossip;
use majority::Contacts;
use probing::Probing;

/// The volatile state of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Membership {
    style: Style,
    table: Table,
    gossip: Gossip,
    /// Of the style of Redis Cluster; empty in the other.
    contacts: Contacts,
    /// Of the style of SWIM; empty in the other.
    probing: Probing,
    /// By slot, its owner as far as this node knows.
    slots: Vec<Ownership>,
    /// The highest epoch that this node has heard of (`currentEpoch`).
    epoch: u64,
    take: Option<Take>,
    joins: Vec<Join>,
    /// Whether this node's life has ended, and no member has yet heard all that it knows.
    farewell: bool,
}

type Cx<'a> = Context<'a, Membership>;

impl Membership {
    /// What this node believes of members.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// By slot, its owner as far as this node knows.
    pub fn slots(&self) -> &[Ownership] {
        &self.slots
    }

    /// Whether this node is a member as far as it knows.
    fn is_member(&self, cx: &Cx<'_>) -> bool {
        self.table.has(cx.me())
    }

    /// Whether this node is a member and so has work to do; if it is one no more, it takes leave instead.
    fn is_at_work(&mut self, choice: u64, cx: &mut Cx<'_>) -> bool {
        let is_member = self.is_member(cx);
        if !is_member {
            self.take_leave(choice, cx);
        }
        is_member
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if let Some(news) = message.news() {
            self.hear_of_lives(news, cx);
        }
        if let Message::Meet { generation, .. } = &message {
            self.be_invited(*generation, cx);
        }
        if let Some(news) = message.news() {
            self.hear_opinions(from, news, cx);
            self.hear_of_slots(&news.slots, news.epoch, cx);
        }
        self.contacts.data_from(from);
        match message {
            Message::Meet { .. } => {
                let (number, behalf) = (0, None);
                self.tell(from, cx, |news| Message::Pong {
                    number,
                    behalf,
                    news,
                });
            }
            Message::Ping { number, behalf, .. } => {
                self.tell(from, cx, |news| Message::Pong {
                    number,
                    behalf,
                    news,
                });
            }
            Message::Pong { number, behalf, .. } => match self.style {
                Style::Redis => self.take_pong(from, cx),
                Style::Swim => self.take_answer(from, number, behalf, cx),
            },
            Message::PingFor { target, number, .. } => {
                let behalf = Some(from);
                self.tell(target, cx, |news| Message::Ping {
                    number,
                    behalf,
                    news,
                });
            }
            Message::Reached { target, number, .. } => self.reached(target, number, cx),
            Message::Leave { news } => {
                let generation = news.own.generation;
                cx.send(from, Message::Heard { generation });
            }
            Message::Heard { generation } => self.bid_farewell(generation, cx),
            Message::Fail { member, generation } => self.take_verdict(member, generation, cx),
            Message::VoteRequest { epoch } => self.vote(from, epoch, cx),
            Message::Vote { epoch } => self.count_vote(from, epoch, cx),
        }
    }

    /// Begins to look after the members: at boot, and when it has become one.
    fn watch(&mut self, cx: &mut Cx<'_>) {
        match self.style {
            Style::Redis => self.watch_contacts(cx),
            Style::Swim => self.watch_by_probes(cx),
        }
    }
}

impl Node for Membership {
    const NAME: &'static str = "membership";

    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Response = Response;
    type Durable = Roster;
    type Bug = MembershipBug;

    fn boot(cx: &mut Cx<'_>) -> Self {
        let config = cx.config();
        let slots = epochs::slots(config, cx.durable());
        let highest = slots.iter().map(|slot| slot.epoch).max();
        let mut node = Self {
            style: config.style,
            farewell: cx.durable().lives.contains_key(&cx.me()),
            table: Table::of(cx.me(), config, cx.durable()),
            epoch: highest.unwrap_or(0).max(cx.durable().voted),
            slots,
            ..Self::default()
        };
        if cx.has(MembershipBug::RestartsFromNothing) {
            node.table.forget_incarnation(cx.me());
        }
        node.watch(cx);
        node
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer { timer, choice } => match timer {
                Timer::Tick => self.tick(choice, cx),
                Timer::Period => self.next_probe(choice, cx),
                Timer::Answer => self.ask_helpers(choice, cx),
                Timer::Suspicion(member) => self.give_up(member, cx),
            },
            Input::Request {
                client,
                sequence,
                request,
            } => self.serve(client, sequence, request, cx),
            Input::Synced => {}
        }
    }

    fn view<'a>(&'a self, _durable: &'a Roster) -> View<'a> {
        View {
            facet: Facet::Members(MembersView {
                members: self.table.members(),
                retraction: match self.style {
                    Style::Redis => Retraction::Contact,
                    Style::Swim => Retraction::Incarnation,
                },
                reports: self.contacts.reports(),
                now: self.contacts.now(),
                window: self.contacts.window(),
                slots: &self.slots,
            }),
            ..View::default()
        }
    }

    /// Opinions about members that are well and are not the sender are not claims: nothing is inferred from them.
    fn message_view(to: NodeId, message: &Message) -> MessageView {
        let mut claims = Vec::new();
        if let Some(news) = message.news() {
            let others = news.others.iter();
            let doubts = others.filter(|other| other.status != MemberStatus::Alive);
            claims.push(Claim::Member(news.own));
            claims.extend(doubts.copied().map(Claim::Member));
        }
        match message {
            Message::Fail { member, generation } => claims.push(Claim::Gone {
                member: *member,
                generation: *generation,
            }),
            Message::PingFor { target, .. } => claims.push(Claim::AskedToReach(*target)),
            _ => {}
        }
        MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims,
        }
    }

    fn reply(_request: &Request, response: &Response) -> Reply {
        match response {
            Response::Table { .. } => Reply::Ok(response.as_value()),
            Response::Done { number } => {
                Reply::Ok(Value::Int(i64::try_from(*number).unwrap_or(i64::MAX)))
            }
            Response::NoSuchObject => Reply::Fail(Value::text("no such node or slot")),
            Response::Elsewhere => Reply::Elsewhere(None),
        }
    }
}
