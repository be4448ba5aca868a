//! Registers in which every value is stored once: zones, and chains of compare-and-sets.
//!
//! Gibbons and Korach 1997, theorems 4.7 (read and write) and 4.13 (read-modify-write). All operations on one value
//! are a block: the write, then its reads. A compare-and-set comes directly after the operations on the value that it
//! found, so that blocks which compare-and-sets link are one block, a *chain*, of which the order is known but for
//! that of reads of the same value. A block has a zone: from the first return of an operation in it, *f*, to the last
//! invocation, *s*. Block A must come before block B exactly if some operation of A returned before one of B began:
//! if A.f < B.s. The blocks can be ordered if no two must come before each other (a longer cycle contains such a
//! pair: take its block with the greatest f; either its successor must also come before it, or it can be left out).
//! Two forward zones (f < s) exclude each other when they overlap, a backward zone (s < f) and a forward one when the
//! latter contains the former, two backward ones never.
//!
//! A crashed write or compare-and-set whose value nobody saw is left out: an order that has it is legal without it.
//! One whose value somebody saw did happen, and returns never. The initial value was written before everything.

use super::ordering::by_key;
use super::{Act, Answer, Conflict, Deeds, Mark, NEVER, Question};

/// A moment: the position of an event and one, so that there is a moment before all of them.
type Time = u32;

/// No operation, or no slot.
const NONE: u32 = u32::MAX;

/// The number of the first value.
const INITIAL: usize = 0;

/// The time before everything.
const BEFORE: Time = 0;

/// The time of the event at a position; what never comes is later than all.
fn time(position: u32) -> Time {
    position.saturating_add(1)
}

/// What is known of one value.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The operation that stored it: when it began and returned.
    invoked: u32,
    returned: u32,
    /// The first return of a read of it.
    first_return: u32,
    /// The last invocation of a read of it, and how many reads there are.
    last_invoked: u32,
    reads: u32,
    kind: Kind,
}

/// How a value came into the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It did not, or nobody can tell.
    Absent,
    Initial,
    Write,
    Cas,
}

impl Slot {
    const EMPTY: Self = Self {
        invoked: NONE,
        returned: NEVER,
        first_return: NEVER,
        last_invoked: 0,
        reads: 0,
        kind: Kind::Absent,
    };

    fn is_crashed(&self) -> bool {
        self.returned == NEVER && self.kind != Kind::Initial
    }

    /// The zone of a block of this value alone.
    fn zone(&self, head: u32) -> Zone {
        let last_read = if self.reads > 0 {
            time(self.last_invoked)
        } else {
            BEFORE
        };
        let (first_return, invoked) = match self.kind {
            Kind::Initial => (BEFORE, BEFORE),
            _ => (
                time(self.first_return.min(self.returned)),
                time(self.invoked),
            ),
        };
        Zone {
            first_return,
            last_invoked: last_read.max(invoked),
            head,
        }
    }

    /// The last invocation of an operation on the value; [`NEVER`] if there is none.
    fn latest(&self) -> u32 {
        match self.kind {
            Kind::Initial => self.last_invoked,
            Kind::Write | Kind::Cas => self.last_invoked.max(self.invoked),
            Kind::Absent => NEVER,
        }
    }
}

/// How compare-and-sets link a value to others.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// The slot of the value that a compare-and-set found when it stored this.
    before: u32,
    /// The slot of the value that a compare-and-set stored when it found this.
    after: u32,
}

impl Link {
    const NONE: Self = Self {
        before: NONE,
        after: NONE,
    };
}

/// A block with its zone.
#[derive(Clone, Copy, Debug)]
struct Zone {
    first_return: Time,
    last_invoked: Time,
    head: u32,
}

impl Zone {
    fn is_forward(&self) -> bool {
        self.first_return < self.last_invoked
    }
}

/// Judges a register.
pub(super) fn judge(deeds: Deeds<'_>, question: Question) -> Answer {
    match Register::new(deeds).and_then(|register| register.order(question)) {
        Ok(order) => Answer::Order(order),
        Err(answer) => answer,
    }
}

struct Register<'a> {
    deeds: Deeds<'a>,
    /// By value.
    slots: Vec<Slot>,
    /// By value, if there are compare-and-sets.
    links: Vec<Link>,
    /// Whether something crashed that stored a value.
    has_crashed: bool,
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than events")
}

