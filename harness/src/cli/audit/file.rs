//! `tribunal audit file`: any program that a file says how to start.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tribunal_checkers::Answer;

use super::super::exit::{Exit, Failure};
use super::super::plan::{Seeds, seed, seeds};
use super::super::profile::Resolved;
use super::super::quantity;
use super::super::session::{AnswerArgs, Expected, Session, Work};
use super::{Concurrency, NODES, after_help, concurrency, microseconds, seconds};
use crate::audit::Availability;
use crate::audit::file::{NODES_MAX, PROCESSES, Plan, Settings, Words};
use crate::nemesis::Selection;
use crate::sweep;
use crate::workload;

const EXAMPLES: &str = "\
Examples:
  tribunal audit file subject.toml                         the client's first workload, 10 seconds, every kind of fault
  tribunal audit file subject.toml --nemesis none --time-limit 3
  tribunal audit file subject.toml --workload set --nemesis partition,kill --time-limit 30
  tribunal audit file subject.toml --seeds 0.. --budget 10m

docs/auditing.md has what is in the file, and `tribunal list file-workloads` what its client is told.";

/// Audit any program: a file says how to start its nodes, and which client carries out operations; in real time
#[derive(Debug, clap::Args)]
#[command(after_help = after_help(EXAMPLES), next_help_heading = "What runs")]
pub(super) struct Args {
    /// The file that describes the system
    #[arg(value_name = "SUBJECT.toml")]
    file: PathBuf,

    /// What clients do, several with commas, of what the file's client serves: see `tribunal list file-workloads`
    /// [default: the client's first]
    #[arg(
        short,
        long,
        value_name = "NAMES",
        env = "TRIBUNAL_FILE_WORKLOAD",
        value_delimiter = ','
    )]
    workload: Vec<String>,

    /// How many nodes: n1, n2, … [default: the file's]
    #[arg(long, value_name = "N", env = "TRIBUNAL_FILE_NODE_COUNT", value_parser = clap::value_parser!(u8).range(1..=NODES_MAX as i64))]
    node_count: Option<u8>,

    /// So many clients at a time; with an n so many for each node, as in 2n
    #[arg(long, value_name = "N", default_value = "1n", env = "TRIBUNAL_CONCURRENCY", value_parser = concurrency)]
    concurrency: Concurrency,

    /// So many operations a second, all clients together
    #[arg(long, value_name = "N", default_value = "50", env = "TRIBUNAL_RATE", value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,

    /// No new operation after so long, in seconds or with a unit
    #[arg(long, value_name = "TIME", default_value = "10", env = "TRIBUNAL_TIME_LIMIT", value_parser = seconds)]
    time_limit: Duration,

    /// At most so many operations a run, final reads not counted [default: as many as there is time for]
    #[arg(long, value_name = "N", env = "TRIBUNAL_OPS")]
    ops: Option<usize>,

    /// So many keys, for kv and append
    #[arg(long, value_name = "N", default_value = "3", env = "TRIBUNAL_KEYS")]
    keys: u32,

    /// Which part of all operations must succeed: total, or a number from 0 to 1
    #[arg(long, value_name = "PART", env = "TRIBUNAL_AVAILABILITY")]
    availability: Option<Availability>,

    /// What goes wrong: families of faults with commas, or all, swarm, none: see `tribunal list nemeses`
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "all",
        env = "TRIBUNAL_FILE_NEMESIS"
    )]
    nemesis: Selection,

    #[command(flatten)]
    sweep: SweepArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// How many runs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How much")]
struct SweepArgs {
    /// One seed, decimal or hexadecimal
    #[arg(long, value_name = "S", value_parser = seed)]
    seed: Option<u64>,

    /// The seeds A, A+1, … B-1, one after the other; without B as many as the budget allows [default: 0..1]
    #[arg(long, value_name = "A..B", env = "TRIBUNAL_SEEDS", value_parser = seeds, conflicts_with = "seed")]
    seeds: Option<Seeds>,

    /// Begin no further run after so long
    #[arg(long, value_name = "TIME", env = "TRIBUNAL_BUDGET", value_parser = quantity::duration)]
    budget: Option<Duration>,

