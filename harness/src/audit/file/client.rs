//! A client's process: it is told an operation in a line, and answers in a line how it ended.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::Sender;

use super::owner::Processes;
use super::program::{Start, kill};

/// A longer line is not one.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// What a client says.
#[derive(Debug)]
pub(super) enum Said {
    /// A line.
    Line(String),
    /// It has closed its standard output: it has ended, or will not be heard of again.
    End,
}

/// What was said, on which thread, by which of its processes.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) thread: usize,
    pub(super) number: u64,
    pub(super) said: Said,
}

/// A running client. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct ClientProcess {
    child: Child,
    stdin: ChildStdin,
    processes: Processes,
    /// Its number among all clients of the run.
    pub(super) number: u64,
    /// Where its standard error goes.
    pub(super) log: PathBuf,
    /// Whether it has ever answered.
    pub(super) has_answered: bool,
}

impl ClientProcess {
    /// Starts a client on a thread; what it says is heard from then on.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(
        start: &Start,
        thread: usize,
        number: u64,
        processes: &Processes,
        owner: super::owner::Owner,
        hear: Sender<Heard>,
    ) -> io::Result<Self> {
        let mut child = start
            .command()?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        processes.began(child.id(), owner);
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a child has the pipes that it was given"));
        };
        std::thread::Builder::new()
            .name("client".to_owned())
            .spawn(move || listen(stdout, thread, number, &hear))?;
        Ok(Self {
            child,
            stdin,
            processes: processes.clone(),
            number,
            log: start.log.clone(),
            has_answered: false,
        })
    }

    /// Gives it a line. One that has ended is heard to have.
    pub(super) fn tell(&mut self, line: &str) {
        let _ = self.stdin.write_all(line.as_bytes());
    }

    /// How it ended, if it has closed its standard output.
    pub(super) fn how_it_ended(&mut self) -> String {
        let ended = super::program::end_of(&mut self.child, std::time::Duration::from_millis(200));
        ended.map_or_else(
            || "its standard output is closed".to_owned(),
            |status| status.to_string(),
        )
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        kill(&mut self.child);
        self.processes.ended(self.child.id());
    }
}

/// Hears what a client says until it says no more, or nobody listens.
fn listen(stdout: ChildStdout, thread: usize, number: u64, hear: &Sender<Heard>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let mut bytes = Vec::new();
        let read = (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut bytes);
        let said = match read {
            Ok(length) if length > 0 => Said::Line(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Said::End,
        };
        let is_over = matches!(said, Said::End);
        let heard = Heard {
            thread,
            number,
            said,
        };
        if hear.send(heard).is_err() || is_over {
            return;
        }
    }
}
