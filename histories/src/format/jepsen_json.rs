//! Jepsen's histories in JSON, as elle-cli and others write them: an array of operations, or one after another.
//!
//! The text may be laid out in any way: a small scanner finds where each object begins and ends, and serde_json
//! reads that object, so that one event at a time is in memory.
//!
//! A file that ends inside of an object or of the array is refused: it was written whole or not at all.

use std::io::BufRead;

use super::error::ReadError;
use super::jsonl::json_error;
use super::limits::DEPTH_MAX;
use super::source::{ByteSource, until_error};
use crate::event::EventRecord;

/// The events of a history in JSON.
///
/// # Errors
/// The first thing that is not an event, or a file that is cut off.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    let mut scanner = Scanner {
        source: ByteSource::new(input, 1),
        place: Place::Start,
        object: Vec::new(),
    };
    until_error(move || scanner.event())
}

/// Where the reader is.
#[derive(Clone, Copy)]
enum Place {
    /// Nothing has been read: objects may follow, or an array of them.
    Start,
    /// Between objects that follow each other.
    Stream,
    /// After the bracket of the array that began on `line`: an object or the end.
    First { line: u64 },
    /// After an object of that array: a comma or the end.
    Between { line: u64 },
    /// After a comma: an object.
    Next { line: u64 },
    /// After the array.
    After,
}

struct Scanner<R> {
    source: ByteSource<R>,
    place: Place,
    /// The text of the object being read.
    object: Vec<u8>,
}

impl<R: BufRead> Scanner<R> {
    fn event(&mut self) -> Result<Option<EventRecord>, ReadError> {
        loop {
            let byte = self.skip_blank()?;
            let line = self.source.line();
            self.place = match (self.place, byte) {
                (Place::Start | Place::Stream | Place::After, None) => return Ok(None),
                (Place::First { line } | Place::Between { line } | Place::Next { line }, None) => {
                    let what = "history";
                    return Err(ReadError::CutOff { line, what });
                }
                (Place::Start, Some(b'[')) => Place::First { line },
                (Place::Start | Place::Stream, Some(b'{')) => {
                    self.place = Place::Stream;
                    return self.object().map(Some);
                }
                (Place::First { line } | Place::Next { line }, Some(b'{')) => {
                    self.place = Place::Between { line };
                    return self.object().map(Some);
                }
                (Place::First { .. } | Place::Between { .. }, Some(b']')) => Place::After,
                (Place::Between { line }, Some(b',')) => Place::Next { line },
                (place, Some(byte)) => return Err(self.unexpected(place, byte)),
            };
            self.source.next()?;
        }
    }

    fn skip_blank(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            match self.source.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.source.next()?,
                other => return Ok(other),
            };
        }
    }

    fn unexpected(&self, place: Place, byte: u8) -> ReadError {
        let expected = match place {
            Place::Start => "an array or an object",
            Place::Stream | Place::Next { .. } => "an object",
            Place::First { .. } => "an object or `]`",
            Place::Between { .. } => "`,` or `]`",
            Place::After => "nothing more",
        };
        ReadError::Malformed {
            line: self.source.line(),
            format: "JSON",
            problem: format!("`{}` where {expected} should be", byte.escape_ascii()),
        }
    }

    /// The object that begins here.
    fn object(&mut self) -> Result<EventRecord, ReadError> {
        self.source.begin_event();
        self.object.clear();
        let line = self.source.line();
        let (mut depth, mut in_string, mut escaped) = (0, false, false);
        loop {
            let Some(byte) = self.source.next()? else {
                let what = "event";
                return Err(ReadError::CutOff { line, what });
            };
            self.object.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' if depth == DEPTH_MAX => {
                    let line = self.source.line();
                    return Err(ReadError::TooDeep { line });
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let event: EventRecord = serde_json::from_slice(&self.object)
                    .map_err(|error| json_error(line, &error))?;
                return Ok(EventRecord { line, ..event });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOKE: &str = r#"{"type":"invoke","f":"txn","value":[["r","}]\"",null]],"process":0}"#;
    const OK: &str = "{\n \"type\": \"ok\",\n \"f\": \"txn\",\n \"value\": [], \"process\": 0\n}";

    fn lines(text: &str) -> Result<Vec<u64>, String> {
        read(text.as_bytes())
            .map(|event| {
                event
                    .map(|event| event.line)
                    .map_err(|error| error.to_string())
            })
            .collect()
    }

    #[test]
    fn arrays_and_streams_of_any_layout_are_read_with_their_lines() {
        assert_eq!(
            lines(&format!("[{INVOKE},\n{OK}\n,{INVOKE}]\n")),
            Ok(vec![1, 2, 7])
        );
        assert_eq!(
            lines(&format!("\n{INVOKE}{OK} {INVOKE}")),
            Ok(vec![2, 2, 6])
        );
        assert_eq!(lines("[ ]"), Ok(vec![]));
    }

    #[test]
    fn an_array_that_is_cut_anywhere_is_refused() {
        let text = format!("[{INVOKE},\n{OK}]");
        for end in 1..text.len() {
            let error = lines(&text[..end]).unwrap_err();
            assert!(error.contains("it is cut off"), "{}: {error}", &text[..end]);
        }
    }

    #[test]
    fn what_is_not_an_event_is_said() {
        let deep = format!("[{{\"a\":{}", "[".repeat(1_000_000));
        for (text, part) in [
            (
                "[1]",
                "line 1: this is not JSON: `1` where an object or `]` should be",
            ),
            ("[{}\n{}]", "line 1: an event must have `process`"),
            (
                "\n\n{\n\"type\": true}",
                "line 4: `type` is true; expected invoke",
            ),
            ("[{\"a\" 1}]", "line 1: this is not JSON: expected `:`"),
            ("[] []", "`[` where nothing more should be"),
            (&deep, "line 1: nested more than 127 deep"),
        ] {
            let error = lines(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let comma = lines(&format!("[{INVOKE}\n{INVOKE}]")).unwrap_err();
        assert!(
            comma.contains("line 2: this is not JSON: `{` where `,` or `]`"),
            "{comma}"
        );
    }
}