    /// Stop a run, and call it Unknown, when it takes so much longer than its time limit
    #[arg(long, value_name = "TIME", default_value = "120s", env = "TRIBUNAL_RUN_LIMIT", value_parser = quantity::duration)]
    run_limit: Duration,
}

impl Args {
    pub(super) fn run(&self, resolved: &Resolved) -> anyhow::Result<Exit> {
        let settings = Settings::read(&self.file).map_err(Failure::usage)?;
        let mut plans = self.plans(&Arc::new(settings))?;
        let (options, asked) = self.options(plans.len())?;
        let first = &plans[0];
        let (name, what) = (
            format!("file-{}", first.settings.name),
            self.described(&plans),
        );
        let command: Vec<String> = std::env::args().collect();
        let session = Session::begin(&self.answer, &name, &command, resolved)?;
        for plan in &mut plans {
            plan.directory = session.directory().join(NODES);
        }
        let interrupted: &AtomicBool = session.interrupted();
        let stop = || interrupted.load(Ordering::Relaxed);
        plans[0].try_to_start(&stop).map_err(Failure::unavailable)?;
        session.run(Work {
            what,
            plans,
            single: self.sweep.seed,
            options,
            asked,
        })
    }

    fn plans(&self, settings: &Arc<Settings>) -> Result<Vec<Plan>, Failure> {
        let nodes = self.node_count.map_or(settings.nodes, usize::from);
        settings.check(nodes).map_err(Failure::usage)?;
        let words: Result<Vec<&'static Words>, _> = match &*self.workload {
            [] => Ok(vec![settings.usual_workload()]),
            names => names
                .iter()
                .map(|name| settings.workload(name.trim()))
                .collect(),
        };
        let plan = |words| {
            let plan = Plan {
                settings: settings.clone(),
                words,
                nodes,
                options: workload::Options {
                    operations: self.ops.unwrap_or(usize::MAX),
                    concurrency: self.concurrency.of(nodes),
                    keys: self.keys,
                    rate_per_s: self.rate,
                    time_limit_us: microseconds(self.time_limit),
                    processes: usize::MAX,
                    nodes,
                },
                nemesis: self.nemesis.clone(),
                availability: self.availability,
                directory: PathBuf::new(),
                limits: Default::default(),
            };
            plan.nemesis(0).map_err(Failure::usage)?;
            Ok(plan)
        };
        words
            .map_err(Failure::usage)?
            .into_iter()
            .map(plan)
            .collect()
    }

    /// How to sweep, and how many runs that is to be, if that is known.
    fn options(&self, plans: usize) -> Result<(sweep::Options, Option<u64>), Failure> {
        let SweepArgs {
            seed,
            seeds,
            budget,
            run_limit,
        } = self.sweep;
        let seeds = match (seed, seeds) {
            (Some(seed), _) => seed..seed.saturating_add(1),
            (None, None) => 0..1,
            (None, Some(Seeds { start, end })) => match (end, budget) {
                (Some(end), _) => start..end,
                (None, Some(_)) => start..u64::MAX,
                (None, None) => {
                    return Err(Failure::usage(
                        "`--seeds A..` goes on until the budget ends: add `--budget 10m`",
                    ));
                }
            },
        };
        let asked =
            (seeds.end < u64::MAX).then(|| seeds.end.saturating_sub(seeds.start) * plans as u64);
        let is_canary = self.answer.expect == Some(Expected::Invalid);
        let options = sweep::Options {
            seeds,
            // Two systems at a time would disturb each other.
            jobs: 1,
            run_limit: run_limit + self.time_limit,
            budget,
            twice_every: 0,
            until: is_canary.then_some(Answer::Invalid),
            until_violated: Some(PROCESSES),
        };
        Ok((options, asked))
    }

    /// What runs, in words.
    fn described(&self, plans: &[Plan]) -> String {
        let names: Vec<_> = plans.iter().map(|plan| plan.words.entry.name).collect();
        format!(
            "{} ({}), {} nodes, workload {}, nemesis {}, real time",
            plans[0].settings.name,
            self.file.display(),
            plans[0].nodes,
            names.join(","),
            self.nemesis,
        )
    }
}
