//! The packets on their way, in a fixed order, that worlds share as far as it is the same.
//!
//! As a rule they are a multiset: any packet may arrive next. A world can also keep the order in which packets were sent
//! from one node to another, as a connection does.

use tribunal_histories::{Renamings, fingerprint};

use super::packet::{Address, PacketOf, SharedPacket};
use crate::contract::Node;

/// A packet, and how often it is on its way.
#[derive(Clone, Debug)]
struct Slot<N: Node> {
    packet: SharedPacket<N>,
    count: u16,
}

/// The packets on their way.
#[derive(Clone, Debug)]
pub(super) struct Network<N: Node> {
    /// In the order of the packets; if the order of sending is kept, in the order of the links, and of each link in that of
    /// sending.
    slots: Vec<Slot<N>>,
    /// Whether packets of one link arrive in the order in which they were sent.
    in_order: bool,
    /// What was put on its way since it was last asked for, if anybody asks.
    sent: Option<Vec<SharedPacket<N>>>,
}

impl<N: Node> Network<N> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            in_order: false,
            sent: None,
        }
    }

    /// From now on packets of one link arrive in the order in which they were sent.
    pub(super) fn keep_order(&mut self) {
        self.in_order = true;
        self.slots.sort_by_key(|slot| link::<N>(&slot.packet));
    }

    /// What was put on its way since this was last asked, in order.
    pub(super) fn take_sent(&mut self) -> Vec<SharedPacket<N>> {
        self.sent.replace(Vec::new()).unwrap_or_default()
    }

    /// Where a packet is, or belongs. Of a link whose order is kept, only the first packet can be found.
    fn find(&self, packet: &PacketOf<N>) -> Result<usize, usize> {
        if !self.in_order {
            return self
                .slots
                .binary_search_by(|slot| (*slot.packet).cmp(packet));
        }
        let first = self
            .slots
            .partition_point(|slot| link::<N>(&slot.packet) < link::<N>(packet));
        match self.slots.get(first) {
            Some(slot) if *slot.packet == *packet => Ok(first),
            _ => Err(first),
        }
    }

    /// Where a packet is that was seen here, or an equal one.
    fn place_of(&self, packet: &SharedPacket<N>) -> Option<usize> {
        let is_it = |slot: &Slot<N>| slot.packet.is(packet);
        if !self.in_order
            && let Some(place) = self.slots.iter().position(is_it)
        {
            return Some(place);
        }
        self.find(packet).ok()
    }

    /// Whether a packet is on its way and could arrive next.
    pub(super) fn has(&self, packet: &SharedPacket<N>) -> bool {
        self.place_of(packet).is_some()
    }

    /// Puts a packet on its way.
    pub(super) fn put(&mut self, packet: SharedPacket<N>) {
        let place = match self.in_order {
            true => Err(self
                .slots
                .partition_point(|slot| link::<N>(&slot.packet) <= link::<N>(&packet))),
            false => self.find(&packet),
        };
        let place = match place {
            Ok(place) => {
                self.slots[place].count = self.slots[place].count.saturating_add(1);
                place
            }
            Err(place) => {
                self.slots.insert(place, Slot { packet, count: 1 });
                place
            }
        };
        if let Some(sent) = &mut self.sent {
            sent.push(self.slots[place].packet.clone());
        }
    }

    /// Takes a packet off; whether it was there.
    pub(super) fn take(&mut self, packet: &SharedPacket<N>) -> bool {
        let Some(place) = self.place_of(packet) else {
            return false;
        };
        self.slots[place].count -= 1;
        if self.slots[place].count == 0 {
            self.slots.remove(place);
        }
        true
    }

    /// Keeps only some packets.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&SharedPacket<N>) -> bool) {
        self.slots.retain(|slot| keep(&slot.packet));
    }

    /// The packets in their order, and how often each is on its way.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&SharedPacket<N>, u16)> {
        self.slots.iter().map(|slot| (&slot.packet, slot.count))
    }

    /// The packets that could arrive next.
    pub(super) fn next(&self) -> impl Iterator<Item = &SharedPacket<N>> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(place, slot)| {
                let before = place.checked_sub(1).map(|before| &self.slots[before]);
                let is_first = before
                    .is_none_or(|before| link::<N>(&before.packet) != link::<N>(&slot.packet));
                !self.in_order || is_first
            })
            .map(|(_, slot)| &slot.packet)
    }

    /// A number that equal networks share, under one of these renamings.
    pub(super) fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        let mut sum = 0_u64;
        let mut place_in_link = 0_u16;
        for (place, slot) in self.slots.iter().enumerate() {
            let mut packet = slot.packet.fingerprint(renamings, which);
            if self.in_order {
                let same = place > 0
                    && link::<N>(&self.slots[place - 1].packet) == link::<N>(&slot.packet);
                place_in_link = if same { place_in_link + 1 } else { 0 };
                packet = fingerprint(&(packet, place_in_link));
            }
            sum = sum.wrapping_add(packet.wrapping_mul(slot.count.into()));
        }
        sum
    }
}

/// From where to where a packet goes.
fn link<N: Node>(packet: &PacketOf<N>) -> (Address, Address) {
    (packet.from, packet.to)
}

impl<N: Node> PartialEq for Network<N> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
