//! `tribunal explore`: every run of a small cluster within its bounds.

mod bounds;
mod flags;
pub(crate) mod from;
mod grid;
pub(crate) mod planted;
mod watch;

use std::fmt::Write;
use std::time::Duration;

pub use flags::Args;

use serde_json::json;
use tribunal_checkers::explore::Cut;
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::explored::Expedition;
use tribunal_protocols::registry::{Protocol, protocols};

use super::exit::{Exit, Failure};
use super::quantity::grouped;
use super::{artefacts, list::MessageFormat, show};
use crate::command;
use crate::engine::engine;
use crate::explore::{Exploration, Inquiry};
use crate::report::{note, terminal};
pub(crate) use watch::Watcher;

/// Explores.
///
/// # Errors
/// A name that names nothing; a bound that the strategy cannot keep; a file that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(trace) = &args.from {
        return from::run(args, trace);
    }
    if args.grid {
        return grid::run(args);
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
    let mut watcher = args.watcher()?;
    let searched = Searched::of(args, protocol, &mut watcher)?;
    if let Some(trace) = &searched.explored.counterexample {
        artefacts::trace(&args.output, trace)?;
    }
    match args.message_format {
        MessageFormat::Json => terminal::print(&searched.json(protocol).to_string())?,
        MessageFormat::Human => show(&text_of(args, protocol, &searched))?,
    }
    Ok(match watcher.is_interrupted() {
        true => Exit::Interrupted,
        false => searched.exit(),
    })
}

fn protocol_of(name: &str) -> Result<&'static Protocol, Failure> {
    Protocol::named(name).ok_or_else(|| {
        let names: Vec<_> = protocols().map(|protocol| protocol.name).collect();
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
    peak_bytes: usize,
}

impl Searched {
    fn of(args: &Args, protocol: &'static Protocol, watcher: &mut Watcher) -> anyhow::Result<Self> {
        let inquiry = args.inquiry(protocol)?;
        let cpu = cpu_time();
        watcher.begin();
        let explored = engine(protocol)
            .explore(&inquiry, &mut |progress| watcher.look(progress))
            .map_err(Failure::usage)?;
        Ok(Self {
            inquiry,
            explored,
            elapsed: watcher.finish(),
            cpu: cpu_time().saturating_sub(cpu),
            peak_bytes: watcher.peak_bytes(),
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
            "peak_bytes": self.peak_bytes,
        })
    }
}

/// The processor time that this process has used.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn text_of(args: &Args, protocol: &Protocol, searched: &Searched) -> String {
    let Searched {
        inquiry,
        explored,
        elapsed,
        cpu,
        peak_bytes,
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
        "\n  {} distinct states, {} generated, depth {}; {:.1} s, {:.1} s of processors, {} a processor second; {} MiB",
        grouped(progress.distinct as u64),
        grouped(progress.generated as u64),
        progress.depth,
        elapsed.as_secs_f64(),
        cpu.as_secs_f64(),
        grouped(rate as u64),
        peak_bytes >> 20,
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
    coverage(&mut text, protocol, searched);
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
fn coverage(text: &mut String, protocol: &Protocol, searched: &Searched) {
    let Searched {
        inquiry, explored, ..
    } = searched;
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
    if let Some(operation) = &inquiry.budget.finally {
        let _ = write!(
            text,
            "\n  liveness  `{operation}`, asked of {} clusters of which nothing went wrong any more",
            grouped(explored.healed as u64)
        );
    }
    let untested = missed(&mut properties.iter().map(|info| info.id), &explored.tested);
    if !untested.is_empty() {
        let _ = write!(text, "\n  never put to the test: {}", untested.join(", "));
    }
}

pub(super) fn why(cut: &Cut) -> String {
    match cut {
        Cut::Depth(beyond) => format!(
            "{} states at the bound of depth had further steps",
            grouped(*beyond)
        ),
        Cut::Endless(moves) => format!(
            "in {} moves nodes answered each other without end, and were stopped",
            grouped(*moves)
        ),
        Cut::States => "the bound of states was reached".to_owned(),
        Cut::Stopped(reason) => format!("the search was ended: {reason}"),
        Cut::RandomWalks => "random walks never see everything".to_owned(),
    }
}
