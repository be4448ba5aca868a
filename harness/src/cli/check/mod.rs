//! `tribunal check`: judges histories that others recorded.
//!
//! A file is loaded, judged and shown before the next one is. What is wrong with one file does not keep the others
//! from being judged; the worst of all ends the tool.

mod follow;
mod json;
mod meanings;
pub(crate) mod options;
mod text;
pub(crate) mod timeline;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tribunal_checkers::{Answer, CheckError, CheckRequest, Limits, Verdict, check_history};
use tribunal_histories::{
    BuildOptions, EqualTimes, Format, Loaded, NoObject, PartitionBy, ProcessReuse,
};

use super::exit::{Exit, Failure};
use super::{input, interrupt};
use crate::report::picture::{self, Subject};
use crate::report::write_whole;
use follow::Followed;
pub use options::Args;
use options::{MessageFormat, whole};

/// A file that was judged.
struct Checked {
    loaded: Loaded,
    request: CheckRequest,
    /// How the file was to be read.
    reading: Reading,
    verdict: Verdict,
    stopped: Option<Stopped>,
}

/// What a file is taken to mean before anybody judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    process_reuse: ProcessReuse,
    /// How many operations were begun by a process that had been retired.
    reuses: u64,
    equal_times: EqualTimes,
    /// How many returns have the time of an invocation in a later line.
    at_equal_times: u64,
}

/// Who stopped a checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// The user, with Ctrl-C.
    Interrupt,
    /// The time limit.
    TimeLimit,
}

/// A file and how it ended.
struct Ended {
    path: PathBuf,
    exit: Exit,
}

/// Judges every file, and ends as the worst of them does.
///
/// # Errors
/// When an answer could not be written.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let one = if args.follow {
        Some("--follow")
    } else {
        args.html.as_ref().map(|_| "--html")
    };
    if let Some(flag) = one.filter(|_| args.files.len() > 1) {
        return Err(Failure::usage(format_args!("{flag} is about one file; name only one")).into());
    }
    if args.follow && args.equal_times == EqualTimes::Concurrent {
        let why = "--equal-times concurrent is about whole histories; leave --follow away";
        return Err(Failure::usage(why).into());
    }
    if args.follow {
        return follow::run(args);
    }
    let interrupted = interrupt::listen()?;
    let mut shows = Shows::new(args)?;
    let mut ended = Vec::new();
    for path in &args.files {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        let outcome = judge(path, args, &interrupted);
        shows.file(path, &outcome)?;
        if let (Some(page), Ok(checked)) = (&args.html, &outcome) {
            draw(page, path, checked)?;
        }
        let exit = match &outcome {
            Ok(checked) if checked.stopped == Some(Stopped::Interrupt) => Exit::Interrupted,
            Ok(checked) => checked.verdict.answer().into(),
            Err(failure) => failure.exit,
        };
        let path = path.clone();
        ended.push(Ended { path, exit });
    }
    let skipped = &args.files[ended.len()..];
    ended.extend(skipped.iter().map(|path| Ended {
        path: path.clone(),
        exit: Exit::Interrupted,
    }));
    let exits = ended.iter().map(|file| file.exit);
    let worst = exits
        .max_by_key(|exit| badness(*exit))
        .unwrap_or(Exit::NothingRan);
    shows.summary(&ended, worst)?;
    Ok(worst)
}

/// The order of ends, the worst last: a counterexample is one whatever became of other files, and a file that was
/// not judged is worse than one that was judged in vain.
fn badness(exit: Exit) -> u8 {
    match exit {
        Exit::Valid => 0,
        Exit::Unknown => 1,
        Exit::Invalid => 3,
        Exit::Interrupted => 4,
        _ => 2,
    }
}

fn judge(path: &Path, args: &Args, interrupted: &AtomicBool) -> Result<Checked, Failure> {
    let options = BuildOptions {
        process_reuse: args.process_reuse,
    };
    let loaded = whole(input::load(path, args.from, options)?, args.torn)?;
    let reading = reading(&loaded, args);
    let loaded = partitioned(loaded, args)?.with_equal_times(args.equal_times);
    let request = request(args, loaded.format);
    let stopped = Cell::new(None);
    let stop = stop(args, interrupted, &stopped);
    let verdict = check_history(&loaded.history, &request, &stop)
        .map_err(|error| Failure::usage(placed(&error, &loaded)))?;
    // What stopped the search for a smaller core, or came too late, did not stop the answer.
    let stopped = stopped
        .get()
        .filter(|_| verdict.answer() == Answer::Unknown);
    Ok(Checked {
        loaded,
        request,
        reading,
        verdict,
        stopped,
    })
}

fn reading(loaded: &Loaded, args: &Args) -> Reading {
    Reading {
        process_reuse: args.process_reuse,
        reuses: loaded.history.reuses(),
        equal_times: args.equal_times,
        at_equal_times: loaded.history.equal_times(),
    }
}

