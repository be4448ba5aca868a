//! `tribunal simulate`: a workload against a simulated cluster, under many seeds, with faults.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tribunal_checkers::Answer;

use super::artefacts::{self, Record};
use super::exit::{EXIT_CODES, Exit, Failure};
use super::plan::{PlanArgs, Seeds, described, seed, seeds};
use super::profile::Resolved;
use super::{interrupt, quantity, show};
use crate::engine::engine;
use crate::investigate::{Case, Effort, investigate, parting, unrecorded};
use crate::judge::Outcomes;
use crate::plan::{Driver, Plan};
use crate::report::{
    Conclusion, Directory, Event, EventLog, Finding, Progress, fingerprint, note, terminal,
};
use crate::sweep::{self, Ended, Finish, Run, Sweep};
use crate::totals::Totals;

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

/// What is done with the answer.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The answer")]
struct AnswerArgs {
    /// End with 0 if and only if this is the answer; with `invalid`, stop at the first failure: a canary
    #[arg(long, value_name = "ANSWER", env = "TRIBUNAL_EXPECT")]
    expect: Option<Expected>,

    /// The mildest answer that does not end with 0
    #[arg(
        long,
        value_name = "ANSWER",
        default_value = "unknown",
        env = "TRIBUNAL_FAIL_ON"
    )]
    fail_on: FailOn,

    /// Whether to make the traces of failures smaller, and how: by taking steps out, or also by a search for others
    #[arg(
        long,
        value_name = "WHETHER",
        default_value = "on",
        env = "TRIBUNAL_SHRINK"
    )]
    shrink: Effort,

    /// Stop shrinking a trace after so long
    #[arg(long, value_name = "TIME", default_value = "20s", env = "TRIBUNAL_SHRINK_BUDGET", value_parser = quantity::duration)]
    shrink_budget: Duration,

    /// Where directories of runs are made
    #[arg(
        long,
        value_name = "DIR",
        default_value = "target/tribunal",
        env = "TRIBUNAL_OUT"
    )]
    out: PathBuf,

    /// Text for people, or one line of JSON for each event
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        env = "TRIBUNAL_MESSAGE_FORMAT"
    )]
    message_format: MessageFormat,

    /// Only the answer, in a line, and no progress
    #[arg(short, long)]
    quiet: bool,

    /// Say where each flag's value comes from, and each run's answer
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Expected {
    Valid,
    Invalid,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    Invalid,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MessageFormat {
    Human,
    Json,
}

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// A sweep on its way.
struct Session<'a> {
    args: &'a Args,
    plans: Vec<Plan>,
    interrupted: &'a AtomicBool,
    directory: Directory,
    events: EventLog,
    progress: Progress,
}

/// Runs a sweep, investigates what fails, and says what came of it.
///
/// # Errors
/// Wrong arguments; files or standard output that cannot be written.
pub(crate) fn run(args: &Args, resolved: &Resolved) -> anyhow::Result<Exit> {
    let mut plans = args.plan.plans()?;
    let (options, asked) = args.options(plans.len())?;
    let interrupted = interrupt::listen()?;
    let command: Vec<String> = std::env::args().collect();
    let name = run_name(&plans);
    let directory = Directory::create(&args.answer.out, &name)?;
    let record = Record::begun(&command, resolved);
    directory.write_json("run.json", &record)?;
    let answer = &args.answer;
    if answer.verbose {
        for (flag, set) in &resolved.0 {
            note(&format!("{flag:<20} {:<24} {}", set.value, set.origin));
        }
    }
    for plan in &mut plans {
        plan.live.directory = directory.path().join(LIVE);
    }
    let mut session = Session {
        events: EventLog::create(&directory, answer.message_format == MessageFormat::Json)?,
        progress: Progress::towards(asked.unwrap_or(0), answer.quiet),
        args,
        plans,
        interrupted: &interrupted,
        directory,
    };
    session.events.emit(&Event::Started {
        schema: crate::report::SCHEMA,
        tool_version: env!("CARGO_PKG_VERSION"),
        command: &command,
    })?;
    let (sweep, live) = session.sweep(&options)?;
    let findings = if args.plan.is_live() {
        live
    } else {
        session.investigate(&sweep.totals)?
    };
    session.part(&sweep.totals)?;
    session.keep_single_run(&sweep)?;
    let conclusion = Conclusion::of(&session.plans, described(&session.plans), sweep, asked);
    session.finish(&name, &conclusion, &findings, record)
}

