//! Native histories: JSON Lines, one event a line, after a header that says so.
//!
//! ```text
//! {"tribunal":"history","version":1}
//! {"time":12,"process":0,"type":"invoke","f":"write","key":"x","value":3}
//! {"time":40,"process":0,"type":"ok","f":"write","key":"x","value":3}
//! ```
//!
//! The header may be absent, so that any program can write such a file with `print`. A line is written at once and
//! ends in a newline: if the writer dies in mid-write, the last line has no newline and is not JSON, and all lines
//! before it are whole ([`ReadError::TornLine`]).
//!
//! What the format loses: see [`json`](crate::json).

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::error::ReadError;
use super::source::{Line, LineSource, until_error};
use crate::event::{EventRecord, Process};
use crate::value::Value;

/// The version of the format that this build writes, and the latest that it reads.
pub const HISTORY_VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    tribunal: String,
    version: u64,
}

/// The events of a native history.
///
/// # Errors
/// The first line that is not an event.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    read_from(input, 1, 0)
}

/// The events of what follows in a native history, which begins on a line and after so many events.
pub(super) fn read_from(
    input: impl BufRead,
    line: u64,
    mut events: u64,
) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    let mut lines = LineSource::new(input, line);
    until_error(move || {
        while let Some(line) = lines.next()? {
            if let Some(event) = event_of(&line, events)? {
                events += 1;
                return Ok(Some(event));
            }
        }
        Ok(None)
    })
}

/// The event of a line, after so many; an empty line has none, nor has the header.
pub(super) fn event_of(line: &Line<'_>, events: u64) -> Result<Option<EventRecord>, ReadError> {
    if line.bytes.is_empty() {
        return Ok(None);
    }
    let error = match serde_json::from_slice(line.bytes) {
        Ok(event) => {
            let line = line.number;
            return Ok(Some(EventRecord { line, ..event }));
        }
        Err(error) => error,
    };
    if line.number == 1
        && let Ok(header) = serde_json::from_slice(line.bytes)
    {
        return check(header).map(|()| None);
    }
    Err(match json_error(line.number, &error) {
        ReadError::Malformed { line: number, .. } if !line.whole => ReadError::TornLine {
            line: number,
            events,
        },
        error => error,
    })
}

fn check(header: Header) -> Result<(), ReadError> {
    if header.tribunal != "history" {
        return Err(ReadError::OtherKind {
            kind: header.tribunal,
        });
    }
    if header.version > HISTORY_VERSION {
        return Err(ReadError::NewerVersion {
            found: header.version,
            known: HISTORY_VERSION,
        });
    }
    Ok(())
}

/// What serde_json found in a text that begins on this line.
pub(super) fn json_error(line: u64, error: &serde_json::Error) -> ReadError {
    let text = error.to_string();
    let line = line + (error.line().max(1) - 1) as u64;
    let problem = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(problem, _)| problem)
        .to_owned();
    match error.classify() {
        Category::Data => ReadError::NotAnEvent { line, problem },
        _ if problem == "recursion limit exceeded" => ReadError::TooDeep { line },
        _ => ReadError::Malformed {
            line,
            format: "JSON",
            problem,
        },
    }
}

/// Writes a native history, event by event, each with one call to the writer below.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// A history with only its header.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn new(mut out: W) -> io::Result<Self> {
        let header = Header {
            tribunal: "history".to_owned(),
            version: HISTORY_VERSION,
        };
        let mut line = serde_json::to_vec(&header)?;
        line.push(b'\n');
        out.write_all(&line)?;
        Ok(Self { out, line })
    }

    /// Writes the next event.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn write(&mut self, event: &EventRecord) -> io::Result<()> {
        self.line.clear();
        spell(event, &mut self.line)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Flushes what was written and hands back the writer below.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes an event as its `Serialize` does, in less time: almost all of it is plain names and integers.
