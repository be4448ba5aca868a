//! Looking on while a search goes on: progress, and the bounds of time and memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tribunal_checkers::explore::Progress;

use crate::cli::interrupt;
use crate::cli::quantity::grouped;
use crate::report::Ticker;

/// How often a search is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Looks on, and says when a search is to end.
pub(crate) struct Watcher {
    interrupted: Arc<AtomicBool>,
    ticker: Ticker,
    began: Instant,
    time: Duration,
    memory: usize,
    /// The most memory that the process was seen to hold since the search began.
    peak: usize,
}

impl Watcher {
    /// A watcher from now on, who ends searches after this time, or when the process holds so many bytes.
    ///
    /// # Errors
    /// When Ctrl-C cannot be listened for.
    pub(crate) fn new(quiet: bool, time: Duration, memory: usize) -> io::Result<Self> {
        Ok(Self::heeding(interrupt::listen()?, quiet, time, memory))
    }

    /// The same, where somebody listens for Ctrl-C already.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a search took is no verdict"
    )]
    pub(crate) fn heeding(
        interrupted: Arc<AtomicBool>,
        quiet: bool,
        time: Duration,
        memory: usize,
    ) -> Self {
        Self {
            interrupted,
            ticker: Ticker::new(quiet),
            began: Instant::now(),
            time,
            memory,
            peak: 0,
        }
    }

    /// Counts the time from now on: another search begins.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a search took is no verdict"
    )]
    pub(crate) fn begin(&mut self) {
        self.began = Instant::now();
        self.peak = 0;
    }

    /// The most memory that the process was seen to hold since the search began.
    pub(crate) fn peak_bytes(&self) -> usize {
        self.peak
    }

    /// Waits a little, and gives the reason for which the search is to end, if there is one.
    pub(crate) fn look(&mut self, progress: &Progress) -> Option<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the search has threads of its own; this one only looks on"
        )]
        thread::sleep(TICK);
        self.ticker.tick(&line(progress, self.began.elapsed()));
        if self.is_interrupted() {
            return Some("interrupted".to_owned());
        }
        if self.began.elapsed() >= self.time {
            return Some(format!("{} s have passed", self.time.as_secs()));
        }
        let held = resident_bytes()?;
        self.peak = self.peak.max(held);
        (held >= self.memory).then(|| format!("{} MiB of memory are held", held >> 20))
    }

    /// Set when Ctrl-C was pressed.
    pub(crate) fn interrupted(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The search is over: how long it took.
    pub(crate) fn finish(&self) -> Duration {
        self.ticker.finish();
        self.began.elapsed()
    }
}

/// How much memory the process holds, where the operating system tells.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split_whitespace().nth(1)?.parse().ok()?;
    Some(resident * rustix::param::page_size())
}

/// How far a search is, in words.
pub(super) fn line(progress: &Progress, elapsed: Duration) -> String {
    let rate = progress.generated as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{} distinct states, {} generated, {} to go on from, depth {}, {} a second",
        grouped(progress.distinct as u64),
        grouped(progress.generated as u64),
        grouped(progress.frontier as u64),
        progress.depth,
        grouped(rate as u64),
    )
}
