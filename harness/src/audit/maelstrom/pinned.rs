//! One processor for the harness and its nodes: in virtual time they work by turns, and a turn is then a switch between
//! processes and no wake-up of another processor.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// This thread, and what it starts, on one processor for a while.
pub(super) struct Pinned {
    before: Option<CpuSet>,
}

impl Pinned {
    /// Processors in turn, beginning with another in each process. Where it is not allowed, nothing is done.
    pub(super) fn to_one() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let before = sched_getaffinity(None).ok();
        if let Some(allowed) = &before {
            let processors: Vec<_> = (0..CpuSet::MAX_CPU)
                .filter(|cpu| allowed.is_set(*cpu))
                .collect();
            let turn = NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id() as usize;
            let mut one = CpuSet::new();
            if let Some(processor) = processors.get(turn % processors.len().max(1)) {
                one.set(*processor);
                let _ = sched_setaffinity(None, &one);
            }
        }
        Self { before }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = sched_setaffinity(None, before);
        }
    }
}
