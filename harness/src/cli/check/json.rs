//! The answer of `tribunal check` for programs: one line of JSON for each file, and one for all of them.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use tribunal_checkers::{Answer, Judgement, Verdict};
use tribunal_histories::{Outcome, Statistics, Value};

use super::follow::{self, Followed};
use super::meanings::{self, Meaning};
use super::options::{EQUAL_TIMES, FAILED_CAS, NIL_READS, PROCESS_REUSES, name_of};
use super::{Checked, Ended, Stopped, timeline};
use crate::cli::exit::{Exit, Failure};

/// The version of these lines; it changes when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// A line.
#[derive(Serialize)]
#[serde(tag = "tribunal", rename_all = "kebab-case")]
enum Line<'a> {
    /// A file was judged.
    Check(Box<Judged<'a>>),
    /// A history was followed, and is not there as a whole.
    Follow {
        version: u32,
        file: String,
        answer: &'static str,
        events: u64,
        verdict: Option<&'a Verdict>,
        violation: Option<Violated<'a>>,
    },
    /// A file could not be judged.
    Error {
        version: u32,
        file: String,
        error: String,
        exit: u8,
    },
    /// All files.
    Summary {
        version: u32,
        files: usize,
        valid: usize,
        invalid: usize,
        unknown: usize,
        not_judged: usize,
        exit: u8,
    },
}

#[derive(Serialize)]
struct Judged<'a> {
    version: u32,
    file: String,
    answer: &'static str,
    format: &'static str,
    initial: Value,
    nil_read: &'static str,
    failed_cas: &'static str,
    equal_times: &'static str,
    process_reuse: &'static str,
    /// Which of these mattered, and in how many places.
    meanings: Vec<Meaning>,
    states_max: u64,
    memory_bytes_max: usize,
    /// What is in the history.
    history: Statistics,
    /// The line that was cut off, if one was.
    torn_line: Option<u64>,
    stopped_by: Option<&'static str>,
    verdict: &'a Verdict,
    /// The operations of the counterexample; positions in the verdict are those of their `invoked`.
    operations: Vec<Shown>,
}

/// The operation at whose return no order was left.
#[derive(Serialize)]
struct Violated<'a> {
    key: &'a Value,
    process: String,
    function: &'a str,
    input: &'a Value,
    output: &'a Value,
    line: u64,
    events: u64,
}

/// An operation of a counterexample. Positions count events from 0, lines from 1.
#[derive(Serialize)]
struct Shown {
    process: String,
    function: String,
    key: Value,
    input: Value,
    output: Value,
    outcome: &'static str,
    invoked: usize,
    returned: Option<usize>,
    invoked_line: Option<u32>,
    returned_line: Option<u32>,
    invoked_time_ns: Option<u64>,
    returned_time_ns: Option<u64>,
}

/// What came of a file.
pub(super) fn file(
    output: &mut dyn Write,
    path: &Path,
    outcome: &Result<Checked, Failure>,
) -> io::Result<()> {
    let file = path.display().to_string();
    let line = match outcome {
        Ok(checked) => Line::Check(Box::new(judged(file, checked))),
        Err(failure) => Line::Error {
            version: VERSION,
            file,
            error: failure.message.clone(),
            exit: failure.exit.code(),
        },
    };
    write(output, &line)
}

/// What came of following a history.
pub(super) fn followed(output: &mut dyn Write, path: &Path, followed: &Followed) -> io::Result<()> {
    let (answer, verdict, violation) = match &followed.ended {
        follow::Ended::Judged(verdict) => (verdict.answer(), Some(&**verdict), None),
        follow::Ended::Violated(violation) => {
            let violated = Violated {
                key: &violation.key,
                process: violation.process.to_string(),
                function: &violation.function,
                input: &violation.input,
                output: &violation.output,
                line: violation.line,
                events: violation.events,
            };
            (Answer::Invalid, None, Some(violated))
        }
    };
    let line = Line::Follow {
        version: VERSION,
        file: path.display().to_string(),
        answer: answer.name(),
        events: followed.events,
        verdict,
        violation,
    };
    write(output, &line)
}

/// What came of all files.
pub(super) fn summary(output: &mut dyn Write, ended: &[Ended], worst: Exit) -> io::Result<()> {
    let count = |exit| ended.iter().filter(|file| file.exit == exit).count();
    let (valid, invalid, unknown) = (
        count(Exit::Valid),
        count(Exit::Invalid),
        count(Exit::Unknown),
    );
    let summary = Line::Summary {
        version: VERSION,
        files: ended.len(),
        valid,
        invalid,
        unknown,
        not_judged: ended.len() - valid - invalid - unknown,
        exit: worst.code(),
    };
    write(output, &summary)
}

fn write(output: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    writeln!(output)
}

fn judged(file: String, checked: &Checked) -> Judged<'_> {
    let Checked {
        loaded,
        request,
        reading,
        verdict,
        stopped,
    } = checked;
    let semantics = request.semantics();
    let positions = match &verdict.judgement {
        Judgement::Invalid { counterexample } => {
            timeline::operations(&loaded.history, counterexample)
        }
        Judgement::Valid { .. } | Judgement::Unknown { .. } => Vec::new(),
    };
    Judged {
        version: VERSION,
        file,
        answer: verdict.answer().name(),
        format: loaded.format.name(),
        initial: request.initial(),
        nil_read: name_of(&NIL_READS, &semantics.nil_read),
        failed_cas: name_of(&FAILED_CAS, &semantics.failed_cas),
        equal_times: name_of(&EQUAL_TIMES, &reading.equal_times),
        process_reuse: name_of(&PROCESS_REUSES, &reading.process_reuse),
        meanings: meanings::of(checked),
        states_max: request.limits.states_max,
        memory_bytes_max: request.limits.memory_bytes_max,
        history: loaded.history.statistics(),
        torn_line: loaded.truncated.map(|truncation| truncation.line),
        stopped_by: stopped.map(|stopped| match stopped {
            Stopped::Interrupt => "interrupt",
            Stopped::TimeLimit => "time-limit",
        }),
        verdict,
        operations: positions
            .into_iter()
            .filter_map(|position| shown(checked, position))
            .collect(),
    }
}

fn shown(checked: &Checked, position: usize) -> Option<Shown> {
    let history = &checked.loaded.history;
    let operation = history.operation(position)?;
    let line = |at: usize| checked.loaded.lines.get(at).copied();
    let time = |at: usize| history.events()[at].time_ns();
    Some(Shown {
        process: operation.process.to_string(),
        function: history.function(operation.function).to_owned(),
        key: history.value(operation.key),
        input: history.value(operation.input),
        output: history.value(operation.output),
        outcome: match operation.outcome {
            Outcome::Ok => "ok",
            Outcome::Fail => "fail",
            Outcome::Info => "info",
        },
        invoked: operation.invoked,
        returned: operation.returned,
        invoked_line: line(operation.invoked),
        returned_line: operation.returned.and_then(line),
        invoked_time_ns: time(operation.invoked),
        returned_time_ns: operation.returned.and_then(time),
    })
}