/// The history with its objects told apart as was asked for.
fn partitioned(loaded: Loaded, args: &Args) -> Result<Loaded, Failure> {
    if args.partition_by == PartitionBy::Key {
        return Ok(loaded);
    }
    let history = loaded
        .history
        .partitioned_by(|event| args.partition_by.apply(event));
    let history = history.map_err(|(position, error): (usize, NoObject)| {
        let line = loaded.lines.get(position).copied().unwrap_or_default();
        Failure::usage(format_args!("line {line}: {error}"))
    })?;
    Ok(Loaded { history, ..loaded })
}

/// What is asked about a file of a format.
fn request(args: &Args, format: Format) -> CheckRequest {
    let request = CheckRequest {
        checker: args.model.clone(),
        initial: args.initial.clone(),
        nil_read: args.nil_read,
        failed_cas: args.failed_cas,
        limits: Limits {
            states_max: args.states_max,
            memory_bytes_max: args.memory_max,
        },
    };
    request.of_format(format)
}

/// Writes the picture of a history.
fn draw(page: &Path, path: &Path, checked: &Checked) -> Result<(), Failure> {
    let picture = picture::page(&Subject {
        name: &path.display().to_string(),
        history: &checked.loaded.history,
        lines: &checked.loaded.lines,
        request: &checked.request,
        verdict: &checked.verdict,
    });
    write_whole(page, |out| out.write_all(picture.as_bytes()))
}

/// Asks the keyboard and the clock, and remembers which of the two said stop.
#[expect(
    clippy::disallowed_methods,
    reason = "--time-limit is about real time; a verdict that it cuts short is unknown"
)]
fn stop(
    args: &Args,
    interrupted: &AtomicBool,
    stopped: &Cell<Option<Stopped>>,
) -> impl Fn() -> bool {
    let began = Instant::now();
    move || {
        let by = if interrupted.load(Ordering::Relaxed) {
            Some(Stopped::Interrupt)
        } else if args
            .time_limit
            .is_some_and(|limit| began.elapsed() >= limit)
        {
            Some(Stopped::TimeLimit)
        } else {
            None
        };
        if by.is_some() {
            stopped.set(by);
        }
        by.is_some()
    }
}

/// The error with the line of the file, which checkers do not know.
fn placed(error: &CheckError, loaded: &Loaded) -> String {
    match error {
        CheckError::Misfit { event, .. } => match loaded.lines.get(event - 1) {
            Some(line) => format!("line {line}: {error}"),
            None => error.to_string(),
        },
        CheckError::Initial { .. }
        | CheckError::UnknownChecker { .. }
        | CheckError::WholeOnly { .. } => error.to_string(),
    }
}

/// Where answers are shown: on standard output, and as evidence in a file.
struct Shows<'a> {
    args: &'a Args,
    output: Box<dyn Write>,
    evidence: Option<Box<dyn Write>>,
}

impl<'a> Shows<'a> {
    fn new(args: &'a Args) -> anyhow::Result<Self> {
        let evidence: Option<Box<dyn Write>> = match &args.evidence {
            None => None,
            Some(path) if path.as_os_str() == "-" => Some(Box::new(io::stdout())),
            Some(path) => {
                let failed =
                    |error| Failure::io(format_args!("cannot write {}: {error}", path.display()));
                Some(Box::new(BufWriter::new(
                    File::create(path).map_err(failed)?,
                )))
            }
        };
        Ok(Self {
            args,
            output: Box::new(BufWriter::new(anstream::stdout())),
            evidence,
        })
    }

    fn file(&mut self, path: &Path, outcome: &Result<Checked, Failure>) -> anyhow::Result<()> {
        match self.args.message_format {
            MessageFormat::Json => json::file(&mut self.output, path, outcome)?,
            MessageFormat::Human => match outcome {
                Ok(checked) if self.args.quiet => text::headline(&mut self.output, path, checked)?,
                Ok(checked) => text::file(&mut self.output, path, checked, self.args)?,
                Err(failure) => {
                    let path = path.display();
                    writeln!(anstream::stderr(), "error: {path}: {failure}")?;
                }
            },
        }
        if let Some(evidence) = &mut self.evidence {
            json::file(evidence, path, outcome)?;
            evidence.flush()?;
        }
        self.output.flush()?;
        Ok(())
    }

    /// What came of following a history.
    fn followed(&mut self, path: &Path, followed: &Followed) -> anyhow::Result<()> {
        match self.args.message_format {
            MessageFormat::Json => json::followed(&mut self.output, path, followed)?,
            MessageFormat::Human => text::followed(&mut self.output, path, followed)?,
        }
        if let Some(evidence) = &mut self.evidence {
            json::followed(evidence, path, followed)?;
            evidence.flush()?;
        }
        self.output.flush()?;
        Ok(())
    }

    fn summary(&mut self, ended: &[Ended], worst: Exit) -> io::Result<()> {
        match self.args.message_format {
            MessageFormat::Json => json::summary(&mut self.output, ended, worst)?,
            MessageFormat::Human if ended.len() > 1 && !self.args.quiet => {
                text::summary(&mut self.output, ended)?;
            }
            MessageFormat::Human => {}
        }
        self.output.flush()
    }
}
