//! `tribunal simulate`: a workload against a simulated cluster, under many seeds, with faults.

use std::time::Duration;

use tribunal_checkers::Answer;

use super::exit::{EXIT_CODES, Exit, Failure};
use super::plan::{PlanArgs, Seeds, described, seed, seeds};
use super::profile::Resolved;
use super::quantity;
use super::session::{AnswerArgs, Expected, RUNS, Session, Work};
use crate::plan::Plan;
use crate::sweep;

const EXAMPLES: &str = "\
Examples:
  tribunal simulate                                     200 seeds of a register on 5 Raft nodes, swarm of faults
  tribunal simulate --workload kv,append --seeds 0..2000
  tribunal simulate --seed 0x5f3a                       one run
  tribunal simulate --seeds 0.. --budget 10m            as many seeds as ten minutes allow
  tribunal simulate --bugs RD1 --expect invalid         a canary: this bug must be found
  tribunal simulate --runtime live --nodes 3 --nemesis kill --live-time 60s
                                                        real processes, killed and restarted for a minute";

/// Run a workload against a simulated cluster under many seeds, with faults
#[derive(Debug, clap::Args)]
#[command(after_help = after_help(), next_help_heading = "How much")]
pub struct Args {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,

    /// One seed, decimal or hexadecimal
    #[arg(long, value_name = "S", value_parser = seed)]
    seed: Option<u64>,

    /// The seeds A, A+1, … B-1; without B as many as the budget allows
    #[arg(long, value_name = "A..B", default_value = "0..200", env = "TRIBUNAL_SEEDS", value_parser = seeds, conflicts_with = "seed")]
    seeds: Seeds,

    /// Begin no further run after so long
    #[arg(long, value_name = "TIME", env = "TRIBUNAL_BUDGET", value_parser = quantity::duration)]
    budget: Option<Duration>,

    /// Stop a run, and call it Unknown, after so long
    #[arg(long, value_name = "TIME", default_value = "60s", env = "TRIBUNAL_RUN_LIMIT", value_parser = quantity::duration)]
    run_limit: Duration,

    /// So many runs at a time [default: one a core]
    #[arg(long, value_name = "N", env = "TRIBUNAL_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Every N-th seed runs twice and must be the same, by turns on the same runtime and on the other; 0: none
    #[arg(
        long,
        value_name = "N",
        default_value = "20",
        env = "TRIBUNAL_CHECK_DETERMINISM"
    )]
    check_determinism: u64,

    #[command(flatten)]
    answer: AnswerArgs,
}

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// Runs a sweep, investigates what fails, and says what came of it.
///
/// # Errors
/// Wrong arguments; files or standard output that cannot be written.
pub(crate) fn run(args: &Args, resolved: &Resolved) -> anyhow::Result<Exit> {
    let mut plans = args.plan.plans()?;
    let (options, asked) = args.options(plans.len())?;
    let name = run_name(&plans);
    let command: Vec<String> = std::env::args().collect();
    let session = Session::begin(&args.answer, &name, &command, resolved)?;
    for plan in &mut plans {
        plan.live.directory = session.directory().join(RUNS);
    }
    session.run(Work {
        what: described(&plans),
        plans,
        single: args.seed,
        options,
        asked,
    })
}

/// The seeds when none are named.
const DEFAULT_SEEDS: Seeds = Seeds {
    start: 0,
    end: Some(200),
};

fn run_name(plans: &[Plan]) -> String {
    let workloads: Vec<_> = plans.iter().map(|plan| plan.workload.name).collect();
    let protocol = plans.first().map_or("nothing", |plan| plan.protocol.name);
    format!("{protocol}-{}", workloads.join("-"))
}

impl Args {
    /// How to sweep, and how many runs that is to be, if that is known.
    fn options(&self, plans: usize) -> Result<(sweep::Options, Option<u64>), Failure> {
        let live = self.plan.is_live();
        let seeds = match (self.seed, self.seeds) {
            // A run of real processes takes its time: one, unless more are asked for.
            (None, seeds) if live && seeds == DEFAULT_SEEDS => 0..1,
            (Some(seed), _) => seed..seed.saturating_add(1),
            (
                None,
                Seeds {
                    start,
                    end: Some(end),
                },
            ) => start..end,
            (None, Seeds { start, end: None }) if self.budget.is_some() => start..u64::MAX,
            (None, _) => {
                return Err(Failure::usage(
                    "`--seeds A..` goes on until the budget ends: add `--budget 10m`",
                ));
            }
        };
        let open = self.seed.is_none() && self.seeds.end.is_none();
        let asked = (!open).then(|| seeds.end.saturating_sub(seeds.start) * plans as u64);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let options = sweep::Options {
            seeds,
            jobs: self.jobs.map_or(if live { 1 } else { cores }, usize::from),
            run_limit: if live {
                self.run_limit + self.plan.live_time
            } else {
                self.run_limit
            },
            budget: self.budget,
            twice_every: self.check_determinism,
            until: (self.answer.expect == Some(Expected::Invalid)).then_some(Answer::Invalid),
            until_violated: None,
        };
        Ok((options, asked))
    }
}
