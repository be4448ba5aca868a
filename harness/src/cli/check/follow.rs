//! `tribunal check --follow`: judges a history while it grows, and stops at the first violation.
//!
//! A thread reads, and waits at the end of a file for more; this one judges what comes. Where nothing comes for a
//! moment, it asks whether what has come is wrong already. A violation in a file is judged once more by the check of
//! whole histories, up to the event that shows it, so that it comes with all the evidence.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tribunal_checkers::{
    Answer, CheckError, CheckRequest, Follow, FollowError, Verdict, Violation, check_history,
    follower,
};
use tribunal_histories::format::ReadError;
use tribunal_histories::{
    BuildOptions, EventRecord, Format, HistoryBuilder, LoadError, Loaded, Partitioner,
};

use super::options::Torn;
use super::{Args, Checked, Exit, Failure, Shows, draw, partitioned, reading, request};
use crate::cli::input::refused;
use crate::cli::interrupt;
use crate::cli::quantity::counted;
use crate::report::Ticker;

/// How many events the reader is ahead at most.
const AHEAD: usize = 8 << 10;

/// How long nothing comes until what has come is looked at.
const QUIET: Duration = Duration::from_millis(200);

/// How often the end of a file is looked at for more.
const POLL: Duration = Duration::from_millis(50);

/// What came of following a history.
pub(super) struct Followed {
    /// How many events came.
    pub(super) events: u64,
    pub(super) ended: Ended,
}

/// How it ended.
pub(super) enum Ended {
    /// There were no more events, or the user did not want to wait for more.
    Judged(Box<Verdict>),
    /// No order was left.
    Violated(Box<Violation>),
}

/// What the reader hands over.
enum Came {
    /// The format, before all events.
    Format(Format),
    Event(Box<EventRecord>),
}

/// Follows a history until it is wrong, or ends.
///
/// # Errors
/// When an answer could not be written.
pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let interrupted = interrupt::listen()?;
    let mut shows = Shows::new(args)?;
    let path = &args.files[0];
    let followed = match follow(path, args, &interrupted) {
        Ok(followed) => followed,
        Err(failure) => {
            let exit = failure.exit;
            shows.file(path, &Err(failure))?;
            return Ok(exit);
        }
    };
    let exit = match &followed.ended {
        Ended::Violated(violation) => {
            if let Some(checked) = judged_again(path, args, violation) {
                shows.file(path, &Ok(checked))?;
                return Ok(Exit::Invalid);
            }
            Exit::Invalid
        }
        Ended::Judged(_) if interrupted.load(Ordering::Relaxed) => Exit::Interrupted,
        Ended::Judged(verdict) => verdict.answer().into(),
    };
    shows.followed(path, &followed)?;
    Ok(exit)
}

fn follow(path: &Path, args: &Args, interrupted: &AtomicBool) -> Result<Followed, Failure> {
    // Asked at once, so that a wrong question need not wait for an event.
    let mut follower = new_follower(args, args.from.unwrap_or(Format::Jsonl))?;
    let (from, torn) = (args.from, args.torn);
    let (sender, events) = sync_channel(AHEAD);
    let source = open(path)?;
    let reader = thread::Builder::new().name("reader".to_owned());
    reader
        .spawn(move || read(source, from, torn, &sender))
        .map_err(|error| Failure::io(format_args!("cannot start a thread: {error}")))?;
    let found = take(&mut follower, &events, args, interrupted)?;
    let ended = match found.map_or_else(|| follower.finish(), Err) {
        Ok(verdict) => Ended::Judged(Box::new(verdict)),
        Err(violation) => Ended::Violated(Box::new(violation)),
    };
    Ok(Followed {
        events: follower.events(),
        ended,
    })
}

fn new_follower(args: &Args, format: Format) -> Result<Box<dyn Follow>, Failure> {
    let wrong = |error: CheckError| Failure::usage(error);
    follower(&request(args, format), args.process_reuse).map_err(wrong)
}

