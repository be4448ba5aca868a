//! Rumour mongering: what was new to a node it tells others for a while, then no more (Demers et al., §1.4).
//!
//! It is fast and cheap, and some nodes may never hear: forwarded once to `k` others, an update misses a share `s` of
//! them with `s = e^(-k(1-s))`. Anti-entropy reaches those.
//!
//! In a round each hot rumour has its turn. A timer fires for each peer that is told, since each comes with one choice:
//! of the peer and, where a coin decides, of the coin's side.

use tribunal_histories::NodeId;

use super::config::Rumours;
use super::message::{Body, Timer};
use super::table::{Cell, Record, Stamp};
use super::{Cx, Gossip, GossipBug, peers, probes};
use crate::contract::TimerRange;

/// A record that a node still tells others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rumour {
    cell: Cell,
    stamp: Stamp,
    /// Who told it; `None` if a client did.
    from: Option<NodeId>,
    /// Whom this node has told, in order; kept where a round has several.
    told: Vec<NodeId>,
    /// How many were told, or how many knew it already, as the variant counts.
    count: u64,
    /// Whether the last peer that was told knew it already.
    unneeded: bool,
}

/// What becomes of a rumour after its turn.
enum Turn {
    /// It has another in this round.
    Again,
    /// It has another in the next.
    Later,
    /// It is no rumour any more.
    Over,
}

/// Telling.
impl Gossip {
    /// A record that is new here becomes a rumour, in place of an older one of its cell.
    pub(super) fn becomes_hot(&mut self, record: &Record, from: Option<NodeId>, cx: &mut Cx<'_>) {
        if rumours(cx) == Rumours::Off {
            return;
        }
        self.hot_next.retain(|hot| hot.cell != record.cell);
        self.hot_now.retain(|hot| hot.cell != record.cell);
        self.hot_next.push(Rumour {
            cell: record.cell,
            stamp: record.stamp,
            from,
            told: Vec::new(),
            count: 0,
            unneeded: false,
        });
        if !self.rumour_armed {
            self.arm_rumour(cx);
        }
    }

    /// The rumour timer fired.
    pub(super) fn tell_rumour(&mut self, choice: u64, cx: &mut Cx<'_>) {
        self.rumour_armed = false;
        if self.hot_now.is_empty() {
            self.hot_now.extend(self.hot_next.drain(..));
        }
        if let Some(mut rumour) = self.hot_now.pop_front() {
            match self.take_turn(&mut rumour, choice, cx) {
                Turn::Again => self.hot_now.push_front(rumour),
                Turn::Later => self.hot_next.push(rumour),
                Turn::Over => cx.note(probes::LOST_INTEREST),
            }
        }
        if !(self.hot_now.is_empty() && self.hot_next.is_empty()) {
            self.arm_rumour(cx);
        }
    }

    fn take_turn(&mut self, rumour: &mut Rumour, choice: u64, cx: &mut Cx<'_>) -> Turn {
        let record = cx.durable().table.at(rumour.cell).copied();
        let Some(record) = record.filter(|record| record.stamp == rumour.stamp) else {
            return Turn::Over;
        };
        let (variant, limit, sides) = (rumours(cx), cx.config().fan_out, coin_sides(cx));
        let (pick, tails) = (choice / sides, choice.is_multiple_of(sides));
        let unneeded = std::mem::take(&mut rumour.unneeded);
        let bored = match variant {
            Rumours::FeedbackCoin => unneeded && tails,
            Rumours::FeedbackCounter => rumour.count >= limit,
            _ => false,
        };
        let excluded = rumour.excluded(variant, cx);
        let peer = peers::pick(cx.config(), cx.me(), &excluded, pick);
        let Some(peer) = peer.filter(|_| !bored) else {
            return Turn::Over;
        };
        self.send(peer, Body::Rumour(record), cx);
        match variant {
            Rumours::ForwardOnce => {
                rumour.told.push(peer);
                rumour.told.sort_unstable();
                if rumour.told.len() as u64 >= limit {
                    Turn::Over
                } else {
                    Turn::Again
                }
            }
            Rumours::BlindCoin if tails => Turn::Over,
            Rumours::BlindCounter => {
                rumour.count += 1;
                if rumour.count >= limit {
                    Turn::Over
                } else {
                    Turn::Later
                }
            }
            _ => Turn::Later,
        }
    }

    /// A peer answered that it had known a rumour already.
    pub(super) fn was_known(&mut self, cell: Cell, stamp: Stamp) {
        let hot = self.hot_now.iter_mut().chain(&mut self.hot_next);
        for rumour in hot.filter(|hot| hot.cell == cell && hot.stamp == stamp) {
            rumour.unneeded = true;
            rumour.count += 1;
        }
    }

    /// At once while rumours have turns left in this round, else for the next round.
    fn arm_rumour(&mut self, cx: &mut Cx<'_>) {
        let now = TimerRange {
            min_us: 0,
            max_us: 0,
        };
        let (after, next) = match self.hot_now.front() {
            Some(rumour) => (now, Some(rumour)),
            None => (cx.config().round(), self.hot_next.first()),
        };
        let Some(rumour) = next else { return };
        let excluded = rumour.excluded(rumours(cx), cx);
        let choices = peers::count(cx.config(), cx.me(), &excluded) * coin_sides(cx);
        cx.set_timer_to_choose(Timer::Rumour, after, choices);
        self.rumour_armed = true;
    }
}

impl Rumour {
    /// Whom it is not told: this node, who told it, and who has been told in this round. Demers' variants choose among
    /// all others each time.
    fn excluded(&self, variant: Rumours, cx: &Cx<'_>) -> Vec<NodeId> {
        let mut excluded = self.told.clone();
        if cx.has(GossipBug::WrongPeerExcluded) {
            let after = |node: NodeId| NodeId::from_index((node.index() + 1) % cx.config().nodes);
            excluded.extend(self.from.map(after));
        } else {
            excluded.push(cx.me());
            if variant == Rumours::ForwardOnce {
                excluded.extend(self.from);
            }
        }
        excluded.sort_unstable();
        excluded.dedup();
        excluded
    }
}

/// The variant in use.
pub(super) fn rumours(cx: &Cx<'_>) -> Rumours {
    match cx.config().rumours {
        Rumours::Off if cx.has(GossipBug::NoAntiEntropy) => Rumours::ForwardOnce,
        configured => configured,
    }
}

/// Whether peers that knew a rumour say so.
pub(super) fn wants_feedback(cx: &Cx<'_>) -> bool {
    matches!(
        rumours(cx),
        Rumours::FeedbackCoin | Rumours::FeedbackCounter
    )
}

/// How many sides the coin has, of which one is tails.
fn coin_sides(cx: &Cx<'_>) -> u64 {
    match rumours(cx) {
        Rumours::BlindCoin | Rumours::FeedbackCoin => cx.config().fan_out.max(1),
        _ => 1,
    }
}
