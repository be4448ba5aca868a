//! `tribunal audit maelstrom`: programs that speak Maelstrom's protocol.

use std::time::Duration;

use tribunal_checkers::Answer;

use super::super::exit::{Exit, Failure};
use super::super::plan::{Seeds, seed, seeds};
use super::super::profile::Resolved;
use super::super::quantity;
use super::super::session::{AnswerArgs, Expected, Session, Work};
use super::{Concurrency, NODES, after_help, concurrency, microseconds, milliseconds, seconds};
use crate::audit::Availability;
use crate::audit::maelstrom::workload::Dialogue;
use crate::audit::maelstrom::{Distribution, Latency, PROTOCOL, Plan, Topology, timeout_us};
use crate::nemesis::Selection;
use crate::sweep;
use crate::workload;

const EXAMPLES: &str = "\
Examples:
  tribunal audit maelstrom --workload echo -- ./echo.py
  tribunal audit maelstrom --workload broadcast --nemesis partition --topology line -- ./broadcast.py
  tribunal audit maelstrom --workload lin-kv --node-count 3 --seeds 0..1000 -- ./my-raft
  tribunal audit maelstrom --workload g-set --seed 7 -- ./set.py          one run
  tribunal audit maelstrom --workload lin-kv --wall-clock --time-limit 30 -- ./uses-timers

docs/auditing.md leads through all of it.";

/// Audit a program that speaks Maelstrom's protocol on its standard input and output
#[derive(Debug, clap::Args)]
#[command(after_help = after_help(EXAMPLES), next_help_heading = "What runs")]
pub(super) struct Args {
    /// The program of a node, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,

    /// What clients say, several with commas: see `tribunal list maelstrom-workloads`
    #[arg(
        short,
        long,
        required = true,
        value_name = "NAMES",
        env = "TRIBUNAL_MAELSTROM_WORKLOAD",
        value_delimiter = ','
    )]
    workload: Vec<String>,

    /// How many nodes: n1, n2, …
    #[arg(long, value_name = "N", default_value = "5", env = "TRIBUNAL_NODE_COUNT", value_parser = clap::value_parser!(u8).range(1..=64))]
    node_count: u8,

    /// So many clients at a time; with an n so many for each node, as in 2n
    #[arg(long, value_name = "N", default_value = "1n", env = "TRIBUNAL_CONCURRENCY", value_parser = concurrency)]
    concurrency: Concurrency,

    /// So many operations a second, all clients together
    #[arg(long, value_name = "N", default_value = "50", env = "TRIBUNAL_RATE", value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,

    /// No new operation after so long, in seconds or with a unit [default: 10]
    #[arg(long, value_name = "TIME", env = "TRIBUNAL_TIME_LIMIT", value_parser = seconds)]
    time_limit: Option<Duration>,

    /// At most so many operations a run, final reads not counted [default: 150; with --wall-clock as many as there is
    /// time for]
    #[arg(long, value_name = "N", env = "TRIBUNAL_OPS")]
    ops: Option<usize>,

    /// So many keys, for lin-kv
    #[arg(long, value_name = "N", default_value = "3", env = "TRIBUNAL_KEYS")]
    keys: u32,

    /// How long messages take on average, in milliseconds or with a unit; those of clients too
    #[arg(long, value_name = "TIME", default_value = "10", env = "TRIBUNAL_LATENCY", value_parser = milliseconds)]
    latency: Duration,

    /// How latencies are distributed around that
    #[arg(
        long,
        value_name = "NAME",
        default_value = "exponential",
        env = "TRIBUNAL_LATENCY_DIST"
    )]
    latency_dist: Distribution,

    /// Which neighbours nodes are told, for broadcast
    #[arg(
        long,
        value_name = "NAME",
        default_value = "grid",
        env = "TRIBUNAL_TOPOLOGY"
    )]
    topology: Topology,

    /// Which part of all operations must succeed: total, or a number from 0 to 1
    #[arg(long, value_name = "PART", env = "TRIBUNAL_AVAILABILITY")]
    availability: Option<Availability>,

    /// What goes wrong: families of faults with commas, or all, swarm, none: see `tribunal list nemeses`
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "swarm",
        env = "TRIBUNAL_NEMESIS"
    )]
    nemesis: Selection,

    /// Real time, for programs that use timers; runs then do not replay
    #[arg(long)]
    wall_clock: bool,

    /// A node that does not read, or does not come to rest, is given up after so long
    #[arg(long, value_name = "TIME", default_value = "800ms", env = "TRIBUNAL_NODE_PATIENCE", value_parser = quantity::duration)]
    node_patience: Duration,

    /// A run is stopped, and Unknown, after so many steps
    #[arg(
        long,
        value_name = "N",
        default_value = "300000",
        env = "TRIBUNAL_EVENTS_MAX"
    )]
    events_max: u64,

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

    /// The seeds A, A+1, … B-1; without B as many as the budget allows [default: 0..20; with --wall-clock 0..1]
    #[arg(long, value_name = "A..B", env = "TRIBUNAL_SEEDS", value_parser = seeds, conflicts_with = "seed")]
    seeds: Option<Seeds>,

    /// Begin no further run after so long
    #[arg(long, value_name = "TIME", env = "TRIBUNAL_BUDGET", value_parser = quantity::duration)]
    budget: Option<Duration>,

    /// Stop a run, and call it Unknown, after so long
    #[arg(long, value_name = "TIME", default_value = "120s", env = "TRIBUNAL_RUN_LIMIT", value_parser = quantity::duration)]
    run_limit: Duration,

    /// So many runs at a time [default: one a core; with --wall-clock 1]
    #[arg(long, value_name = "N", env = "TRIBUNAL_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Every N-th seed runs twice and must be the same; 0: none
    #[arg(
        long,
        value_name = "N",
        default_value = "10",
        env = "TRIBUNAL_CHECK_DETERMINISM"
    )]
    check_determinism: u64,
}

