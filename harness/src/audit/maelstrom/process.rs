//! A node's process: lines go in, lines come out, what it writes to its standard error is kept.

#![expect(
    clippy::disallowed_methods,
    reason = "the patience that we have with a process that does not come to rest is real time"
)]

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, ioctl_fionread};
use rustix::process::{Pid, Signal, kill_process_group};

use super::rest::Rest;

/// How to start a node.
#[derive(Clone, Debug)]
pub(super) struct Start<'a> {
    /// The program and its arguments.
    pub(super) command: &'a [String],
    /// A number for programs that want to draw random ones: the same in every run of a seed.
    pub(super) seed: u64,
    /// A folder of the node's own, which outlives its process.
    pub(super) folder: &'a Path,
    /// Where its standard error goes, after what is there already.
    pub(super) stderr: &'a Path,
}

/// How long we wait, and how much we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A node that has unread input and does nothing, or that runs on one message, is given up after so long.
    pub node: Duration,
    /// The same while it starts.
    pub start: Duration,
}

impl Default for Patience {
    /// Eight tenths of a second, so that what is wrong is reported within a second; and ten seconds to start.
    fn default() -> Self {
        Self {
            node: Duration::from_millis(800),
            start: Duration::from_secs(10),
        }
    }
}

/// More lines than this in answer to one message are a flood.
pub(super) const LINES_MAX: usize = 10_000;

/// So often we let others run, before we sleep until the process writes, or for so long.
const YIELDS: u32 = 8;
const WAIT_NS: i64 = 100_000;

/// A longer line is not one.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;

/// Why a process is not at rest, and will not be.
#[derive(Debug)]
pub(super) enum Unrest {
    /// It has ended.
    Ended(ExitStatus),
    /// It writes and writes.
    Floods,
    /// It waits for something else than its input, of which so many bytes are unread.
    DoesNotRead { bytes: u64 },
    /// It has run for so long.
    Runs(Duration),
    /// Its last line has no end, and it waits for input.
    Unfinished(String),
}

/// A running node.
#[derive(Debug)]
pub(super) struct NodeProcess {
    child: Child,
    group: Pid,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// What the pipe had no room for.
    unsent: VecDeque<u8>,
    /// The beginning of a line.
    partial: Vec<u8>,
    rest: Rest,
}

/// Lines that a process wrote, and whether there will be no more.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) lines: Vec<Vec<u8>>,
    is_over: bool,
}

