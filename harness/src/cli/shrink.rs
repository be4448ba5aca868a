//! `tribunal shrink`: makes a failing trace smaller.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tribunal_checkers::{Answer, Limits};
use tribunal_histories::Trace;

use super::exit::{Exit, Failure};
use super::replay::{engine_of, read_trace, scratch_folder, unfit};
use super::session::Deadline;
use super::{artefacts, interrupt, quantity};
use crate::audit::maelstrom;
use crate::command;
use crate::report::terminal;
use crate::shrink::Shrunk;

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
    let interrupted = interrupt::listen()?;
    let deadline = Deadline::in_time(args.budget);
    let stop = || interrupted.load(Ordering::Relaxed) || deadline.is_over();
    let shrunk = match trace.header.protocol == maelstrom::SUBJECT {
        true => audit(&trace, &stop)?,
        false => simulation(&trace, &stop)?,
    };
    let shrunk = shrunk.ok_or_else(|| {
        Failure::usage(format!(
            "{}: its steps do not fail when they are taken again, so there is nothing to shrink",
            args.trace.display()
        ))
    })?;
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

/// Shrinks the trace of a simulation; nothing if its steps do not fail.
fn simulation(trace: &Trace, stop: &dyn Fn() -> bool) -> Result<Option<Shrunk>, Failure> {
    let engine = engine_of(trace)?;
    let limits = Limits::default();
    let replayed = engine
        .replay(trace, limits, &mut |_| {})
        .map_err(Failure::usage)?;
    if replayed.violated.is_empty() || replayed.verdict.answer() != Answer::Invalid {
        return Ok(None);
    }
    engine
        .shrink(trace, limits, stop)
        .map(Some)
        .map_err(Failure::usage)
}

/// Shrinks the trace of an audit; nothing if its steps do not fail.
fn audit(trace: &Trace, stop: &dyn Fn() -> bool) -> Result<Option<Shrunk>, Failure> {
    let folder = scratch_folder();
    let limits = Limits::default();
    let shrunk = maelstrom::replay(trace, folder.clone(), limits).and_then(|replayed| {
        if replayed.verdict.answer() != Answer::Invalid {
            return Ok(None);
        }
        maelstrom::shrink(trace, folder.clone(), limits, stop).map(Some)
    });
    let _ = std::fs::remove_dir_all(folder);
    shrunk.map_err(unfit)
}
