//! `tribunal explore`: every run of a small cluster within its bounds.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tribunal_checkers::explore::{Budget, Cut, Limits, Progress, Strategy};
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::registry::{PROTOCOLS, Protocol};
use tribunal_protocols::world::SyncMode;

use super::exit::{Exit, Failure};
use super::quantity::{self, grouped};
use super::{artefacts, interrupt, list::MessageFormat, plan, show};
use crate::command;
use crate::engine::engine;
use crate::explore::{Exploration, Inquiry};
use crate::report::{Ticker, terminal};

/// Visit every state of a small cluster within bounds: a model checker
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal explore raft --nodes 3 --terms 2 --timeouts 2 --op 'write x 1'
  tribunal explore raft --bugs RF5 --crashes 1 --terms 1 --timeouts 2
  tribunal explore raft --strategy dfs --time 10m --memory 4GiB

Bounds decide what is found. The answer is VALID only if every state within the bounds was visited; a search that
was cut short is UNKNOWN, and says by what.")]
pub struct Args {
    /// The protocol: see `tribunal list protocols`
    #[arg(value_name = "PROTOCOL", default_value = "raft")]
    protocol: String,

    /// How many nodes
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=15))]
    nodes: u8,

    /// Planted bugs to turn on, with commas: see `tribunal list bugs`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    bugs: Vec<String>,

    /// A field of the protocol's configuration and its value: pre_vote=false
    #[arg(long, value_name = "FIELD=VALUE", value_parser = plan::field)]
    set: Vec<(String, String)>,

    /// What a client does, one operation after another with semicolons; once for each client
    #[arg(long = "op", value_name = "OPERATIONS")]
    operations: Vec<String>,

    /// The highest term, ballot or epoch of any node
    #[arg(long, value_name = "N")]
    terms: Option<u64>,

    /// How many timers fire
    #[arg(long, value_name = "N", default_value = "2")]
    timeouts: u8,

    /// How many nodes crash; each may start again at any time
    #[arg(long, value_name = "N", default_value = "0")]
    crashes: u8,

    /// Whether a crash may come in the middle of a step
    #[arg(long)]
    crash_within_steps: bool,

    /// How many packets arrive twice
    #[arg(long, value_name = "N", default_value = "0")]
    duplicates: u8,

    /// How often clients send an operation again
    #[arg(long, value_name = "N", default_value = "0")]
    resends: u8,

    /// Writes reach disks at once, or in steps of their own
    #[arg(long, value_name = "WHEN", default_value = "immediate")]
    sync: Sync,

    /// In which order: breadth-first finds the shortest counterexample, depth-first needs little memory
    #[arg(long, value_name = "ORDER", default_value = "bfs")]
    strategy: Order,

    /// Names the walks of `--strategy random`
    #[arg(long, value_name = "S", default_value = "0", value_parser = plan::seed)]
    seed: u64,

    /// No further steps after so many; breadth-first only
    #[arg(long, value_name = "N")]
    depth: Option<usize>,

    /// End after so many distinct states
    #[arg(long, value_name = "N")]
    states: Option<usize>,

    /// End when the process holds so much memory
    #[arg(long, value_name = "SIZE", default_value = "8GiB", value_parser = quantity::bytes)]
    memory: usize,

    /// End after so long
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = quantity::duration)]
    time: Duration,

    /// How many threads search; with one, a breadth-first counterexample is as short as can be
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(1..))]
    threads: u8,

    /// Where the trace of a counterexample goes
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "target/tribunal/explore.jsonl"
    )]
    output: PathBuf,

    /// Text for people, or one line of JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    message_format: MessageFormat,

    /// No progress
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sync {
    Immediate,
    Explicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Order {
    /// Nearest first
    Bfs,
    /// Deepest first
    Dfs,
    /// Random paths, until the time is up
    Random,
}

/// How often the search is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Explores.
///
/// # Errors
/// A name that names nothing; a bound that the strategy cannot keep; a file that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let protocol = Protocol::named(&args.protocol).ok_or_else(|| {
        let names: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
        let known = names.join(", ");
        Failure::usage(format!(
            "there is no protocol `{}`; there are: {known}",
            args.protocol
        ))
    })?;
    let inquiry = args.inquiry(protocol)?;
    let interrupted = interrupt::listen()?;
    let began = now();
    let mut ticker = Ticker::new(args.quiet || args.message_format == MessageFormat::Json);
    let mut watch = |progress: &Progress| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the search has threads of its own; this one only looks on"
        )]
        thread::sleep(TICK);
        ticker.tick(&line(progress, began.elapsed()));
        if interrupted.load(Ordering::Relaxed) {
            return Some("interrupted".to_owned());
        }
        if began.elapsed() >= args.time {
            return Some(format!("{} s have passed", args.time.as_secs()));
        }
        let held = resident_bytes().filter(|held| *held >= args.memory)?;
        Some(format!("{} MiB of memory are held", held >> 20))
    };
    let explored = engine(protocol)
        .explore(&inquiry, &mut watch)
        .map_err(Failure::usage)?;
    let elapsed = began.elapsed();
    ticker.finish();
    if let Some(trace) = &explored.counterexample {
        artefacts::trace(&args.output, trace)?;
    }
    match args.message_format {
        MessageFormat::Json => {
            let counterexample = explored.counterexample.as_ref();
            terminal::print(
                &json!({
                    "protocol": protocol.name,
                    "exploration": explored,
                    "violated": counterexample.map(|trace| &trace.end.violated),
                    "steps": counterexample.map(|trace| trace.end.steps),
                    "budget": inquiry.budget,
                })
                .to_string(),
            )?;
        }
        MessageFormat::Human => show(&text_of(args, protocol, &inquiry, &explored, elapsed))?,
    }
    Ok(if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else if explored.counterexample.is_some() {
        Exit::Invalid
    } else if explored.cut.is_some() {
        Exit::Unknown
    } else {
        Exit::Valid
    })
}

