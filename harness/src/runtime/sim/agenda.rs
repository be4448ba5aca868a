//! What is to happen, and the choice of what happens next: by time, or by order.
//!
//! By **latency**, everything happens at its time: realistic, and weak on bugs of pure ordering. By **order**,
//! packets lose their times: any that is on its way may arrive next, chosen at random or by the priorities of
//! PCT (Burckhardt et al., *A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs*, ASPLOS 2010),
//! while each arrival moves the clock by one tick, so that timers, clients and faults keep their times.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use crate::draw::{Domain, Draw};

/// How the next event is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// By time.
    Latency,
    /// Any packet may be next, each as likely as the others.
    Random,
    /// The oldest packet of the link with the highest priority is next; at so many random moments the priority
    /// of the link that is on goes down to the lowest.
    Pct {
        /// How many moments: one less than the depth of the bugs that are looked for.
        changes: u32,
    },
}

/// A link, or whatever else keeps its events in order under PCT.
pub(super) type Chain = u32;

/// How long an arrival takes when order decides, in nanoseconds of simulated time.
const TICK_NS: u64 = 250_000;
/// Over how many arrivals the moments of PCT are spread.
const PCT_SPAN: u64 = 4_000;

/// Events in a heap by time, and packets in a pool if order decides.
#[derive(Debug)]
pub(super) struct Agenda<E> {
    now_ns: u64,
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    slots: Vec<Option<E>>,
    free: Vec<u32>,
    pushed: u64,
    pool: Pool<E>,
    seed: u64,
    chosen: u64,
}

#[derive(Debug)]
enum Pool<E> {
    /// No pool: everything has a time.
    None,
    Random(Vec<E>),
    Pct {
        chains: BTreeMap<Chain, VecDeque<E>>,
        priorities: BTreeMap<Chain, u64>,
        changes: Vec<u64>,
        lowest: u64,
    },
}

impl<E> Agenda<E> {
    pub(super) fn new(seed: u64, choice: Choice) -> Self {
        let pool = match choice {
            Choice::Latency => Pool::None,
            Choice::Random => Pool::Random(Vec::new()),
            Choice::Pct { changes } => {
                let mut draw = Draw::keyed(seed, Domain::Order, u64::MAX, 0);
                let changes = (0..changes).map(|_| draw.below(PCT_SPAN)).collect();
                Pool::Pct {
                    chains: BTreeMap::new(),
                    priorities: BTreeMap::new(),
                    changes,
                    lowest: u64::MAX / 2,
                }
            }
        };
        let (heap, slots, free) = (BinaryHeap::new(), Vec::new(), Vec::new());
        Self {
            now_ns: 0,
            heap,
            slots,
            free,
            pushed: 0,
            pool,
            seed,
            chosen: 0,
        }
    }

    /// The simulated time, in nanoseconds since the start.
    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Something happens after a while.
    pub(super) fn push(&mut self, after_ns: u64, event: E) {
        self.push_at(self.now_ns + after_ns, event);
    }

    /// Something happens at a time.
    pub(super) fn push_at(&mut self, at_ns: u64, event: E) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => {
                self.slots.push(Some(event));
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 events at once")
            }
        };
        self.pushed += 1;
        self.heap.push(Reverse((at_ns, self.pushed, slot)));
    }

    /// A packet sets out: it arrives after its latency, or whenever order has it.
    pub(super) fn push_packet(&mut self, chain: Chain, latency_ns: u64, event: E) {
        match &mut self.pool {
            Pool::None => self.push(latency_ns, event),
            Pool::Random(events) => events.push(event),
            Pool::Pct {
                chains, priorities, ..
            } => {
                let seed = self.seed;
                priorities.entry(chain).or_insert_with(|| {
                    // The upper half of the numbers: demoted links get those of the lower.
                    Draw::keyed(seed, Domain::Order, u64::MAX, u64::from(chain) + 1).next_u64()
                        | 1 << 63
                });
                chains.entry(chain).or_default().push_back(event);
            }
        }
    }

    /// From now on everything happens by time: what was in the pool arrives within a tick each.
    pub(super) fn calm(&mut self) {
        let pooled: Vec<E> = match std::mem::replace(&mut self.pool, Pool::None) {
            Pool::None => Vec::new(),
            Pool::Random(events) => events,
            Pool::Pct { chains, .. } => chains.into_values().flatten().collect(),
        };
        for (place, event) in (1..).zip(pooled) {
            self.push(place * TICK_NS, event);
        }
    }

    /// What happens next; the time moves there.
    pub(super) fn pop(&mut self) -> Option<E> {
        let due_ns = self.heap.peek().map(|Reverse((due_ns, ..))| *due_ns);
        if due_ns.is_none_or(|due_ns| due_ns > self.now_ns + TICK_NS)
            && let Some(event) = self.choose()
        {
            self.now_ns += TICK_NS;
            return Some(event);
        }
        let Reverse((due_ns, _, slot)) = self.heap.pop()?;
        self.now_ns = self.now_ns.max(due_ns);
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    fn choose(&mut self) -> Option<E> {
        match &mut self.pool {
            Pool::None => None,
            Pool::Random(events) => {
                if events.is_empty() {
                    return None;
                }
                self.chosen += 1;
                let place =
                    Draw::keyed(self.seed, Domain::Order, self.chosen, 0).index(events.len());
                Some(events.swap_remove(place))
            }
            Pool::Pct {
                chains,
                priorities,
                changes,
                lowest,
            } => {
                let first = chains
                    .keys()
                    .max_by_key(|chain| (priorities.get(chain), **chain))
                    .copied()?;
                self.chosen += 1;
                if changes.contains(&(self.chosen % PCT_SPAN)) {
                    *lowest -= 1;
                    priorities.insert(first, *lowest);
                }
                let chain = chains.get_mut(&first)?;
                let event = chain.pop_front();
                if chain.is_empty() {
                    chains.remove(&first);
                }
                event
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn popped(choice: Choice) -> Vec<u32> {
        let mut agenda = Agenda::new(3, choice);
        for number in 0..6 {
            agenda.push_packet(number % 2, u64::from(10 - number) * 1_000_000, number);
        }
        std::iter::from_fn(|| agenda.pop()).collect()
    }

    #[test]
    fn latency_goes_by_time() {
        assert_eq!(popped(Choice::Latency), [5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn random_takes_any_and_all() {
        let order = popped(Choice::Random);
        assert_ne!(order, [0, 1, 2, 3, 4, 5]);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
        assert_eq!(popped(Choice::Random), order);
    }

    #[test]
    fn pct_keeps_each_link_in_order_and_prefers_one() {
        let order = popped(Choice::Pct { changes: 0 });
        assert!(
            order == [0, 2, 4, 1, 3, 5] || order == [1, 3, 5, 0, 2, 4],
            "{order:?}"
        );
    }

    #[test]
    fn timed_events_keep_their_time_when_order_decides() {
        let mut agenda = Agenda::new(1, Choice::Random);
        agenda.push(600_000, 100);
        for number in 0..4 {
            agenda.push_packet(0, 0, number);
        }
        let order: Vec<_> = std::iter::from_fn(|| agenda.pop()).collect();
        assert_eq!(order.iter().position(|event| *event == 100), Some(2));
    }
}
