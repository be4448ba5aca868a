//! The answer of `tribunal check` for people.
//!
//! First what happened, in one line; then what it rests on; for an invalid history the operations that show it, and
//! the sentence that begins with "Because".

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use tribunal_checkers::{Answer, Counterexample, Judgement, Violation};
use tribunal_histories::Value;

use super::follow::{self, Followed};
use super::options::Args;
use super::{Checked, Ended, Stopped, meanings, timeline};
use crate::cli::exit::Exit;
use crate::cli::paragraph::wrapped;
use crate::cli::quantity::{counted, grouped, size};

/// What stands below the answer begins here.
const INDENT: &str = "         ";

/// The longest line of a sentence.
const COLUMNS: usize = 100;

/// The most parts that were not searched that are named.
const NOT_SEARCHED_MAX: usize = 10;

/// The line that says what came of a file.
pub(super) fn headline(output: &mut dyn Write, path: &Path, checked: &Checked) -> io::Result<()> {
    let (word, style) = word(checked.verdict.answer());
    let headline = checked.verdict.sentences.first().map_or("", String::as_str);
    write!(
        output,
        "{style}{word:<7}{style:#}  {}: {headline}",
        path.display()
    )?;
    if let Some(truncation) = checked.loaded.truncated {
        write!(
            output,
            " {style}[cut off in line {}: only the {} events before it were judged]{style:#}",
            truncation.line, truncation.events
        )?;
    }
    writeln!(output)
}

/// What came of following a history: without a whole one, there are no operations to show.
pub(super) fn followed(output: &mut dyn Write, path: &Path, followed: &Followed) -> io::Result<()> {
    let path = path.display();
    let events = counted(followed.events, "event");
    let verdict = match &followed.ended {
        follow::Ended::Judged(verdict) => verdict,
        follow::Ended::Violated(violation) => {
            let style = AnsiColor::Red.on_default().bold();
            let sentence = sentence(violation);
            writeln!(output, "{style}INVALID{style:#}  {path}: {sentence}")?;
            return writeln!(
                output,
                "{INDENT}{events} had come; judge the whole history for the operations that show why"
            );
        }
    };
    let (word, style) = word(verdict.answer());
    let headline = verdict.sentences.first().map_or("", String::as_str);
    writeln!(output, "{style}{word:<7}{style:#}  {path}: {headline}")?;
    let operations = counted(verdict.statistics.operations, "operation");
    writeln!(
        output,
        "{INDENT}{}: {events}, {operations}",
        verdict.checker
    )?;
    if let Judgement::Unknown { not_searched, .. } = &verdict.judgement {
        for part in not_searched.iter().take(NOT_SEARCHED_MAX) {
            writeln!(output, "{INDENT}not judged: {part}")?;
        }
    }
    Ok(())
}

/// What is wrong, of which only one operation is known.
fn sentence(violation: &Violation) -> String {
    let Violation {
        key,
        process,
        function,
        input,
        output,
        line,
        ..
    } = violation;
    let of_key = if key.is_nil() {
        String::new()
    } else {
        format!(" (key {key})")
    };
    let value = |arrow: &str, value: &Value| {
        if value.is_nil() {
            String::new()
        } else {
            format!(" {arrow}{value}")
        }
    };
    let (input, output) = (value("", input), value("→ ", output));
    format!(
        "not linearizable{of_key}: when {function}{input}{output} (process {process}) returned in line {line}, no order was left"
    )
}

fn word(answer: Answer) -> (&'static str, Style) {
    let (word, color) = match answer {
        Answer::Valid => ("VALID", AnsiColor::Green),
        Answer::Unknown => ("UNKNOWN", AnsiColor::Yellow),
        Answer::Invalid => ("INVALID", AnsiColor::Red),
    };
    (word, color.on_default().bold())
}

/// Everything that there is to say about a file.
pub(super) fn file(
    output: &mut dyn Write,
    path: &Path,
    checked: &Checked,
    args: &Args,
) -> io::Result<()> {
    headline(output, path, checked)?;
    counts(output, checked)?;
    match &checked.verdict.judgement {
        Judgement::Valid { .. } => {}
        Judgement::Unknown { not_searched, .. } => {
            for part in not_searched.iter().take(NOT_SEARCHED_MAX) {
                writeln!(output, "{INDENT}not searched: {part}")?;
            }
            let more = not_searched.len().saturating_sub(NOT_SEARCHED_MAX);
            if more > 0 {
                writeln!(output, "{INDENT}not searched: {more} more parts")?;
            }
            limits(output, checked, args)?;
        }
        Judgement::Invalid { counterexample } => invalid(output, checked, counterexample)?,
    }
    Ok(())
}