impl Args {
    fn inquiry(&self, protocol: &'static Protocol) -> Result<Inquiry, Failure> {
        let bugs = self
            .bugs
            .iter()
            .map(|bug| bug.trim())
            .filter(|bug| !bug.is_empty());
        if self.depth.is_some() && self.strategy != Order::Bfs {
            return Err(Failure::usage(
                "--depth needs --strategy bfs: depth-first, a state that was first reached deep would not be looked at \
                 again when it is reached early, and states would be missed",
            ));
        }
        let clients = self.operations.iter().map(|operations| {
            let each = operations
                .split(';')
                .map(|operation| operation.trim().to_owned());
            each.filter(|operation| !operation.is_empty()).collect()
        });
        Ok(Inquiry {
            nodes: usize::from(self.nodes),
            bugs: protocol.bugs_named(bugs).map_err(Failure::usage)?,
            set: self.set.clone(),
            sync: match self.sync {
                Sync::Immediate => SyncMode::Immediate,
                Sync::Explicit => SyncMode::Explicit,
            },
            budget: Budget {
                operations: clients.collect(),
                resends: self.resends,
                term: self.terms,
                timeouts: self.timeouts,
                crashes: self.crashes,
                crash_within_steps: self.crash_within_steps,
                duplicates: self.duplicates,
            },
            limits: Limits {
                depth: self.depth,
                states: self.states,
                memory_bytes: Some(self.memory),
                time: Some(self.time),
            },
            strategy: match self.strategy {
                Order::Bfs => Strategy::BreadthFirst,
                Order::Dfs => Strategy::DepthFirst,
                Order::Random => Strategy::RandomWalks { seed: self.seed },
            },
            threads: usize::from(self.threads),
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a search took is no verdict"
)]
fn now() -> Instant {
    Instant::now()
}

/// How much memory the process holds, where the operating system tells.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split_whitespace().nth(1)?.parse().ok()?;
    Some(resident * rustix::param::page_size())
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let rate = progress.generated as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{} distinct states, {} generated, depth {}, {} a second",
        grouped(progress.distinct as u64),
        grouped(progress.generated as u64),
        progress.depth,
        grouped(rate as u64),
    )
}

