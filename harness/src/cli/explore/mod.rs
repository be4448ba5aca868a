//! `tribunal explore`: every run of a small cluster within its bounds.

mod bounds;
mod flags;

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

pub use flags::Args;

use serde_json::json;
use tribunal_checkers::explore::{Cut, Progress};
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::registry::{PROTOCOLS, Protocol};

use super::exit::{Exit, Failure};
use super::quantity::grouped;
use super::{artefacts, interrupt, list::MessageFormat, show};
use crate::command;
use crate::engine::engine;
use crate::explore::{Exploration, Inquiry};
use crate::report::{Ticker, terminal};

/// How often the search is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Explores.
///
/// # Errors
/// A name that names nothing; a bound that the strategy cannot keep; a file that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let protocol = Protocol::named(&args.protocol).ok_or_else(|| {
        let names: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
        let known = names.join(", ");
        Failure::usage(format!(
            "there is no protocol `{}`; there are: {known}",
            args.protocol
        ))
    })?;
    let inquiry = args.inquiry(protocol)?;
    let interrupted = interrupt::listen()?;
    let began = now();
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
    let elapsed = began.elapsed();
    ticker.finish();
    if let Some(trace) = &explored.counterexample {
        artefacts::trace(&args.output, trace)?;
    }
    match args.message_format {
        MessageFormat::Json => {
            let counterexample = explored.counterexample.as_ref();
            terminal::print(
                &json!({
                    "protocol": protocol.name,
                    "exploration": explored,
                    "violated": counterexample.map(|trace| &trace.end.violated),
                    "steps": counterexample.map(|trace| trace.end.steps),
                    "budget": inquiry.budget,
                })
                .to_string(),
            )?;
        }
        MessageFormat::Human => show(&text_of(args, protocol, &inquiry, &explored, elapsed))?,
    }
    Ok(if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else if explored.counterexample.is_some() {
        Exit::Invalid
    } else if explored.cut.is_some() {
        Exit::Unknown
    } else {
        Exit::Valid
    })
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

fn line(progress: &Progress, elapsed: Duration) -> String {
    let rate = progress.generated as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{} distinct states, {} generated, depth {}, {} a second",
        grouped(progress.distinct as u64),
        grouped(progress.generated as u64),
        progress.depth,
        grouped(rate as u64),
    )
}

fn text_of(
    args: &Args,
    protocol: &Protocol,
    inquiry: &Inquiry,
    explored: &Exploration,
    elapsed: Duration,
) -> String {
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
    let _ = write!(
        text,
        "\n  {} in {:.1} s",
        line(&explored.progress, elapsed),
        elapsed.as_secs_f64()
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
