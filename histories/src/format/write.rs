//! Writing histories in the formats that have a writer.

use std::io::{self, Write};

use super::{Format, NOT_BUILT, edn, jsonl};
use crate::event::EventRecord;

/// Writes a history event by event.
pub trait EventWriter {
    /// Writes the next event.
    ///
    /// # Errors
    /// Those of the writer below.
    fn write(&mut self, event: &EventRecord) -> io::Result<()>;

    /// Writes what is still to be written; without it a file may not be whole.
    ///
    /// # Errors
    /// Those of the writer below.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl<W: Write> EventWriter for jsonl::Writer<W> {
    fn write(&mut self, event: &EventRecord) -> io::Result<()> {
        self.write(event)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).finish().map(drop)
    }
}

impl<W: Write> EventWriter for edn::Writer<W> {
    fn write(&mut self, event: &EventRecord) -> io::Result<()> {
        self.write(event)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).finish().map(drop)
    }
}

/// Why a format cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CannotWrite {
    /// It is only read.
    #[error("{0} is read and not written; the formats that are written are {names}", names = written_names())]
    OnlyRead(Format),
    /// This build lacks it.
    #[error("this build does not write {0}: {NOT_BUILT}")]
    NotBuilt(Format),
    /// The writer below refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The names of the formats that are written.
fn written_names() -> String {
    let names = Format::ALL.into_iter().filter(|format| format.is_written());
    names.map(Format::name).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// Whether histories are written in it.
    pub fn is_written(self) -> bool {
        match self {
            Self::Jsonl | Self::Edn | Self::Parquet => true,
            Self::JepsenJson | Self::JepsenLog => false,
        }
    }

    /// The format that files with such a name usually have, of those that are written.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let usual = |format: &Self| format.info().extensions.contains(&extension);
        let mut written = Self::ALL.into_iter().filter(|format| format.is_written());
        written.find(usual)
    }

    /// A writer of histories in this format.
    ///
    /// # Errors
    /// When the format is only read, or not in this build, or a header cannot be written.
    pub fn writer<'a>(
        self,
        out: impl Write + Send + 'a,
    ) -> Result<Box<dyn EventWriter + 'a>, CannotWrite> {
        match self {
            Self::Jsonl => Ok(Box::new(jsonl::Writer::new(out)?)),
            Self::Edn => Ok(Box::new(edn::Writer::new(out))),
            #[cfg(feature = "columnar")]
            Self::Parquet => Ok(Box::new(super::parquet::Writer::new(out)?)),
            #[cfg(not(feature = "columnar"))]
            Self::Parquet => Err(CannotWrite::NotBuilt(self)),
            Self::JepsenJson | Self::JepsenLog => Err(CannotWrite::OnlyRead(self)),
        }
    }
}
