//! `tribunal replay`: takes the steps of a trace, or of a seed's run, again, one by one.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use tribunal_checkers::{Answer, Limits, Verdict};
use tribunal_histories::{Trace, TraceError};
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::scenario::Scenario;

use super::exit::{Exit, Failure};
use super::plan::{PlanArgs, Runtime, seed};
use super::profile::Resolved;
use super::show;
use crate::audit::maelstrom;
use crate::cross_replay::{CrossError, Performer};
use crate::engine::{Engine, engine};
use crate::judge::LIVENESS;
use crate::replay::{Moment, Replayed};
use crate::report::{Row, heading, terminal};
use crate::runtime::live::scripted::ScriptError;
use crate::scenario::{self, TellError};

/// Take the steps of a trace, of a scenario, or of a seed's run, again, one by one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal replay target/tribunal/latest/failures/9c1e27/trace.jsonl -v
  tribunal replay trace.jsonl -v --until 40
  tribunal replay S-R6 -v                      a scenario: see `tribunal list scenarios`
  tribunal replay --seed 0x5f3a --workload kv -v
  tribunal replay trace.jsonl --runtime madsim the same steps by nodes under madsim, compared with World
  tribunal replay trace.jsonl --runtime live   the same steps by real processes, compared with World

A trace is replayed in World: the cluster as one value. With --runtime, nodes that madsim runs, or real processes, take
the same steps beside it, and must show the same, send the same and answer clients the same; at the end the processes'
log files must hold what World's disks hold. Real processes cannot lose writes out of order, tear one in the middle,
exchange a disk, or begin with disks that hold something: such traces are refused with exit code 64.")]
pub struct Args {
    /// The trace; or a scenario, by its id, its name, or the file of its text
    #[arg(required_unless_present = "seed", conflicts_with = "seed")]
    trace: Option<PathBuf>,

    /// The seed of a run of the simulator, with the flags of `tribunal simulate`
    #[arg(long, value_name = "S", value_parser = seed)]
    seed: Option<u64>,

    /// Show every step, and what it changes
    #[arg(short, long)]
    verbose: bool,

    /// Show steps up to this one only
    #[arg(long, value_name = "N", requires = "verbose")]
    until: Option<usize>,

    #[command(flatten)]
    plan: PlanArgs,
}

/// Replays a trace or a seed.
///
/// # Errors
/// A trace that cannot be read or does not fit this build; standard output that cannot be written.
pub(crate) fn run(args: &Args, resolved: &Resolved) -> anyhow::Result<Exit> {
    let (trace, recorded) = match (&args.trace, args.seed) {
        (Some(path), _) => (read_trace(path)?, None),
        (None, Some(seed)) => {
            let (trace, verdict) = recorded(&args.plan, seed)?;
            (trace, Some(verdict))
        }
        (None, None) => return Err(Failure::usage("name a trace, or a --seed").into()),
    };
    if trace.header.protocol == maelstrom::SUBJECT {
        return audit(args, &trace);
    }
    let engine = engine_of(&trace)?;
    let mut printed = Ok(());
    let mut watch = |moment: &Moment<'_>| {
        let shown = args.verbose && args.until.is_none_or(|until| moment.step <= until);
        if shown && printed.is_ok() {
            if moment.step == 1 {
                printed = terminal::print(&heading(moment.after.len()));
            }
            printed = std::mem::replace(&mut printed, Ok(()))
                .and_then(|()| terminal::print(&Row::of(moment).to_string()));
        }
    };
    let replayed = engine
        .replay(&trace, Limits::default(), &mut watch)
        .map_err(Failure::usage)?;
    printed?;
    // Steps have no time: what a run of a seed says of liveness, only that run can say.
    let timed = recorded.filter(|_| trace.end.violated == LIVENESS);
    let exit = conclude(
        &trace,
        &replayed,
        timed.as_ref().unwrap_or(&replayed.verdict),
    )?;
    match (&args.trace, performer(args, resolved)) {
        (Some(_), Some((name, performer))) => {
            let agree = compare(engine, &trace, name, &performer)?;
            Ok(if agree { exit } else { Exit::Nondeterministic })
        }
        _ => Ok(exit),
    }
}

/// Who takes a trace's steps beside `World`, if somebody is to: only a flag on the command line says so, for what the
/// environment and profiles say of runtimes is about runs of seeds.
fn performer(args: &Args, resolved: &Resolved) -> Option<(&'static str, Performer)> {
    let asked = resolved.0.get("runtime");
    if asked.is_none_or(|asked| asked.origin != "command line") {
        return None;
    }
    match args.plan.runtime() {
        Runtime::Plain => None,
        Runtime::Madsim => Some(("madsim", Performer::Madsim)),
        Runtime::Live => {
            let own = format!("target/tribunal/replay-{}", std::process::id());
            Some(("real processes", Performer::Live(own.into())))
        }
    }
}

/// Has somebody else take the steps too, and says whether it was the same.
fn compare(
    engine: &dyn Engine,
    trace: &Trace,
    name: &str,
    performer: &Performer,
) -> anyhow::Result<bool> {
    let agreed = engine
        .cross_replay(trace, performer)
        .map_err(|error| match error {
            CrossError::Replay(_) | CrossError::Script(ScriptError::CannotProduce { .. }) => {
                Failure::usage(error)
            }
            _ => Failure::unavailable(error),
        })?;
    if let Some(parting) = &agreed.parting {
        show(&format!(
            " NONDETERMINISTIC  {name} parted from World\n  {parting}"
        ))?;
        return Ok(false);
    }
    if let Performer::Live(directory) = performer {
        // The processes' files are evidence only where they did otherwise.
        let removed = std::fs::remove_dir_all(directory);
        removed.map_err(|error| Failure::io(format!("{}: {error}", directory.display())))?;
    }
    let disks = agreed.disks.map(|disks| format!(", {disks} log files"));
    terminal::print(&format!(
        "  {name}: the same {} steps, {} views, {} events of clients{}",
        agreed.steps,
        agreed.views,
        agreed.events,
        disks.unwrap_or_default()
    ))?;
    Ok(true)
}

