//! Programs of a subject: started with a mark and a file for what they write, run to their end in time, or killed.

#![expect(
    clippy::disallowed_methods,
    reason = "the patience that we have with programs of others is real time"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::owner::VARIABLE;

/// How to start a program.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// Whose it is; nothing for what is nobody's.
    pub(super) mark: Option<String>,
    /// Where it is started.
    pub(super) folder: std::path::PathBuf,
    /// Where what it writes goes, after what is there already.
    pub(super) log: std::path::PathBuf,
}

impl Start {
    /// The program, with nothing on its standard input, and what it writes in its log.
    ///
    /// # Errors
    /// The log cannot be opened, or there is no program.
    pub(super) fn command(&self) -> io::Result<Command> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no command");
        let (program, arguments) = self.command.split_first().ok_or_else(none)?;
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(&self.environment)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for us: we end them.
            .process_group(0);
        if let Some(mark) = &self.mark {
            command.env(VARIABLE, mark);
        }
        Ok(command)
    }

    /// What failed when it could not be started.
    pub(super) fn cannot(&self, error: &io::Error) -> String {
        let program = self.command.first().map_or("", String::as_str);
        format!("`{program}` cannot be started: {error}")
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It cannot be started, does not end in time, or does not end well.
    pub(super) fn run(&self, timeout: Duration) -> Result<(), String> {
        let spawned = self.command().and_then(|mut command| command.spawn());
        let mut child = spawned.map_err(|error| self.cannot(&error))?;
        let words = self.command.join(" ");
        match end_of(&mut child, timeout) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("`{words}` ended with {status}")),
            None => {
                kill(&mut child);
                Err(format!(
                    "`{words}` did not end within {} ms",
                    timeout.as_millis()
                ))
            }
        }
    }
}

/// How a process ended, if it does in time.
pub(super) fn end_of(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::sleep(pause.min(left));
        pause = (2 * pause).min(Duration::from_millis(20));
    }
}

/// Kills a process and its group, and waits until it is gone.
pub(super) fn kill(child: &mut Child) {
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // One that has ended needs no signal.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

/// The last lines of what a program wrote, indented.
pub(super) fn end_of_log(path: &Path) -> String {
    const LINES: usize = 8;
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4_000)..]);
    let lines: Vec<_> = text.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let safe = |line: &&str| {
        let visible = line.chars().filter(|letter| !letter.is_control());
        format!("    {}", visible.collect::<String>())
    };
    last.iter().map(safe).collect::<Vec<_>>().join("\n")
}
