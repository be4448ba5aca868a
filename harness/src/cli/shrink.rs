//! `tribunal shrink`: makes a failing trace smaller.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tribunal_checkers::Limits;

use super::exit::{Exit, Failure};
use super::replay::{engine_of, read_trace};
use super::session::Deadline;
use super::{artefacts, interrupt, quantity};
use crate::command;
use crate::report::terminal;

/// Make a failing trace smaller, so that it still fails for the same reason
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal shrink trace.full.jsonl
  tribunal shrink trace.full.jsonl -o small.jsonl --budget 5m")]
pub struct Args {
    /// The trace
    trace: PathBuf,

    /// Where the smaller trace goes [default: beside the trace, as *.small.jsonl]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Stop after so long, with the smallest trace so far
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = quantity::duration)]
    budget: Duration,
}

/// Shrinks a trace.
///
/// # Errors
/// A trace that cannot be read or replayed, or does not fail; a file that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let trace = read_trace(&args.trace)?;
    let engine = engine_of(&trace)?;
    let interrupted = interrupt::listen()?;
    let deadline = Deadline::in_time(args.budget);
    let stop = || interrupted.load(Ordering::Relaxed) || deadline.is_over();
    let replayed = engine
        .replay(&trace, Limits::default(), &mut |_| {})
        .map_err(Failure::usage)?;
    if replayed.violated.is_empty()
        || replayed.verdict.answer() != tribunal_checkers::Answer::Invalid
    {
        return Err(Failure::usage(format!(
            "{}: its steps do not fail when they are taken again, so there is nothing to shrink",
            args.trace.display()
        ))
        .into());
    }
    let shrunk = engine
        .shrink(&trace, Limits::default(), &stop)
        .map_err(Failure::usage)?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| args.trace.with_extension("small.jsonl"));
    artefacts::trace(&output, &shrunk.trace)?;
    let bound = if shrunk.minimal {
        "no step can be left out"
    } else {
        "stopped at its bound"
    };
    terminal::print(&format!(
        "shrunk {} → {} steps, {} tried; {bound}; it still violates {}\n  trace    {}\n  replay   {} -v",
        shrunk.from,
        shrunk.to,
        shrunk.tried,
        shrunk.trace.end.violated,
        output.display(),
        command::of_trace(&output)
    ))?;
    Ok(if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else {
        Exit::Valid
    })
}
