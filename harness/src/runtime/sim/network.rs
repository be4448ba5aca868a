//! The simulated network: which packets arrive, when, and how often.
//!
//! Every decision about a packet is keyed by its link and its number on the link, so that taking one fault away
//! leaves the others as they were.

use tribunal_histories::NodeId;
use tribunal_protocols::Address;

use super::agenda::Chain;
use crate::draw::{Domain, Draw};
use crate::nemesis::PacketRates;

/// How long a packet that is held back to be overtaken waits at most, in microseconds.
const HELD_BACK_US: u64 = 60_000;

/// What becomes of a packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// When it arrives, in nanoseconds from now; `None` if never.
    pub(super) arrives_ns: Option<u64>,
    /// When it arrives once more.
    pub(super) again_ns: Option<u64>,
}

/// Links, cuts and rates.
#[derive(Clone, Debug)]
pub(super) struct Network {
    seed: u64,
    nodes: usize,
    latency_us: (u64, u64),
    rates: PacketRates,
    /// By receiver, a bit for each sender whose packets do not arrive.
    cut: Vec<u64>,
    sent: Vec<u64>,
    sent_by_clients: u64,
}

impl Network {
    pub(super) fn new(seed: u64, nodes: usize, latency_us: (u64, u64)) -> Self {
        let sent = vec![0; nodes * (nodes + 1)];
        Self {
            seed,
            nodes,
            latency_us,
            rates: PacketRates::default(),
            cut: vec![0; nodes],
            sent,
            sent_by_clients: 0,
        }
    }

    pub(super) fn set_rates(&mut self, rates: PacketRates) {
        self.rates = rates;
    }

    pub(super) fn cut(&mut self, from: NodeId, to: NodeId) {
        self.cut[to.index()] |= 1 << from.index();
    }

    pub(super) fn heal(&mut self) {
        self.cut.fill(0);
    }

    pub(super) fn is_cut(&self, from: Address, to: Address) -> bool {
        match (from, to) {
            (Address::Node(from), Address::Node(to)) if from != to => {
                self.cut[to.index()] >> from.index() & 1 == 1
            }
            _ => false,
        }
    }

    /// The link as a number: for the order that PCT keeps, and as a key. All clients share the links of one.
    pub(super) fn link(&self, from: Address, to: Address) -> Chain {
        let place = |address| match address {
            Address::Node(node) => node.index(),
            Address::Client(_) => self.nodes,
        };
        u32::try_from(place(from) * (self.nodes + 1) + place(to)).unwrap_or(Chain::MAX)
    }

    /// Decides what becomes of a packet.
    pub(super) fn send(&mut self, from: Address, to: Address) -> Fate {
        let link = self.link(from, to) as usize;
        let count = self.sent.get_mut(link).unwrap_or(&mut self.sent_by_clients);
        *count += 1;
        let mut draw = Draw::keyed(self.seed, Domain::Link, link as u64, *count);
        let latency_ns =
            |draw: &mut Draw| draw.between(self.latency_us.0 * 1_000, self.latency_us.1 * 1_000);
        let PacketRates {
            loss_ppm,
            duplicate_ppm,
            reorder_ppm,
            delay_us_max,
        } = self.rates;
        let mut arrives_ns = latency_ns(&mut draw);
        if self.rates == PacketRates::default() {
            return Fate {
                arrives_ns: Some(arrives_ns),
                again_ns: None,
            };
        }
        arrives_ns += draw.below(delay_us_max * 1_000 + 1);
        let lost = draw.chance(loss_ppm);
        let again = draw.chance(duplicate_ppm);
        if draw.chance(reorder_ppm) {
            arrives_ns += draw.below(HELD_BACK_US * 1_000);
        }
        let again_ns = again.then(|| arrives_ns + latency_ns(&mut draw) * 4);
        Fate {
            arrives_ns: (!lost).then_some(arrives_ns),
            again_ns: again_ns.filter(|_| !lost),
        }
    }
}
