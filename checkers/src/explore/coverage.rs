//! What a search has come by: steps, probes, and properties that were put to the test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use tribunal_protocols::{Node, Step};

use super::state::Memory;

/// Counts that all threads of a search share.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// By kind of step, how often one was taken.
    pub(super) steps: BTreeMap<&'static str, u64>,
    /// Probes that some step hit.
    pub(super) probes: BTreeSet<&'static str>,
    /// Properties that some step put to the test.
    pub(super) tested: BTreeSet<&'static str>,
}

impl Coverage {
    /// Counts a step that was taken, and what it hit.
    pub(super) fn count<N: Node>(&self, step: &Step<N>, memory: &Memory) {
        let mut seen = self.lock();
        *seen.steps.entry(kind(step)).or_default() += 1;
        seen.probes.extend(memory.notes.iter().copied());
        if let Some(monitor) = &memory.monitor {
            let tested = monitor.exercised().filter(|exercise| exercise.count > 0);
            seen.tested.extend(tested.map(|exercise| exercise.property));
        }
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn kind<N: Node>(step: &Step<N>) -> &'static str {
    match step {
        Step::Invoke { .. } => "invoke",
        Step::Resend { .. } => "resend",
        Step::GiveUp { .. } => "give up",
        Step::Deliver(_) => "deliver",
        Step::Duplicate(_) => "duplicate",
        Step::Fire { .. } => "fire",
        Step::Sync { .. } => "sync",
        Step::Crash { .. } => "crash",
        Step::CrashDuring { .. } => "crash within a step",
        Step::Restart { .. } => "restart",
        Step::Cut { .. } => "cut",
        Step::Heal => "heal",
        Step::Remark(_) => "remark",
    }
}
