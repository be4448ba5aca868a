//! `tribunal bugs`: hunts the planted bugs, and prints the mutation score: what was missed comes first.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use tribunal_protocols::bugs::{Bug, FoundBy};
use tribunal_protocols::registry::{PROTOCOLS, Protocol};

use super::exit::{Exit, Failure};
use super::{OnOff, interrupt, show};
use crate::hunt::{Attempt, WAYS, hunt};
use crate::report::{Progress, terminal};

/// Hunt the planted bugs, each in the ways it is expected to be found: the mutation score
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal bugs                         every planted bug of every protocol
  tribunal bugs raft zab                those of two protocols
  tribunal bugs RF4 RD1                 two bugs
  tribunal bugs --by exploration        only by exhaustive search, each with its own bounds
  tribunal bugs --by scenario           only by the scenarios that show them
  tribunal bugs --message-format json   one line for each bug

A bug counts as found when a run violates what the registry says that it breaks (`tribunal list bugs`), within the
budget that is printed beside it. The exit code is 0 if every bug was found, 1 if one was missed.")]
pub struct Args {
    /// Protocols, or bugs by id or name; all, if none is given
    #[arg(value_name = "PROTOCOL|BUG")]
    which: Vec<String>,

    /// Only in these ways, with commas: simulation, exploration, history, liveness, …
    #[arg(
        long,
        visible_alias = "by",
        value_name = "METHODS",
        value_delimiter = ','
    )]
    method: Vec<String>,

    /// Whether to make the failing traces smaller, to tell how many steps a bug needs
    #[arg(long, value_name = "WHETHER", default_value = "off")]
    shrink: OnOff,

    /// So many hunts at a time [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Text for people, or one line of JSON for each bug
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    message_format: super::list::MessageFormat,

    /// Only the score, and no progress
    #[arg(short, long)]
    quiet: bool,
}

/// A bug, and what came of hunting it; `None` where the hunt was cut short.
struct Hunted {
    protocol: &'static Protocol,
    bug: &'static Bug,
    attempts: Vec<Attempt>,
}

impl Hunted {
    fn is_found(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.found.is_some())
    }
}

/// Hunts.
///
/// # Errors
/// A name that names nothing; standard output that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let chosen = chosen(&args.which)?;
    let ways = ways(&args.method)?;
    let interrupted = interrupt::listen()?;
    let hunted = hunt_all(args, &chosen, &ways, &interrupted)?;
    let stopped = interrupted.load(Ordering::Relaxed);
    if hunted.is_empty() {
        terminal::print("no bug is expected to be found in these ways")?;
        return Ok(if stopped {
            Exit::Interrupted
        } else {
            Exit::NothingRan
        });
    }
    match args.message_format {
        super::list::MessageFormat::Json => {
            for one in &hunted {
                terminal::print(&json_of(one).to_string())?;
            }
        }
        super::list::MessageFormat::Human => show(&text_of(args, &hunted, chosen.len()))?,
    }
    Ok(if stopped {
        Exit::Interrupted
    } else if hunted.iter().all(Hunted::is_found) {
        Exit::Valid
    } else {
        Exit::Invalid
    })
}

type Planted = (&'static Protocol, &'static Bug);

/// The bugs that these names name.
fn chosen(which: &[String]) -> Result<Vec<Planted>, Failure> {
    let of = |protocol: &'static Protocol| protocol.bugs.iter().map(move |bug| (protocol, bug));
    let all: Vec<Planted> = PROTOCOLS.iter().flat_map(of).collect();
    if which.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for name in which {
        let named = |(protocol, bug): &&Planted| {
            protocol.name == name || bug.id.eq_ignore_ascii_case(name) || bug.name == name
        };
        let before = chosen.len();
        chosen.extend(all.iter().filter(named).copied());
        if chosen.len() == before {
            return Err(Failure::usage(format!(
                "`{name}` is neither a protocol nor a planted bug; see `tribunal list protocols` and `tribunal list bugs`"
            )));
        }
    }
    Ok(chosen)
}

fn ways(methods: &[String]) -> Result<Vec<FoundBy>, Failure> {
    if methods.is_empty() {
        return Ok(WAYS.to_vec());
    }
    let way = |name: &String| {
        WAYS.iter()
            .copied()
            .find(|way| way.name() == name.trim())
            .ok_or_else(|| {
                let names: Vec<_> = WAYS.iter().map(|way| way.name()).collect();
                Failure::usage(format!(
                    "`{name}` is no method; there are: {}",
                    names.join(", ")
                ))
            })
    };
    methods.iter().map(way).collect()
}

