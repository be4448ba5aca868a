//! Where histories are written to: a file, whole or not there, or standard output; in the format that its name tells.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tribunal_histories::format::CannotWrite;
use tribunal_histories::{EventWriter, Format};

use super::exit::Failure;
use crate::report::write_whole;

/// How much is written at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// A place for a history.
#[derive(Debug)]
pub(crate) struct Output {
    /// Without one it is standard output.
    path: Option<PathBuf>,
    format: Format,
}

impl Output {
    /// A file, or standard output for `-`; in this format, or in that of its name, which is JSON Lines unless the name
    /// says otherwise.
    pub(crate) fn new(path: &Path, format: Option<Format>) -> Self {
        let path = (path.as_os_str() != "-").then(|| path.to_owned());
        let extension = path.as_ref().and_then(|path| path.extension()?.to_str());
        let told = extension.and_then(Format::of_extension);
        let format = format.or(told).unwrap_or(Format::Jsonl);
        Self { path, format }
    }

    /// The file; `None` for standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Hands a writer to `write`, and finishes what it wrote.
    ///
    /// # Errors
    /// When the format or the place cannot be written.
    pub(crate) fn write(
        &self,
        write: impl FnOnce(&mut dyn EventWriter) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut refused = None;
        let whole = |out: &mut (dyn Write + Send)| {
            let out = BufWriter::with_capacity(BUFFER_BYTES, out);
            match self.format.writer(out) {
                Ok(mut writer) => {
                    write(&mut *writer)?;
                    writer.finish()
                }
                Err(CannotWrite::Io(error)) => Err(error),
                Err(other) => {
                    refused = Some(Failure::usage(&other));
                    Err(io::Error::other(other))
                }
            }
        };
        let ended: anyhow::Result<()> = match &self.path {
            None => whole(&mut io::stdout()).map_err(Into::into),
            Some(path) => write_whole(path, |out| whole(out)).map_err(Into::into),
        };
        match refused {
            Some(refused) => Err(refused.into()),
            None => ended,
        }
    }
}
