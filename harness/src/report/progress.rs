//! Progress on standard error: a bar for a person who watches, a line now and then for a log.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Progress of a sweep or of shrinking.
#[derive(Debug)]
pub enum Progress {
    /// A bar on a terminal.
    Bar(ProgressBar),
    /// A line every few seconds.
    Lines {
        /// When the last was written.
        last: Instant,
        /// How many there are to be; 0 if nobody knows.
        total: u64,
    },
    /// Nothing.
    Quiet,
}

/// How often a log gets a line.
const LINE_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    /// Progress towards `total` (0 if nobody knows it); none if `quiet`.
    pub fn towards(total: u64, quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines { last: now(), total };
        }
        let bar = if total == 0 {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::new(total)
        };
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} runs  {per_sec}  {eta}  {msg}");
        Self::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// So many are done, and so many of them fail.
    pub fn at(&mut self, done: u64, failing: u64) {
        let message = match failing {
            0 => String::new(),
            some => format!("{some} failing"),
        };
        match self {
            Self::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(message);
            }
            Self::Lines { last, total } if last.elapsed() >= LINE_EVERY => {
                *last = now();
                let of = if *total == 0 {
                    String::new()
                } else {
                    format!("/{total}")
                };
                note(&format!("{done}{of} runs  {message}"));
            }
            Self::Lines { .. } | Self::Quiet => {}
        }
    }

    /// Says what is being done now.
    pub fn say(&self, what: &str) {
        match self {
            Self::Bar(bar) => bar.set_message(what.to_owned()),
            Self::Lines { .. } => note(what),
            Self::Quiet => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Progress of what has no known end: a spinner with a text on a terminal, a line now and then in a log.
#[derive(Debug)]
pub struct Ticker(Progress);

impl Ticker {
    /// A ticker; none if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let progress = Progress::towards(0, quiet);
        if let Progress::Bar(bar) = &progress {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        }
        Self(progress)
    }

    /// Says how far things are.
    pub fn tick(&mut self, text: &str) {
        match &mut self.0 {
            Progress::Bar(bar) => {
                bar.set_message(text.to_owned());
                bar.tick();
            }
            Progress::Lines { last, .. } if last.elapsed() >= LINE_EVERY => {
                *last = now();
                note(text);
            }
            Progress::Lines { .. } | Progress::Quiet => {}
        }
    }

    /// Takes the spinner away.
    pub fn finish(&self) {
        self.0.finish();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "progress is about real time; no verdict depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

/// A line on standard error; if nobody can read it, it need not be written.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", text.trim_end());
}