/// What the answer rests on.
fn counts(output: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let history = checked.loaded.history.statistics();
    let operations = history.operations;
    let objects = match history.keys as u64 {
        0 => "1 object".to_owned(),
        keys => counted(keys, "key"),
    };
    let states = match checked.verdict.statistics.states {
        0 => String::new(),
        states => format!(", {}", counted(states, "state")),
    };
    let methods = checked.verdict.methods.iter();
    let methods: Vec<_> = methods.map(|method| method.name.as_str()).collect();
    let methods = match &methods[..] {
        [] => String::new(),
        methods => format!(", decided by {}", methods.join(" and ")),
    };
    writeln!(
        output,
        "{INDENT}{}: {} ({} ok, {} fail, {} info), {objects}, concurrency {}{states}{methods}",
        checked.verdict.checker,
        counted(operations.total(), "operation"),
        grouped(operations.ok),
        grouped(operations.fail),
        grouped(operations.info),
        history.concurrency_max,
    )?;
    for meaning in meanings::of(checked) {
        writeln!(output, "{INDENT}{}", meaning.line())?;
    }
    if operations.ok == 0 {
        writeln!(
            output,
            "{INDENT}no operation is known to have happened: such a history can hardly be wrong"
        )?;
    }
    Ok(())
}

/// What bounded the search.
fn limits(output: &mut dyn Write, checked: &Checked, args: &Args) -> io::Result<()> {
    match checked.stopped {
        Some(Stopped::Interrupt) => return writeln!(output, "{INDENT}interrupted by Ctrl-C"),
        Some(Stopped::TimeLimit) => writeln!(output, "{INDENT}--time-limit was reached")?,
        None => {}
    }
    let limits = checked.request.limits;
    write!(
        output,
        "{INDENT}limits: --states-max {}, --memory-max {}",
        grouped(limits.states_max),
        size(limits.memory_bytes_max as u64)
    )?;
    match args.time_limit {
        Some(limit) => writeln!(output, ", --time-limit {limit:?}"),
        None => writeln!(output, ", no --time-limit"),
    }
}

/// The counterexample.
fn invalid(
    output: &mut dyn Write,
    checked: &Checked,
    counterexample: &Counterexample,
) -> io::Result<()> {
    writeln!(output)?;
    timeline::write(
        output,
        &checked.loaded,
        &checked.verdict.checker,
        counterexample,
    )?;
    writeln!(output)?;
    for sentence in checked.verdict.sentences.iter().skip(1) {
        for line in wrapped(sentence, COLUMNS) {
            writeln!(output, "  {line}")?;
        }
    }
    if let Counterexample::Core(core) = counterexample {
        let last = core.prefix.checked_sub(1);
        let line = last.and_then(|last| checked.loaded.lines.get(last));
        let place = line.map_or_else(String::new, |line| format!(", up to line {line}"));
        let events = format!(
            "the first {} of the {} events{place}",
            grouped(core.prefix as u64),
            grouped(checked.loaded.history.len() as u64),
        );
        let sentence = if core.earliest {
            format!("The earliest prefix that fails is {events}.")
        } else {
            format!("A prefix that fails is {events}; a shorter one may fail as well.")
        };
        writeln!(output, "  {sentence}")?;
        if core.confirmed {
            writeln!(
                output,
                "  Trying every order of these operations, one by one, confirmed it."
            )?;
        }
    }
    writeln!(output)
}

/// All files, one line each.
pub(super) fn summary(output: &mut dyn Write, ended: &[Ended]) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(output, "{bold}{} files{bold:#}", ended.len())?;
    for file in ended {
        let (word, color) = match file.exit {
            Exit::Valid => ("VALID", AnsiColor::Green),
            Exit::Invalid => ("INVALID", AnsiColor::Red),
            Exit::Unknown => ("UNKNOWN", AnsiColor::Yellow),
            Exit::Interrupted => ("STOPPED", AnsiColor::Yellow),
            _ => ("ERROR", AnsiColor::Red),
        };
        let style = color.on_default().bold();
        writeln!(
            output,
            "  {style}{word:<7}{style:#}  {}",
            file.path.display()
        )?;
    }
    Ok(())
}
