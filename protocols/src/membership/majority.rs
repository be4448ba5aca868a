//! Failure detection in the style of Redis Cluster: suspicion is each node's own, a verdict is a majority's.
//!
//! After `clusterCron`, `clusterProcessGossipSection`, `markNodeAsFailingIfNeeded` and `clearNodeFailureIfNeeded` of
//! `cluster_legacy.c`. It is weak agreement, not consensus: the reports come at different times, and nothing makes
//! all nodes agree on a state of a member; that FAIL spreads and can be taken back is what makes them converge.

use tribunal_histories::{MemberStatus, MemberView, NodeId, Report};

use super::config::{Config, Style};
use super::message::{Message, Timer};
use super::{Cx, Membership, MembershipBug, probes};

/// Of so many members, drawn at random, the one that answered longest ago is pinged (`clusterCron`).
const DRAWN: usize = 5;

/// When a node last heard from the others, in ticks, and what they have reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Contacts {
    now: u64,
    window: u64,
    /// By node.
    contacts: Vec<Contact>,
    /// At most one by a node about another.
    reports: Vec<Report>,
}

/// When a node last heard from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Contact {
    /// Anything.
    data_at: u64,
    /// An answer to a ping.
    pong_at: u64,
    /// When the oldest ping was sent that no answer followed.
    unanswered_since: Option<u64>,
    /// When the last ping was sent.
    pinged_at: u64,
    /// When it was marked as failed.
    failed_at: u64,
}

impl Contacts {
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn window(&self) -> u64 {
        self.window
    }

    pub(super) fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Something arrived from a node.
    pub(super) fn data_from(&mut self, node: NodeId) {
        let now = self.now;
        if let Some(contact) = self.contacts.get_mut(node.index()) {
            contact.data_at = now;
        }
    }

    /// A node begins another life, or ends it: what was before does not count.
    pub(super) fn begin(&mut self, node: NodeId) {
        let now = self.now;
        if let Some(contact) = self.contacts.get_mut(node.index()) {
            *contact = Contact {
                data_at: now,
                pong_at: now,
                pinged_at: now,
                ..Contact::default()
            };
        }
        self.reports
            .retain(|report| report.about != node && report.by != node);
    }

    fn report(&mut self, about: NodeId, by: NodeId) {
        let at = self.now;
        let mut reports = self.reports.iter_mut();
        match reports.find(|report| report.about == about && report.by == by) {
            Some(report) => report.at = at,
            None => self.reports.push(Report { about, by, at }),
        }
    }

    /// Whether a member has not answered for so many ticks, nor sent anything.
    fn is_silent(&self, node: NodeId, ticks: u64) -> bool {
        let contact = &self.contacts[node.index()];
        contact
            .unanswered_since
            .is_some_and(|since| self.now - since > ticks && self.now - contact.data_at > ticks)
    }
}

impl Membership {
    pub(super) fn watch_contacts(&mut self, cx: &mut Cx<'_>) {
        let config = cx.config();
        self.contacts.window = config.window();
        self.contacts.contacts = vec![Contact::default(); config.nodes];
        NodeId::all(config.nodes).for_each(|node| self.contacts.begin(node));
        self.arm_tick(cx);
    }

    fn arm_tick(&self, cx: &mut Cx<'_>) {
        let choices = self.table.members().len() as u64;
        let range = Config::about(cx.config().tick_us);
        cx.set_timer_to_choose(Timer::Tick, range, choices);
    }

    /// One tick of the clock: pings whom it is time to ping, and suspects who has been silent for too long.
    pub(super) fn tick(&mut self, choice: u64, cx: &mut Cx<'_>) {
        self.arm_tick(cx);
        self.contacts.now += 1;
        self.drop_old_reports(cx);
        if !self.is_at_work(choice, cx) {
            return;
        }
        let (config, me) = (cx.config(), cx.me());
        let mut peers = self.table.present();
        peers.remove(me);
        let drawn = if !self.contacts.now.is_multiple_of(config.ping_ticks) {
            Vec::new()
        } else if config.ping_everyone {
            peers.iter().collect()
        } else {
            let by_chance = peers.iter().chain(peers.iter());
            let offset = usize::try_from(choice).unwrap_or(0) % peers.len().max(1);
            let five = by_chance.skip(offset).take(DRAWN.min(peers.len()));
            five.min_by_key(|peer| self.contacts.contacts[peer.index()].pong_at)
                .into_iter()
                .collect()
        };
        for peer in peers.iter() {
            if drawn.contains(&peer) || self.is_due(peer, cx) {
                self.ping(peer, cx);
            }
            if self.contacts.is_silent(peer, config.timeout_ticks) {
                self.suspect_silent(peer, cx);
            }
        }
    }

    /// Whether a member that was silent for half of the timeout is to be pinged, or pinged again: so everyone hears
    /// from everyone in time, whomever chance draws.
    fn is_due(&self, peer: NodeId, cx: &Cx<'_>) -> bool {
        let half = cx.config().timeout_ticks / 2;
        let contact = &self.contacts.contacts[peer.index()];
        let since = match contact.unanswered_since {
            Some(_) => contact.pinged_at,
            None => contact.pong_at,
        };
        self.contacts.now - since > half
    }