/// The seeds when none are named.
const DEFAULT_SEEDS: Seeds = Seeds {
    start: 0,
    end: Some(200),
};

/// Where live clusters have their files, in the directory of the run.
const LIVE: &str = "live";

/// Keeps what clients of real processes saw, and says what is wrong with it.
fn keep_live(
    directory: &Directory,
    plan: &Plan,
    outcomes: &Outcomes,
) -> anyhow::Result<Option<Finding>> {
    let place = directory.inside(&format!("{LIVE}/{}", outcomes.seed))?;
    artefacts::history(&place, &outcomes.history)?;
    let invalid = outcomes.verdict.answer() == Answer::Invalid;
    Ok(invalid.then(|| unrecorded(plan, outcomes, &place.join("history.jsonl"))))
}

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
        };
        Ok((options, asked))
    }
}

impl Session<'_> {
    /// Runs the seeds. Of real processes, which cannot be investigated later, findings are made at once.
    fn sweep(&mut self, options: &sweep::Options) -> anyhow::Result<(Sweep, Vec<Finding>)> {
        let mut findings = Vec::new();
        let Self {
            args,
            plans,
            interrupted,
            events,
            progress,
            directory,
            ..
        } = self;
        let sweep = sweep::sweep(plans, options, interrupted, |ended, totals| {
            progress.at(totals.runs, totals.failing());
            if args.answer.verbose {
                note(&told(ended));
            }
            let plan = &plans[ended.run.plan];
            if plan.driver == Driver::Live
                && let Ok(outcomes) = &ended.outcomes
            {
                let finding = keep_live(directory, plan, outcomes)?;
                findings.extend(finding);
            }
            events.emit(&event_of(plan, ended))
        })?;
        progress.finish();
        for finding in &findings {
            self.tell(finding)?;
        }
        Ok((sweep, findings))
    }

    /// Finds out about the first run of every kind of failure, and tells.
    fn investigate(&mut self, totals: &Totals) -> anyhow::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for (violated, runs) in &totals.failures {
            let Some(Run { seed, plan }) = runs.first() else {
                continue;
            };
            let plan = &self.plans[*plan];
            self.progress
                .say(&format!("investigating seed {seed}: {violated}"));
            let fingerprint = fingerprint(plan.protocol.name, violated);
            let directory = self.directory.inside(&format!("failures/{fingerprint}"))?;
            let seeds: Vec<_> = runs.iter().map(|run| run.seed).collect();
            let case = Case {
                plan,
                seed: *seed,
                seeds: &seeds,
                trace: &directory.join("trace.jsonl"),
                shrink: self.args.answer.shrink,
            };
            let deadline = Deadline::in_time(self.args.answer.shrink_budget);
            let stop = || self.interrupted.load(Ordering::Relaxed) || deadline.is_over();
            let investigation = investigate(case, &stop)?;
            artefacts::failure(&directory, &investigation)?;
            let finding = investigation.finding;
            self.tell(&finding)?;
            findings.push(finding);
        }
        Ok(findings)
    }

    fn tell(&mut self, finding: &Finding) -> anyhow::Result<()> {
        let text = finding.text();
        if self.is_chatty() {
            show(&format!("{text}\n"))?;
        }
        self.events.emit(&Event::Failure { finding, text })
    }

    /// Whether people read along, and want more than the answer.
    fn is_chatty(&self) -> bool {
        self.args.answer.message_format == MessageFormat::Human && !self.args.answer.quiet
    }

    /// Says where the two runs of a seed part that should be one.
    fn part(&mut self, totals: &Totals) -> anyhow::Result<()> {
        let Some(Run { seed, plan }) = totals.differing.first() else {
            return Ok(());
        };
        let plan = &self.plans[*plan];
        let driver = sweep::second_driver(plan, *seed, self.args.check_determinism);
        let second = Plan {
            driver: driver.unwrap_or(plan.driver),
            ..plan.clone()
        };
        let parting = parting(plan, &second, *seed);
        self.directory.write_json("parting.json", &parting)?;
        if self.is_chatty() {
            let line =
                |line: &Option<String>| line.clone().unwrap_or_else(|| "(it is over)".to_owned());
            let place = parting.line.map_or_else(
                || "recorded once more, the two were the same".to_owned(),
                |number| {
                    let (first, second) = (line(&parting.lines.0), line(&parting.lines.1));
                    format!("they part in line {number}:\n    {first}\n    {second}")
                },
            );
            show(&format!(
                " NONDETERMINISTIC  seed {seed} gave two different runs; {place}\n"
            ))?;
        }
        Ok(())
    }

    /// One run's history and trace are kept whatever they show.
    fn keep_single_run(&self, sweep: &Sweep) -> anyhow::Result<()> {
        let ([plan], Some(seed), 1) = (&*self.plans, self.args.seed, sweep.totals.runs) else {
            return Ok(());
        };
        if sweep.finish == Finish::Interrupted || plan.driver == Driver::Live {
            return Ok(());
        }
        let deadline = Deadline::in_time(self.args.run_limit);
        let outcomes = engine(plan.protocol).run(plan, seed, true, &|| deadline.is_over());
        artefacts::history(self.directory.path(), &outcomes.history)?;
        if let Some(mut trace) = outcomes.trace {
            trace.header.command = Some(crate::command::of_seed(plan, seed));
            artefacts::trace(&self.directory.path().join("trace.jsonl"), &trace)?;
        }
        Ok(())
    }

    fn finish(
        mut self,
        name: &str,
        conclusion: &Conclusion,
        findings: &[Finding],
        record: Record<'_>,
    ) -> anyhow::Result<Exit> {
        let exit = self.args.answer.exit(conclusion);
        artefacts::summaries(&self.directory, name, conclusion, findings)?;
        self.events.emit(&Event::Finished {
            conclusion,
            exit_code: exit.code(),
            text: conclusion.text(),
        })?;
        if self.args.answer.message_format == MessageFormat::Human {
            let report = self.directory.path().join("index.html");
            if self.args.answer.quiet {
                show(&conclusion.first_line())?;
            } else {
                show(&conclusion.text())?;
                terminal::print(&format!("          {:<12}{}", "report", report.display()))?;
            }
            if let Some(expected) = self.args.answer.expect {
                let ending = if exit == Exit::Valid {
                    "as expected"
                } else {
                    "NOT as expected"
                };
                terminal::print(&format!(
                    "          {:<12}{expected:?}: {ending}",
                    "expected"
                ))?;
            }
        }
        self.events.finish()?;
        self.directory
            .write_json("run.json", &record.ended(conclusion.totals.runs, exit))?;
        Ok(exit)
    }
}