impl<'a> Register<'a> {
    fn new(deeds: Deeds<'a>) -> Result<Self, Answer> {
        let mut register = Self {
            deeds,
            slots: vec![Slot::EMPTY; deeds.values],
            links: Vec::new(),
            has_crashed: false,
        };
        register.slots[INITIAL].kind = Kind::Initial;
        register.slots[INITIAL].returned = 0;
        for mark in deeds.iter() {
            register.note(&mark)?;
        }
        register.drop_unseen();
        register.link()?;
        Ok(register)
    }

    fn note(&mut self, mark: &Mark) -> Result<(), Answer> {
        let value = mark.value as usize;
        match mark.act() {
            Act::Read => {
                let slot = &mut self.slots[value];
                slot.first_return = slot.first_return.min(mark.returned);
                slot.last_invoked = slot.last_invoked.max(mark.invoked);
                slot.reads += 1;
                Ok(())
            }
            Act::Cas => {
                let stored = mark.stored().unwrap_or_default() as usize;
                self.store(stored, Kind::Cas, mark)?;
                self.links.resize(self.slots.len(), Link::NONE);
                self.links[stored].before = mark.value;
                Ok(())
            }
            Act::Write => self.store(value, Kind::Write, mark),
            _ => Err(Answer::Undecided(
                "there are operations that zones do not know",
            )),
        }
    }

    fn store(&mut self, value: usize, kind: Kind, mark: &Mark) -> Result<(), Answer> {
        let slot = &mut self.slots[value];
        if slot.kind != Kind::Absent {
            return Err(Answer::Undecided("a value is stored twice"));
        }
        slot.invoked = mark.invoked;
        slot.returned = mark.returned;
        slot.kind = kind;
        self.has_crashed |= mark.returned == NEVER;
        Ok(())
    }

    /// The slot of the value that a compare-and-set found when it stored that of a slot.
    fn before(&self, slot: u32) -> u32 {
        let link = self.links.get(slot as usize);
        link.map_or(NONE, |link| link.before)
    }

    /// The slot of the value that a compare-and-set stored when it found that of a slot.
    fn after(&self, slot: u32) -> u32 {
        let link = self.links.get(slot as usize);
        link.map_or(NONE, |link| link.after)
    }

    /// Leaves out what crashed and stored a value that nobody saw.
    fn drop_unseen(&mut self) {
        if !self.has_crashed {
            return;
        }
        let mut is_seen = vec![false; self.slots.len()];
        for start in 0..self.slots.len() {
            let slot = &self.slots[start];
            let found =
                (slot.kind == Kind::Cas && !slot.is_crashed()).then(|| self.before(number(start)));
            let read = (slot.reads > 0).then_some(number(start));
            for seen in [found, read].into_iter().flatten() {
                // If what was seen was stored by a compare-and-set that crashed, so was what that found.
                let mut at = seen;
                while !std::mem::replace(&mut is_seen[at as usize], true) {
                    let slot = &self.slots[at as usize];
                    if slot.kind == Kind::Cas && slot.is_crashed() {
                        at = self.before(at);
                    }
                }
            }
        }
        for (slot, is_seen) in self.slots.iter_mut().zip(is_seen) {
            if slot.is_crashed() && !is_seen {
                slot.kind = Kind::Absent;
            }
        }
    }