impl Args {
    pub(super) fn run(&self, resolved: &Resolved) -> anyhow::Result<Exit> {
        let mut plans = self.plans()?;
        let (options, asked) = self.options(plans.len())?;
        let name = format!("maelstrom-{}", self.workload.join("-"));
        let command: Vec<String> = std::env::args().collect();
        let session = Session::begin(&self.answer, &name, &command, resolved)?;
        for plan in &mut plans {
            plan.directory = session.directory().join(NODES);
        }
        plans[0].try_to_start().map_err(Failure::unavailable)?;
        session.run(Work {
            what: self.described(),
            plans,
            single: self.sweep.seed,
            options,
            asked,
        })
    }

    fn plans(&self) -> Result<Vec<Plan>, Failure> {
        let plan = |name: &String| {
            let dialogue = Dialogue::find(name.trim()).map_err(Failure::usage)?;
            let latency = Latency {
                mean_us: microseconds(self.latency),
                distribution: self.latency_dist,
            };
            let mut plan = Plan::usual(self.command.clone(), dialogue);
            plan.nodes = usize::from(self.node_count);
            plan.options = self.workload_options(dialogue);
            plan.timeout_us = timeout_us(dialogue, latency);
            plan.nemesis = self.nemesis.clone();
            plan.latency = latency;
            plan.topology = self.topology;
            plan.availability = self.availability;
            plan.is_wall_clock = self.wall_clock;
            plan.patience.node = self.node_patience;
            plan.events_max = self.events_max;
            plan.nemesis(0).map_err(Failure::usage)?;
            Ok(plan)
        };
        self.workload.iter().map(plan).collect()
    }

    fn workload_options(&self, dialogue: &Dialogue) -> workload::Options {
        let defaults = workload::Options::default();
        let nodes = usize::from(self.node_count);
        let time_limit = self.time_limit.unwrap_or(Duration::from_secs(10));
        let unlimited = self.wall_clock || self.time_limit.is_some();
        // What nobody knows the outcome of makes the search of an order exponential, and nothing else.
        let is_searched = dialogue.workload.name == "lin-kv" && !self.wall_clock;
        workload::Options {
            operations: self.ops.unwrap_or(if unlimited {
                usize::MAX
            } else {
                defaults.operations
            }),
            concurrency: self.concurrency.of(nodes),
            keys: self.keys,
            rate_per_s: self.rate,
            time_limit_us: microseconds(time_limit),
            processes: if is_searched {
                defaults.processes
            } else {
                usize::MAX
            },
            nodes,
        }
    }

    /// How to sweep, and how many runs that is to be, if that is known.
    fn options(&self, plans: usize) -> Result<(sweep::Options, Option<u64>), Failure> {
        let SweepArgs {
            seed,
            seeds,
            budget,
            run_limit,
            jobs,
            check_determinism,
        } = self.sweep;
        let usual = if self.wall_clock { 1 } else { 20 };
        let seeds = match (seed, seeds) {
            (Some(seed), _) => seed..seed.saturating_add(1),
            (None, None) => 0..usual,
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
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let is_canary = self.answer.expect == Some(Expected::Invalid);
        let options = sweep::Options {
            seeds,
            jobs: jobs.map_or(if self.wall_clock { 1 } else { cores }, usize::from),
            run_limit: run_limit + self.time_limit.unwrap_or_default(),
            budget,
            twice_every: check_determinism,
            until: is_canary.then_some(Answer::Invalid),
            until_violated: Some(PROTOCOL),
        };
        Ok((options, asked))
    }

    /// What runs, in words.
    fn described(&self) -> String {
        format!(
            "{}, {} nodes, workload {}, nemesis {}, latency {} ms {}, {}",
            self.command.join(" "),
            self.node_count,
            self.workload.join(","),
            self.nemesis,
            self.latency.as_millis(),
            self.latency_dist,
            if self.wall_clock {
                "real time"
            } else {
                "virtual time"
            },
        )
    }
}
