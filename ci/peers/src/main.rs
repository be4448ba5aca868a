//! The linearizability checker beside its peers: `ci/linearizability.sh`.
//!
//! The same histories are judged by ours, by porcupine-rs and by todc-utils, each in a process of its own, so that the
//! memory told is its own. Times are CPU time of all threads of the check alone. A peer has five seconds and four
//! gigabytes; todc-utils knows no crashed operations. Peers are asked at concurrency 10 and about short histories, and
//! about each key on its own. Arguments are parts of the names of the rows to run; without one all are.

mod peers;
mod rows;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tribunal_checkers::{CheckRequest, Verdict, check_history};
use tribunal_histories::format::{jsonl, load, read_history};
use tribunal_histories::{BuildOptions, History};

use peers::{Peer, accesses_by_key};
use rows::{ROWS, Row};

/// How long a peer may take, and what it may hold.
const PATIENCE_S: u64 = 5;
const MEMORY_BYTES: u64 = 4_000_000_000;

/// CPU time of this process so far, in seconds.
fn cpu_s() -> f64 {
    seconds_by(ClockId::ProcessCPUTime)
}

fn seconds_by(clock: ClockId) -> f64 {
    let now = clock_gettime(clock);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(now.tv_sec.unsigned_abs(), nanoseconds).as_secs_f64()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = cpu_s();
    let result = work();
    (result, cpu_s() - began)
}

/// The least time of five.
fn least<T>(mut work: impl FnMut() -> T) -> (T, f64) {
    let (mut result, mut seconds) = timed(&mut work);
    for _ in 1..5 {
        let (again, taken) = timed(&mut work);
        (result, seconds) = (again, taken.min(seconds));
    }
    (result, seconds)
}

/// What a checker said of a history.
#[derive(Clone, Debug)]
struct Said {
    answer: String,
    /// CPU time, if it said something.
    seconds: Option<f64>,
    /// By the clock.
    clock_s: f64,
    method: String,
    peak_mb: u64,
}

impl Said {
    fn nothing(why: impl Into<String>) -> Self {
        Self {
            answer: why.into(),
            seconds: None,
            clock_s: 0.0,
            method: String::new(),
            peak_mb: 0,
        }
    }

    /// A line for the process that asked.
    fn line(&self) -> String {
        let seconds = self
            .seconds
            .map_or(String::new(), |seconds| seconds.to_string());
        format!(
            "{}\t{seconds}\t{}\t{}\t{}",
            self.answer, self.clock_s, self.method, self.peak_mb
        )
    }

    fn of_line(line: &str) -> Option<Self> {
        let cells: Vec<_> = line.trim_end().split('\t').collect();
        let [answer, seconds, clock_s, method, peak_mb] = cells[..] else {
            return None;
        };
        Some(Self {
            answer: answer.to_owned(),
            seconds: seconds.parse().ok(),
            clock_s: clock_s.parse().ok()?,
            method: method.to_owned(),
            peak_mb: peak_mb.parse().ok()?,
        })
    }
}

fn judge(history: &History, model: &str) -> Verdict {
    let verdict = check_history(history, &CheckRequest::new(model), &|| false);
    verdict.expect("the history is one of the model")
}

fn methods(verdict: &Verdict) -> String {
    let methods = verdict.methods.iter().map(|method| method.name.as_str());
    methods.collect::<Vec<_>>().join(", ")
}

/// The most memory that this process ever held, in MB, as the kernel tells.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// What ours says of a row.
fn ours(row: &Row) -> Said {
    let history = row.history();
    let began = seconds_by(ClockId::Monotonic);
    let (verdict, seconds) = timed(|| judge(&history, row.model));
    let clock_s = seconds_by(ClockId::Monotonic) - began;
    Said {
        answer: verdict.answer().name().to_owned(),
        seconds: Some(seconds),
        clock_s,
        method: methods(&verdict),
        peak_mb: peak_mb(),
    }
}

/// What a peer says of a row, within its limits.
fn peer(row: &Row, peer: Peer) -> Said {
    let Some(keys) = accesses_by_key(&row.history()) else {
        return Said::nothing("not asked: the peers have no such model here");
    };
    if !peer.can_judge(&keys) {
        return Said::nothing("knows no crashed operations");
    }
    let limit = |resource: Resource, most: u64| {
        let limit = Rlimit {
            current: Some(most),
            maximum: None,
        };
        setrlimit(resource, limit).expect("a limit can be lowered");
    };
    limit(Resource::Cpu, cpu_s().ceil() as u64 + PATIENCE_S);
    limit(Resource::As, MEMORY_BYTES);
    let (answer, seconds) = timed(|| peer.ask_all(&keys));
    Said {
        answer: answer.to_owned(),
        seconds: Some(seconds),
        clock_s: 0.0,
        method: String::new(),
        peak_mb: peak_mb(),
    }
}

/// Lets a process of its own answer.
fn apart(row: usize, who: &str) -> Said {
    let program = std::env::current_exe().expect("this program is a file");
    let output = Command::new(program)
        .args(["--row", &row.to_string(), who])
        .output();
    let output = output.expect("this program can be started again");
    let text = String::from_utf8_lossy(&output.stdout);
    Said::of_line(&text).unwrap_or_else(|| Said::nothing(ended(output.status)))
}

