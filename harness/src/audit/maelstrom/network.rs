//! The network between nodes, clients and services: what becomes of a message, drawn from the seed.
//!
//! Everything has latency, clients included. Packet faults hit clients too, with one exception: a client's message
//! arrives once at most, as over a connection, for the protocol gives nodes no rule to tell a copy from a second
//! request. Services are as near as a library: they have latency, and messages to them may overtake one another, but
//! none is lost. Cuts are between nodes.

use std::fmt;
use std::str::FromStr;

use tribunal_histories::NodeId;

use super::message::{Endpoint, HARNESS};
use super::service::ServiceName;
use crate::draw::{Domain, Draw};
use crate::nemesis::{Grudge, PacketRates};

/// How long a message that is held back to be overtaken waits at most, in microseconds.
const HELD_BACK_US: u64 = 60_000;

/// How latencies are distributed around their mean. After Maelstrom's `--latency-dist`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Distribution {
    /// Always the mean: messages of a link stay in order
    Constant,
    /// Mostly less than the mean, sometimes several times as much
    Exponential,
    /// Anything from nothing to twice the mean
    Uniform,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::Uniform => "uniform",
        })
    }
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        clap::ValueEnum::from_str(text, false)
    }
}

/// How long messages are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The mean, in microseconds.
    pub mean_us: u64,
    /// Around it.
    pub distribution: Distribution,
}

impl Latency {
    fn draw_ns(self, draw: &mut Draw) -> u64 {
        let mean_ns = self.mean_us * 1_000;
        match self.distribution {
            Distribution::Constant => mean_ns,
            Distribution::Uniform => draw.between(0, 2 * mean_ns),
            Distribution::Exponential => exponential(draw, mean_ns),
        }
    }
}

/// A number with this mean, exponentially distributed, by comparisons of integers alone (von Neumann, "Various techniques
/// used in connection with random digits", 1951): the same on every machine.
fn exponential(draw: &mut Draw, mean: u64) -> u64 {
    for whole in 0_u64.. {
        let first = draw.next_u64() >> 32;
        let (mut last, mut length) = (first, 1);
        loop {
            let next = draw.next_u64() >> 32;
            if next >= last {
                break;
            }
            last = next;
            length += 1;
        }
        if length % 2 == 1 {
            let part = (u128::from(mean) * u128::from(first)) >> 32;
            return mean * whole + u64::try_from(part).unwrap_or(mean);
        }
    }
    mean
}

/// What becomes of a message that was sent: after how long it arrives, in nanoseconds, if it does, and when once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) arrives_ns: Option<u64>,
    pub(super) again_ns: Option<u64>,
}

/// Links, cuts and rates.
#[derive(Clone, Debug)]
pub(super) struct Network {
    seed: u64,
    latency: Latency,
    rates: PacketRates,
    grudge: Vec<(NodeId, NodeId)>,
}

impl Network {
    pub(super) fn new(seed: u64, latency: Latency) -> Self {
        Self {
            seed,
            latency,
            rates: PacketRates::default(),
            grudge: Vec::new(),
        }
    }

    pub(super) fn disturb(&mut self, rates: PacketRates) {
        self.rates = rates;
    }

    /// Exactly these links are cut.
    pub(super) fn cut(&mut self, grudge: &Grudge) {
        self.grudge = grudge.links().map(|(at, from)| (from, at)).collect();
    }

    pub(super) fn is_cut(&self, from: Endpoint, to: Endpoint) -> bool {
        match (from, to) {
            (Endpoint::Node(from), Endpoint::Node(to)) => self.grudge.contains(&(from, to)),
            _ => false,
        }
    }

