//! Jepsen's histories in EDN: what Jepsen, Knossos and Elle read and write.
//!
//! A file is a vector or list of operation maps, or operation maps one after another:
//!
//! ```clojure
//! {:index 0, :time 12, :process 0, :type :invoke, :f :write, :value 3}
//! ```
//!
//! Operations tagged `#jepsen.history.Op` are read as well. Porcupine's key-value logs are such maps with a `:key`,
//! one a line, and need nothing of their own.
//!
//! A file that ends inside of a map or a vector is refused: unlike the lines of a native history, its parts are not
//! whole when they are written.

mod parser;
mod writer;

use std::io::BufRead;

pub(super) use parser::{Form, Parser};
pub use writer::Writer;

use super::error::ReadError;
use super::source::until_error;
use crate::event::EventRecord;
use crate::value::Value;

/// The events of a history in EDN.
///
/// # Errors
/// The first form that is not an event, or a file that is cut off.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    read_from(input, 1, Place::Start)
}

/// The events of what follows in a history in EDN, which begins on a line and at a place.
pub(super) fn read_from(
    input: impl BufRead,
    line: u64,
    mut place: Place,
) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    let mut parser = Parser::new(input, line);
    until_error(move || next_event(&mut parser, &mut place))
}

/// Where the events of a text begin: the place there, the line, and how many bytes precede it.
pub(super) fn opening(text: &[u8]) -> (Place, u64, usize) {
    let mut parser = Parser::new(text, 1);
    let mut place = Place::Start;
    let opened = parser
        .skip_blank()
        .and_then(|()| open(&mut parser, &mut place));
    match opened {
        Ok(_) => (place, parser.line(), text.len() - parser.rest().len()),
        // A comment of many megabytes: whoever reads the events will say so.
        Err(_) => (Place::Start, 1, 0),
    }
}

/// Where the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing has been read: events may follow, or a collection of them.
    Start,
    /// Between events that follow each other.
    Stream,
    /// In a collection that began on `line` and ends with `close`.
    Inside { line: u64, close: u8 },
    /// After it.
    After,
}

impl Place {
    /// The place after an event here.
    pub(super) fn after_event(self) -> Self {
        match self {
            Self::Start => Self::Stream,
            other => other,
        }
    }
}

/// Takes the bracket that opens the collection of all events, if it is here.
fn open(parser: &mut Parser<impl BufRead>, place: &mut Place) -> Result<bool, ReadError> {
    let line = parser.line();
    let close = match (*place, parser.source.peek()?) {
        (Place::Start, Some(b'[')) => b']',
        (Place::Start, Some(b'(')) => b')',
        _ => return Ok(false),
    };
    parser.source.next()?;
    *place = Place::Inside { line, close };
    Ok(true)
}

fn next_event(
    parser: &mut Parser<impl BufRead>,
    place: &mut Place,
) -> Result<Option<EventRecord>, ReadError> {
    loop {
        parser.skip_blank()?;
        parser.source.begin_event();
        let line = parser.line();
        if open(parser, place)? {
            continue;
        }
        match (*place, parser.form()?) {
            (_, Form::Discarded) => {}
            (Place::Start | Place::Stream | Place::Inside { .. }, Form::Value(value)) => {
                *place = place.after_event();
                return event(line, &value).map(Some);
            }
            (Place::Inside { close, .. }, Form::Close(bracket)) if bracket == close => {
                *place = Place::After;
            }
            (Place::Start | Place::Stream | Place::After, Form::End) => return Ok(None),
            (Place::Inside { line, .. }, Form::End) => {
                let what = "history";
                return Err(ReadError::CutOff { line, what });
            }
            (Place::After, Form::Value(_)) => {
                return Err(parser.malformed("a value after the end of the history"));
            }
            (_, Form::Close(bracket)) => {
                let bracket = char::from(bracket);
                return Err(parser.malformed(format!("`{bracket}`, which closes nothing")));
            }
        }
    }
}

/// The event that a map is.
pub(super) fn event(line: u64, value: &Value) -> Result<EventRecord, ReadError> {
    let not_an_event = |problem| ReadError::NotAnEvent { line, problem };
    let Value::Map(entries) = value else {
        return Err(not_an_event(format!("{value} is not a map")));
    };
    let fields = entries.iter().map(|(key, value)| {
        let name = key.as_name().map_or_else(|| key.to_string(), str::to_owned);
        (name, value.clone())
    });
    let event = EventRecord::from_fields(fields).map_err(|bad| not_an_event(bad.to_string()))?;
    Ok(EventRecord { line, ..event })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOKE: &str = "{:process 0, :type :invoke, :f :read, :value nil}";
    const OK: &str = "#jepsen.history.Op{:process 0, :type :ok,\n :f :read, :value [1 #{2}]}";

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
    fn streams_vectors_and_lists_are_read_with_their_lines() {
        for (before, after) in [("", ""), ("; head\n#_ 1 [", "]\n"), ("(", ") ; tail")] {
            let text = format!("{before}{INVOKE}\n{OK} #_ {{:not an-event}}\n{INVOKE}{after}");
            let first = 1 + before.matches('\n').count() as u64;
            assert_eq!(
                lines(&text),
                Ok(vec![first, first + 1, first + 3]),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_refused() {
        let text = format!("[{INVOKE}\n{OK}]");
        for end in 1..text.len() {
            assert!(lines(&text[..end]).is_err(), "{}", &text[..end]);
        }
        let stream = format!("{INVOKE}\n{OK}");
        for end in INVOKE.len() + 2..stream.len() {
            let error = lines(&stream[..end]).unwrap_err();
            assert!(
                error.starts_with("line 2: the file ends inside the event"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_not_an_event_is_said() {
        for (text, part) in [
            ("[1]", "line 1: 1 is not a map"),
            ("\n{:type :ok}", "line 2: an event must have `process`"),
            (
                "{:process 0 :type :done}",
                "`type` is :done; expected invoke",
            ),
            ("[] []", "a value after the end of the history"),
            ("[)", "`)`, which closes nothing"),
            ("}", "`}`, which closes nothing"),
        ] {
            let error = lines(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
