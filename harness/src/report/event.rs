//! The stream of events: one JSON object a line, in a file of the run's directory and, if asked for, on standard
//! output.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use serde::Serialize;
use tribunal_histories::Digest;

use super::{Conclusion, Directory, Finding, terminal};
use crate::cli::exit::Failure;
use crate::judge::Operations;

/// The version of the stream; it counts up when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What happens in a sweep.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event<'a> {
    /// It begins.
    Started {
        /// [`SCHEMA`].
        schema: u32,
        /// The version of this tool.
        tool_version: &'static str,
        /// The command line.
        command: &'a [String],
    },
    /// A run is over.
    Run {
        /// Its seed.
        seed: u64,
        /// Its workload.
        workload: &'static str,
        /// `valid`, `unknown` or `invalid`.
        answer: &'static str,
        /// What is violated; empty if nothing is.
        violated: &'a str,
        /// A digest of every step.
        digest: Digest,
        /// Clients' operations by outcome.
        operations: Operations,
    },
    /// A run panicked.
    Panicked {
        /// Its seed.
        seed: u64,
        /// Its workload.
        workload: &'static str,
        /// With this message.
        message: &'a str,
    },
    /// Something is wrong.
    Failure {
        /// What.
        finding: &'a Finding,
        /// The same for people.
        text: String,
    },
    /// It is over.
    Finished {
        /// What it comes to.
        conclusion: &'a Conclusion,
        /// The exit code.
        exit_code: u8,
        /// The same for people.
        text: String,
    },
}

/// Writes events as they come.
#[derive(Debug)]
pub struct EventLog {
    out: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    to_stdout: bool,
}

impl EventLog {
    /// A log in a run's directory; `to_stdout` if standard output is to have the events too.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(directory: &Directory, to_stdout: bool) -> Result<Self, Failure> {
        let path = directory.path().join("events.jsonl");
        let part = directory.path().join("events.jsonl.part");
        let file = File::create(&part)
            .map_err(|error| Failure::io(format!("cannot write {}: {error}", part.display())))?;
        Ok(Self {
            out: BufWriter::new(file),
            part,
            path,
            to_stdout,
        })
    }

    /// Writes an event.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn emit(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        let line = serde_json::to_string(event)?;
        writeln!(self.out, "{line}").map_err(|error| self.failed(&error))?;
        if self.to_stdout {
            terminal::print(&line)?;
        }
        Ok(())
    }

    /// Gives the file its name: it is whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        let done = self
            .out
            .flush()
            .and_then(|()| fs::rename(&self.part, &self.path));
        done.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::io(format!("cannot write {}: {error}", self.part.display()))
    }
}
