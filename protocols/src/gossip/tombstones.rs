//! Tombstones: how a delete stays one, and when it may be forgotten.
//!
//! A deleted record leaves a tombstone, with a stamp like any record, or an older copy that comes from elsewhere would
//! bring it back. It is thrown away when two things hold, neither of which asks a clock (Cassandra's grace period does,
//! and a node that was down for longer brings the dead back):
//!
//! 1. **Every node holds it, on its disk.** A node that tells of its tombstones says so with the number of that
//!    message, and who holds what is passed on with the tombstone.
//! 2. **What was sent before cannot arrive after.** Nothing that a node sent since that number is older than the
//!    tombstone, so whoever throws it away refuses, from then on and across crashes, what has a lower one.
//!
//! A node that has not heard of all may give the tombstone back to one that has thrown it away. That does no harm: it
//! holds it once more, says so, and now one more knows that all do.

use std::collections::BTreeMap;

use tribunal_histories::NodeId;

use super::disk::Write;
use super::message::{Body, Holding, Message, Number};
use super::table::{Cell, Stamp};
use super::{Cx, Gossip, GossipBug, probes};
use crate::quorum::NODES_MAX;

/// Who holds a tombstone, each with a message of its own from which on it held it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Holders {
    stamp: Stamp,
    by: BTreeMap<NodeId, Number>,
}

impl Gossip {
    /// Sends a message, with its number and with who holds which tombstone.
    pub(super) fn send(&mut self, to: NodeId, body: Body, cx: &mut Cx<'_>) {
        self.sent += 1;
        let number = Number {
            boot: cx.durable().boots,
            count: self.sent,
        };
        let held = self.tell_holders(number, cx);
        let told: Vec<_> = held.iter().map(|held| (held.cell, held.stamp)).collect();
        let message = Message { number, body, held };
        cx.send(to, message);
        // This node may be the last that was missing.
        for (cell, stamp) in told {
            self.collect_if_served(cell, stamp, cx);
        }
    }

    fn tell_holders(&mut self, number: Number, cx: &Cx<'_>) -> Vec<Holding> {
        if !collects(cx) {
            return Vec::new();
        }
        let tombstones = cx.durable().table.tombstones();
        let tell = |tombstone: &super::table::Record| {
            let (cell, stamp) = (tombstone.cell, tombstone.stamp);
            let by = self.holders(cell, stamp);
            by.entry(cx.me()).or_insert(number);
            let by = by.iter().map(|(node, number)| (*node, *number)).collect();
            Holding { cell, stamp, by }
        };
        tombstones.map(tell).collect()
    }

    /// Who is known to hold a tombstone; nobody yet, if what is known is about another.
    fn holders(&mut self, cell: Cell, stamp: Stamp) -> &mut BTreeMap<NodeId, Number> {
        let holders = self.holders.entry(cell).or_default();
        if holders.stamp != stamp {
            *holders = Holders {
                stamp,
                by: BTreeMap::new(),
            };
        }
        &mut holders.by
    }

    /// Whether a message comes too late: it was sent before its sender held a tombstone that is no longer here.
    pub(super) fn comes_too_late(&self, from: NodeId, number: Number, cx: &mut Cx<'_>) -> bool {
        let late = cx
            .durable()
            .floors
            .get(&from)
            .is_some_and(|floor| number < *floor);
        if late {
            cx.note(probes::CAME_TOO_LATE);
        }
        late
    }

    /// A peer tells who holds which tombstones; those that all hold have served.
    pub(super) fn hear_holders(&mut self, held: Vec<Holding>, cx: &mut Cx<'_>) {
        for Holding { cell, stamp, by } in held {
            let mine = cx.durable().table.at(cell).copied();
            let same = mine.filter(|record| record.is_tombstone() && record.stamp == stamp);
            if same.is_none() || !collects(cx) {
                continue;
            }
            let holders = self.holders(cell, stamp);
            for (node, number) in by {
                holders.entry(node).or_insert(number);
            }
            self.collect_if_served(cell, stamp, cx);
        }
    }

    /// Throws a tombstone away if all hold it.
    fn collect_if_served(&mut self, cell: Cell, stamp: Stamp, cx: &mut Cx<'_>) {
        let enough = if cx.has(GossipBug::CollectsEarly) {
            2
        } else {
            cx.config().nodes
        };
        let me = cx.me();
        let holders = self.holders(cell, stamp);
        if holders.len() < enough {
            return;
        }
        let others = holders.iter().filter(|(node, _)| **node != me);
        let floors = others.map(|(node, number)| (*node, *number)).collect();
        self.holders.remove(&cell);
        cx.note(probes::TOMBSTONE_COLLECTED);
        cx.write(Write::Collect {
            cell,
            stamp,
            floors,
        });
    }
}

fn collects(cx: &Cx<'_>) -> bool {
    cx.config().collect && cx.config().nodes <= NODES_MAX
}
