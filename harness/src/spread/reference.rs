//! What a measurement is compared with, and within which tolerance.
//!
//! Every tolerance is four standard errors of the measurement (one in 16,000 honest rows is further off), and what the
//! reference itself is uncertain by.

use std::fmt;

use tribunal_protocols::gossip::{Mode, Rumours};

use super::measure::{Measurement, rounds_max};
use super::rounds::Spread;
use super::sample::quantile_bounds;
use super::{Case, Judged};

/// Rounds until all know, in the mean and in the slowest of a hundred: push, pull, push-pull. Measured by an independent
/// program in 20,000 trials. Theory: push takes log₂ n + ln n + O(1) (Frieze and Grimmett, 1985; Pittel, 1987),
/// push-pull log₃ n + O(log log n) (Karp, Schindelhauer, Shenker and Vöcking, FOCS 2000).
const ROUNDS: &[(usize, [(f64, u32); 3])] = &[
    (8, [(5.4, 9), (4.5, 8), (3.1, 5)]),
    (16, [(7.4, 11), (6.1, 10), (4.1, 6)]),
    (64, [(11.2, 15), (9.0, 13), (6.0, 7)]),
    (256, [(14.7, 19), (11.5, 16), (7.6, 9)]),
    (1024, [(18.1, 22), (13.8, 18), (9.2, 10)]),
    (4096, [(21.5, 25), (16.2, 21), (10.7, 12)]),
    (16384, [(24.9, 29), (18.3, 22), (12.1, 13)]),
];

/// In which share of trials forward-once reaches all: nodes, k.
const REACHED_ALL: &[(usize, u64, f64)] = &[
    (10, 3, 0.870),
    (10, 5, 0.998),
    (100, 5, 0.577),
    (100, 8, 0.978),
    (1000, 6, 0.088),
    (1000, 7, 0.42),
    (1000, 8, 0.72),
];

/// In which round, in the mean, forward-once last reaches someone among 1,000, k from 2. The independent program counts
/// the round after it, too, in which whoever heard last tells others in vain; it has 17.4, 11.6, 9.2, …
const LAST_HEARD: [f64; 7] = [16.4, 10.6, 8.2, 7.0, 6.1, 5.6, 5.1];

/// The residues of Demers et al., table 2 (1,000 sites, blind, coin), k from 1.
const BLIND_COIN: [f64; 5] = [0.96, 0.205, 0.060, 0.021, 0.008];

/// What is expected of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reference {
    /// All know, after so many rounds in the mean; in 99 of 100 trials after at most so many.
    Rounds {
        /// The mean.
        mean: f64,
        /// The 99th percentile.
        p99: u32,
    },
    /// A share of the nodes never hears; and, where it is known, in which share of trials all do.
    Residue {
        /// The residue.
        share: Option<f64>,
        /// How far the reference itself may be off, of itself.
        slack: f64,
        /// In which share of trials all hear.
        reached_all: Option<f64>,
        /// In which round the last hears, in the mean.
        rounds: Option<f64>,
    },
    /// Nothing.
    None,
}

