//! Anti-entropy: once a round a node compares its table with a random peer's (Demers et al., §1.3).
//!
//! A push is one message, a pull two, a push-pull three at most: digests, what is newer together with what is wanted,
//! and that. Whatever is sent is what the sender has when it sends, and what arrives is merged one record at a time, so
//! exchanges may overlap, be lost or come twice: there is nothing to keep atomic (note 000's `else P = Q` has).

use tribunal_histories::NodeId;

use super::config::Mode;
use super::disk::Write;
use super::message::{Body, Timer};
use super::table::{Cell, Record, Stamp};
use super::{Cx, Gossip, GossipBug, peers, probes};

impl Gossip {
    pub(super) fn arm_gossip(cx: &mut Cx<'_>) {
        if mode(cx) != Mode::Off {
            let choices = peers::count(cx.config(), cx.me(), &[cx.me()]);
            cx.set_timer_to_choose(Timer::Gossip, cx.config().round(), choices);
        }
    }

    /// A round: this node turns to the peer that was chosen.
    pub(super) fn gossip(&mut self, choice: u64, cx: &mut Cx<'_>) {
        Self::arm_gossip(cx);
        self.clock += u64::from(cx.config().ticks);
        let choice = if cx.has(GossipBug::SamePeerAlways) {
            cx.me().index() as u64
        } else {
            choice
        };
        let Some(peer) = peers::pick(cx.config(), cx.me(), &[cx.me()], choice) else {
            return;
        };
        let records = cx.durable().table.records();
        let stamps = || {
            records
                .iter()
                .map(|record| (record.cell, record.stamp))
                .collect()
        };
        let body = match mode(cx) {
            Mode::Off => return,
            Mode::Push if records.is_empty() => return,
            Mode::Push => Body::Delta {
                records: records.to_vec(),
                wanted: Vec::new(),
            },
            Mode::Pull => Body::Digest {
                stamps: stamps(),
                offer: false,
            },
            Mode::PushPull => Body::Digest {
                stamps: stamps(),
                offer: true,
            },
        };
        self.send(peer, body, cx);
    }

    /// A peer tells how new its records are: it gets those that are newer here, and is asked for those that are older.
    pub(super) fn compare(
        &mut self,
        from: NodeId,
        stamps: &[(Cell, Stamp)],
        offer: bool,
        cx: &mut Cx<'_>,
    ) {
        let table = &cx.durable().table;
        let theirs = |cell| {
            let place = stamps.binary_search_by_key(&cell, |(cell, _)| *cell).ok()?;
            Some(stamps[place].1)
        };
        let newer = |record: &&Record| {
            theirs(record.cell).is_none_or(|theirs| answers(theirs, record.stamp, cx))
        };
        let records: Vec<_> = table.records().iter().filter(newer).copied().collect();
        let older = |cell, stamp| {
            table
                .stamp_at(cell)
                .is_none_or(|mine| beats(mine, stamp, cx))
        };
        let wanted: Vec<_> = stamps
            .iter()
            .filter(|(cell, stamp)| offer && older(*cell, *stamp))
            .map(|(cell, _)| *cell)
            .collect();
        // Who holds a tombstone must be heard of, even if there is nothing else to say.
        if !(records.is_empty() && wanted.is_empty()) || table.tombstones().next().is_some() {
            self.send(from, Body::Delta { records, wanted }, cx);
        }
    }

    /// A peer sends records, and asks for others.
    pub(super) fn merge(
        &mut self,
        from: NodeId,
        records: &[Record],
        wanted: &[Cell],
        cx: &mut Cx<'_>,
    ) {
        for record in records {
            if cx.has(GossipBug::ElseBranchCopies) {
                self.adopt(*record, from, cx);
            } else {
                self.learn(record, from, cx);
            }
        }
        if !wanted.is_empty() {
            let table = &cx.durable().table;
            let records = wanted.iter().filter_map(|cell| table.at(*cell));
            let body = Body::Delta {
                records: records.copied().collect(),
                wanted: Vec::new(),
            };
            self.send(from, body, cx);
        }
    }

    /// The merge: a record is taken if it is newer than the one that is here, else nothing happens. Whether it was.
    pub(super) fn learn(&mut self, record: &Record, from: NodeId, cx: &mut Cx<'_>) -> bool {
        self.hear_time(record.stamp, cx);
        let mine = cx.durable().table.at(record.cell).copied();
        let mut record = *record;
        let known = mine.is_some_and(|mine| !beats(mine.stamp, record.stamp, cx));
        if known || self.has_marked(&record, cx) {
            cx.note(probes::HEARD_AGAIN);
            return false;
        }
        if let Some(mine) = mine {
            if mine.stamp.time == record.stamp.time {
                cx.note(probes::TIE_BROKEN);
            }
            if cx.has(GossipBug::ValueWithoutItsTime) {
                record.stamp = mine.stamp;
            }
            if cx.has(GossipBug::SharesAdded) && record.cell.owner.is_some() {
                let sum = record.value.unwrap_or_default() + mine.value.unwrap_or_default();
                record.value = Some(sum);
            }
        }
        self.adopt(record, from, cx);
        true
    }

    /// Takes a record in place of what is here.
    fn adopt(&mut self, record: Record, from: NodeId, cx: &mut Cx<'_>) {
        cx.write(Write::Put(record));
        self.becomes_hot(&record, Some(from), cx);
    }

    /// With the planted bug: whether the record was marked as seen. If not it is now, before it is here.
    fn has_marked(&self, record: &Record, cx: &mut Cx<'_>) -> bool {
        if !cx.has(GossipBug::SeenBeforeApplied) {
            return false;
        }
        let seen = cx.durable().seen.get(&record.cell).copied();
        if seen >= Some(record.stamp) {
            return true;
        }
        cx.write(Write::Seen(record.cell, record.stamp));
        false
    }
}

/// The mode in use.
fn mode(cx: &Cx<'_>) -> Mode {
    if cx.has(GossipBug::NoAntiEntropy) {
        Mode::Off
    } else {
        cx.config().mode
    }
}

/// Whether another record is newer than mine: by time, then by author, so that two that differ never tie.
fn beats(mine: Stamp, other: Stamp, cx: &Cx<'_>) -> bool {
    if cx.has(GossipBug::TiesNotBroken) || cx.has(GossipBug::ElseBranchCopies) {
        return other.time > mine.time;
    }
    other > mine
}

/// Whether a peer that has a record of this stamp is answered with mine.
fn answers(theirs: Stamp, mine: Stamp, cx: &Cx<'_>) -> bool {
    if cx.has(GossipBug::ElseBranchCopies) {
        return mine.time >= theirs.time && mine != theirs;
    }
    beats(theirs, mine, cx)
}