/// Takes events until one is wrong, or no more come.
fn take(
    follower: &mut Box<dyn Follow>,
    events: &Receiver<Result<Came, Failure>>,
    args: &Args,
    interrupted: &AtomicBool,
) -> Result<Option<Violation>, Failure> {
    const TOLD_EVERY: u64 = 1 << 14;
    let mut progress = Ticker::new(args.quiet);
    let (mut idle, mut came) = (Duration::ZERO, 0);
    let mut partitioner =
        Partitioner::new(|event: &mut EventRecord| args.partition_by.apply(event));
    while !interrupted.load(Ordering::Relaxed) {
        match events.recv_timeout(QUIET) {
            Ok(event) => {
                let mut event = match event? {
                    Came::Format(format) => {
                        *follower = new_follower(args, format)?;
                        continue;
                    }
                    Came::Event(event) => *event,
                };
                partitioner.event(&mut event).map_err(|error| {
                    Failure::usage(format_args!("line {}: {error}", event.line))
                })?;
                idle = Duration::ZERO;
                came += 1;
                if came % TOLD_EVERY == 0 {
                    progress.tick(&counted(came, "event"));
                }
                let violation = follower.event(&event);
                if let Some(violation) = violation.map_err(|error| placed(&error, event.line))? {
                    return Ok(Some(violation));
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                progress.tick(&format!("{}, waiting for more", counted(came, "event")));
                if idle.is_zero()
                    && let Some(violation) = follower.look()
                {
                    return Ok(Some(violation));
                }
                idle += QUIET;
                if args.follow_idle.is_some_and(|limit| idle >= limit) {
                    break;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    progress.finish();
    Ok(None)
}

fn placed(error: &FollowError, line: u64) -> Failure {
    match error {
        FollowError::Rule(rule) => Failure::usage(rule),
        FollowError::Check(error) => Failure::usage(format_args!("line {line}: {error}")),
    }
}

/// The same violation, found by judging the file up to the event that shows it; `None` where there is no file to
/// read again, or it has changed.
fn judged_again(path: &Path, args: &Args, violation: &Violation) -> Option<Checked> {
    if !path.is_file() {
        return None;
    }
    let mut input = BufReader::new(File::open(path).ok()?);
    let format = args
        .from
        .or_else(|| Format::guess(input.fill_buf().ok()?).ok())?;
    let mut builder = HistoryBuilder::new(BuildOptions {
        process_reuse: args.process_reuse,
    });
    let mut lines = Vec::new();
    let events = usize::try_from(violation.events).ok()?;
    for event in format.read(input).take(events) {
        let event = event.ok()?;
        lines.push(u32::try_from(event.line).unwrap_or(u32::MAX));
        builder.push(event).ok()?;
    }
    let request: CheckRequest = request(args, format);
    let loaded = Loaded {
        history: builder.finish(),
        format,
        truncated: None,
        lines,
    };
    let reading = reading(&loaded, args);
    let loaded = partitioned(loaded, args).ok()?;
    let verdict = check_history(&loaded.history, &request, &|| false).ok()?;
    let checked = Checked {
        loaded,
        request,
        reading,
        verdict,
        stopped: None,
    };
    let confirmed = checked.verdict.answer() == Answer::Invalid;
    if let (true, Some(page)) = (confirmed, &args.html) {
        draw(page, path, &checked).ok()?;
    }
    confirmed.then_some(checked)
}

/// Hands events over until there are no more, or nobody takes them.
fn read(
    mut input: Box<dyn BufRead + Send>,
    from: Option<Format>,
    torn: Torn,
    events: &SyncSender<Result<Came, Failure>>,
) {
    let format = match (from, input.fill_buf()) {
        (Some(format), _) => Ok(format),
        (None, Ok(sample)) => Format::guess(sample).map_err(LoadError::from),
        (None, Err(source)) => Err(ReadError::Io { line: 1, source }.into()),
    };
    let format = match format {
        Ok(format) => format,
        Err(error) => {
            // Nobody takes it when the user has interrupted.
            let _ = events.send(Err(refused(&error)));
            return;
        }
    };
    if events.send(Ok(Came::Format(format))).is_err() {
        return;
    }
    for event in format.read(input) {
        let event = match event {
            Err(ReadError::TornLine { .. }) if torn == Torn::Allow => return,
            Err(error) => Err(refused(&LoadError::from(error))),
            Ok(event) => Ok(Came::Event(Box::new(event))),
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// A pipe, which ends, or a file, which does not.
fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let failed = |error| Failure::io(format_args!("cannot open {}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let grows = file.metadata().map_err(failed)?.is_file();
    if grows {
        return Ok(Box::new(BufReader::new(Tail { file, taken: 0 })));
    }
    Ok(Box::new(BufReader::new(file)))
}

/// A file whose end is waited at.
struct Tail {
    file: File,
    taken: u64,
}

impl Read for Tail {
    #[expect(
        clippy::disallowed_methods,
        reason = "a file does not tell when it grows: its end is looked at now and then"
    )]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(buffer)?;
            if read > 0 {
                self.taken += read as u64;
                return Ok(read);
            }
            if self.file.metadata()?.len() < self.taken {
                return Err(io::Error::other(
                    "the file became shorter while it was followed",
                ));
            }
            thread::sleep(POLL);
        }
    }
}