fn spell(event: &EventRecord, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let name = |out: &mut Vec<u8>, name: &str| {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
    };
    if let Some(time_ns) = event.time_ns {
        out.extend_from_slice(b"{\"time\":");
        out.extend_from_slice(itoa::Buffer::new().format(time_ns).as_bytes());
        name(out, "process");
    } else {
        out.extend_from_slice(b"{\"process\":");
    }
    match event.process {
        Process::Client(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
        Process::Nemesis => out.extend_from_slice(b"\"nemesis\""),
    }
    name(out, "type");
    out.push(b'"');
    out.extend_from_slice(event.kind.name().as_bytes());
    out.push(b'"');
    name(out, "f");
    serde_json::to_writer(&mut *out, &*event.function)?;
    if !event.key.is_nil() {
        name(out, "key");
        spell_value(&event.key, out)?;
    }
    name(out, "value");
    spell_value(&event.value, out)?;
    if !event.error.is_nil() {
        name(out, "error");
        spell_value(&event.error, out)?;
    }
    if let Value::Map(extra) = &event.extra {
        for (key, value) in extra.iter() {
            out.push(b',');
            serde_json::to_writer(&mut *out, key.as_name().unwrap_or("?"))?;
            out.push(b':');
            spell_value(value, out)?;
        }
    }
    out.push(b'}');
    Ok(())
}

fn spell_value(value: &Value, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Int(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        Value::List(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                spell_value(item, out)?;
            }
            out.push(b']');
        }
        other => serde_json::to_writer(out, other)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;
    use crate::format::limits::DEPTH_MAX;
    fn read_all(text: &str) -> (Vec<EventRecord>, Option<ReadError>) {
        let mut events = Vec::new();
        for event in read(text.as_bytes()) {
            match event {
                Ok(event) => events.push(event),
                Err(error) => return (events, Some(error)),
            }
        }
        (events, None)
    }

    const INVOKE: &str = r#"{"process":0,"type":"invoke","f":"read"}"#;

    #[test]
    fn what_is_written_comes_back_with_its_line() {
        let event = EventRecord::new(
            Process::Client(3),
            Kind::Invoke,
            "write",
            "x".into(),
            Value::Int(1),
        );
        let mut writer = Writer::new(Vec::new()).unwrap();
        writer.write(&event).unwrap();
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(read_all(&text).0, [EventRecord { line: 2, ..event }]);
    }

    #[test]
    fn the_header_and_empty_lines_are_optional() {
        let (events, error) = read_all(&format!("{INVOKE}\r\n\n{INVOKE}"));
        assert_eq!(
            events.iter().map(|event| event.line).collect::<Vec<_>>(),
            [1, 3]
        );
        assert!(error.is_none());
    }

    #[test]
    fn a_torn_last_line_is_told_from_a_wrong_one() {
        let torn = format!("{INVOKE}\n{}", &INVOKE[..20]);
        assert!(matches!(
            read_all(&torn).1,
            Some(ReadError::TornLine { line: 2, events: 1 })
        ));
        let inside = format!("{}\n{INVOKE}\n", &INVOKE[..20]);
        assert!(matches!(
            read_all(&inside).1,
            Some(ReadError::Malformed { line: 1, .. })
        ));
        let wrong = format!("{INVOKE}\n{{\"process\":0}}");
        assert!(matches!(
            read_all(&wrong).1,
            Some(ReadError::NotAnEvent { line: 2, .. })
        ));
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| {
            let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            read_all(&INVOKE.replace("\"read\"", &format!("\"read\",\"value\":{value}"))).1
        };
        assert!(nested(DEPTH_MAX - 1).is_none());
        assert!(matches!(
            nested(DEPTH_MAX),
            Some(ReadError::TooDeep { line: 1 })
        ));
    }

    #[test]
    fn other_versions_and_other_files_of_ours_are_refused() {
        let newer = read_all("{\"tribunal\":\"history\",\"version\":2}\n").1;
        assert!(matches!(
            newer,
            Some(ReadError::NewerVersion { found: 2, known: 1 })
        ));
        let trace = read_all("{\"tribunal\":\"trace\",\"version\":1}\n").1;
        assert!(matches!(trace, Some(ReadError::OtherKind { .. })));
    }
}