fn text_of(
    args: &Args,
    protocol: &Protocol,
    inquiry: &Inquiry,
    explored: &Exploration,
    elapsed: Duration,
) -> String {
    let mut text = match (&explored.counterexample, &explored.cut) {
        (Some(trace), _) => format!(
            "INVALID  {} is violated after {} steps",
            trace.end.violated, trace.end.steps
        ),
        (None, Some(cut)) => format!("UNKNOWN  nothing wrong so far, but {}", why(cut)),
        (None, None) => "VALID  complete: every state within the bounds was visited".to_owned(),
    };
    budget(&mut text, args, protocol, inquiry);
    let _ = write!(
        text,
        "\n  {} in {:.1} s",
        line(&explored.progress, elapsed),
        elapsed.as_secs_f64()
    );
    let _ = write!(
        text,
        "\n  chance that a fingerprint hid a state: {:.1e}",
        explored.collision_chance
    );
    coverage(&mut text, protocol, explored);
    if explored.counterexample.is_some() {
        let _ = write!(
            text,
            "\n  trace     {}\n  replay    {} -v",
            args.output.display(),
            command::of_trace(&args.output)
        );
    }
    text
}

/// What was searched.
fn budget(text: &mut String, args: &Args, protocol: &Protocol, inquiry: &Inquiry) {
    let Budget {
        operations,
        resends,
        term,
        timeouts,
        crashes,
        crash_within_steps,
        duplicates,
    } = &inquiry.budget;
    let terms = term.map_or_else(
        || "any term".to_owned(),
        |term| format!("terms up to {term}"),
    );
    let within = if *crash_within_steps {
        " (also within steps)"
    } else {
        ""
    };
    let operations: Vec<_> = operations.iter().map(|client| client.join("; ")).collect();
    let _ = write!(
        text,
        "\n  {}, {} nodes; {terms}, {timeouts} timeouts, {crashes} crashes{within}, {duplicates} duplicates, {resends} \
         resends; clients: {}",
        protocol.name,
        args.nodes,
        if operations.is_empty() {
            "none".to_owned()
        } else {
            operations.join(" | ")
        },
    );
}

/// What the search came by, and what it did not.
fn coverage(text: &mut String, protocol: &Protocol, explored: &Exploration) {
    let steps: Vec<_> = explored
        .steps
        .iter()
        .map(|(kind, count)| format!("{kind} {}", grouped(*count)))
        .collect();
    let _ = write!(text, "\n  steps     {}", steps.join(", "));
    let missed = |all: &mut dyn Iterator<Item = &'static str>, seen: &[&str]| {
        all.filter(|name| !seen.contains(name)).collect::<Vec<_>>()
    };
    let probes = missed(&mut protocol.probes.iter().copied(), &explored.probes);
    if !probes.is_empty() {
        let _ = write!(text, "\n  not seen  {}", probes.join("; "));
    }
    let properties = properties_for(protocol.name).unwrap_or_default();
    let untested = missed(&mut properties.iter().map(|info| info.id), &explored.tested);
    if !untested.is_empty() {
        let _ = write!(text, "\n  never put to the test: {}", untested.join(", "));
    }
}

fn why(cut: &Cut) -> String {
    match cut {
        Cut::Depth(beyond) => format!(
            "{} states at the bound of depth had further steps",
            grouped(*beyond)
        ),
        Cut::States => "the bound of states was reached".to_owned(),
        Cut::Stopped(reason) => format!("the search was ended: {reason}"),
        Cut::RandomWalks => "random walks never see everything".to_owned(),
    }
}
