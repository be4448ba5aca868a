//! What a node does for clients: it invites nodes, removes members, and tells what it knows.

use tribunal_histories::NodeId;

use super::message::{Message, Request, Response};
use super::table::Life;
use super::{Cx, Membership, probes};
use crate::contract::ClientId;

/// A client that waits for a node to become a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Join {
    client: ClientId,
    sequence: u32,
    member: NodeId,
}

impl Membership {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        request: Request,
        cx: &mut Cx<'_>,
    ) {
        if request == Request::Read {
            let response = Response::Table {
                node: cx.me(),
                members: self.table.members().to_vec(),
                slots: self.slots.clone(),
            };
            return cx.reply(client, sequence, response);
        }
        if !self.is_member(cx) {
            return cx.reply(client, sequence, Response::Elsewhere);
        }
        match request {
            Request::Join(member) => self.invite((client, sequence), member, cx),
            Request::Remove(member) => self.remove((client, sequence), member, cx),
            Request::Take(slot) => self.take_slot((client, sequence), slot, cx),
            Request::Read => {}
        }
    }

    /// Invites a node that is no member, and answers when it has become one. Once it knows one member it will come to
    /// know all, and they it.
    fn invite(&mut self, (client, sequence): (ClientId, u32), member: NodeId, cx: &mut Cx<'_>) {
        if member.index() >= cx.config().nodes {
            return cx.reply(client, sequence, Response::NoSuchObject);
        }
        let known = self.table.find(member).map(Life::of);
        if let Some(Life {
            generation: number,
            removed: false,
        }) = known
        {
            return cx.reply(client, sequence, Response::Done { number });
        }
        self.joins.retain(|join| join.client != client);
        self.joins.push(Join {
            client,
            sequence,
            member,
        });
        let generation = known.map_or(0, |life| life.generation) + 1;
        self.tell_all(member, cx, |news| Message::Meet { generation, news });
    }

    /// A member asks this node to become one, in a life that it has not lived. An invitation that is late, or comes
    /// again, is to a life that has begun: it changes nothing.
    pub(super) fn be_invited(&mut self, generation: u64, cx: &mut Cx<'_>) {
        let own = self.table.find(cx.me()).map(Life::of).unwrap_or_default();
        if own.removed && generation > own.generation {
            cx.note(if own.generation == 0 {
                probes::JOINED
            } else {
                probes::JOINED_AGAIN
            });
            let removed = false;
            self.learn(
                cx.me(),
                Life {
                    generation,
                    removed,
                },
                cx,
            );
            self.watch(cx);
        }
    }

    /// A life of a member began or ended: whoever waited for that is told. If what ended is the life to which it was
    /// invited, it is invited once more.
    pub(super) fn complete_joins(&mut self, member: NodeId, life: Life, cx: &mut Cx<'_>) {
        let waiting: Vec<_> = self
            .joins
            .extract_if(.., |join| join.member == member)
            .collect();
        for join in waiting {
            if life.removed {
                self.invite((join.client, join.sequence), member, cx);
            } else {
                let number = life.generation;
                cx.reply(join.client, join.sequence, Response::Done { number });
            }
        }
    }

    /// Ends the present life of a member, as far as this node knows of it. If it knows no such member another may; it is
    /// no failure, for another may also have removed it already at the same request.
    fn remove(&mut self, (client, sequence): (ClientId, u32), member: NodeId, cx: &mut Cx<'_>) {
        let Some(&known) = self.table.find(member) else {
            return cx.reply(client, sequence, Response::Elsewhere);
        };
        let number = known.generation;
        if !Life::of(&known).removed {
            cx.note(probes::REMOVED);
            let life = Life {
                generation: number,
                removed: true,
            };
            self.learn(member, life, cx);
            if member == cx.me() {
                self.leave(cx);
            }
        }
        cx.reply(client, sequence, Response::Done { number });
    }

    /// Tells everyone that it has left.
    fn leave(&mut self, cx: &mut Cx<'_>) {
        cx.note(probes::LEFT);
        for peer in self.table.present().iter() {
            self.tell_all(peer, cx, |news| Message::Leave { news });
        }
    }

    /// A node that is a member no more tells some member all that it knows, until one has heard it: what clients were
    /// told by it must not be lost with it.
    pub(super) fn take_leave(&mut self, choice: u64, cx: &mut Cx<'_>) {
        let peers = self.table.present();
        let drawn = usize::try_from(choice).unwrap_or(0) % peers.len().max(1);
        if let Some(peer) = peers.iter().nth(drawn).filter(|_| self.farewell) {
            self.tell_all(peer, cx, |news| Message::Leave { news });
        }
    }

    /// A member has heard all that this node knew at the end of a life.
    pub(super) fn bid_farewell(&mut self, generation: u64, cx: &mut Cx<'_>) {
        let own = self.table.find(cx.me()).map(Life::of);
        let is_over = own.is_some_and(|own| own.removed && own.generation == generation);
        if self.farewell && is_over {
            cx.note(probes::TOOK_LEAVE);
            self.farewell = false;
        }
    }
}
