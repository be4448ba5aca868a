//! Many trials of one case, on several threads: the same numbers on any number of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::Serialize;
use tribunal_histories::Digest;
use tribunal_protocols::Bugs;

use super::Case;
use super::rounds::{Spread, spread};
use super::sample::{Mean, quantile};
use crate::draw::{Domain, Draw};

/// How often, and how.
#[derive(Clone, Copy)]
pub struct Trials<'a> {
    /// So many trials.
    pub count: u64,
    /// Names them.
    pub seed: u64,
    /// So many at a time.
    pub jobs: usize,
    /// Whether to end now; what was measured so far is kept.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears of every trial that ends.
    pub ended: &'a (dyn Fn() + Sync),
}

impl std::fmt::Debug for Trials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trials({} from seed {})", self.count, self.seed)
    }
}

/// After how many rounds a trial ends whatever is known: many times what any of them takes.
pub fn rounds_max(nodes: usize) -> u32 {
    60 + 10 * nodes.max(2).ilog2()
}

/// Makes the trials of a case. Each is a function of the seed, the case and its own number.
pub fn measure(case: Case, bugs: Bugs, trials: &Trials<'_>) -> Vec<Spread> {
    let config = case.config(bugs);
    let name = Digest::default().then(&case.name()).then(&case.nodes()).0;
    let next = AtomicU64::new(0);
    let outcomes: Mutex<Vec<(u64, Spread)>> = Mutex::default();
    let work = || {
        while !(trials.stop)() {
            let trial = next.fetch_add(1, Ordering::Relaxed);
            if trial >= trials.count {
                return;
            }
            let seed = Draw::keyed(trials.seed, Domain::Generator, name, trial).next_u64();
            let outcome = spread(&config, seed, rounds_max(case.nodes()));
            if let Ok(mut outcomes) = outcomes.lock() {
                outcomes.push((trial, outcome));
            }
            (trials.ended)();
        }
    };
    thread::scope(|scope| {
        for _ in 1..trials.jobs {
            scope.spawn(work);
        }
        work();
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_default();
    outcomes.sort_unstable_by_key(|(trial, _)| *trial);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What the trials of a case come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measurement {
    /// How many trials were made.
    pub trials: u64,
    /// The round in which the last node heard that did.
    pub rounds: Mean,
    /// The same, of a trial slower than 99 in 100.
    pub p99: u32,
    /// The share of nodes that never heard.
    pub residue: Mean,
    /// In which share of trials all heard.
    pub reached_all: f64,
    /// How often a node turned to another, by node.
    pub contacts: f64,
    /// Messages, by node.
    pub messages: f64,
    /// The residue that follows if each contact hits a node at random: e to the minus contacts.
    pub missed_at_random: f64,
}

impl Measurement {
    /// Of these trials.
    pub fn of(nodes: usize, outcomes: &[Spread]) -> Self {
        let nodes = nodes as f64;
        let mut rounds: Vec<u32> = outcomes.iter().map(|outcome| outcome.rounds).collect();
        rounds.sort_unstable();
        let mean = |value: fn(&Spread) -> f64| Mean::of(outcomes.iter().map(value)).mean / nodes;
        let all = outcomes
            .iter()
            .filter(|outcome| outcome.reached as f64 >= nodes)
            .count();
        let contacts = mean(|outcome| outcome.contacts as f64);
        let missed = |outcome: &Spread| 1.0 - outcome.reached as f64 / nodes;
        Self {
            trials: outcomes.len() as u64,
            rounds: Mean::of(rounds.iter().map(|rounds| f64::from(*rounds))),
            p99: quantile(&rounds, 0.99),
            residue: Mean::of(outcomes.iter().map(missed)),
            reached_all: all as f64 / outcomes.len().max(1) as f64,
            contacts,
            messages: mean(|outcome| outcome.messages as f64),
            missed_at_random: (-contacts).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tribunal_protocols::gossip::Mode;

    use super::*;

    #[test]
    fn the_same_seed_measures_the_same_on_any_number_of_threads() {
        let of = |seed, jobs| {
            let trials = Trials {
                count: 40,
                seed,
                jobs,
                stop: &|| false,
                ended: &|| {},
            };
            measure(Case::AntiEntropy(Mode::PushPull, 32), Bugs::NONE, &trials)
        };
        assert_eq!(of(1, 1), of(1, 3));
        assert_ne!(of(1, 2), of(2, 2));
    }
}