impl Reference {
    /// That of a case.
    pub fn of(case: Case) -> Self {
        match case {
            Case::AntiEntropy(mode, nodes) => {
                let row = ROUNDS.iter().find(|(of, _)| *of == nodes);
                let column = match mode {
                    Mode::Push => 0,
                    Mode::Pull => 1,
                    Mode::PushPull | Mode::Off => 2,
                };
                row.map_or(Self::None, |(_, columns)| {
                    let (mean, p99) = columns[column];
                    Self::Rounds { mean, p99 }
                })
            }
            Case::Rumour(Rumours::ForwardOnce, nodes, k) => {
                let known = REACHED_ALL.iter().find(|row| (row.0, row.1) == (nodes, k));
                let place = usize::try_from(k).unwrap_or(usize::MAX).wrapping_sub(2);
                let rounds = LAST_HEARD.get(place).copied();
                Self::Residue {
                    share: (nodes >= 1000).then(|| forwarded_once(nodes, k)),
                    slack: 0.01,
                    reached_all: known.map(|row| row.2),
                    rounds: rounds.filter(|_| nodes == 1000),
                }
            }
            Case::Rumour(variant, nodes, k) => {
                let place = usize::try_from(k).unwrap_or(usize::MAX).wrapping_sub(1);
                let share = match variant {
                    Rumours::BlindCoin => BLIND_COIN.get(place).copied(),
                    // With k = 1 it is a walk that ends where it has been, and the equation has no root below 1.
                    Rumours::BlindCounter if k > 1 => Some(fixed_point(k as f64)),
                    Rumours::FeedbackCoin => Some(fixed_point(k as f64 + 1.0)),
                    _ => None,
                };
                Self::Residue {
                    share: share.filter(|_| nodes == 1000),
                    slack: if variant == Rumours::BlindCoin {
                        0.1
                    } else {
                        0.03
                    },
                    reached_all: None,
                    rounds: None,
                }
            }
        }
    }

    /// Compares a measurement.
    pub fn judge(&self, case: Case, measured: &Measurement, outcomes: &[Spread]) -> Judged {
        let because = match *self {
            Self::None => return Judged::NoReference,
            Self::Rounds { mean, p99 } => unreached(case, outcomes)
                .or_else(|| wrong_rounds(case, measured, outcomes, mean, p99)),
            Self::Residue {
                share,
                slack,
                reached_all,
                rounds,
            } => share
                .and_then(|share| wrong_residue(case, measured, share, slack))
                .or_else(|| wrong_law(case, measured))
                .or_else(|| reached_all.and_then(|share| wrong_reach(case, measured, share)))
                .or_else(|| rounds.and_then(|rounds| wrong_end(case, measured, rounds))),
        };
        because.map_or(Judged::Within, |because| Judged::Outside { because })
    }
}

/// The residue of forward-once in a cluster of this size: a node is missed if none of those that heard, who each tell k
/// of the n - 2 that are neither themselves nor who told them, told it. For large n this is s = e^(-k(1-s)).
pub fn forwarded_once(nodes: usize, k: u64) -> f64 {
    let nodes = nodes as f64;
    let missed_by_one = (1.0 - k as f64 / (nodes - 2.0)).ln();
    let mut share = 0.0;
    for _ in 0..1000 {
        share = (missed_by_one * nodes * (1.0 - share)).exp();
    }
    share
}

/// The s below 1 with s = e^(-rate (1-s)); 1 if there is none.
pub fn fixed_point(rate: f64) -> f64 {
    let mut share = 0.0;
    for _ in 0..10_000 {
        share = f64::exp(-rate * (1.0 - share));
    }
    share
}

fn unreached(case: Case, outcomes: &[Spread]) -> Option<String> {
    let missed = outcomes
        .iter()
        .filter(|outcome| outcome.reached < case.nodes())
        .count();
    (missed > 0).then(|| {
        format!(
            "Because in {missed} of {} trials some of {} nodes had not heard after {} rounds, {} does not reach all: \
             anti-entropy must.",
            outcomes.len(),
            case.nodes(),
            rounds_max(case.nodes()),
            case.name(),
        )
    })
}

fn wrong_rounds(
    case: Case,
    measured: &Measurement,
    outcomes: &[Spread],
    mean: f64,
    p99: u32,
) -> Option<String> {
    let (name, nodes) = (case.name(), case.nodes());
    let tolerance = 0.1 + 4.0 * measured.rounds.error;
    let found = measured.rounds.mean;
    if (found - mean).abs() > tolerance {
        return Some(format!(
            "Because {name} took {found:.2} rounds in the mean until all of {nodes} nodes knew, and {mean} with a \
             tolerance of {tolerance:.2} were expected."
        ));
    }
    let mut sorted: Vec<u32> = outcomes.iter().map(|outcome| outcome.rounds).collect();
    sorted.sort_unstable();
    let (low, high) = quantile_bounds(&sorted, 0.99);
    let fits = p99 + 1 >= low && high.is_none_or(|high| p99 <= high + 1);
    (!fits).then(|| {
        format!(
            "Because the slowest of a hundred trials of {name} took {} rounds until all of {nodes} nodes knew, and {p99} \
             with a tolerance of one were expected.",
            measured.p99
        )
    })
}