    fn ping(&mut self, peer: NodeId, cx: &mut Cx<'_>) {
        let now = self.contacts.now;
        let contact = &mut self.contacts.contacts[peer.index()];
        contact.pinged_at = now;
        contact.unanswered_since.get_or_insert(now);
        let (number, behalf) = (0, None);
        self.tell(peer, cx, |news| Message::Ping {
            number,
            behalf,
            news,
        });
    }

    fn drop_old_reports(&mut self, cx: &mut Cx<'_>) {
        let (now, window) = (self.contacts.now, self.contacts.window);
        if cx.has(MembershipBug::ReportsNeverExpire) {
            return;
        }
        let before = self.contacts.reports.len();
        self.contacts
            .reports
            .retain(|report| now - report.at <= window);
        if self.contacts.reports.len() < before {
            cx.note(probes::REPORT_EXPIRED);
        }
    }

    /// PFAIL: this node's own opinion, which only its gossip tells.
    fn suspect_silent(&mut self, peer: NodeId, cx: &mut Cx<'_>) {
        let Some(member) = self.table.find_mut(peer) else {
            return;
        };
        if member.status == MemberStatus::Alive {
            member.status = MemberStatus::Suspect;
            cx.note(probes::MARKED_PFAIL);
            self.convict_by_majority(peer, cx);
        }
    }

    /// Another's opinion: a suspicion counts as its report if it has a vote, and anything else takes that back.
    pub(super) fn take_report(&mut self, from: NodeId, told: &MemberView, cx: &mut Cx<'_>) {
        let about = told.member;
        let counts = self.table.has_voter(from)
            || cx.has(MembershipBug::ReplicasCounted) && self.table.has(from);
        if from == about || !counts {
            return;
        }
        match told.status {
            MemberStatus::Suspect | MemberStatus::Dead => {
                self.contacts.report(about, from);
                self.convict_by_majority(about, cx);
            }
            MemberStatus::Alive | MemberStatus::Removed => self
                .contacts
                .reports
                .retain(|report| report.about != about || report.by != from),
        }
    }

    /// FAIL, if this node suspects the member itself and a majority of masters does: those that have reported it of
    /// late, and this node if it is one.
    fn convict_by_majority(&mut self, about: NodeId, cx: &mut Cx<'_>) {
        let Some(&MemberView {
            status: MemberStatus::Suspect,
            generation,
            ..
        }) = self.table.find(about)
        else {
            return;
        };
        let masters = self
            .table
            .those(|member| member.votes && member.status != MemberStatus::Removed);
        let reports = self.contacts.reports.iter();
        let by = reports.filter(|report| report.about == about).count();
        let with_own = by + usize::from(masters.contains(cx.me()));
        if with_own > masters.len() / 2 || cx.has(MembershipBug::FailAlone) {
            cx.note(probes::MARKED_FAIL);
            self.convict(about);
            for to in self.table.present().iter() {
                if to != cx.me() && to != about {
                    let member = about;
                    cx.send(to, Message::Fail { member, generation });
                }
            }
        }
    }

    fn convict(&mut self, member: NodeId) {
        let now = self.contacts.now;
        if let Some(member) = self.table.find_mut(member) {
            member.status = MemberStatus::Dead;
            self.contacts.contacts[member.member.index()].failed_at = now;
        }
    }

    /// Another says that a majority has found a member to be gone. Nobody believes that of itself.
    pub(super) fn take_verdict(&mut self, member: NodeId, generation: u64, cx: &mut Cx<'_>) {
        let open = self.table.find(member).is_some_and(|known| {
            known.generation == generation && known.status < MemberStatus::Dead
        });
        if self.style == Style::Redis && open && member != cx.me() && self.is_member(cx) {
            cx.note(probes::HEARD_OF_FAIL);
            self.convict(member);
        }
    }

    /// A member answers: it is not silent, and if it had failed, it is back, unless that was so recently that
    /// others may still be about to act on it (`clearNodeFailureIfNeeded`).
    pub(super) fn take_pong(&mut self, from: NodeId, cx: &mut Cx<'_>) {
        let (now, window) = (self.contacts.now, self.contacts.window);
        let contact = &mut self.contacts.contacts[from.index()];
        contact.pong_at = now;
        contact.unanswered_since = None;
        let failed_for = now - contact.failed_at;
        let Some(member) = self.table.find_mut(from) else {
            return;
        };
        match member.status {
            MemberStatus::Suspect => {
                cx.note(probes::PFAIL_TAKEN_BACK);
                member.status = MemberStatus::Alive;
            }
            MemberStatus::Dead if cx.has(MembershipBug::FailNeverCleared) => {}
            MemberStatus::Dead if failed_for > window || !member.votes => {
                cx.note(probes::FAIL_CLEARED);
                member.status = MemberStatus::Alive;
            }
            _ => {}
        }
    }
}
