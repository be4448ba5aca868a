//! `tribunal explore --from`: the shortest way to a known failure.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;
use tribunal_checkers::{Answer, Limits};
use tribunal_histories::Trace;

use super::{Args, why};
use crate::cli::exit::{Exit, Failure};
use crate::cli::list::MessageFormat;
use crate::cli::quantity::grouped;
use crate::cli::replay::{engine_of, read_trace};
use crate::cli::{artefacts, show};
use crate::command;
use crate::engine::Engine;
use crate::judge::takes_time;
use crate::nearest::{Searched, Shortened, shorten, shortest_within};
use crate::report::terminal;

/// Searches.
///
/// # Errors
/// A trace that cannot be read or replayed, or does not fail; a file that cannot be written.
pub(super) fn run(args: &Args, path: &Path) -> anyhow::Result<Exit> {
    let trace = read_trace(path)?;
    let engine = engine_of(&trace)?;
    must_fail(engine, &trace, path)?;
    let mut watcher = args.watcher()?;
    let interrupted = watcher.interrupted();
    let stop = || interrupted.load(std::sync::atomic::Ordering::Relaxed);
    let mut watch = |progress: &_| watcher.look(progress);
    let limits = Limits::default();
    let shortened =
        shorten(engine, &trace, limits, args.states, &stop, &mut watch).map_err(Failure::usage)?;
    let elapsed = watcher.finish();
    artefacts::trace(&args.output, &shortened.trace)?;
    match args.message_format {
        MessageFormat::Json => terminal::print(
            &json!({
                "protocol": trace.header.protocol,
                "violated": shortened.trace.end.violated,
                "steps": { "found": shortened.from, "shrunk": shortened.shrunk, "shortest": shortened.to },
                "minimal": shortened.minimal,
                "complete": shortest_within(&shortened.searches),
                "searches": shortened.searches,
                "seconds": elapsed.as_secs_f64(),
            })
            .to_string(),
        )?,
        MessageFormat::Human => show(&format!(
            "INVALID  {} is violated after {} steps: {}\n  {} steps in {}, {} when steps had been taken out, \
             {} when others had been tried, in {:.1} s\n{}\n  trace     {}\n  replay    {} -v",
            shortened.trace.end.violated,
            shortened.to,
            told(&shortened),
            shortened.from,
            path.display(),
            shortened.shrunk,
            shortened.to,
            elapsed.as_secs_f64(),
            searches(&shortened.searches),
            args.output.display(),
            command::of_trace(&args.output)
        ))?,
    }
    Ok(if watcher.is_interrupted() {
        Exit::Interrupted
    } else {
        Exit::Invalid
    })
}

/// Refuses a trace whose steps do not fail.
///
/// # Errors
/// With exit code 64.
pub(crate) fn must_fail(engine: &dyn Engine, trace: &Trace, path: &Path) -> Result<(), Failure> {
    let replayed = engine
        .replay(trace, Limits::default(), &mut |_| {})
        .map_err(Failure::usage)?;
    let fails = replayed.verdict.answer() == Answer::Invalid && !replayed.violated.is_empty();
    if fails && !takes_time(&replayed.violated) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{}: its steps do not fail when they are taken again, so there is nothing to shrink",
        path.display()
    )))
}

/// What the searches say of a trace, in a few words.
pub(crate) fn told(shortened: &Shortened) -> String {
    let cut = shortened
        .searches
        .iter()
        .find_map(|search| search.cut.as_ref());
    let complete = shortest_within(&shortened.searches).map(|reach| reach.told());
    match (cut, complete) {
        (None, None) => "its neighbourhood was not searched".to_owned(),
        (None, Some(_)) => "the shortest within its neighbourhood".to_owned(),
        (Some(cut), Some(within)) => {
            format!("the shortest with {within}; further on, {}", why(cut))
        }
        (Some(cut), None) => format!("the shortest that was found, but {}", why(cut)),
    }
}

/// The searches, a line each.
pub(crate) fn searches(searches: &[Searched]) -> String {
    let mut text =
        "  the same timers, crashes and requests, each at most as often; and of messages:"
            .to_owned();
    for search in searches {
        let found = match (search.found, &search.cut) {
            (Some(steps), _) => format!("{steps} steps"),
            (None, None) => "nothing shorter".to_owned(),
            (None, Some(cut)) => why(cut),
        };
        let _ = write!(
            text,
            "\n    {}: up to {} steps, {} states: {found}",
            search.reach.told(),
            search.depth,
            grouped(search.progress.distinct as u64),
        );
    }
    text
}