    /// What becomes of the `ordinal`-th message of a link.
    pub(super) fn fate(&self, from: Endpoint, to: Endpoint, ordinal: u32) -> Fate {
        if from == HARNESS || to == HARNESS {
            return Fate {
                arrives_ns: Some(0),
                again_ns: None,
            };
        }
        let mut draw = Draw::keyed(self.seed, Domain::Link, link(from, to), ordinal.into());
        let mut arrives_ns = self.latency.draw_ns(&mut draw);
        let PacketRates {
            loss_ppm,
            duplicate_ppm,
            reorder_ppm,
            delay_us_max,
        } = self.rates;
        let is_between = |kind: fn(&Endpoint) -> bool| kind(&from) && kind(&to);
        let are_nodes = is_between(|end| matches!(end, Endpoint::Node(_)));
        let may_be_lost = is_between(|end| !matches!(end, Endpoint::Service(_)));
        arrives_ns += draw.below(delay_us_max * 1_000 + 1);
        let is_lost = draw.chance(loss_ppm) && may_be_lost;
        let is_doubled = draw.chance(duplicate_ppm) && are_nodes && !is_lost;
        if draw.chance(reorder_ppm) {
            arrives_ns += draw.below(HELD_BACK_US * 1_000);
        }
        let again_ns = arrives_ns + 4 * self.latency.draw_ns(&mut draw);
        Fate {
            arrives_ns: (!is_lost).then_some(arrives_ns),
            again_ns: is_doubled.then_some(again_ns),
        }
    }
}

/// A link as a number that depends on its ends alone.
fn link(from: Endpoint, to: Endpoint) -> u64 {
    let place = |end| match end {
        Endpoint::Node(node) => node.index() as u64,
        Endpoint::Service(service) => {
            let number = match service {
                ServiceName::LinKv => 0,
                ServiceName::LinTso => 1,
                ServiceName::LwwKv => 2,
                ServiceName::SeqKv => 3,
            };
            0x1_0000 + number
        }
        Endpoint::Client(number) => 0x2_0000 + u64::from(number),
    };
    place(from) << 32 | place(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(rates: PacketRates, distribution: Distribution) -> Network {
        let latency = Latency {
            mean_us: 10,
            distribution,
        };
        let mut network = Network::new(1, latency);
        network.disturb(rates);
        network
    }

    #[test]
    fn latencies_have_their_mean() {
        for (distribution, longest_ns) in [
            (Distribution::Constant, 10_000..10_001),
            (Distribution::Uniform, 19_900..20_001),
            (Distribution::Exponential, 70_000..200_000),
        ] {
            let network = network(PacketRates::default(), distribution);
            let [from, to] = [Endpoint::Client(3), Endpoint::Node(NodeId(0))];
            let all: Vec<_> = (0..10_000)
                .map(|ordinal| network.fate(from, to, ordinal).arrives_ns.unwrap())
                .collect();
            let mean = all.iter().sum::<u64>() / 10_000;
            assert!((9_700..10_300).contains(&mean), "{distribution}: {mean}");
            let longest = all.iter().max().unwrap();
            assert!(longest_ns.contains(longest), "{distribution}: {longest}");
        }
    }

    #[test]
    fn faults_hit_whom_they_may() {
        let rates = PacketRates {
            loss_ppm: 300_000,
            duplicate_ppm: 300_000,
            ..PacketRates::default()
        };
        let network = network(rates, Distribution::Constant);
        let [node, other] = [0, 1].map(|index| Endpoint::Node(NodeId(index)));
        let service = Endpoint::Service(ServiceName::LinKv);
        let counts = |from, to| {
            let fates = (0..1_000).map(|ordinal| network.fate(from, to, ordinal));
            fates.fold((0, 0), |(lost, doubled), fate| {
                let is_lost = i32::from(fate.arrives_ns.is_none());
                (lost + is_lost, doubled + i32::from(fate.again_ns.is_some()))
            })
        };
        let (lost, doubled) = counts(node, other);
        assert!(
            (250..350).contains(&lost) && (150..280).contains(&doubled),
            "{lost} {doubled}"
        );
        let (lost, doubled) = counts(Endpoint::Client(1), node);
        assert!(
            (250..350).contains(&lost) && doubled == 0,
            "{lost} {doubled}"
        );
        assert_eq!(counts(node, service), (0, 0));
        assert_eq!(counts(HARNESS, node), (0, 0));
    }
}
