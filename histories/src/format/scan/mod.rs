//! Reading at the speed of memory: scanners for the usual shape of events, many chunks at once.
//!
//! The readers of [`jsonl`](super::jsonl) and [`edn`](super::edn) say what a file means. They go through it byte by
//! byte and make a value of everything they see. A scanner knows how almost every event of almost every history is
//! spelled, looks at each byte once, and makes nothing but a row of ids; what is spelled in another way it gives to the
//! reader, event by event. It never judges: at the first thing that the reader does not take for an event — a bracket,
//! an error, a torn line — it stops, and the reader goes on from there with the rest of the file. So there is one
//! definition of the formats, and one source of errors.
//!
//! A file is cut into chunks where an event seems to end ([`chunks`]), and the chunks are scanned on as many threads
//! as there are processors. Whether the guess was right is seen when the chunk before it has been scanned: if that one
//! ends in the middle of something, it has stopped, and all that follows it is read by the reader. The blocks of
//! events that come of the chunks are put to the rules of histories in the order of the file.

mod block;
mod chunks;
mod edn;
mod jsonl;
mod pipeline;
#[cfg(test)]
mod tests;
mod text;
mod usual;

use std::io::BufRead;

use super::error::LoadError;
use super::{Format, Truncation};
use crate::builder::HistoryBuilder;
use pipeline::Pipeline;

/// The bytes of a chunk, or a little less: what a processor's own cache holds.
const CHUNK_BYTES: usize = 1 << 20;

/// What was read besides the events.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    /// What is missing at the end.
    pub(super) truncated: Option<Truncation>,
    /// The line of each event.
    pub(super) lines: Vec<u32>,
}

/// Reads all events of an input into a history.
///
/// # Errors
/// Those of the format's reader, and the first rule of histories that an event breaks: what comes first in the file.
pub(super) fn read_all(
    format: Format,
    input: impl BufRead,
    builder: &mut HistoryBuilder,
) -> Result<Read, LoadError> {
    Pipeline::new(builder, CHUNK_BYTES).run(format, input)
}
