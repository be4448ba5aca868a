//! Formats of histories: reading any of the field's, writing three of them.
//!
//! Every reader is a stream: an iterator of events over a [`BufRead`], whose memory does not grow with the file. A
//! reader never panics on a malformed file: it names the line and what is wrong, and ends.
//!
//! | format | what reads and writes it | writer |
//! |---|---|---|
//! | [`jsonl`] | this tool; any program that prints JSON | yes |
//! | [`edn`] | Jepsen, Knossos, Elle; Porcupine's key-value logs | yes |
//! | [`jepsen_json`] | elle-cli and exporters of Jepsen's histories | |
//! | [`jepsen_log`] | Jepsen's text logs, as Porcupine's etcd tests have them | |
//! | Parquet | DuckDB, pandas, Polars; with the feature `columnar` | yes |
//!
//! [`load`] reads a file into a validated [`History`]; a new format is a file beside these, a variant of [`Format`]
//! and a line in its table.

pub mod edn;
mod error;
mod guess;
pub mod jepsen_json;
pub mod jepsen_log;
pub mod jsonl;
mod limits;
#[cfg(feature = "columnar")]
pub mod parquet;
mod scan;
mod source;
mod write;

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

pub use error::{LoadError, ReadError};
pub use guess::NotGuessed;
pub use write::{CannotWrite, EventWriter};

use crate::builder::{BuildOptions, HistoryBuilder};
use crate::event::EventRecord;
use crate::history::History;

/// A format that histories are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// [`jsonl`].
    Jsonl,
    /// [`edn`].
    Edn,
    /// [`jepsen_json`].
    JepsenJson,
    /// [`jepsen_log`].
    JepsenLog,
    /// Parquet, with the feature `columnar`.
    Parquet,
}

/// What to do about a format that is not in a build.
const NOT_BUILT: &str = "build tribunal with `--features columnar` for it";

/// What is to be known about a format: a row of [`Format::info`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatInfo {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// The extensions that such files usually have.
    pub extensions: &'static [&'static str],
    /// What it is, in a line.
    pub description: &'static str,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [
        Self::Jsonl,
        Self::Edn,
        Self::JepsenJson,
        Self::JepsenLog,
        Self::Parquet,
    ];

    /// What is to be known about it.
    pub fn info(self) -> FormatInfo {
        let (name, aliases, extensions, description): (_, &[_], &[_], _) = match self {
            Self::Jsonl => (
                "jsonl",
                &["native", "tribunal", "ndjson"],
                &["jsonl", "ndjson"],
                "the native form: one JSON object a line",
            ),
            Self::Edn => (
                "edn",
                &["jepsen", "jepsen-edn", "knossos", "elle", "porcupine"],
                &["edn", "txt"],
                "operation maps of Jepsen, Knossos and Elle, and Porcupine's key-value logs",
            ),
            Self::JepsenJson => (
                "jepsen-json",
                &["json", "elle-cli"],
                &["json"],
                "Jepsen's operations as JSON: an array or a stream of objects",
            ),
            Self::JepsenLog => (
                "jepsen-log",
                &["log"],
                &["log", "txt"],
                "the operations in Jepsen's text logs and history.txt",
            ),
            Self::Parquet => (
                "parquet",
                &["columnar"],
                &["parquet"],
                "columns for DuckDB, pandas and Polars, in builds with the feature columnar",
            ),
        };
        FormatInfo {
            name,
            aliases,
            extensions,
            description,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The names of all formats, for messages.
    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The events of a history in this format, as a stream.
    pub fn read<'a>(
        self,
        input: impl BufRead + 'a,
    ) -> Box<dyn Iterator<Item = Result<EventRecord, ReadError>> + 'a> {
        match self {
            Self::Jsonl => Box::new(jsonl::read(input)),
            Self::Edn => Box::new(edn::read(input)),
            Self::JepsenJson => Box::new(jepsen_json::read(input)),
            Self::JepsenLog => Box::new(jepsen_log::read(input)),
            #[cfg(feature = "columnar")]
            Self::Parquet => Box::new(parquet::read(input)),
            #[cfg(not(feature = "columnar"))]
            Self::Parquet => Box::new(std::iter::once(Err(ReadError::NotBuilt { format: self }))),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No format has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is called `{0}`; the formats are {names}", names = Format::names())]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let called = |format: &Self| {
            let info = format.info();
            info.name == name || info.aliases.contains(&name)
        };
        Self::ALL
            .into_iter()
            .find(called)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A history as it was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What happened.
    pub history: History,
    /// The format it was read from.
    pub format: Format,
    /// What is missing at its end, if its writer died in mid-write.
    pub truncated: Option<Truncation>,
    /// The line of the file that each event begins on, by the event's position; the last number that fits for files
    /// of more lines than that.
    pub lines: Vec<u32>,
}

/// A native history whose writer died: its last line is torn, what precedes it was kept.
///
/// A prefix of a history is a history: a verdict holds for what was kept, and what was in flight stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// The line that is torn.
    pub line: u64,
    /// How many events precede it.
    pub events: u64,
}

impl fmt::Display for Truncation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, events } = self;
        write!(
            f,
            "the file was cut off in line {line} while it was written; the {events} events before it were kept"
        )
    }
}

/// Loads the history of a file.
///
/// # Errors
/// As [`read_history`], and when the file cannot be opened.
pub fn load(
    path: &Path,
    format: Option<Format>,
    options: BuildOptions,
) -> Result<Loaded, LoadError> {
    let file = File::open(path).map_err(|source| LoadError::Open {
        path: path.to_owned(),
        source,
    })?;
    read_history(BufReader::with_capacity(128 << 10, file), format, options)
}

/// Reads a history in the format that is named, or that its first bytes tell.
///
/// # Errors
/// The first line that cannot be read or that breaks a rule of histories; content that tells no format; a history
/// without events.
pub fn read_history(
    mut input: impl BufRead,
    format: Option<Format>,
    options: BuildOptions,
) -> Result<Loaded, LoadError> {
    let mut sample = Vec::new();
    let mut limited = input.by_ref().take(guess::SAMPLE_BYTES as u64);
    limited
        .read_to_end(&mut sample)
        .map_err(|source| ReadError::Io { line: 1, source })?;
    let text = sample.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&sample);
    let format = match format {
        Some(format) => format,
        None => Format::guess(text)?,
    };
    let mut builder = HistoryBuilder::new(options);
    let input = io::Cursor::new(text).chain(input);
    let scan::Read { truncated, lines } = scan::read_all(format, input, &mut builder)?;
    let history = builder.finish();
    if history.is_empty() {
        return Err(LoadError::NoEvents);
    }
    Ok(Loaded {
        history,
        format,
        truncated,
        lines,
    })
}

/// What some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_alias_means_one_format() {
        let mut seen = std::collections::BTreeSet::new();
        for format in Format::ALL {
            let info = format.info();
            for name in info.aliases.iter().chain([&info.name]) {
                assert_eq!(name.parse(), Ok(format));
                assert!(seen.insert(*name), "{name}");
            }
        }
        insta::assert_snapshot!(
            "csv".parse::<Format>().unwrap_err(),
            @"no format is called `csv`; the formats are jsonl, edn, jepsen-json, jepsen-log, parquet"
        );
    }
}
