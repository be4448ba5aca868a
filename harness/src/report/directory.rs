//! The directory of a run: files that are whole or absent, and a link to the latest.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::Failure;

/// The directory of a run.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

/// Writes a file under a temporary name and renames it: whoever opens it finds all of it.
///
/// # Errors
/// When it cannot be written, with exit code 74.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()?;
        fs::rename(&part, path)
    });
    written.map_err(|error| Failure::io(format!("cannot write {}: {error}", path.display())))
}

impl Directory {
    /// Makes a directory for a run of that name, begun now, below `out`, and lets `latest` point to it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(out: &Path, name: &str) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::io(format!(
                "cannot make a directory in {}: {error}",
                out.display()
            ))
        };
        fs::create_dir_all(out).map_err(failed)?;
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S");
        let mut path = out.join(format!("{time}-{name}"));
        let mut count = 1;
        while let Err(error) = fs::create_dir(&path) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(failed(error));
            }
            count += 1;
            path = out.join(format!("{time}-{name}-{count}"));
        }
        let directory = Self { path };
        directory.link_latest(out);
        Ok(directory)
    }

    /// A link that cannot be made (a file system without them) is not missed: the path is printed.
    #[cfg(unix)]
    fn link_latest(&self, out: &Path) {
        let (link, fresh) = (
            out.join("latest"),
            out.join(format!("latest.{}", std::process::id())),
        );
        let target = self.path.file_name().unwrap_or_default();
        if std::os::unix::fs::symlink(target, &fresh).is_ok() && fs::rename(&fresh, &link).is_err()
        {
            let _ = fs::remove_file(&fresh);
        }
    }

    #[cfg(not(unix))]
    fn link_latest(&self, _out: &Path) {}

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory inside it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn inside(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        fs::create_dir_all(&path)
            .map_err(|error| Failure::io(format!("cannot make {}: {error}", path.display())))?;
        Ok(path)
    }

    /// Writes a file of JSON for people to read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, name: &str, value: &impl serde::Serialize) -> Result<(), Failure> {
        write_whole(&self.path.join(name), |out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    /// Writes a file of text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<(), Failure> {
        write_whole(&self.path.join(name), |out| out.write_all(text.as_bytes()))
    }
}
