//! The linearizability checker beside its peers: `ci/linearizability.sh`.
//!
//! The same histories are judged by ours, by porcupine-rs and by todc-utils, one after the other on one thread, in CPU
//! time. A peer is not asked where its memory grows with the square of the history beyond a few gigabytes, and is
//! given ten seconds; todc-utils, which knows no time limit and no crashed operations, is asked about short histories
//! only. Arguments are parts of the names of the rows to run; without one all are.

use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use todc_utils::{Action, WGLChecker, specifications::Specification};
use tribunal_checkers::{Answer, CheckRequest, check_history};
use tribunal_histories::format::load;
use tribunal_histories::{
    BuildOptions, History, Invalid, Outcome, Synthesis, SyntheticModel, Value,
};

/// How long a peer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest history that porcupine-rs is asked about: it holds a bit an operation for each operation.
const PORCUPINE_MAX: usize = 10_000;
/// The same for todc-utils.
const TODC_MAX: usize = 1_000;

/// A register with compare-and-set for the peers; absent is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Access {
    Read(Option<i64>),
    Write(i64),
    Cas(i64, i64),
}

impl Access {
    fn step(self, state: Option<i64>) -> (bool, Option<i64>) {
        match self {
            Self::Read(value) => (value == state, state),
            Self::Write(value) => (true, Some(value)),
            Self::Cas(from, to) if state == Some(from) => (true, Some(to)),
            Self::Cas(..) => (false, state),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct CasRegister;

impl porcupine_rs::Model for CasRegister {
    type State = Option<i64>;
    type Op = Access;
    type Metadata = ();

    fn init() -> Option<i64> {
        None
    }

    fn step(state: &Option<i64>, op: &Access) -> (bool, Option<i64>) {
        op.step(*state)
    }
}

impl Specification for CasRegister {
    type State = Option<i64>;
    type Operation = Access;

    fn init() -> Option<i64> {
        None
    }

    fn apply(op: &Access, state: &Option<i64>) -> (bool, Option<i64>) {
        op.step(*state)
    }
}

/// What the peers are given: accesses with their positions, crashed ones without an end. `None` for another object.
fn accesses(history: &History) -> Option<Vec<(Access, usize, Option<usize>)>> {
    let mut accesses = Vec::new();
    for operation in history.operations() {
        let input = history.value(operation.input);
        let output = history.value(operation.output);
        let access = match (history.function(operation.function), operation.outcome) {
            (_, Outcome::Fail) | ("read" | "get", Outcome::Info) => continue,
            ("read" | "get", Outcome::Ok) => Access::Read(output.as_int()),
            ("write" | "put", _) => Access::Write(input.as_int()?),
            ("cas", _) => match input.as_items()? {
                [Value::Int(from), Value::Int(to)] => Access::Cas(*from, *to),
                _ => continue,
            },
            _ => return None,
        };
        accesses.push((access, operation.invoked, operation.returned));
    }
    Some(accesses)
}

/// CPU time of this process so far, in seconds.
fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        now.tv_sec.unsigned_abs(),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
    .as_secs_f64()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = cpu_s();
    let result = work();
    (result, cpu_s() - began)
}

/// What a checker said, and after how many seconds.
type Said = (String, Option<f64>);

fn porcupine(history: &History) -> Said {
    let accesses = match accesses(history) {
        Some(accesses) if accesses.len() <= PORCUPINE_MAX => accesses,
        Some(accesses) => {
            let gigabytes = accesses.len() * accesses.len() / 8 / 1_000_000_000;
            return (format!("not asked: {gigabytes} GB"), None);
        }
        None => return ("not asked: no such model".to_owned(), None),
    };
    let position = |position: usize| i64::try_from(position).unwrap_or(i64::MAX);
    let operation =
        |(op, invoked, returned): (Access, usize, Option<usize>)| porcupine_rs::Operation::<
            CasRegister,
        > {
            client_id: None,
            call_time: position(invoked),
            return_time: returned.map_or(i64::MAX, position),
            op,
            metadata: None,
        };
    let operations: Vec<_> = accesses.into_iter().map(operation).collect();
    let (result, seconds) =
        timed(|| porcupine_rs::check_operations_timeout::<CasRegister>(&operations, PATIENCE));
    let answer = match result {
        porcupine_rs::CheckResult::Ok => "valid",
        porcupine_rs::CheckResult::Illegal => "invalid",
        porcupine_rs::CheckResult::Unknown => "unknown",
    };
    (answer.to_owned(), Some(seconds))
}

fn todc(history: &History) -> Said {
    let Some(accesses) = accesses(history) else {
        return ("not asked: no such model".to_owned(), None);
    };
    if accesses.len() > TODC_MAX || accesses.iter().any(|(_, _, returned)| returned.is_none()) {
        return ("not asked: long or crashed".to_owned(), None);
    }
    let mut actions = Vec::new();
    for (process, (access, invoked, returned)) in accesses.into_iter().enumerate() {
        actions.push((invoked, process, Action::Call(access)));
        actions.push((
            returned.unwrap_or(usize::MAX),
            process,
            Action::Response(access),
        ));
    }
    actions.sort_by_key(|(position, _, _)| *position);
    let actions = actions
        .into_iter()
        .map(|(_, process, action)| (process, action));
    let history = todc_utils::History::from_actions(actions.collect());
    let (valid, seconds) = timed(|| WGLChecker::<CasRegister>::is_linearizable(history));
    let answer = if valid { "valid" } else { "invalid" };
    (answer.to_owned(), Some(seconds))
}

fn ours(history: &History, model: &str) -> (Said, String) {
    let request = CheckRequest::new(model);
    let (verdict, seconds) = timed(|| check_history(history, &request, &|| false));
    let verdict = verdict.expect("the history is one of the model");
    let methods = verdict.methods.iter().map(|method| method.name.as_str());
    let methods: Vec<_> = methods.collect();
    (
        (verdict.answer().name().to_owned(), Some(seconds)),
        methods.join(", "),
    )
}

/// The most memory that this process ever held, in MB, as the kernel tells.
fn peak_mb() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.map_or("?".to_owned(), |kilobytes| (kilobytes / 1024).to_string())
}

fn row(name: &str, (answer, seconds): &Said, method: &str, peers: &[(&str, Said)]) {
    let ours = seconds.unwrap_or_default();
    println!(
        "{name:<44} {answer:<8} {ours:>9.4} s  {method:<24} peak {} MB",
        peak_mb()
    );
    for (peer, (answer, seconds)) in peers {
        match seconds {
            Some(seconds) => {
                let ratio = seconds / ours.max(1e-9);
                println!(
                    "{:>44} {answer:<8} {seconds:>9.4} s  {ratio:>10.1} times ours",
                    *peer
                );
            }
            None => println!("{:>44} {answer}", *peer),
        }
    }
}

/// A synthetic row: object, operations, concurrency, keys, unique values, crashed operations.
type Row = (&'static str, u64, u32, u32, bool, u64);

const ROWS: &[Row] = &[
    ("register", 10_000, 5, 1, true, 0),
    ("register", 1_000_000, 5, 1, true, 0),
    ("register", 1_000_000, 10, 1, true, 0),
    ("register", 1_000_000, 30, 1, true, 0),
    ("register", 1_000_000, 100, 1, true, 0),
    ("register", 10_000_000, 10, 1, true, 0),
    ("kv", 1_000_000, 10, 1000, true, 0),
    ("fifo-queue", 1_000_000, 5, 1, true, 0),
    ("fifo-queue", 1_000_000, 10, 1, true, 0),
    ("fifo-queue", 1_000_000, 30, 1, true, 0),
    ("fifo-queue", 1_000_000, 100, 1, true, 0),
    ("stack", 1_000_000, 10, 1, true, 0),
    ("priority-queue", 1_000_000, 10, 1, true, 0),
    ("cas-register", 1_000, 5, 1, false, 0),
    ("cas-register", 10_000, 10, 1, false, 0),
    ("cas-register", 1_000_000, 5, 1, false, 0),
    ("cas-register", 1_000_000, 10, 1, false, 0),
    ("cas-register", 10_000, 30, 1, false, 0),
    ("cas-register", 1_000, 5, 1, false, 10),
    ("cas-register", 1_000, 5, 1, false, 20),
    ("cas-register", 100_000, 10, 1, false, 1_000),
];

fn main() {
    let parts: Vec<_> = std::env::args()
        .skip(1)
        .filter(|part| !part.starts_with("--"))
        .collect();
    let is_wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part));
    etcd(is_wanted);
    for (model, operations, concurrency, keys, unique, crashed) in ROWS {
        for invalid in [None, Some(Invalid::Late)] {
            let values = if *unique { "unique" } else { "five values" };
            let wrong = if invalid.is_some() { " late-bad" } else { "" };
            let name =
                format!("{model} {operations} c{concurrency} k{keys} {values} x{crashed}{wrong}");
            if !is_wanted(&name) {
                continue;
            }
            let synthesis = Synthesis {
                concurrency: *concurrency,
                keys: *keys,
                unique: *unique,
                crashed: *crashed,
                invalid,
                seed: 1,
                ..Synthesis::new(SyntheticModel::named(model).expect("a model"), *operations)
            };
            let history = synthesis.history();
            let (said, method) = ours(&history, model);
            // The peers know one object at a time.
            let peers = if *keys > 1 {
                Vec::new()
            } else {
                vec![
                    ("porcupine-rs", porcupine(&history)),
                    ("todc-utils", todc(&history)),
                ]
            };
            row(&name, &said, &method, &peers);
        }
    }
}

