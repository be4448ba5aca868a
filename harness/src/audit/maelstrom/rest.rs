//! Whether a program has come to rest: it has read what it was given, and waits for more.
//!
//! The protocol has no word by which a program says so, so Linux is asked. `/proc/PID/task/*/syscall` names the
//! system call in which a thread is blocked. A program is at rest if all threads of all its processes are blocked in
//! calls that wait (for input, for another thread, for a child), and its input has been read. That is certain, not
//! likely:
//!
//! - Whoever is written to is woken before `write` returns. A thread that is seen blocked after we wrote has seen it.
//! - Threads are looked at one after the other, and one may wake another meanwhile. So several are looked at twice:
//!   if each was in the same call with the same count of context switches both times, none of them ran in between,
//!   and at the moment between the two looks all of them were blocked.
//!
//! What may still wake a program at rest comes from outside: a message, which we send; the network or the disk, which a
//! node program is not to wait for; or a timer. A thread that waits with a timeout that ends soon is noted
//! ([`Rest::timer`]), for virtual time does not wait for it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use rustix::time::{ClockId, clock_gettime};

/// A timeout that ends within so many milliseconds is one that the program lives by. Runtimes have longer ones of
/// their own: Go wakes once a minute to see whether it is time to collect garbage.
const SOON_MS: i64 = 30_000;

/// A process and its children, as `/proc` shows them.
#[derive(Debug)]
pub(super) struct Rest {
    root: Watched,
    timer: Option<String>,
    /// Whether, at the last look, some thread waited for input.
    is_listening: bool,
}

/// A process.
#[derive(Debug)]
struct Watched {
    process: i32,
    tasks: File,
    threads: Vec<Thread>,
    children: BTreeMap<i32, Self>,
}

#[derive(Debug)]
struct Thread {
    syscall: File,
    schedule: File,
    children: Option<File>,
}

/// What a look at all threads showed: each in which call, and how often it ran.
type Look = Vec<(String, u64)>;

impl Rest {
    /// A process to look at.
    ///
    /// # Errors
    /// `/proc` does not show it.
    pub(super) fn of(process: i32) -> io::Result<Self> {
        Ok(Self {
            root: Watched::of(process)?,
            timer: None,
            is_listening: false,
        })
    }

    /// Whether no thread runs, or will without being woken from outside. Whether the input was read is for the caller
    /// to ask.
    ///
    /// # Errors
    /// `/proc` does not show the process any more: it is ending.
    pub(super) fn is_blocked(&mut self) -> io::Result<bool> {
        let is_blocked = self.is_seen_blocked();
        if is_blocked.is_err() {
            // A thread or a child is gone: who is there now is asked next time.
            self.root.threads.clear();
            self.root.children.clear();
        }
        is_blocked
    }

    fn is_seen_blocked(&mut self) -> io::Result<bool> {
        let Some(first) = self.look()? else {
            return Ok(false);
        };
        if first.len() == 1 {
            return Ok(true);
        }
        Ok(self.look()?.is_some_and(|second| second == first))
    }

    /// Whether some thread waited for input when the program was last seen blocked. Where none does, nobody reads what
    /// comes next.
    pub(super) fn is_listening(&self) -> bool {
        self.is_listening
    }

    /// A timeout that some thread was seen to wait for: the program uses timers.
    pub(super) fn timer(&self) -> Option<&str> {
        self.timer.as_deref()
    }

    fn look(&mut self) -> io::Result<Option<Look>> {
        let mut look = Look::new();
        let is_blocked = self.root.look(&mut look, &mut self.timer)?;
        let calls = look.iter().filter_map(|(call, _)| Waiting::parse(call));
        self.is_listening = calls.into_iter().any(|waiting| waiting.call.is_for_input());
        Ok(is_blocked.then_some(look))
    }

    /// The processor time that the process has used, in milliseconds; of its children only those that ended.
    pub(super) fn cpu_ms(&self) -> u64 {
        // `utime` and `stime`, the 14th and 15th field; the second, in parentheses, may have spaces in it.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.root.process));
        let stat = stat.unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(4)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        ticks.saturating_mul(1_000) / rustix::param::clock_ticks_per_second()
    }
}

impl Watched {
    fn of(process: i32) -> io::Result<Self> {
        Ok(Self {
            process,
            tasks: File::open(format!("/proc/{process}/task"))?,
            threads: Vec::new(),
            children: BTreeMap::new(),
        })
    }

