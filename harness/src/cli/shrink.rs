//! `tribunal shrink`: makes a failing trace as small as can be.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tribunal_checkers::{Answer, Limits};
use tribunal_histories::Trace;

use super::exit::{Exit, Failure};
use super::explore::{Watcher, from};
use super::replay::{engine_of, read_trace, scratch_folder, unfit};
use super::session::Deadline;
use super::{OnOff, artefacts, interrupt, quantity};
use crate::audit::maelstrom;
use crate::command;
use crate::nearest::{Shortened, shorten};
use crate::report::terminal;

/// Make a failing trace smaller, so that it still fails for the same reason
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal shrink trace.full.jsonl
  tribunal shrink trace.full.jsonl -o small.jsonl --budget 5m --states 5000000
  tribunal shrink trace.full.jsonl --search off         only take steps out

First steps are taken out, as long as what is left still fails. Then the neighbourhood of what is left is searched for
a shorter way to the same failure, as `tribunal explore --from` does. No step can be taken out of what remains.")]
pub struct Args {
    /// The trace
    trace: PathBuf,

    /// Where the smaller trace goes [default: beside the trace, as *.small.jsonl]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Stop after so long, with the smallest trace so far
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = quantity::duration)]
    budget: Duration,

    /// Whether the neighbourhood is searched when no step can be taken out any more
    #[arg(long, value_name = "WHETHER", default_value = "on")]
    search: OnOff,

    /// Search no more than so many states for each reach of the neighbourhood
    #[arg(long, value_name = "N", default_value = "1000000")]
    states: usize,

    /// End the search when the process holds so much memory
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = quantity::bytes)]
    memory: usize,

    /// No progress
    #[arg(short, long)]
    quiet: bool,
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
    let is_audit = trace.header.protocol == maelstrom::SUBJECT;
    let searches = args.search == OnOff::On && !is_audit;
    let shortened = match is_audit {
        true => audit(args, &trace, &stop)?,
        false => simulation(args, &trace, &interrupted, &stop)?,
    };
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| args.trace.with_extension("small.jsonl"));
    artefacts::trace(&output, &shortened.trace)?;
    let bound = if shortened.minimal {
        "no step can be left out"
    } else {
        "stopped at its bound"
    };
    let searched = match searches {
        true => format!(
            "; {}\n{}",
            from::told(&shortened),
            from::searches(&shortened.searches)
        ),
        false => String::new(),
    };
    terminal::print(&format!(
        "shrunk {} → {} steps, {} tried; {bound}; it still violates {}{searched}\n  trace    {}\n  replay   {} -v",
        shortened.from,
        shortened.to,
        shortened.tried,
        shortened.trace.end.violated,
        output.display(),
        command::of_trace(&output)
    ))?;
    Ok(if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else {
        Exit::Valid
    })
}

/// Shrinks the trace of a simulation.
fn simulation(
    args: &Args,
    trace: &Trace,
    interrupted: &Arc<AtomicBool>,
    stop: &dyn Fn() -> bool,
) -> anyhow::Result<Shortened> {
    let engine = engine_of(trace)?;
    from::must_fail(engine, trace, &args.trace)?;
    let limits = Limits::default();
    let shortened = match args.search {
        OnOff::On => {
            let mut watcher =
                Watcher::heeding(interrupted.clone(), args.quiet, args.budget, args.memory);
            let mut watch = |progress: &_| watcher.look(progress);
            let states = Some(args.states);
            let shortened = shorten(engine, trace, limits, states, stop, &mut watch);
            watcher.finish();
            shortened
        }
        OnOff::Off => engine.shrink(trace, limits, stop).map(Shortened::from),
    };
    Ok(shortened.map_err(Failure::usage)?)
}

/// Shrinks the trace of an audit. It has no neighbourhood: there is no `World` of somebody else's program.
fn audit(args: &Args, trace: &Trace, stop: &dyn Fn() -> bool) -> anyhow::Result<Shortened> {
    let folder = scratch_folder();
    let limits = Limits::default();
    let replayed = maelstrom::replay(trace, folder.clone(), limits).map_err(unfit)?;
    if replayed.verdict.answer() != Answer::Invalid {
        return Err(Failure::usage(format!(
            "{}: its steps do not fail when they are taken again, so there is nothing to shrink",
            args.trace.display()
        ))
        .into());
    }
    let shrunk = maelstrom::shrink(trace, folder.clone(), limits, stop).map_err(unfit)?;
    // What is left there does no harm.
    let _ = std::fs::remove_dir_all(folder);
    Ok(shrunk.into())
}