impl NodeProcess {
    /// Starts a node.
    ///
    /// # Errors
    /// The program cannot be started, or `/proc` does not show it.
    pub(super) fn start(start: &Start<'_>) -> io::Result<Self> {
        let no_program = || io::Error::new(io::ErrorKind::NotFound, "there is no command");
        let (program, arguments) = start.command.split_first().ok_or_else(no_program)?;
        std::fs::create_dir_all(start.folder)?;
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(start.stderr)?;
        let mut child = Command::new(program)
            .args(arguments)
            // Python's sets and dictionaries of text are in another order in each process otherwise.
            .env("PYTHONHASHSEED", "0")
            .env("TRIBUNAL_SEED", start.seed.to_string())
            .env("TRIBUNAL_NODE_DIR", start.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0)
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a child has the pipes that it was given"));
        };
        fcntl_setfl(&stdin, OFlags::NONBLOCK)?;
        fcntl_setfl(&stdout, OFlags::NONBLOCK)?;
        let process = child.id().cast_signed();
        let group =
            Pid::from_raw(process).ok_or_else(|| io::Error::other("no process has id 0"))?;
        Ok(Self {
            rest: Rest::of(process)?,
            child,
            group,
            stdin,
            stdout,
            unsent: VecDeque::new(),
            partial: Vec::new(),
        })
    }

    /// Gives the process a line; what does not fit into the pipe waits here.
    pub(super) fn write(&mut self, line: &str) {
        self.unsent.extend(line.as_bytes());
        self.flush();
    }

    /// Writes what waits, as far as there is room. A process that has closed its input is seen to end, or not to read.
    pub(super) fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match rustix::io::write(&self.stdin, self.unsent.as_slices().0) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    /// How much the process has not read yet, in bytes.
    pub(super) fn unread_bytes(&self) -> u64 {
        ioctl_fionread(&self.stdin).unwrap_or(0) + self.unsent.len() as u64
    }

    /// Takes what the process has written, as whole lines; at most about a mebibyte at a time.
    pub(super) fn read(&mut self, output: &mut Output) -> bool {
        let mut bytes = [0; 1 << 14];
        let mut taken = 0;
        while taken < 1 << 20 {
            match rustix::io::read(&self.stdout, &mut bytes) {
                Ok(0) => {
                    output.is_over = true;
                    break;
                }
                Ok(length) => {
                    taken += length;
                    let mut rest = &bytes[..length];
                    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                        self.partial.extend(&rest[..end]);
                        output.lines.push(std::mem::take(&mut self.partial));
                        rest = &rest[end + 1..];
                    }
                    self.partial.extend(rest);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    output.is_over = true;
                    break;
                }
            }
        }
        taken > 0
    }

    /// Waits until the process is at rest, and takes what it wrote until then.
    ///
    /// # Errors
    /// It is not coming to rest. What it wrote is taken all the same.
    pub(super) fn settle(&mut self, output: &mut Output, patience: Duration) -> Result<(), Unrest> {
        let mut watch = Watch::begin(self.rest.cpu_ms());
        for turn in 0_u32.. {
            self.flush();
            self.read(output);
            if output.is_over {
                return Err(self.how_it_ended());
            }
            if output.lines.len() > LINES_MAX || self.partial.len() > LINE_BYTES_MAX {
                return Err(Unrest::Floods);
            }
            let is_blocked = self.rest.is_blocked().unwrap_or(false);
            let will_read = self.rest.is_listening() || self.rest.timer().is_some();
            if is_blocked && will_read && self.unread_bytes() == 0 {
                // What it wrote before it blocked is in the pipe now.
                if !self.read(output) {
                    return self.has_ended_its_line();
                }
                continue;
            }
            if let Some(unrest) = watch.look(self, is_blocked, patience) {
                return Err(unrest);
            }
            // On our processor it runs when we do not; on a busy one, who sleeps is served before who yields.
            if turn < YIELDS {
                rustix::thread::sched_yield();
            } else {
                self.wait_for_output(WAIT_NS);
            }
        }
        Ok(())
    }

    fn has_ended_its_line(&self) -> Result<(), Unrest> {
        if self.partial.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.partial).into_owned();
        Err(Unrest::Unfinished(text))
    }

    /// Waits for the process to write something, or for so long.
    fn wait_for_output(&self, nanoseconds: i64) {
        let mut fds = [PollFd::new(&self.stdout, PollFlags::IN)];
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: nanoseconds,
        };
        // Whatever comes of it, we look again.
        let _ = poll(&mut fds, Some(&timeout));
    }

    /// The end from which the process's lines come.
    pub(super) fn stdout(&self) -> BorrowedFd<'_> {
        self.stdout.as_fd()
    }

    /// The end to which lines for the process go, if some are waiting.
    pub(super) fn waits_to_write(&self) -> Option<BorrowedFd<'_>> {
        (!self.unsent.is_empty()).then(|| self.stdin.as_fd())
    }

    /// Whether it is blocked, for all that `/proc` shows.
    pub(super) fn is_blocked(&mut self) -> bool {
        self.rest.is_blocked().unwrap_or(false)
    }

    /// A timeout that it was seen to wait for.
    pub(super) fn timer(&self) -> Option<&str> {
        self.rest.timer()
    }

    /// Its standard output is closed: it has ended, or will not be heard of again.
    pub(super) fn how_it_ended(&mut self) -> Unrest {
        let began = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Unrest::Ended(status),
                Ok(None) if began.elapsed() < Duration::from_millis(500) => {
                    std::thread::yield_now();
                }
                _ => {
                    self.signal(Signal::KILL);
                    let status = self.child.wait().unwrap_or_default();
                    return Unrest::Ended(status);
                }
            }
        }
    }

    /// Stops it in the middle of whatever it does.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        // A group that has ended needs no signal.
        let _ = kill_process_group(self.group, signal);
    }
}

impl Output {
    /// Whether the process has closed its standard output.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The patience with a process that does not come to rest.
struct Watch {
    began: Instant,
    /// Since when it is blocked though it has input to read.
    blocked: Option<Instant>,
    cpu_ms: u64,
}

impl Watch {
    fn begin(cpu_ms: u64) -> Self {
        Self {
            began: Instant::now(),
            blocked: None,
            cpu_ms,
        }
    }

    /// Why it is enough, if it is.
    fn look(
        &mut self,
        process: &NodeProcess,
        is_blocked: bool,
        patience: Duration,
    ) -> Option<Unrest> {
        if is_blocked {
            let since = self.blocked.get_or_insert_with(Instant::now);
            return (since.elapsed() > patience).then(|| Unrest::DoesNotRead {
                bytes: process.unread_bytes(),
            });
        }
        self.blocked = None;
        if self.began.elapsed() < patience {
            return None;
        }
        // On a busy machine it may not have had the time: what counts is what it used, but not for ever.
        let ran = Duration::from_millis(process.rest.cpu_ms().saturating_sub(self.cpu_ms));
        let is_enough = ran >= patience || self.began.elapsed() > 20 * patience;
        is_enough.then_some(Unrest::Runs(ran))
    }
}