    /// Adds what each thread is in; false if one runs.
    fn look(&mut self, look: &mut Look, timer: &mut Option<String>) -> io::Result<bool> {
        // The folder of threads has a link for each, and two of its own.
        let threads = self.tasks.metadata()?.nlink().saturating_sub(2);
        if threads != self.threads.len() as u64 {
            self.threads = self.threads_now()?;
        }
        for thread in &self.threads {
            let call = read(&thread.syscall)?;
            let Some(waiting) = Waiting::parse(&call) else {
                return Ok(false);
            };
            if timer.is_none() {
                *timer = waiting.timer(self.process);
            }
            let schedule = read(&thread.schedule)?;
            let ran = schedule.split_whitespace().nth(2);
            look.push((call, ran.and_then(|count| count.parse().ok()).unwrap_or(0)));
        }
        let mut children = Vec::new();
        for file in self
            .threads
            .iter()
            .filter_map(|thread| thread.children.as_ref())
        {
            let text = read(file)?;
            children.extend(
                text.split_whitespace()
                    .filter_map(|id| id.parse::<i32>().ok()),
            );
        }
        self.children.retain(|id, _| children.contains(id));
        for id in children {
            if is_zombie(id) {
                continue;
            }
            let child = match self.children.remove(&id) {
                Some(child) => child,
                None => Self::of(id)?,
            };
            if !self.children.entry(id).or_insert(child).look(look, timer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn threads_now(&self) -> io::Result<Vec<Thread>> {
        let folder = format!("/proc/{}/task", self.process);
        let mut threads = Vec::new();
        for entry in fs::read_dir(folder)? {
            let thread = entry?.path();
            threads.push(Thread {
                syscall: File::open(thread.join("syscall"))?,
                schedule: File::open(thread.join("schedstat"))?,
                // A kernel may be without this file; then children are not looked at.
                children: File::open(thread.join("children")).ok(),
            });
        }
        Ok(threads)
    }
}

/// Whether a process has ended, and its parent has yet to ask how.
fn is_zombie(process: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| {
        let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        state.starts_with('Z')
    })
}

/// A small file of `/proc`, read from its beginning.
fn read(file: &File) -> io::Result<String> {
    let mut bytes = [0; 256];
    let length = file.read_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
}

/// A system call in which a thread waits.
#[derive(Debug)]
struct Waiting {
    call: &'static Call,
    arguments: [u64; 6],
}

/// A system call that waits for something from outside.
#[derive(Debug)]
struct Call {
    name: &'static str,
    number: i64,
    timeout: Timeout,
}

/// Where a call's timeout is.
#[derive(Clone, Copy, Debug)]
enum Timeout {
    /// It has none.
    Never,
    /// This argument is a number of milliseconds, or negative.
    Milliseconds(usize),
    /// This argument points to seconds and a fraction, or is null.
    Pointer(usize),
    /// As `clock_nanosleep` has it: the clock, a flag for absolute time, the time.
    Clock,
    /// As `futex` has it: relative for a plain wait, else absolute.
    Futex,
}

impl Call {
    /// Whether it ends when input comes: all that wait on descriptors.
    fn is_for_input(&self) -> bool {
        [
            "read", "recv", "poll", "select", "pselect", "io_uring", "accept",
        ]
        .iter()
        .any(|kind| self.name.contains(kind))
    }
}

const fn call(name: &'static str, number: i64, timeout: Timeout) -> Call {
    Call {
        name,
        number,
        timeout,
    }
}

#[cfg(target_arch = "x86_64")]
const CALLS: &[Call] = &[
    call("read", 0, Timeout::Never),
    call("poll", 7, Timeout::Milliseconds(2)),
    call("readv", 19, Timeout::Never),
    call("select", 23, Timeout::Pointer(4)),
    call("pause", 34, Timeout::Never),
    call("nanosleep", 35, Timeout::Pointer(0)),
    call("accept", 43, Timeout::Never),
    call("recvfrom", 45, Timeout::Never),
    call("recvmsg", 47, Timeout::Never),
    call("wait4", 61, Timeout::Never),
    call("rt_sigtimedwait", 128, Timeout::Pointer(2)),
    call("rt_sigsuspend", 130, Timeout::Never),
    call("futex", 202, Timeout::Futex),
    call("clock_nanosleep", 230, Timeout::Clock),
    call("epoll_wait", 232, Timeout::Milliseconds(3)),
    call("waitid", 247, Timeout::Never),
    call("pselect6", 270, Timeout::Pointer(4)),
    call("ppoll", 271, Timeout::Pointer(2)),
    call("epoll_pwait", 281, Timeout::Milliseconds(3)),
    call("accept4", 288, Timeout::Never),
    call("io_uring_enter", 426, Timeout::Never),
    call("epoll_pwait2", 441, Timeout::Pointer(3)),
    call("futex_waitv", 449, Timeout::Never),
];

#[cfg(target_arch = "aarch64")]
const CALLS: &[Call] = &[
    call("epoll_pwait", 22, Timeout::Milliseconds(3)),
    call("read", 63, Timeout::Never),
    call("readv", 65, Timeout::Never),
    call("pselect6", 72, Timeout::Pointer(4)),
    call("ppoll", 73, Timeout::Pointer(2)),
    call("waitid", 95, Timeout::Never),
    call("futex", 98, Timeout::Futex),
    call("nanosleep", 101, Timeout::Pointer(0)),
    call("clock_nanosleep", 115, Timeout::Clock),
    call("rt_sigsuspend", 133, Timeout::Never),
    call("rt_sigtimedwait", 137, Timeout::Pointer(2)),
    call("accept", 202, Timeout::Never),
    call("recvfrom", 207, Timeout::Never),
    call("recvmsg", 212, Timeout::Never),
    call("accept4", 242, Timeout::Never),
    call("wait4", 260, Timeout::Never),
    call("io_uring_enter", 426, Timeout::Never),
    call("epoll_pwait2", 441, Timeout::Pointer(3)),
    call("futex_waitv", 449, Timeout::Never),
];

/// Of other processors the numbers are not known here: nothing is ever seen to be at rest, and virtual time says so.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const CALLS: &[Call] = &[];

impl Waiting {
    /// Reads a line of `syscall`: the number, six arguments, the stack and the place in the program; `running` where the
    /// thread runs.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let number: i64 = words.next()?.parse().ok()?;
        let call = CALLS.iter().find(|call| call.number == number)?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            let digits = words.next()?.trim_start_matches("0x");
            *argument = u64::from_str_radix(digits, 16).ok()?;
        }
        Some(Self { call, arguments })
    }

