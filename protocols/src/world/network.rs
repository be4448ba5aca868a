//! The packets on their way: a multiset, in a fixed order, that worlds share as far as it is the same.

use std::sync::Arc;

use super::fingerprint;
use super::packet::PacketOf;
use crate::contract::Node;

/// A packet, how often it is on its way, and its fingerprint.
#[derive(Clone, Debug)]
struct Slot<N: Node> {
    packet: Arc<PacketOf<N>>,
    fingerprint: u64,
    count: u16,
}

/// The packets on their way.
#[derive(Clone, Debug)]
pub(super) struct Network<N: Node> {
    /// In the order of the packets.
    slots: Vec<Slot<N>>,
}

impl<N: Node> Network<N> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new() }
    }

    fn find(&self, packet: &PacketOf<N>) -> Result<usize, usize> {
        self.slots
            .binary_search_by(|slot| (*slot.packet).cmp(packet))
    }

    /// How often a packet is on its way.
    pub(super) fn count(&self, packet: &PacketOf<N>) -> u16 {
        self.find(packet).map_or(0, |place| self.slots[place].count)
    }

    /// Puts a packet on its way.
    pub(super) fn put(&mut self, packet: PacketOf<N>) {
        match self.find(&packet) {
            Ok(place) => self.slots[place].count = self.slots[place].count.saturating_add(1),
            Err(place) => {
                let fingerprint = fingerprint(&packet);
                let packet = Arc::new(packet);
                let slot = Slot {
                    packet,
                    fingerprint,
                    count: 1,
                };
                self.slots.insert(place, slot);
            }
        }
    }

    /// Takes a packet off; whether it was there.
    pub(super) fn take(&mut self, packet: &PacketOf<N>) -> bool {
        let Ok(place) = self.find(packet) else {
            return false;
        };
        self.slots[place].count -= 1;
        if self.slots[place].count == 0 {
            self.slots.remove(place);
        }
        true
    }

    /// Keeps only some packets.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&PacketOf<N>) -> bool) {
        self.slots.retain(|slot| keep(&slot.packet));
    }

    /// The packets in their order, and how often each is on its way.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&PacketOf<N>, u16)> {
        self.slots.iter().map(|slot| (&*slot.packet, slot.count))
    }

    /// The fingerprints of the packets, in order, and how often each is on its way.
    pub(super) fn fingerprints(&self) -> impl Iterator<Item = (u64, u16)> {
        self.slots.iter().map(|slot| (slot.fingerprint, slot.count))
    }
}

impl<N: Node> PartialEq for Network<N> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
