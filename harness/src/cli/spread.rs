//! `tribunal spread`: how fast gossip spreads an update, and whom it misses, against theory.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;
use tribunal_checkers::Answer;
use tribunal_protocols::Bugs;
use tribunal_protocols::registry::Protocol;

use super::exit::{EXIT_CODES, Exit, Failure};
use super::plan::seed;
use super::{interrupt, show};
use crate::report::{Progress, terminal};
use crate::spread::measure::Trials;
use crate::spread::{self, Case, HEAD, Judged, Row, plot, usual_trials};

const EXAMPLES: &str = "\
Examples:
  tribunal spread                                    everything, in a minute or two
  tribunal spread --what anti-entropy --nodes 8,64   rounds of push, pull and push-pull until all know
  tribunal spread --nodes 8..1024 --trials 500       sizes that double, 500 trials of each case
  tribunal spread --what fan-out --plot spread.svg   whom forward-once misses, and a picture of it
  tribunal spread --bugs GD4 --expect invalid        a canary: this bug must be found

A trial lets one update spread through nodes of the real protocol, in synchronous rounds on a complete graph. What is
measured is compared with theory and with published tables; the tolerance is four standard errors, and what the
reference is uncertain by. `contacts` and `messages` are by node, until the update has spread.";

/// Measure how fast gossip spreads an update, and whom it misses
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct Args {
    /// What is measured, with commas
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        default_value = "anti-entropy,fan-out,demers"
    )]
    what: Vec<What>,

    /// How many nodes anti-entropy has: a list with commas, or A..B for A, 2A, 4A, … B
    #[arg(long, value_name = "N,N|A..B", default_value = "8,16,64,256,1024,4096,16384", value_parser = sizes)]
    nodes: Sizes,

    /// So many trials of each case [default: 10,000 of the small, 150 of the largest]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    trials: Option<u64>,

    /// Names the trials
    #[arg(long, value_name = "S", default_value = "0", value_parser = seed)]
    seed: u64,

    /// Planted bugs of gossip to turn on, with commas: see `tribunal list bugs`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    bugs: Vec<String>,

    /// So many trials at a time [default: one a core]
    #[arg(long, value_name = "N", env = "TRIBUNAL_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Write a picture of it to this file, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// End with 0 if and only if this is the answer
    #[arg(long, value_name = "ANSWER")]
    expect: Option<Expected>,

    /// Text for people, or one line of JSON for each row
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    message_format: super::list::MessageFormat,

    /// Only the answer, in a line, and no progress
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Rounds of push, pull and push-pull until all know
    AntiEntropy,
    /// Whom forwarding once to k others misses
    FanOut,
    /// Whom the variants of Demers et al. miss, which lose interest
    Demers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Expected {
    Valid,
    Invalid,
}

/// Numbers of nodes.
#[derive(Clone, Debug)]
struct Sizes(Vec<usize>);

fn sizes(text: &str) -> Result<Sizes, String> {
    let size = |text: &str| match text.trim().parse() {
        Ok(size @ 2..=65_536_usize) => Ok(size),
        _ => Err(format!("`{text}` is not a number of nodes from 2 to 65536")),
    };
    let Some((from, to)) = text.split_once("..") else {
        return text
            .split(',')
            .map(size)
            .collect::<Result<_, _>>()
            .map(Sizes);
    };
    let (from, to) = (size(from)?, size(to)?);
    let doubled = std::iter::successors(Some(from), |size| Some(size * 2));
    let sizes: Vec<_> = doubled.take_while(|size| *size <= to).collect();
    if sizes.is_empty() {
        return Err(format!("{from}..{to} has no sizes"));
    }
    Ok(Sizes(sizes))
}

