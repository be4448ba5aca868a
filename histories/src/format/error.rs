//! Why a file is not a history: the line, what is wrong with it, and what to do.

use std::io;
use std::path::PathBuf;

use super::guess::NotGuessed;
use super::limits::{DEPTH_MAX, EVENT_BYTES_MAX};
use super::{Format, NOT_BUILT};
use crate::rule::RuleBroken;

/// What an event looks like, at the end of messages about things that are none.
const EXAMPLE: &str =
    r#"an event is, in JSON, {"process":0,"type":"invoke","f":"write","value":1}"#;

/// Why the next event cannot be read. A reader ends after its first error.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refused.
    #[error("cannot read beyond line {line}: {source}")]
    Io {
        /// The line that was being read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// The text is not of the format.
    #[error(
        "line {line}: this is not {format}: {problem} (name the format with --from if it is another)"
    )]
    Malformed {
        /// Where.
        line: u64,
        /// What was expected, in a reader's words: `EDN`, `JSON`, …
        format: &'static str,
        /// What was found instead.
        problem: String,
    },
    /// The text is of the format, but it is not an event.
    #[error("line {line}: {problem}; {EXAMPLE}")]
    NotAnEvent {
        /// Where the event begins.
        line: u64,
        /// What is missing or wrong.
        problem: String,
    },
    /// The file ends inside of something that is closed in every whole file.
    #[error(
        "line {line}: the file ends inside the {what} that begins here; it is cut off, and nothing says how much is \
         missing: get the whole file"
    )]
    CutOff {
        /// Where the thing begins.
        line: u64,
        /// The thing: `event` or `history`.
        what: &'static str,
    },
    /// A log's last line has no newline, so that its last value may be half of a value.
    #[error(
        "line {line}: the log ends without a newline, so that its last value may be cut off; get the whole file, or \
         end it with a newline if it is whole"
    )]
    NoNewline {
        /// Where.
        line: u64,
    },
    /// The last line of a native history was being written when its writer died. [`load`](super::load) keeps what
    /// precedes it.
    #[error("line {line}: the last line is torn; {events} whole events precede it")]
    TornLine {
        /// Where.
        line: u64,
        /// How many events precede it.
        events: u64,
    },
    /// Collections within collections beyond all reason, which would overflow the stack.
    #[error(
        "line {line}: nested more than {DEPTH_MAX} deep; no operation's value is: is this a history?"
    )]
    TooDeep {
        /// Where the limit is passed.
        line: u64,
    },
    /// One event that takes as much as a history.
    #[error(
        "line {line}: the event that begins here is longer than {} MiB; is a quote or a bracket never closed?",
        EVENT_BYTES_MAX >> 20
    )]
    TooLong {
        /// Where the event begins.
        line: u64,
    },
    /// A format that is an option of the build.
    #[error("this build does not read {format}: {NOT_BUILT}")]
    NotBuilt {
        /// Which.
        format: Format,
    },
    /// A native history of a later build.
    #[error(
        "line 1: the history has format version {found}, this build reads versions up to {known}; use the build of \
         tribunal that wrote it, or a later one"
    )]
    NewerVersion {
        /// The file's version.
        found: u64,
        /// The latest that this build reads.
        known: u64,
    },
    /// A file of ours that is not a history.
    #[error("line 1: this is a {kind} of tribunal's, not a history; give it to `tribunal replay`")]
    OtherKind {
        /// What its header calls it.
        kind: String,
    },
}

/// Why a history could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody said which format it is, and its content does not tell.
    #[error(transparent)]
    NotGuessed(#[from] NotGuessed),
    /// An event could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The events break a rule of histories.
    #[error(transparent)]
    Rule(#[from] RuleBroken),
    /// There is nothing to judge.
    #[error("there is not one whole event in the file; a history without events proves nothing")]
    NoEvents,
}

impl LoadError {
    /// Whether the file system is to blame and not the content: another exit code, and worth another try.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Read(ReadError::Io { .. }))
    }
}
