//! Where readers get their bytes from: one at a time or a line at a time, and always with a line number.

use std::io::{self, BufRead, Read};

use super::error::ReadError;
use super::limits::EVENT_BYTES_MAX;
use crate::event::EventRecord;

/// The events that `next` reads, up to and including its first error.
pub(super) fn until_error(
    mut next: impl FnMut() -> Result<Option<EventRecord>, ReadError>,
) -> impl Iterator<Item = Result<EventRecord, ReadError>> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let item = next().transpose();
        ended = !matches!(item, Some(Ok(_)));
        item
    })
}

/// Bytes, one at a time, for formats in which a line has no meaning.
pub(super) struct ByteSource<R> {
    input: R,
    line: u64,
    event_line: u64,
    event_bytes: usize,
}

impl<R: BufRead> ByteSource<R> {
    /// The bytes of an input whose first line has this number.
    pub(super) fn new(input: R, line: u64) -> Self {
        Self {
            input,
            line,
            event_line: line,
            event_bytes: 0,
        }
    }

    /// The line of the next byte.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The line on which the event being read begins.
    pub(super) fn event_line(&self) -> u64 {
        self.event_line
    }

    /// The next byte begins an event.
    pub(super) fn begin_event(&mut self) {
        self.event_line = self.line;
        self.event_bytes = 0;
    }

    /// The next byte, which stays where it is; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ReadError::Io {
                        line: self.line,
                        source,
                    });
                }
            }
        }
    }

    /// The next byte, taken; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<u8>, ReadError> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.input.consume(1);
            self.event_bytes += 1;
            if self.event_bytes > EVENT_BYTES_MAX {
                return Err(ReadError::TooLong {
                    line: self.event_line,
                });
            }
        }
        if byte == Some(b'\n') {
            self.line += 1;
        }
        Ok(byte)
    }
}

impl<'a> ByteSource<&'a [u8]> {
    /// What has not been taken.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.input
    }
}

/// Lines, for formats in which every event has one of its own.
pub(super) struct LineSource<R> {
    input: R,
    number: u64,
    bytes: Vec<u8>,
}

/// A line.
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its bytes, without the line's end.
    pub(super) bytes: &'a [u8],
    /// Whether it ends in a newline: the last line of a file that was cut off does not.
    pub(super) whole: bool,
}

impl<R: BufRead> LineSource<R> {
    /// The lines of an input whose first line has this number.
    pub(super) fn new(input: R, number: u64) -> Self {
        Self {
            input,
            number: number - 1,
            bytes: Vec::new(),
        }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        self.number += 1;
        self.bytes.clear();
        let limit = EVENT_BYTES_MAX as u64 + 1;
        let mut limited = self.input.by_ref().take(limit);
        let taken = limited.read_until(b'\n', &mut self.bytes);
        match taken {
            Ok(0) => return Ok(None),
            Ok(taken) if taken > EVENT_BYTES_MAX => {
                return Err(ReadError::TooLong { line: self.number });
            }
            Ok(_) => {}
            Err(source) => {
                return Err(ReadError::Io {
                    line: self.number,
                    source,
                });
            }
        }
        let whole = self.bytes.last() == Some(&b'\n');
        let bytes = self.bytes.trim_ascii_end();
        Ok(Some(Line {
            number: self.number,
            bytes,
            whole,
        }))
    }
}
