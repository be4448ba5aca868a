//! `tribunal explore`: every run of a small cluster within its bounds.

mod bounds;
mod flags;
mod grid;

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use flags::Args;

use serde_json::json;
use tribunal_checkers::explore::{Cut, Progress};
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::explored::Expedition;
use tribunal_protocols::registry::{PROTOCOLS, Protocol};

use super::exit::{Exit, Failure};
use super::quantity::grouped;
use super::{artefacts, interrupt, list::MessageFormat, show};
use crate::command;
use crate::engine::engine;
use crate::explore::{Exploration, Inquiry};
use crate::report::{Ticker, note, terminal};

/// How often the search is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Explores.
///
/// # Errors
/// A name that names nothing; a bound that the strategy cannot keep; a file that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let interrupted = interrupt::listen()?;
    if args.grid {
        return grid::run(args, &interrupted);
    }
    let protocol = protocol_of(&args.protocol)?;
    let with_row;
    let args = match row_of(args, protocol)? {
        Some(row) => {
            with_row = args.with_row(protocol.name, row)?;
            &with_row
        }
        None => args,
    };
    if let Some(address) = args.serve {
        let inquiry = args.inquiry(protocol)?;
        note(&format!(
            "exploring {} at http://{address}/; end with Ctrl-C",
            protocol.name
        ));
        engine(protocol)
            .serve(&inquiry, address)
            .map_err(Failure::usage)?;
        return Ok(Exit::Valid);
    }
    let searched = Searched::of(args, protocol, &interrupted)?;
    if let Some(trace) = &searched.explored.counterexample {
        artefacts::trace(&args.output, trace)?;
    }
    match args.message_format {
        MessageFormat::Json => terminal::print(&searched.json(protocol).to_string())?,
        MessageFormat::Human => show(&text_of(args, protocol, &searched))?,
    }
    Ok(match interrupted.load(Ordering::Relaxed) {
        true => Exit::Interrupted,
        false => searched.exit(),
    })
}

fn protocol_of(name: &str) -> Result<&'static Protocol, Failure> {
    Protocol::named(name).ok_or_else(|| {
        let names: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
        let known = names.join(", ");
        Failure::usage(format!("there is no protocol `{name}`; there are: {known}"))
    })
}

/// The recommended search that is asked for: the one that is named, or the first if nothing is said of bounds.
fn row_of(args: &Args, protocol: &Protocol) -> Result<Option<&'static Expedition>, Failure> {
    let grid = engine(protocol).grid();
    let Some(name) = &args.row else {
        return Ok(grid.first().filter(|_| args.has_no_bounds()));
    };
    let found = grid.iter().find(|row| row.name == name);
    let names: Vec<_> = grid.iter().map(|row| row.name).collect();
    let missing = || {
        Failure::usage(format!(
            "{} has no recommended search `{name}`; it has: {}",
            protocol.name,
            names.join(", ")
        ))
    };
    found.map(Some).ok_or_else(missing)
}

/// A search that is over.
struct Searched {
    inquiry: Inquiry,
    explored: Exploration,
    elapsed: Duration,
    /// Of the whole process, in the time of this search.
    cpu: Duration,
    held_bytes: Option<usize>,
}

impl Searched {
    fn of(
        args: &Args,
        protocol: &'static Protocol,
        interrupted: &AtomicBool,
    ) -> anyhow::Result<Self> {
        let inquiry = args.inquiry(protocol)?;
        let (began, cpu) = (now(), cpu_time());
        let mut ticker = Ticker::new(args.quiet || args.message_format == MessageFormat::Json);
        let mut watch = |progress: &Progress| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the search has threads of its own; this one only looks on"
            )]
            thread::sleep(TICK);
            ticker.tick(&line(progress, began.elapsed()));
            if interrupted.load(Ordering::Relaxed) {
                return Some("interrupted".to_owned());
            }
            if began.elapsed() >= args.time {
                return Some(format!("{} s have passed", args.time.as_secs()));
            }
            let held = resident_bytes().filter(|held| *held >= args.memory)?;
            Some(format!("{} MiB of memory are held", held >> 20))
        };
        let explored = engine(protocol)
            .explore(&inquiry, &mut watch)
            .map_err(Failure::usage)?;
        ticker.finish();
        Ok(Self {
            inquiry,
            explored,
            elapsed: began.elapsed(),
            cpu: cpu_time().saturating_sub(cpu),
            held_bytes: resident_bytes(),
        })
    }

    fn exit(&self) -> Exit {
        if self.explored.counterexample.is_some() {
            Exit::Invalid
        } else if self.explored.cut.is_some() {
            Exit::Unknown
        } else {
            Exit::Valid
        }
    }

    fn json(&self, protocol: &Protocol) -> serde_json::Value {
        let counterexample = self.explored.counterexample.as_ref();
        json!({
            "protocol": protocol.name,
            "exploration": self.explored,
            "violated": counterexample.map(|trace| &trace.end.violated),
            "steps": counterexample.map(|trace| trace.end.steps),
            "budget": self.inquiry.budget,
            "reductions": self.inquiry.reductions,
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "cpu_ms": u64::try_from(self.cpu.as_millis()).unwrap_or(u64::MAX),
            "resident_bytes": self.held_bytes,
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a search took is no verdict"
)]
fn now() -> Instant {
    Instant::now()
}

/// How much memory the process holds, where the operating system tells.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split_whitespace().nth(1)?.parse().ok()?;
    Some(resident * rustix::param::page_size())
}