/// Takes the steps of an audit's trace again: the same program, the same messages in the same order.
fn audit(args: &Args, trace: &Trace) -> anyhow::Result<Exit> {
    if args.verbose {
        let story = maelstrom::story(trace).map_err(unfit)?;
        let rows = args
            .until
            .map_or(usize::MAX, |until| until.saturating_add(1));
        for line in story.iter().take(rows) {
            terminal::print(line)?;
        }
    }
    let folder = scratch_folder();
    let replayed = maelstrom::replay(trace, folder.clone(), Limits::default());
    let _ = std::fs::remove_dir_all(folder);
    let replayed = replayed.map_err(unfit)?;
    if let Some(parted) = replayed.parted {
        show(&format!(
            " NONDETERMINISTIC  with the same messages in the same order the program did something else\n  {parted}"
        ))?;
        return Ok(Exit::Nondeterministic);
    }
    let replayed = Replayed {
        digest: replayed.digest,
        history: replayed.history,
        verdict: replayed.verdict,
        violated: replayed.violated,
        faithful: true,
    };
    conclude(trace, &replayed, &replayed.verdict)
}

/// A folder for the nodes of a replay.
pub(crate) fn scratch_folder() -> PathBuf {
    std::env::temp_dir().join(format!("tribunal-replay-{}", std::process::id()))
}

/// Why the steps of an audit cannot be taken again.
pub(crate) fn unfit(error: maelstrom::ScriptError) -> Failure {
    match error {
        maelstrom::ScriptError::Start(_) => Failure::unavailable(error),
        _ => Failure::usage(error),
    }
}

/// Says what the steps came to.
fn conclude(trace: &Trace, replayed: &Replayed, verdict: &Verdict) -> anyhow::Result<Exit> {
    let answer = verdict.answer();
    let mut sentences = verdict.sentences.iter();
    let word = terminal::word(answer);
    let headline = match answer {
        Answer::Valid if trace.header.protocol == maelstrom::SUBJECT => {
            sentences.next().map_or("", String::as_str)
        }
        Answer::Valid => "the history is linearizable and every cluster property holds",
        _ => sentences.next().map_or("", String::as_str),
    };
    show(&format!("{word:>8}  {headline}"))?;
    if answer != Answer::Valid {
        for sentence in sentences {
            terminal::print(&format!("  {sentence}"))?;
        }
    }
    if !replayed.violated.is_empty() {
        terminal::print(&format!("  Property: {}.", replayed.violated))?;
    }
    let steps = trace.end.steps;
    if !replayed.faithful {
        show(&format!(
            " NONDETERMINISTIC  {steps} steps with digest {}, the trace says {}: taken again, they gave another run",
            replayed.digest, trace.end.digest
        ))?;
        return Ok(Exit::Nondeterministic);
    }
    terminal::print(&format!(
        "  {steps} steps, digest {}: the same run as recorded",
        replayed.digest
    ))?;
    Ok(answer.into())
}

/// The trace of a seed's run, and the run's verdict.
fn recorded(plan: &PlanArgs, seed: u64) -> anyhow::Result<(Trace, Verdict)> {
    let plans = plan.plans()?;
    let [plan] = &*plans else {
        return Err(Failure::usage("a seed is replayed with one workload").into());
    };
    let outcomes = engine(plan.protocol).run(plan, seed, true, &|| false);
    let trace = outcomes
        .trace
        .ok_or_else(|| anyhow::anyhow!("a run that was recorded has no trace"))?;
    Ok((trace, outcomes.verdict))
}

/// Reads a trace from a file, or tells a scenario: one that comes with the tool, or the text in a `.txt` file.
///
/// # Errors
/// With exit code 74 when it cannot be read, 64 when it is not a trace that this build replays.
pub(crate) fn read_trace(path: &Path) -> Result<Trace, Failure> {
    let which = path.to_string_lossy();
    let is_text = path.extension().is_some_and(|extension| extension == "txt");
    if is_text || (Scenario::named(&which).is_some() && !path.exists()) {
        return told(&which);
    }
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| Failure::io(failed(&error)))?;
    Trace::read(BufReader::new(file)).map_err(|error| match error {
        // Bytes that are no text are no failure to read them.
        TraceError::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => {
            Failure::usage(failed(&TraceError::NotATrace))
        }
        TraceError::Io(io) => Failure::io(failed(&io)),
        error => Failure::usage(failed(&error)),
    })
}

/// The trace of a scenario.
fn told(which: &str) -> Result<Trace, Failure> {
    let failed = |error: TellError| match error {
        TellError::Unreadable { .. } => Failure::io(error),
        other => Failure::usage(format!("{which}: {other}")),
    };
    let text = scenario::text_of(which).map_err(failed)?;
    let scenario = Scenario::parse(&text).map_err(|error| failed(error.into()))?;
    scenario::trace_of(&scenario, Limits::default()).map_err(failed)
}

/// The engine of a trace's protocol.
///
/// # Errors
/// When this build has no such protocol.
pub(crate) fn engine_of(trace: &Trace) -> Result<&'static dyn Engine, Failure> {
    let name = &trace.header.protocol;
    let protocol = Protocol::named(name).ok_or_else(|| {
        Failure::usage(format!(
            "the trace is of protocol `{name}`, which this build does not have"
        ))
    })?;
    Ok(engine(protocol))
}