/// Why a process gave no answer.
fn ended(status: ExitStatus) -> String {
    let signal = status.signal().and_then(Signal::from_named_raw);
    match signal {
        Some(Signal::XCPU | Signal::KILL) => format!("no answer in {PATIENCE_S} s"),
        Some(Signal::ABORT) => format!("more than {} GB", MEMORY_BYTES / 1_000_000_000),
        _ => format!("ended with {status}"),
    }
}

fn show(name: &str, ours: &Said, others: &[(&str, Said)]) {
    let seconds = ours.seconds.unwrap_or_default();
    println!(
        "{name:<46} {:<8} {seconds:>9.4} s, {:.4} by the clock  {:<22} {:>6} MB",
        ours.answer, ours.clock_s, ours.method, ours.peak_mb
    );
    for (who, said) in others {
        match said.seconds {
            Some(taken) => println!(
                "{who:>46} {:<8} {taken:>9.4} s  {:<22} {:>6} MB",
                said.answer,
                format!("{:.1} times ours", taken / seconds.max(1e-9)),
                said.peak_mb
            ),
            None => println!("{who:>46} {}", said.answer),
        }
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [flag, row, who] = &arguments[..]
        && flag == "--row"
    {
        let row = &ROWS[row.parse::<usize>().expect("a number")];
        let said = match who.as_str() {
            "porcupine-rs" => peer(row, Peer::Porcupine),
            "todc-utils" => peer(row, Peer::Todc),
            _ => ours(row),
        };
        println!("{}", said.line());
        return;
    }
    let is_wanted =
        |name: &str| arguments.is_empty() || arguments.iter().any(|part| name.contains(part));
    if is_wanted("etcd logs") {
        etcd();
    }
    if is_wanted("json lines") {
        json_lines();
    }
    for (place, row) in ROWS.iter().enumerate() {
        let name = row.name();
        if !is_wanted(&name) {
            continue;
        }
        let mine = apart(place, "ours");
        let others = if row.is_for_peers() {
            vec!["porcupine-rs", "todc-utils"]
        } else {
            Vec::new()
        };
        let others: Vec<_> = others
            .into_iter()
            .map(|who| (who, apart(place, who)))
            .collect();
        show(&name, &mine, &others);
    }
}

/// From JSON Lines in memory to a verdict, by all threads.
fn json_lines() {
    for row in ROWS.iter().filter(|row| row.is_for_json_lines()) {
        let history = row.history();
        let mut writer = jsonl::Writer::new(Vec::new()).expect("memory can be written");
        for record in history.records() {
            writer.write(&record).expect("memory can be written");
        }
        let text = writer.finish().expect("memory can be written");
        drop(history);
        let read = || read_history(&*text, None, BuildOptions::default());
        let (loaded, reading) = timed(read);
        let loaded = loaded.expect("what was written can be read");
        let (verdict, judging) = timed(|| judge(&loaded.history, row.model));
        let operations = verdict.statistics.operations as f64;
        println!(
            "json lines to verdict, {:<31} {} {:.2} million operations a CPU second ({:.0} MB read in {reading:.3} s, judged in {judging:.3} s)",
            row.name(),
            verdict.answer().name(),
            operations / 1e6 / (reading + judging),
            text.len() as f64 / 1e6,
        );
    }
}

/// The logs that Porcupine's own benchmark reads, if they are at hand: the sum over all of the least of five times, with
/// the verdicts expected.
fn etcd() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/histories");
    let Ok(table) = fs::read_to_string(folder.join("EXPECTED.tsv")) else {
        println!("etcd logs: skipped, there is no {}", folder.display());
        return;
    };
    let rows = table
        .lines()
        .filter(|row| row.starts_with("porcupine-etcd/"));
    let logs: Vec<(PathBuf, &str)> = rows
        .filter_map(|row| {
            let cells: Vec<_> = row.split('\t').collect();
            Some((folder.join(cells.first()?), *cells.get(4)?))
        })
        .collect();
    let mut wrong = String::new();
    let mut sums = [0.0; 3];
    for (path, expected) in &logs {
        let loaded = load(path, None, BuildOptions::default()).expect("a log can be read");
        let history = &loaded.history;
        let (verdict, seconds) = least(|| judge(history, "cas-register"));
        let mut said = vec![("ours", verdict.answer().name(), seconds)];
        let keys = accesses_by_key(history).expect("a register with compare-and-set");
        for peer in [Peer::Porcupine, Peer::Todc] {
            if peer.can_judge(&keys) {
                let (answer, seconds) = least(|| peer.ask_all(&keys));
                said.push((peer.name(), answer, seconds));
            }
        }
        for (place, (who, answer, seconds)) in said.into_iter().enumerate() {
            sums[place] += seconds;
            if answer != *expected {
                let file = path.file_name().unwrap_or_default().display();
                let _ = write!(
                    wrong,
                    "\n  {who} says {answer} of {file}, which is {expected}"
                );
            }
        }
    }
    println!(
        "etcd logs: {} files, ours {:.5} s in all",
        logs.len(),
        sums[0]
    );
    println!(
        "  porcupine-rs {:.4} s, {:.1} times ours; todc-utils knows no crashed operations{}{wrong}",
        sums[1],
        sums[1] / sums[0].max(1e-9),
        if wrong.is_empty() {
            "; every verdict is right"
        } else {
            "; wrong:"
        },
    );
}