/// The processor time that this process has used.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn line(progress: &Progress, elapsed: Duration) -> String {
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

fn text_of(args: &Args, protocol: &Protocol, searched: &Searched) -> String {
    let Searched {
        inquiry,
        explored,
        elapsed,
        cpu,
        held_bytes,
    } = searched;
    let mut text = match (&explored.counterexample, &explored.cut) {
        (Some(trace), _) => format!(
            "INVALID  {} is violated after {} steps{}",
            trace.end.violated,
            trace.end.steps,
            explored
                .moves
                .filter(|moves| *moves != trace.end.steps)
                .map(|moves| format!(" ({moves} moves)"))
                .unwrap_or_default()
        ),
        (None, Some(cut)) => format!("UNKNOWN  nothing wrong so far, but {}", why(cut)),
        (None, None) => "VALID  complete: every state within the bounds was visited".to_owned(),
    };
    budget(&mut text, args, protocol, inquiry);
    let progress = &explored.progress;
    let rate = progress.generated as f64 / cpu.as_secs_f64().max(0.001);
    let _ = write!(
        text,
        "\n  {} distinct states, {} generated, depth {}; {:.1} s, {:.1} s of processors, {} a processor second{}",
        grouped(progress.distinct as u64),
        grouped(progress.generated as u64),
        progress.depth,
        elapsed.as_secs_f64(),
        cpu.as_secs_f64(),
        grouped(rate as u64),
        held_bytes
            .map(|held| format!("; {} MiB held", held >> 20))
            .unwrap_or_default(),
    );
    let _ = write!(
        text,
        "\n  left out  {}",
        bounds::left_out(inquiry.reductions, explored.renamings)
    );
    let _ = write!(
        text,
        "\n  chance that a fingerprint hid a state: {:.1e}",
        explored.collision_chance
    );
    coverage(&mut text, protocol, explored);
    if explored.counterexample.is_some() {
        let _ = write!(
            text,
            "\n  trace     {}\n  replay    {} -v",
            args.output.display(),
            command::of_trace(&args.output)
        );
    }
    text
}

/// What was searched.
fn budget(text: &mut String, args: &Args, protocol: &Protocol, inquiry: &Inquiry) {
    let _ = write!(
        text,
        "\n  {}, {} nodes; {}",
        protocol.name,
        args.nodes,
        bounds::told(&inquiry.budget)
    );
}

/// What the search came by, and what it did not.
fn coverage(text: &mut String, protocol: &Protocol, explored: &Exploration) {
    let steps: Vec<_> = explored
        .steps
        .iter()
        .map(|(kind, count)| format!("{kind} {}", grouped(*count)))
        .collect();
    let _ = write!(text, "\n  steps     {}", steps.join(", "));
    let missed = |all: &mut dyn Iterator<Item = &'static str>, seen: &[&str]| {
        all.filter(|name| !seen.contains(name)).collect::<Vec<_>>()
    };
    let probes = missed(&mut protocol.probes.iter().copied(), &explored.probes);
    if !probes.is_empty() {
        let _ = write!(text, "\n  not seen  {}", probes.join("; "));
    }
    let properties = properties_for(protocol.name).unwrap_or_default();
    let untested = missed(&mut properties.iter().map(|info| info.id), &explored.tested);
    if !untested.is_empty() {
        let _ = write!(text, "\n  never put to the test: {}", untested.join(", "));
    }
}

fn why(cut: &Cut) -> String {
    match cut {
        Cut::Depth(beyond) => format!(
            "{} states at the bound of depth had further steps",
            grouped(*beyond)
        ),
        Cut::States => "the bound of states was reached".to_owned(),
        Cut::Stopped(reason) => format!("the search was ended: {reason}"),
        Cut::RandomWalks => "random walks never see everything".to_owned(),
    }
}