/// Measures, and says what came of it.
///
/// # Errors
/// Wrong arguments; files or standard output that cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let bugs = bugs(&args.bugs)?;
    let cases = args.cases();
    let interrupted = interrupt::listen()?;
    let human = matches!(args.message_format, super::list::MessageFormat::Human);
    if human && !args.quiet {
        terminal::print(HEAD)?;
    }
    let rows = args.measure(&cases, bugs, &interrupted, |row| {
        match (human, args.quiet) {
            (true, true) => Ok(()),
            (true, false) => told(row),
            (false, _) => terminal::print(&json!({ "type": "row", "row": row }).to_string()),
        }
    })?;
    if let Some(path) = &args.plot {
        let svg = plot::svg(&rows).ok_or_else(|| Failure::usage("there is nothing to plot"))?;
        let failed = |error| Failure::io(format!("cannot write {}: {error}", path.display()));
        std::fs::write(path, svg).map_err(failed)?;
    }
    let stopped = interrupted.load(Ordering::Relaxed);
    let answer = answer(&rows);
    let exit = match args.expect {
        _ if stopped => Exit::Interrupted,
        None => answer.into(),
        Some(Expected::Valid) if answer == Answer::Valid => Exit::Valid,
        Some(Expected::Invalid) if answer == Answer::Invalid => Exit::Valid,
        Some(_) => Exit::Invalid,
    };
    let outside = count(&rows, |judged| matches!(judged, Judged::Outside { .. }));
    let within = count(&rows, |judged| *judged == Judged::Within);
    let line = format!(
        "{}  {within} of {} cases are as expected, {outside} are not{}{}",
        terminal::word(answer),
        cases.len(),
        if stopped { "; interrupted" } else { "" },
        match args.expect {
            Some(expected) if !stopped => format!(
                "; expected {}: {}",
                format!("{expected:?}").to_lowercase(),
                if exit == Exit::Valid {
                    "as expected"
                } else {
                    "NOT as expected"
                }
            ),
            _ => String::new(),
        }
    );
    if human {
        show(&line)?;
    } else {
        let finished = json!({
            "type": "finished",
            "answer": answer.name(),
            "within": within,
            "outside": outside,
            "cases": cases.len(),
            "interrupted": stopped,
            "exit_code": exit.code(),
        });
        terminal::print(&finished.to_string())?;
    }
    Ok(exit)
}

fn told(row: &Row) -> std::io::Result<()> {
    terminal::print(&row.to_string())?;
    if let Judged::Outside { because } = &row.judged {
        terminal::print(&format!("    {because}"))?;
    }
    Ok(())
}

fn bugs(ids: &[String]) -> Result<Bugs, Failure> {
    let gossip = Protocol::named("gossip").ok_or_else(|| Failure::usage("there is no gossip"))?;
    let ids = ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty());
    gossip.bugs_named(ids).map_err(Failure::usage)
}

fn count(rows: &[Row], is: impl Fn(&Judged) -> bool) -> usize {
    rows.iter().filter(|row| is(&row.judged)).count()
}

/// The worst of the rows; what there is no reference for says nothing, and nothing but that is no answer.
fn answer(rows: &[Row]) -> Answer {
    let of = |judged: &Judged| match judged {
        Judged::Within => Some(Answer::Valid),
        Judged::Outside { .. } => Some(Answer::Invalid),
        Judged::Incomplete => Some(Answer::Unknown),
        Judged::NoReference => None,
    };
    rows.iter()
        .filter_map(|row| of(&row.judged))
        .max()
        .unwrap_or(Answer::Unknown)
}

impl Args {
    fn cases(&self) -> Vec<Case> {
        let of = |what: &What| match what {
            What::AntiEntropy => spread::anti_entropy(&self.nodes.0),
            What::FanOut => spread::fan_out(),
            What::Demers => spread::demers(),
        };
        self.what.iter().flat_map(of).collect()
    }

    /// Measures case by case, until the user has seen enough.
    fn measure(
        &self,
        cases: &[Case],
        bugs: Bugs,
        interrupted: &AtomicBool,
        mut ended: impl FnMut(&Row) -> std::io::Result<()>,
    ) -> std::io::Result<Vec<Row>> {
        let trials_of = |case: Case| self.trials.unwrap_or_else(|| usual_trials(case));
        let total = cases.iter().map(|case| trials_of(*case)).sum();
        let progress = Mutex::new(Progress::towards(total, self.quiet));
        let (done, failing) = (AtomicU64::new(0), AtomicU64::new(0));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut rows = Vec::new();
        for case in cases {
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            let trials = Trials {
                count: trials_of(*case),
                seed: self.seed,
                jobs: self.jobs.map_or(cores, usize::from),
                stop: &|| interrupted.load(Ordering::Relaxed),
                ended: &|| {
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if let Ok(mut progress) = progress.try_lock() {
                        progress.at(done, failing.load(Ordering::Relaxed));
                    }
                },
            };
            let row = Row::of(*case, bugs, &trials);
            if matches!(row.judged, Judged::Outside { .. }) {
                failing.fetch_add(1, Ordering::Relaxed);
            }
            ended(&row)?;
            rows.push(row);
        }
        if let Ok(progress) = progress.lock() {
            progress.finish();
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_listed_or_doubled() {
        assert_eq!(sizes("8,64").unwrap().0, [8, 64]);
        assert_eq!(sizes("8..64").unwrap().0, [8, 16, 32, 64]);
        for wrong in ["1", "8..", "64..8", "8,x", "70000"] {
            assert!(sizes(wrong).is_err(), "{wrong}");
        }
    }
}
