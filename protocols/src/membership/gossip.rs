//! What messages tell of the members, and what is believed of what they tell.

use tribunal_histories::{MemberStatus, MemberView, NodeId};

use super::config::Style;
use super::message::{Message, News};
use super::table::{Life, Write};
use super::{Cx, Membership, MembershipBug, probes};

/// What a node keeps in order to spread what it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Gossip {
    /// Whose turn it is to be told of.
    turn: usize,
    /// Of whom there is news, and how often it was passed on (SWIM §4.1: infection-style dissemination).
    updates: Vec<(NodeId, u32)>,
}

impl Gossip {
    /// There is news of a member: it goes before what was passed on already.
    pub(super) fn update(&mut self, member: NodeId) {
        self.updates.retain(|(other, _)| *other != member);
        self.updates.push((member, 0));
    }

    /// Takes the news that was passed on least, as far as there is room; news that was passed on often enough is news
    /// no more.
    fn freshest(&mut self, room: usize, copies: u32) -> Vec<NodeId> {
        self.updates.sort_by_key(|(_, passed_on)| *passed_on);
        let fresh = self.updates.iter_mut().take(room);
        let fresh = fresh
            .map(|(member, passed_on)| {
                *passed_on += 1;
                *member
            })
            .collect();
        self.updates.retain(|(_, passed_on)| *passed_on < copies);
        fresh
    }
}

impl Membership {
    /// Sends a message with what there is to tell.
    pub(super) fn tell(
        &mut self,
        to: NodeId,
        cx: &mut Cx<'_>,
        message: impl FnOnce(News) -> Message,
    ) {
        if let Some(news) = self.news(to, cx) {
            cx.send(to, message(news));
        }
    }

    /// Sends a message with all that this node knows.
    pub(super) fn tell_all(
        &mut self,
        to: NodeId,
        cx: &mut Cx<'_>,
        message: impl FnOnce(News) -> Message,
    ) {
        if let Some(own) = self.table.find(cx.me()).copied() {
            let others = self.table.members().iter().copied();
            let others = others.filter(|other| other.member != own.member).collect();
            cx.send(to, message(self.news_of(own, others)));
        }
    }

    fn news_of(&self, own: MemberView, others: Vec<MemberView>) -> News {
        News {
            own,
            others,
            slots: self.slots.clone(),
            epoch: self.epoch,
        }
    }

    /// What there is to tell a node: what concerns itself, what is new or urgent, and others in turn. That everyone
    /// gets its turn makes it anti-entropy: what was lost once is told again.
    fn news(&mut self, to: NodeId, cx: &Cx<'_>) -> Option<News> {
        let (me, config) = (cx.me(), cx.config());
        let own = *self.table.find(me)?;
        let mut named = Vec::new();
        if self.concerns(to) {
            named.push(to);
        }
        let room = match self.style {
            Style::Redis => config.sections.max(self.table.members().len() / 10),
            Style::Swim => config.sections,
        };
        match self.style {
            // All that are suspected, whatever the room (`clusterSendPing`).
            Style::Redis => {
                let suspected = |member: &MemberView| member.status == MemberStatus::Suspect;
                named.extend(self.table.those(suspected).iter());
            }
            Style::Swim => named.extend(self.gossip.freshest(room, config.copies)),
        }
        let turns = self.table.members().len();
        for _ in 0..turns {
            if named.len() >= room {
                break;
            }
            self.gossip.turn = (self.gossip.turn + 1) % turns;
            let next = self.table.members()[self.gossip.turn].member;
            if next != to {
                named.push(next);
            }
        }
        named.retain(|member| *member != me);
        let mut others: Vec<MemberView> = Vec::new();
        for member in named {
            if others.iter().all(|other| other.member != member) {
                others.extend(self.table.find(member));
            }
        }
        Some(self.news_of(own, others))
    }

    /// Whether the receiver should know what is believed of it: that it was removed; in the style of SWIM, that it
    /// must refute something (Lifeguard §IV.C, the buddy system).
    fn concerns(&self, to: NodeId) -> bool {
        let Some(member) = self.table.find(to) else {
            return false;
        };
        match self.style {
            Style::Redis => member.status == MemberStatus::Removed,
            Style::Swim => member.status != MemberStatus::Alive,
        }
    }

    /// Hears which lives a message tells of, before anything that it tells of them. An earlier life than the one that
    /// is known is of no interest, nor is one that has ended.
    pub(super) fn hear_of_lives(&mut self, news: &News, cx: &mut Cx<'_>) {
        for told in [&news.own].into_iter().chain(&news.others) {
            let (member, life) = (told.member, Life::of(told));
            let known = self.table.find(member).map(Life::of);
            let comes_back = cx.has(MembershipBug::RemovedComesBack)
                && known.is_some_and(|known| known.removed && known.generation == life.generation);
            if comes_back || known.is_none_or(|known| known < life) {
                self.learn(member, life, cx);
            }
        }
    }

    /// Hears what another believes of members in their present lives. Who is no member has no use for that.
    pub(super) fn hear_opinions(&mut self, from: NodeId, news: &News, cx: &mut Cx<'_>) {
        if !self.is_member(cx) {
            return;
        }
        for told in [&news.own].into_iter().chain(&news.others) {
            let (member, life) = (told.member, Life::of(told));
            let is_present = self.table.find(member).map(Life::of) == Some(life) && !life.removed;
            match self.style {
                _ if !is_present => {}
                Style::Redis if member == cx.me() => {}
                Style::Redis => self.take_report(from, told, cx),
                Style::Swim => self.weigh(told, cx),
            }
        }
    }

    /// A member's life began or ended.
    pub(super) fn learn(&mut self, member: NodeId, life: Life, cx: &mut Cx<'_>) {
        if member == cx.me() {
            cx.note(if life.removed {
                probes::OWN_LIFE_ENDED
            } else {
                probes::OWN_LIFE_BEGAN
            });
            self.farewell = life.removed;
            self.take = None;
        }
        cx.write(Write::Life(member, life));
        self.table.begin(member, life, cx.config());
        self.gossip.update(member);
        self.contacts.begin(member);
        self.probing.forget(member, cx);
        self.complete_joins(member, life, cx);
    }
}
