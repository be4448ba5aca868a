//! The operations of a counterexample: a table with a drawing of their order in real time.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use tribunal_checkers::{CheckerEntry, Counterexample, registry};
use tribunal_histories::{History, Loaded, Operation, Outcome, Value};

/// The most operations that the table shows.
const ROWS_MAX: usize = 24;

/// The most characters of an operation that the table shows.
const WHAT_MAX: usize = 44;

/// The operations that show what is wrong, by the positions of their invocations.
pub(crate) fn operations(history: &History, counterexample: &Counterexample) -> Vec<usize> {
    match counterexample {
        Counterexample::Core(core) => core.operations.clone(),
        Counterexample::Elements {
            key,
            read,
            lost,
            duplicated,
            ..
        } => {
            let of_lost = |operation: &Operation| {
                ["add", "append", "broadcast"].contains(&history.function(operation.function))
                    && operation.outcome == Outcome::Ok
                    && history.value(operation.key) == *key
                    && [lost, duplicated]
                        .iter()
                        .any(|some| some.contains(&history.value(operation.input)))
            };
            let adds = history.operations().filter(of_lost);
            let mut positions: Vec<_> = adds.map(|add| add.invoked).collect();
            positions.push(*read);
            positions.sort_unstable();
            positions
        }
        Counterexample::Orders { reads, .. } => {
            let mut positions = reads.to_vec();
            positions.sort_unstable();
            positions
        }
        Counterexample::OutOfBounds { read, .. } => vec![*read],
        Counterexample::Contradiction { operations, .. } => operations.clone(),
        Counterexample::Tables { reads, .. } => reads.clone(),
        Counterexample::Cluster { .. } => Vec::new(),
    }
}

/// A row of the table.
struct Row {
    /// Lines, times, process, operation and outcome.
    cells: [String; 5],
    bar: String,
    impossible: bool,
}

/// Writes the table.
pub(super) fn write(
    output: &mut dyn Write,
    loaded: &Loaded,
    checker: &str,
    counterexample: &Counterexample,
) -> io::Result<()> {
    let history = &loaded.history;
    let positions = operations(history, counterexample);
    let shown = &positions[..positions.len().min(ROWS_MAX)];
    let operations: Vec<_> = shown
        .iter()
        .filter_map(|at| history.operation(*at))
        .collect();
    let impossible = match counterexample {
        Counterexample::Core(core) => Some(core.impossible),
        _ => None,
    };
    let entry = registry().iter().find(|entry| entry.name == checker);
    let ends: BTreeSet<usize> = operations.iter().flat_map(ends).collect();
    let ends: Vec<_> = ends.into_iter().collect();
    let rows: Vec<_> = operations
        .iter()
        .map(|operation| Row {
            cells: cells(loaded, entry, operation),
            bar: bar(&ends, operation),
            impossible: impossible == Some(operation.invoked),
        })
        .collect();
    let timed = rows.iter().all(|row| !row.cells[1].is_empty());
    let heads = ["lines", "time", "process", "operation", "ended"];
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row.cells[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    });
    let mut line = |cells: [&str; 5], bar: &str, style: Style| {
        write!(output, "  {style}")?;
        for (column, cell) in cells.iter().enumerate() {
            if column != 1 || timed {
                write!(output, "{cell:<width$}  ", width = widths[column])?;
            }
        }
        writeln!(output, "{bar}{style:#}")
    };
    line(heads, "in real time", Style::new().dimmed())?;
    for row in &rows {
        let cells = std::array::from_fn(|column| row.cells[column].as_str());
        if row.impossible {
            let bar = format!("{}  ✗ when it returned, no order was left", row.bar);
            line(cells, &bar, AnsiColor::Red.on_default())?;
        } else {
            line(cells, &row.bar, Style::new())?;
        }
    }
    if positions.len() > shown.len() {
        let more = positions.len() - shown.len();
        writeln!(output, "  … and {more} more: --evidence FILE has all")?;
    }
    Ok(())
}

fn cells(loaded: &Loaded, entry: Option<&CheckerEntry>, operation: &Operation) -> [String; 5] {
    let history = &loaded.history;
    let line = |at: usize| {
        loaded
            .lines
            .get(at)
            .map_or_else(String::new, u32::to_string)
    };
    let seconds = |at: usize| {
        let nanoseconds = history.events()[at].time_ns();
        nanoseconds.map(|time| format!("{}.{:06}", time / 1_000_000_000, time / 1_000 % 1_000_000))
    };
    let lines = match operation.returned {
        Some(returned) => format!("{}–{}", line(operation.invoked), line(returned)),
        None => format!("{}–", line(operation.invoked)),
    };
    let time = match (seconds(operation.invoked), operation.returned.map(seconds)) {
        (Some(invoked), Some(Some(returned))) => format!("{invoked}–{returned}"),
        (Some(invoked), None) => format!("{invoked}–"),
        _ => String::new(),
    };
    let ended = match operation.outcome {
        Outcome::Ok => "ok",
        Outcome::Fail => "fail",
        Outcome::Info => "info",
    };
    [
        lines,
        time,
        operation.process.to_string(),
        what(history, entry, operation),
        ended.to_owned(),
    ]
}

/// What an operation did, in the parts that its checker looks at: `write 1`, `read → 3`.
pub(crate) fn what(
    history: &History,
    entry: Option<&CheckerEntry>,
    operation: &Operation,
) -> String {
    let name = history.function(operation.function);
    let mut shapes = entry.iter().flat_map(|entry| entry.operations);
    let shape = shapes.find(|shape| shape.names.contains(&name));
    let (input, output) = (
        history.value(operation.input),
        history.value(operation.output),
    );
    let mut text = name.to_owned();
    // A transaction's output is its input with what was read.
    let completed = matches!((&input, &output), (Value::List(_), Value::List(_)));
    if shape.is_some_and(|shape| !shape.input.is_empty()) && !completed {
        text = format!("{text} {input}");
    }
    let returned = operation.outcome == Outcome::Ok;
    if returned && shape.is_some_and(|shape| !shape.output.is_empty()) {
        text = format!("{text} → {output}");
    }
    if text.chars().count() > WHAT_MAX {
        let kept: String = text.chars().take(WHAT_MAX - 1).collect();
        text = kept + "…";
    }
    text
}

/// The events at which an operation begins and ends.
fn ends(operation: &Operation) -> impl Iterator<Item = usize> + use<> {
    [Some(operation.invoked), operation.returned]
        .into_iter()
        .flatten()
}

/// The time of an operation, a column for each event of the table: `  ├──┤`; one that never returned is open.
fn bar(ends: &[usize], operation: &Operation) -> String {
    let column = |at: usize| ends.partition_point(|end| *end < at);
    let from = column(operation.invoked);
    let blank = " ".repeat(from);
    match operation.returned.map(column) {
        Some(to) => format!("{blank}├{}┤", "─".repeat(to - from - 1)),
        None => format!(
            "{blank}├{}",
            "─".repeat(ends.len().saturating_sub(from)) + "…"
        ),
    }
}
