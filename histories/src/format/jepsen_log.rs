//! The operations in Jepsen's text logs: `jepsen.log`, `history.txt`, and what the console showed.
//!
//! ```text
//! INFO  jepsen.util - 0 :invoke :read nil
//! INFO [2024-01-06 15:00:19,037] jepsen worker 0 - jepsen.util 0 :ok :read 3
//! 2024-01-06 15:00:19,037{GMT} INFO [jepsen worker nemesis] jepsen.util: :nemesis :info :start nil
//! 1 :info :write 4 :timed-out
//! ```
//!
//! The columns, between tabs, are process, type, function, value and perhaps an error, as EDN. The shapes before them
//! are those of Jepsen's logging over the years; `history.txt` has none. All other lines are other people's messages.
//!
//! Where an operation that ended in `:fail` or `:info` has a keyword for its value, as in `:info :cas :timed-out`,
//! that is its error, and the value is nil. The nemesis and errors may print things that are not EDN: those are kept
//! as text. A log is refused if its last line has no newline: `:write 12` may be the beginning of `:write 123`.

use std::io::BufRead;

use super::edn::Parser;
use super::error::ReadError;
use super::source::{LineSource, until_error};
use crate::event::{EventRecord, Kind, Process};
use crate::value::Value;

/// The logger of operations.
const LOGGER: &str = "jepsen.util";

/// The events in a log.
///
/// # Errors
/// The first operation that cannot be read, or a log that is cut off.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    let mut lines = LineSource::new(input, 1);
    until_error(move || {
        while let Some(line) = lines.next()? {
            let number = line.number;
            let text = str::from_utf8(line.bytes)
                .map_err(|_| malformed(number, "bytes that are not UTF-8".to_owned()))?;
            if !line.whole {
                return Err(ReadError::NoNewline { line: number });
            }
            if let Some(columns) = columns(text) {
                return event(number, &columns).map(Some);
            }
        }
        Ok(None)
    })
}

/// Whether a line tells that its file is a log of Jepsen.
pub(super) fn is_log_line(line: &str) -> bool {
    let level = ["INFO", "WARN", "ERROR", "DEBUG"]
        .iter()
        .any(|level| line.starts_with(level) || line.contains(&format!("\t{level}\t")));
    columns(line).is_some() || (level && line.contains("jepsen"))
}

/// An operation as it stands in a line.
struct Columns<'a> {
    process: Process,
    kind: &'a str,
    rest: &'a str,
}

/// The columns of an operation; `None` if the line is about something else.
fn columns(line: &str) -> Option<Columns<'_>> {
    let message = line.split_once(LOGGER).map_or(line, |(_, message)| message);
    // The logger ends in a colon or a dash, or in neither; the colon of `:nemesis` goes with it.
    let columns = message.trim_start_matches([':', '-', ' ', '\t']);
    let (process, rest) = columns.split_once([' ', '\t'])?;
    let process = match process {
        "nemesis" => Process::Nemesis,
        number => Process::Client(number.parse().ok()?),
    };
    let rest = rest.trim_start();
    let (kind, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let kind = kind.strip_prefix(':')?;
    Some(Columns {
        process,
        kind,
        rest,
    })
}

fn event(line: u64, columns: &Columns<'_>) -> Result<EventRecord, ReadError> {
    let kind = Kind::from_name(columns.kind).ok_or_else(|| {
        let problem = format!(
            "the type is `:{}`; expected :invoke, :ok, :fail or :info",
            columns.kind
        );
        malformed(line, problem)
    })?;
    let mut parser = Parser::new(columns.rest.as_bytes(), line);
    let function = parser.value()?;
    let Some(function) = function.as_name() else {
        return Err(malformed(
            line,
            format!("the function is {function}; expected a keyword"),
        ));
    };
    let value_and_error = parser.rest();
    let (value, error) = match parser.value() {
        Ok(value) => (value, edn_or_text(line, parser.rest())),
        Err(_) if columns.process == Process::Nemesis => {
            (edn_or_text(line, value_and_error), Value::Nil)
        }
        Err(error) => return Err(error),
    };
    let unfinished = matches!(kind, Kind::Fail | Kind::Info) && columns.process != Process::Nemesis;
    let (value, error) = match value {
        reason @ Value::Keyword(_) if unfinished && error.is_nil() => (Value::Nil, reason),
        value => (value, error),
    };
    Ok(EventRecord {
        line,
        error,
        ..EventRecord::new(columns.process, kind, function, Value::Nil, value)
    })
}