impl AnswerArgs {
    fn exit(&self, conclusion: &Conclusion) -> Exit {
        let exit = conclusion.exit();
        let expected = self.expect.map(|expected| match expected {
            Expected::Valid => Answer::Valid,
            Expected::Invalid => Answer::Invalid,
            Expected::Unknown => Answer::Unknown,
        });
        match (exit, expected) {
            // What is wrong with the tool or its run is no answer that one may expect.
            (Exit::Valid | Exit::Invalid | Exit::Unknown, Some(expected)) => {
                if conclusion.answer == expected {
                    Exit::Valid
                } else {
                    Exit::Invalid
                }
            }
            (Exit::Unknown, None) if self.fail_on == FailOn::Invalid => Exit::Valid,
            _ => exit,
        }
    }
}

/// Real time, after which shrinking stops. It is read outside of simulations only.
pub(crate) struct Deadline {
    began: Instant,
    after: Duration,
}

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bound on real work; it makes traces smaller or less so, no verdict"
    )]
    pub(crate) fn in_time(after: Duration) -> Self {
        Self {
            began: Instant::now(),
            after,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.began.elapsed() > self.after
    }
}

fn event_of<'a>(plan: &Plan, ended: &'a Ended) -> Event<'a> {
    let (seed, workload) = (ended.run.seed, plan.workload.name);
    match &ended.outcomes {
        Ok(outcomes) => Event::Run {
            seed,
            workload,
            answer: outcomes.verdict.answer().name(),
            violated: &outcomes.violated,
            digest: outcomes.digest,
            operations: outcomes.operations,
        },
        Err(message) => Event::Panicked {
            seed,
            workload,
            message,
        },
    }
}

fn told(ended: &Ended) -> String {
    let seed = ended.run.seed;
    match &ended.outcomes {
        Ok(outcomes) => {
            let answer = outcomes.verdict.answer().name();
            format!(
                "seed {seed}: {answer} {} {}",
                outcomes.violated, outcomes.digest
            )
        }
        Err(message) => format!("seed {seed}: panicked: {message}"),
    }
}
