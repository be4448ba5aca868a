//! What a search has come by: steps, probes, and properties that were put to the test.

use std::sync::atomic::{AtomicU64, Ordering};

use tribunal_protocols::Step;
use tribunal_protocols::explored::Explored;
use tribunal_protocols::registry::Protocol;

use super::moves::{Move, What};
use super::state::Memory;
use crate::properties::PropertyInfo;

/// Kinds of steps, in the order in which they are counted.
const KINDS: [&str; 13] = [
    "invoke",
    "resend",
    "deliver",
    "duplicate",
    "fire",
    "sync",
    "crash",
    "crash within a step",
    "restart",
    "cut",
    "heal",
    "lose",
    "other",
];

const CRASH_WITHIN: usize = 7;
const LOSE: usize = 11;

/// Counts that all threads of a search share: they meet on nothing but numbers.
#[derive(Debug)]
pub(super) struct Coverage {
    steps: [AtomicU64; KINDS.len()],
    /// The protocol's probes, and a bit for each that was hit.
    probes: &'static [&'static str],
    hit: AtomicU64,
    /// The protocol's properties, a bit for each that was put to the test.
    properties: Vec<&'static str>,
    tested: AtomicU64,
}

impl Coverage {
    pub(super) fn of(protocol: &str, properties: &[&'static PropertyInfo]) -> Self {
        let probes = Protocol::named(protocol).map_or(&[][..], |protocol| protocol.probes);
        Self {
            steps: Default::default(),
            probes,
            hit: AtomicU64::new(0),
            properties: properties.iter().map(|info| info.id).collect(),
            tested: AtomicU64::new(0),
        }
    }

    /// Counts a step that was taken, and what it hit.
    pub(super) fn count<N: Explored>(&self, it: &Move<N>, memory: &Memory) {
        let kind = match &it.what {
            What::Step(_) if it.crash.is_some() => CRASH_WITHIN,
            What::Step(step) => kind(step),
            What::Lose(_) => LOSE,
        };
        self.steps[kind].fetch_add(1, Ordering::Relaxed);
        self.see(memory);
    }

    /// Takes note of the probes that were hit last, and of the properties that were ever put to the test.
    pub(super) fn see(&self, memory: &Memory) {
        for note in &memory.notes {
            let place = self.probes.iter().position(|probe| probe == note);
            raise(&self.hit, place.map_or(0, |place| 1 << place));
        }
        if let Some(monitor) = &memory.monitor {
            let places = (0..).zip(monitor.exercised());
            let tested = places.filter(|(_, exercise)| exercise.count > 0);
            raise(
                &self.tested,
                tested.fold(0, |bits, (place, _)| bits | 1 << place),
            );
        }
    }

    /// By kind of step, how often one was taken.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.steps.iter().map(|count| count.load(Ordering::Relaxed));
        KINDS
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
    }

    /// The probes that some step hit.
    pub(super) fn probes(&self) -> impl Iterator<Item = &'static str> {
        marked(self.probes, &self.hit)
    }

    /// The properties that some step put to the test.
    pub(super) fn tested(&self) -> impl Iterator<Item = &'static str> {
        marked(&self.properties, &self.tested)
    }
}

/// Sets bits; most of the time they are set.
fn raise(mask: &AtomicU64, bits: u64) {
    if mask.load(Ordering::Relaxed) & bits != bits {
        mask.fetch_or(bits, Ordering::Relaxed);
    }
}

fn marked(names: &[&'static str], mask: &AtomicU64) -> impl Iterator<Item = &'static str> {
    let bits = mask.load(Ordering::Relaxed);
    let marked = names
        .iter()
        .enumerate()
        .filter(move |(place, _)| bits >> place & 1 == 1);
    marked.map(|(_, name)| *name)
}

fn kind<N: Explored>(step: &Step<N>) -> usize {
    match step {
        Step::Invoke { .. } => 0,
        Step::Resend { .. } => 1,
        Step::Deliver(_) => 2,
        Step::Duplicate(_) => 3,
        Step::Fire { .. } => 4,
        Step::Sync { .. } => 5,
        Step::Crash { .. } => 6,
        Step::CrashDuring { .. } => CRASH_WITHIN,
        Step::Restart { .. } => 8,
        Step::Cut { .. } => 9,
        Step::Heal => 10,
        Step::GiveUp { .. } | Step::Remark(_) => 12,
    }
}