    /// Links each compare-and-set to the value that it found.
    fn link(&mut self) -> Result<(), Answer> {
        for stored in 0..self.slots.len() {
            let slot = self.slots[stored];
            match slot.kind {
                Kind::Absent if slot.reads > 0 => {
                    return Err(self.conflict(&[number(stored)], &[time(slot.first_return)]));
                }
                Kind::Cas => {
                    let before = self.before(number(stored));
                    let link = &mut self.links[before as usize];
                    let other = std::mem::replace(&mut link.after, number(stored));
                    let is_absent = self.slots[before as usize].kind == Kind::Absent;
                    let slots = [before, number(stored), other];
                    if is_absent || other != NONE {
                        let slots = slots.map(|slot| self.witnesses(slot)).concat();
                        return Err(self.conflict(&slots, &[]));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The slots that show that what was stored in a slot did happen: itself, or if that crashed and was not read, the
    /// slot of a compare-and-set that found it, and so on.
    fn witnesses(&self, mut slot: u32) -> Vec<u32> {
        let mut slots = Vec::new();
        while slot != NONE && !slots.contains(&slot) {
            slots.push(slot);
            let held = &self.slots[slot as usize];
            if !held.is_crashed() || held.reads > 0 {
                break;
            }
            let mut all = 0..self.slots.len();
            let found = all.find(|other| {
                self.slots[*other].kind == Kind::Cas && self.before(number(*other)) == slot
            });
            slot = found.map_or(NONE, number);
        }
        slots
    }

    /// The conflict of the operations that stored the values of some slots, the first reads of them, and the
    /// operations that begin or return at some times.
    #[cold]
    fn conflict(&self, slots: &[u32], times: &[Time]) -> Answer {
        let mut operations: Vec<u32> = Vec::new();
        for slot in slots.iter().filter(|slot| **slot != NONE) {
            let slot = &self.slots[*slot as usize];
            operations.extend(Some(slot.invoked).filter(|invoked| *invoked != NONE));
            operations.extend(self.deeds.returning_at(slot.first_return));
        }
        for position in times.iter().filter_map(|time| time.checked_sub(1)) {
            let begins = |mark: &Mark| mark.invoked.cmp(&position);
            match self.deeds.marks.binary_search_by(begins) {
                Ok(_) => operations.push(position),
                Err(_) => operations.extend(self.deeds.returning_at(position)),
            }
        }
        // What a compare-and-set found was stored by another, perhaps, and so on back to a write.
        let mut helpers = Vec::new();
        let mut is_visited = vec![false; self.slots.len()];
        for slot in slots.iter().filter(|slot| **slot != NONE) {
            let mut at = *slot;
            while at != NONE && !std::mem::replace(&mut is_visited[at as usize], true) {
                helpers.push(self.slots[at as usize].invoked);
                at = self.before(at);
            }
        }
        Answer::Conflict(Conflict::new(operations, helpers))
    }

    fn order(mut self, question: Question) -> Result<Vec<u32>, Answer> {
        let heads = if self.links.is_empty() {
            let singles = self.singles()?;
            let zone = |at: usize| self.slots[singles[at] as usize].zone(singles[at]);
            self.exclude(singles.len(), zone)?
        } else {
            let chains = self.chains()?;
            self.exclude(chains.len(), |at| chains[at])?
        };
        Ok(match question {
            Question::Order => self.emit(&heads),
            Question::Existence => Vec::new(),
        })
    }

    /// The slots of values, each checked in itself, in the order of the last invocations of their zones, which is that of
    /// the history. Nothing links them.
    fn singles(&self) -> Result<Vec<u32>, Answer> {
        let mut heads = Vec::with_capacity(self.slots.len());
        if self.slots[INITIAL].reads == 0 {
            heads.push(number(INITIAL));
        }
        for mark in self.deeds.iter() {
            let slot = &self.slots[mark.value as usize];
            if slot.latest() != mark.invoked {
                continue;
            }
            let is_read_first = slot.kind != Kind::Initial && slot.first_return < slot.invoked;
            if slot.reads > 0 && is_read_first {
                let times = [slot.first_return, slot.invoked].map(time);
                return Err(self.conflict(&[mark.value], &times));
            }
            heads.push(mark.value);
        }
        Ok(heads)
    }

    /// The chains with their zones, each checked in itself, in the order of their last invocations.
    fn chains(&self) -> Result<Vec<Zone>, Answer> {
        let mut zones = Vec::new();
        let mut chained = 0_usize;
        let mut chain = Vec::new();
        let present = self.slots.iter().filter(|slot| slot.kind != Kind::Absent);
        let present = present.count();
        for (head, slot) in self.slots.iter().enumerate() {
            if !matches!(slot.kind, Kind::Initial | Kind::Write) {
                continue;
            }
            chain.clear();
            let mut at = number(head);
            while at != NONE {
                chain.push(at);
                at = self.after(at);
            }
            chained += chain.len();
            zones.push(self.zone(&chain)?);
        }
        if chained < present {
            return Err(self.cycle());
        }
        let order = by_key(zones.len(), |at| zones[at].last_invoked);
        Ok(order.into_iter().map(|at| zones[at as usize]).collect())
    }

    /// The zone of a chain. Whatever comes later in it must not have returned before something earlier began.
    fn zone(&self, chain: &[u32]) -> Result<Zone, Answer> {
        let mut first_return = time(NEVER);
        let mut last_invoked = BEFORE;
        for (place, at) in chain.iter().enumerate().rev() {
            let slot = &self.slots[*at as usize];
            if slot.reads > 0 {
                let last_read = time(slot.last_invoked);
                if first_return < last_read {
                    return Err(self.conflict(&chain[place..], &[first_return, last_read]));
                }
                first_return = first_return.min(time(slot.first_return));
                last_invoked = last_invoked.max(last_read);
            }
            if slot.kind == Kind::Initial {
                first_return = BEFORE;
                continue;
            }
            let invoked = time(slot.invoked);
            if first_return < invoked {
                return Err(self.conflict(&chain[place..], &[first_return, invoked]));
            }
            first_return = first_return.min(time(slot.returned));
            last_invoked = last_invoked.max(invoked);
        }
        let head = chain[0];
        Ok(Zone {
            first_return,
            last_invoked,
            head,
        })
    }

    /// The conflict of compare-and-sets each of which found what another stored, with no beginning.
    fn cycle(&self) -> Answer {
        let mut is_chained = vec![false; self.slots.len()];
        for (head, slot) in self.slots.iter().enumerate() {
            let mut at = if matches!(slot.kind, Kind::Initial | Kind::Write) {
                number(head)
            } else {
                NONE
            };
            while at != NONE {
                is_chained[at as usize] = true;
                at = self.after(at);
            }
        }
        let mut all = 0..self.slots.len();
        let start = all.find(|at| !is_chained[*at] && self.slots[*at].kind == Kind::Cas);
        let mut slots = Vec::new();
        let mut at = start.map_or(NONE, number);
        while at != NONE && !is_chained[at as usize] {
            is_chained[at as usize] = true;
            slots.push(at);
            at = self.before(at);
        }
        self.conflict(&slots, &[])
    }

    /// The heads of the blocks in order, if no two of their zones, which are in the order of their last invocations,
    /// exclude each other.
    ///
    /// A block with a forward zone takes effect up to its end. One with a backward zone takes effect at once, at any
    /// moment of its zone: at the beginning, or when the forward zone around that ends. Forward zones that do not
    /// overlap begin in the order in which they end, so that this can only be the next of them.
    fn exclude(&self, len: usize, zone: impl Fn(usize) -> Zone) -> Result<Vec<u32>, Answer> {
        let mut heads = Vec::with_capacity(len);
        let mut waiting = Vec::new();
        let mut forward_before: Option<Zone> = None;
        // The next forward zone from here on, once it was looked for.
        let mut next_forward: (usize, Option<Zone>) = (0, None);
        for at in 0..len {
            let here = zone(at);
            if here.is_forward() {
                if let Some(before) = forward_before.replace(here)
                    && here.first_return < before.last_invoked
                {
                    return Err(self.pair(&before, &here));
                }
                heads.push(here.head);
                heads.append(&mut waiting);
                continue;
            }
            if next_forward.0 <= at {
                let mut rest = (at + 1..len).map(|at| (at, Some(zone(at))));
                let is_forward =
                    |(_, next): &(usize, Option<Zone>)| next.as_ref().is_some_and(Zone::is_forward);
                next_forward = rest.find(is_forward).unwrap_or((len, None));
            }
            let around = next_forward.1;
            match around.filter(|next| next.first_return < here.last_invoked) {
                Some(around) if around.last_invoked > here.first_return => {
                    return Err(self.pair(&around, &here));
                }
                Some(_) => waiting.push(here.head),
                None => heads.push(here.head),
            }
        }
        Ok(heads)
    }

    /// The conflict of two blocks that must each come before the other.
    fn pair(&self, one: &Zone, other: &Zone) -> Answer {
        let mut slots = Vec::new();
        let mut positions = Vec::new();
        for zone in [one, other] {
            positions.extend([zone.first_return, zone.last_invoked]);
            // The links between the two operations that make the zone are part of why they are one block.
            let mut at = zone.head;
            while at != NONE {
                slots.push(at);
                at = self.after(at);
            }
        }
        self.conflict(&slots, &positions)
    }

    /// The operations of the blocks in this order, given by their heads.
    fn emit(&mut self, heads: &[u32]) -> Vec<u32> {
        let len = self.slots.iter().map(|slot| slot.reads as usize + 1).sum();
        let mut order = vec![0; len];
        let mut place = 0;
        for head in heads {
            let mut at = *head;
            while at != NONE {
                let slot = &mut self.slots[at as usize];
                if slot.invoked != NONE {
                    order[place as usize] = slot.invoked;
                    place += 1;
                }
                // From here on it is the place of the next of them.
                place += std::mem::replace(&mut slot.reads, place);
                at = self.after(at);
            }
        }
        order.truncate(place as usize);
        for mark in self.deeds.iter().filter(|mark| mark.is(Act::Read)) {
            let place = &mut self.slots[mark.value as usize].reads;
            order[*place as usize] = mark.invoked;
            *place += 1;
        }
        order
    }
}