/// A column that Jepsen prints without quotes: EDN if it is one form, nil if it is empty, else text.
fn edn_or_text(line: u64, column: &[u8]) -> Value {
    let column = column.trim_ascii();
    if column.is_empty() {
        return Value::Nil;
    }
    let mut parser = Parser::new(column, line);
    match parser.value() {
        Ok(value) if parser.rest().is_empty() => value,
        _ => Value::text(&String::from_utf8_lossy(column)),
    }
}

fn malformed(line: u64, problem: String) -> ReadError {
    ReadError::Malformed {
        line,
        format: "a log of Jepsen",
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<Vec<EventRecord>, String> {
        read(text.as_bytes())
            .map(|event| event.map_err(|error| error.to_string()))
            .collect()
    }

    fn one(line: &str) -> EventRecord {
        let mut events = read_all(&format!("{line}\n")).unwrap();
        assert_eq!(events.len(), 1, "{line}");
        events.remove(0)
    }

    #[test]
    fn operations_are_found_in_every_shape_of_log() {
        for prefix in [
            "INFO  jepsen.util - ",
            "INFO [2024-01-06 15:00:19,037] jepsen worker 3 - jepsen.util ",
            "2024-01-06 15:00:19,037{GMT}\tINFO\t[jepsen worker 3] jepsen.util: ",
            "",
        ] {
            let event = one(&format!("{prefix}3\t:ok\t:cas\t[1 2]"));
            let value = Value::list([Value::Int(1), Value::Int(2)]);
            let expected = EventRecord::new(Process::Client(3), Kind::Ok, "cas", Value::Nil, value);
            assert_eq!(
                event,
                EventRecord {
                    line: 1,
                    ..expected
                }
            );
            let event = one(&format!("{prefix}:nemesis :info :start nil"));
            assert_eq!(
                (event.process, &*event.function),
                (Process::Nemesis, "start")
            );
        }
    }

    #[test]
    fn a_keyword_for_the_value_of_what_did_not_end_well_is_its_error() {
        let event = one("0\t:info\t:cas\t:timed-out");
        assert_eq!(
            (event.value, event.error),
            (Value::Nil, Value::keyword("timed-out"))
        );
        let event = one("0\t:fail\t:write\t4\tno leader: try n2");
        assert_eq!(
            (event.value, event.error),
            (Value::Int(4), "no leader: try n2".into())
        );
        let event = one("0\t:info\t:write\t4\t[:conn-lost 3]");
        let error = Value::list([Value::keyword("conn-lost"), Value::Int(3)]);
        assert_eq!((event.value, event.error), (Value::Int(4), error));
        let event = one(":nemesis\t:info\t:stop\t:network-healed");
        assert_eq!(event.value, Value::keyword("network-healed"));
        let event = one(":nemesis\t:info\t:stop\t#<Partition halves>");
        assert_eq!(event.value, "#<Partition halves>".into());
    }

    #[test]
    fn other_lines_are_passed_over_and_broken_operations_are_not() {
        let chatter = "INFO  jepsen.core - Everything looks good!\n\
                       jepsen.util - 5 seconds left\n\n\
                       INFO  my.client - 3\t:ok\t:read\t4\n";
        assert_eq!(read_all(chatter), Ok(vec![]));
        for (line, part) in [
            ("INFO  jepsen.util - 3\t:o\t:read\t4\n", "the type is `:o`"),
            (
                "\n3\t:ok\t4\t5\n",
                "line 2: this is not a log of Jepsen: the function is 4",
            ),
            (
                "3\t:ok\t:read\t[4\n",
                "line 1: the file ends inside the event",
            ),
            ("3\t:ok\t:read\n", "line 1: the file ends inside the event"),
            (
                "3\t:ok\t:read\t12",
                "line 1: the log ends without a newline",
            ),
        ] {
            let error = read_all(line).unwrap_err();
            assert!(error.contains(part), "{line:?}: {error}");
        }
    }
}