    /// The timeout in words, if there is one that ends soon.
    fn timer(&self, process: i32) -> Option<String> {
        let left_ms = self.left_ms(process)?;
        (0..SOON_MS)
            .contains(&left_ms)
            .then(|| format!("{} that ends in {left_ms} ms", self.call.name))
    }

    fn left_ms(&self, process: i32) -> Option<i64> {
        const RELATIVE_WAIT: u64 = 0;
        const REALTIME: u64 = 256;
        let until = |place: usize, clock: ClockId| {
            Some(time_ms(process, self.arguments[place])? - now_ms(clock))
        };
        let clock = |is_real: bool| match is_real {
            true => ClockId::Realtime,
            false => ClockId::Monotonic,
        };
        match self.call.timeout {
            Timeout::Never => None,
            Timeout::Milliseconds(place) => {
                // The register has 64 bits, the argument 32, with a sign.
                let [a, b, c, d, ..] = self.arguments[place].to_le_bytes();
                Some(i64::from(i32::from_le_bytes([a, b, c, d])))
            }
            Timeout::Pointer(place) => time_ms(process, self.arguments[place]),
            Timeout::Clock if self.arguments[1] & 1 == 0 => time_ms(process, self.arguments[2]),
            Timeout::Clock => until(2, clock(self.arguments[0] == 0)),
            Timeout::Futex if self.arguments[1] & 127 == RELATIVE_WAIT => {
                time_ms(process, self.arguments[3])
            }
            Timeout::Futex => until(3, clock(self.arguments[1] & REALTIME != 0)),
        }
    }
}

/// Seconds and a fraction in a process's memory, in milliseconds. The fraction is left out: it makes no difference to
/// what is soon, and counts micro- or nanoseconds.
fn time_ms(process: i32, address: u64) -> Option<i64> {
    if address == 0 {
        return None;
    }
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let mut bytes = [0; 8];
    memory.read_exact_at(&mut bytes, address).ok()?;
    i64::from_le_bytes(bytes).checked_mul(1_000)
}

fn now_ms(clock: ClockId) -> i64 {
    clock_gettime(clock).tv_sec.saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// Looks at a program until it is blocked, and says what timer it was seen to have.
    fn settled(program: &str, arguments: &[&str]) -> Option<String> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut rest = Rest::of(child.id().cast_signed()).unwrap();
        while !rest.is_blocked().unwrap() {
            std::thread::yield_now();
        }
        let timer = rest.timer().map(str::to_owned);
        child.kill().unwrap();
        child.wait().unwrap();
        timer
    }

    #[test]
    fn a_program_that_reads_is_at_rest_and_one_that_sleeps_has_a_timer() {
        assert_eq!(settled("cat", &[]), None);
        let timer = settled("sleep", &["5"]).unwrap();
        assert!(timer.contains("nanosleep that ends in"), "{timer}");
        assert_eq!(settled("sleep", &["600"]), None);
    }

    #[test]
    fn a_child_that_runs_keeps_its_parent_from_rest() {
        let mut child = Command::new("sh")
            .args(["-c", "while :; do :; done & wait"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut rest = Rest::of(child.id().cast_signed()).unwrap();
        // The shell begins, forks and waits; from then on its child runs.
        while rest.root.children.is_empty() {
            let _ = rest.is_blocked().unwrap();
        }
        assert!((0..200).all(|_| !rest.is_blocked().unwrap()));
        let running = *rest.root.children.keys().next().unwrap();
        let _ = Command::new("kill")
            .args(["-9", &running.to_string()])
            .status();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
