//! What a search costs: the time that processors spent on its threads, whatever else the process does.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;

/// Threads look at their clock once in so many states: that is a system call.
const STATES_BETWEEN: u32 = 64;

thread_local! {
    /// How many states this thread has visited, and how many nanoseconds of its time are counted already. A search has
    /// threads of its own.
    static SEEN: Cell<(u32, u64)> = const { Cell::new((0, 0)) };
}

/// Nanoseconds, of all threads of a search.
#[derive(Debug, Default)]
pub(super) struct Cost(AtomicU64);

impl Cost {
    /// Takes note that a thread visits a state.
    pub(super) fn visit(&self) {
        let (visited, counted) = SEEN.get();
        if visited % STATES_BETWEEN != 0 {
            return SEEN.set((visited.wrapping_add(1), counted));
        }
        let spent = ThreadTime::now().as_duration().as_nanos();
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        self.0
            .fetch_add(spent.saturating_sub(counted), Ordering::Relaxed);
        SEEN.set((visited.wrapping_add(1), spent));
    }

    /// So far.
    pub(super) fn spent(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