fn wrong_residue(case: Case, measured: &Measurement, share: f64, slack: f64) -> Option<String> {
    let tolerance = 4.0 * measured.residue.error + slack * share;
    let found = measured.residue.mean;
    ((found - share).abs() > tolerance).then(|| {
        format!(
            "Because {} left {:.3} % of {} nodes without the update, and {:.3} % with a tolerance of {:.3} were \
             expected.",
            case.name(),
            100.0 * found,
            case.nodes(),
            100.0 * share,
            100.0 * tolerance
        )
    })
}

/// Whatever makes nodes lose interest, who is missed was missed by every contact (Demers et al., §1.4: s = e^-m).
fn wrong_law(case: Case, measured: &Measurement) -> Option<String> {
    let nodes = case.nodes() as f64;
    if nodes < 1000.0 {
        return None;
    }
    let expected = (1.0 - 1.0 / (nodes - 1.0)).powf(measured.contacts * nodes);
    let tolerance = 4.0 * measured.residue.error + 0.05 * expected;
    let found = measured.residue.mean;
    ((found - expected).abs() > tolerance).then(|| {
        format!(
            "Because {} made {:.2} contacts a node, {:.3} % of {nodes} nodes had to be missed by all of them, and \
             {:.3} % were: contacts are not at random.",
            case.name(),
            measured.contacts,
            100.0 * expected,
            100.0 * found,
        )
    })
}

fn wrong_end(case: Case, measured: &Measurement, rounds: f64) -> Option<String> {
    let tolerance = 0.1 + 4.0 * measured.rounds.error;
    let found = measured.rounds.mean;
    ((found - rounds).abs() > tolerance).then(|| {
        format!(
            "Because the last of {} nodes that heard by {} heard in round {found:.2} in the mean, and round {rounds} \
             with a tolerance of {tolerance:.2} was expected.",
            case.nodes(),
            case.name(),
        )
    })
}

fn wrong_reach(case: Case, measured: &Measurement, share: f64) -> Option<String> {
    let found = measured.reached_all;
    let variance = share * (1.0 - share) / measured.trials.max(1) as f64;
    let tolerance = 4.0 * variance.sqrt() + 0.012;
    ((found - share).abs() > tolerance).then(|| {
        format!(
            "Because {} reached all of {} nodes in {:.1} % of trials, and {:.1} % with a tolerance of {:.1} were \
             expected.",
            case.name(),
            case.nodes(),
            100.0 * found,
            100.0 * share,
            100.0 * tolerance
        )
    })
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Rounds { mean, p99 } => write!(f, "{mean} rounds, p99 {p99}"),
            Self::Residue {
                share,
                reached_all,
                rounds,
                ..
            } => {
                let share = share.map(|share| format!("residue {share:.5}"));
                let all = reached_all.map(|share| format!("P(all) {share}"));
                let rounds = rounds.map(|rounds| format!("{rounds} rounds"));
                let known: Vec<_> = share.into_iter().chain(all).chain(rounds).collect();
                f.write_str(if known.is_empty() {
                    "residue e^-contacts"
                } else {
                    ""
                })?;
                f.write_str(&known.join(", "))
            }
            Self::None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_points_are_those_of_the_literature() {
        for (k, share) in [(2.0, 0.2032), (3.0, 0.0595), (4.0, 0.0198), (5.0, 0.0070)] {
            assert!((fixed_point(k) - share).abs() < 0.0001, "{k}");
        }
        assert!((fixed_point(1.0) - 1.0).abs() < 0.001);
        assert!((forwarded_once(1_000_000, 3) - fixed_point(3.0)).abs() < 0.0001);
        assert!((forwarded_once(1000, 2) - 0.202).abs() < 0.0006);
    }
}