/// The logs that Porcupine's own benchmark reads, if they are at hand: the sum over all.
fn etcd(is_wanted: impl Fn(&str) -> bool) {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/histories/porcupine-etcd");
    if !is_wanted("etcd") {
        return;
    }
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("etcd: skipped, there is no {}", folder.display());
        return;
    };
    let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    let mut sums = [0.0; 3];
    let mut counts = [[0_usize; 3]; 3];
    for path in &paths {
        let Ok(loaded) = load(path, None, BuildOptions::default()) else {
            continue;
        };
        let history = &loaded.history;
        let (ours, _) = ours(history, "cas-register");
        for (index, (answer, seconds)) in
            [ours, porcupine(history), todc(history)].iter().enumerate()
        {
            sums[index] += seconds.unwrap_or_default();
            let names = [Answer::Valid, Answer::Invalid].map(Answer::name);
            let place = names.iter().position(|name| name == answer).unwrap_or(2);
            counts[index][place] += 1;
        }
    }
    for (index, name) in ["tribunal", "porcupine-rs", "todc-utils"]
        .iter()
        .enumerate()
    {
        let [valid, invalid, other] = counts[index];
        println!(
            "etcd logs, {name:<14} {valid} valid, {invalid} invalid, {other} not decided {:>9.4} s  {:>8.1} times ours",
            sums[index],
            sums[index] / sums[0].max(1e-9)
        );
    }
}