/// Hunts on several threads; the results are in the order of the bugs.
fn hunt_all(
    args: &Args,
    chosen: &[Planted],
    ways: &[FoundBy],
    interrupted: &AtomicBool,
) -> Result<Vec<Hunted>, Failure> {
    let stop = || interrupted.load(Ordering::Relaxed);
    let jobs = args.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let next = AtomicUsize::new(0);
    let quiet = args.quiet || args.message_format == super::list::MessageFormat::Json;
    let progress = Mutex::new(Progress::towards(chosen.len() as u64, quiet));
    let results = Mutex::new(BTreeMap::new());
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while !stop() {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((protocol, bug)) = chosen.get(place).copied() else {
                        break;
                    };
                    match attempts(args, protocol, bug, ways, &stop) {
                        Ok(attempts) if !attempts.is_empty() && !stop() => {
                            let hunted = Hunted {
                                protocol,
                                bug,
                                attempts,
                            };
                            let mut results = lock(&results);
                            results.insert(place, hunted);
                            let missed = results.values().filter(|one| !one.is_found()).count();
                            lock(&progress).at(place as u64 + 1, missed as u64);
                        }
                        Ok(_) => {}
                        Err(why) => *lock(&failure) = Some(why),
                    }
                }
            });
        }
    });
    lock(&progress).finish();
    if let Some(failure) = lock(&failure).take() {
        return Err(failure);
    }
    let results = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(results.into_values().collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn attempts(
    args: &Args,
    protocol: &'static Protocol,
    bug: &'static Bug,
    ways: &[FoundBy],
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Attempt>, Failure> {
    let shrink = args.shrink == OnOff::On;
    let tried = ways
        .iter()
        .map(|way| hunt(protocol, bug, *way, shrink, stop));
    let tried: Result<Vec<_>, _> = tried.collect();
    Ok(tried
        .map_err(Failure::usage)?
        .into_iter()
        .flatten()
        .collect())
}

fn json_of(hunted: &Hunted) -> serde_json::Value {
    json!({
        "protocol": hunted.protocol.name,
        "bug": hunted.bug.id,
        "name": hunted.bug.name,
        "found": hunted.is_found(),
        "attempts": hunted.attempts,
    })
}

/// The score: what was missed, how each bug was found, and the sums.
fn text_of(args: &Args, hunted: &[Hunted], planted: usize) -> String {
    let (found, missed): (Vec<_>, Vec<_>) = hunted.iter().partition(|one| one.is_found());
    let mut text = String::new();
    let verdict = if missed.is_empty() {
        "VALID"
    } else {
        "INVALID"
    };
    let _ = writeln!(
        text,
        "{verdict}  {} of {} planted bugs found{}",
        found.len(),
        hunted.len(),
        if planted > hunted.len() {
            format!("; {} were not hunted", planted - hunted.len())
        } else {
            String::new()
        }
    );
    if !missed.is_empty() {
        let _ = writeln!(text, "\nmissed");
        missed.iter().for_each(|one| rows(&mut text, one));
    }
    if !args.quiet {
        let _ = writeln!(text, "\nfound");
        found.iter().for_each(|one| rows(&mut text, one));
    }
    scores(&mut text, hunted);
    text.trim_end().to_owned()
}

fn rows(text: &mut String, hunted: &Hunted) {
    let bug = hunted.bug;
    let mut title = format!("{:<6} {}", bug.id, bug.name);
    for attempt in &hunted.attempts {
        let result = match &attempt.found {
            Some(find) => {
                let shrunk = find
                    .shrunk
                    .map_or_else(String::new, |to| format!(" → {to}"));
                // Statistics are about many runs, and about the steps of none.
                let steps = match find.steps {
                    0 => String::new(),
                    steps => format!(", {steps}{shrunk} steps"),
                };
                let (at, violated) = (&find.at, &find.violated);
                let cost = find.search.map_or_else(String::new, |search| {
                    let seconds = search.cpu_ms as f64 / 1000.0;
                    format!("; {} moves tried, {seconds:.2} s of CPU", search.generated)
                });
                format!("{at} of {}: {violated}{steps}{cost}", attempt.budget)
            }
            None => format!(
                "not in {}{}",
                attempt.budget,
                attempt
                    .instead
                    .as_ref()
                    .map_or_else(String::new, |other| format!("; but {other}"))
            ),
        };
        let _ = writeln!(text, "  {title:<44} {:<11} {result}", attempt.way.name());
        title.clear();
    }
}

fn scores(text: &mut String, hunted: &[Hunted]) {
    let _ = writeln!(text, "\nscore by protocol");
    for protocol in PROTOCOLS {
        let of: Vec<_> = hunted
            .iter()
            .filter(|one| one.protocol.name == protocol.name)
            .collect();
        if !of.is_empty() {
            score(text, protocol.name, of.iter().map(|one| one.is_found()));
        }
    }
    let _ = writeln!(
        text,
        "\nscore by method, of the bugs that it is expected to find"
    );
    for way in WAYS {
        let of = hunted
            .iter()
            .flat_map(|one| &one.attempts)
            .filter(|attempt| attempt.way == *way);
        let of: Vec<_> = of.map(|attempt| attempt.found.is_some()).collect();
        if !of.is_empty() {
            score(text, way.name(), of.into_iter());
        }
    }
}

fn score(text: &mut String, name: &str, found: impl ExactSizeIterator<Item = bool>) {
    let all = found.len();
    let hits = found.filter(|found| *found).count();
    let _ = writeln!(
        text,
        "  {name:<18} {hits:>3} of {all:>3}  {:>3} %",
        hits * 100 / all
    );
}
