//! A sweep from the command line: runs are made and shown, failures investigated, everything is written down.
//!
//! Whatever is swept ([`Experiment`]), this is the same: the directory of the run, events, findings, the conclusion,
//! and the exit code.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tribunal_checkers::Answer;

use super::artefacts::{self, Record};
use super::exit::Exit;
use super::profile::Resolved;
use super::{interrupt, quantity, show};
use crate::experiment::{Experiment, Pace};
use crate::investigate::{Case, Effort};
use crate::judge::Outcomes;
use crate::report::{
    Conclusion, Directory, Event, EventLog, Finding, Progress, fingerprint, note, terminal,
};
use crate::sweep::{self, Ended, Finish, Run, Sweep};
use crate::totals::Totals;

/// What is done with the answer.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The answer")]
pub(crate) struct AnswerArgs {
    /// End with 0 if and only if this is the answer; with `invalid`, stop at the first failure: a canary
    #[arg(long, value_name = "ANSWER", env = "TRIBUNAL_EXPECT")]
    pub(crate) expect: Option<Expected>,

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
pub(crate) enum Expected {
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

/// Where real processes have their files, in the directory of the run: a folder a seed.
pub(crate) const RUNS: &str = "live";

/// Keeps what clients of real processes saw, and says what is wrong with it.
fn keep_live<E: Experiment>(
    directory: &Directory,
    plan: &E,
    outcomes: &Outcomes,
) -> anyhow::Result<Option<Finding>> {
    let place = directory.inside(&format!("{RUNS}/{}", outcomes.seed))?;
    artefacts::history(&place, &outcomes.history)?;
    let invalid = outcomes.verdict.answer() == Answer::Invalid;
    Ok(invalid.then(|| plan.unrecorded(outcomes, &place.join("history.jsonl"))))
}

/// What is to be swept.
pub(crate) struct Work<E> {
    /// The experiments; every seed runs with each.
    pub(crate) plans: Vec<E>,
    /// All of them, in words.
    pub(crate) what: String,
    /// The only seed, if one was named: its run is kept whatever it shows.
    pub(crate) single: Option<u64>,
    /// How to sweep.
    pub(crate) options: sweep::Options,
    /// How many runs that is to be, if that is known.
    pub(crate) asked: Option<u64>,
}

/// A sweep on its way.
pub(crate) struct Session<'a> {
    answer: &'a AnswerArgs,
    name: &'a str,
    interrupted: Arc<AtomicBool>,
    directory: Directory,
    events: EventLog,
    progress: Progress,
    record: Record<'a>,
}

impl<'a> Session<'a> {
    /// Makes the run's directory, and writes down that it began.
    ///
    /// # Errors
    /// Files or standard output that cannot be written.
    pub(crate) fn begin(
        answer: &'a AnswerArgs,
        name: &'a str,
        command: &'a [String],
        resolved: &'a Resolved,
    ) -> anyhow::Result<Self> {
        let interrupted = interrupt::listen()?;
        let directory = Directory::create(&answer.out, name)?;
        let record = Record::begun(command, resolved);
        directory.write_json("run.json", &record)?;
        if answer.verbose {
            for (flag, set) in &resolved.0 {
                note(&format!("{flag:<20} {:<24} {}", set.value, set.origin));
            }
        }
        let to_stdout = answer.message_format == MessageFormat::Json;
        let mut events = EventLog::create(&directory, to_stdout)?;
        events.emit(&Event::Started {
            schema: crate::report::SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION"),
            command,
        })?;
        Ok(Self {
            progress: Progress::towards(0, true),
            answer,
            name,
            interrupted,
            directory,
            events,
            record,
        })
    }

    /// The run's directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Set when somebody wants it to end.
    pub(crate) fn interrupted(&self) -> &AtomicBool {
        &self.interrupted
    }

    /// Sweeps, investigates what fails, and says what came of it.
    ///
    /// # Errors
    /// Files or standard output that cannot be written.
    pub(crate) fn run<E: Experiment>(mut self, work: Work<E>) -> anyhow::Result<Exit> {
        self.progress = Progress::towards(work.asked.unwrap_or(0), self.answer.quiet);
        let (sweep, live) = self.sweep(&work)?;
        let is_real = work.plans.iter().any(|plan| plan.pace() == Pace::RealTime);
        let findings = if is_real {
            live
        } else {
            self.investigate(&work.plans, &sweep.totals)?
        };
        self.part(&work, &sweep.totals)?;
        self.keep_single_run(&work, &sweep)?;
        let conclusion = Conclusion::of(&work.plans, work.what, sweep, work.asked);
        self.finish(&conclusion, &findings)
    }

    /// Runs the seeds. Of real processes, which cannot be investigated later, findings are made at once.
    fn sweep<E: Experiment>(&mut self, work: &Work<E>) -> anyhow::Result<(Sweep, Vec<Finding>)> {
        let mut findings = Vec::new();
        let Self {
            answer,
            interrupted,
            events,
            progress,
            directory,
            ..
        } = self;
        let sweep = sweep::sweep(&work.plans, &work.options, interrupted, |ended, totals| {
            progress.at(totals.runs, totals.failing());
            if answer.verbose {
                note(&told(ended));
            }
            let plan = &work.plans[ended.run.plan];
            if let Ok(outcomes) = &ended.outcomes
                && !E::IS_OURS
                && outcomes.verdict.answer() == Answer::Invalid
                && totals
                    .failures
                    .get(&outcomes.violated)
                    .is_some_and(|runs| runs.len() == 1)
            {
                // What is wrong is told at once; where and why takes some more time.
                let what = outcomes.verdict.sentences.first();
                progress.say(&format!(
                    "seed {}: {}",
                    ended.run.seed,
                    what.map_or("", String::as_str)
                ));
            }
            if plan.pace() == Pace::RealTime
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
    fn investigate<E: Experiment>(
        &mut self,
        plans: &[E],
        totals: &Totals,
    ) -> anyhow::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for (violated, runs) in &totals.failures {
            let Some(Run { seed, plan }) = runs.first() else {
                continue;
            };
            let plan = &plans[*plan];
            self.progress
                .say(&format!("investigating seed {seed}: {violated}"));
            let fingerprint = fingerprint(plan.subject(), violated);
            let directory = self.directory.inside(&format!("failures/{fingerprint}"))?;
            let seeds: Vec<_> = runs.iter().map(|run| run.seed).collect();
            let case = Case {
                plan,
                seed: *seed,
                seeds: &seeds,
                trace: &directory.join("trace.jsonl"),
                shrink: self.answer.shrink,
            };
            let deadline = Deadline::in_time(self.answer.shrink_budget);
            let stop = || self.interrupted.load(Ordering::Relaxed) || deadline.is_over();
            let investigation = E::investigate(case, &stop)?;
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
        self.answer.message_format == MessageFormat::Human && !self.answer.quiet
    }

    /// Says where the two runs of a seed part that should be one.
    fn part<E: Experiment>(&mut self, work: &Work<E>, totals: &Totals) -> anyhow::Result<()> {
        let Some(Run { seed, plan }) = totals.differing.first() else {
            return Ok(());
        };
        let plan = &work.plans[*plan];
        let second = plan.second(*seed, work.options.twice_every);
        let second = second.map_or_else(|| plan.clone(), |second| second.experiment);
        let parting = plan.parting(&second, *seed);
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
    fn keep_single_run<E: Experiment>(&self, work: &Work<E>, sweep: &Sweep) -> anyhow::Result<()> {
        let ([plan], Some(seed), 1) = (&*work.plans, work.single, sweep.totals.runs) else {
            return Ok(());
        };
        if sweep.finish == Finish::Interrupted || plan.pace() == Pace::RealTime {
            return Ok(());
        }
        let deadline = Deadline::in_time(work.options.run_limit);
        let outcomes = plan.run(seed, true, &|| deadline.is_over());
        artefacts::history(self.directory.path(), &outcomes.history)?;
        if let Some(mut trace) = outcomes.trace {
            trace.header.command = Some(plan.command(seed));
            artefacts::trace(&self.directory.path().join("trace.jsonl"), &trace)?;
        }
        Ok(())
    }

    fn finish(mut self, conclusion: &Conclusion, findings: &[Finding]) -> anyhow::Result<Exit> {
        let exit = self.answer.exit(conclusion);
        artefacts::summaries(&self.directory, self.name, conclusion, findings)?;
        self.events.emit(&Event::Finished {
            conclusion,
            exit_code: exit.code(),
            text: conclusion.text(),
        })?;
        if self.answer.message_format == MessageFormat::Human {
            let report = self.directory.path().join("index.html");
            if self.answer.quiet {
                show(&conclusion.first_line())?;
            } else {
                show(&conclusion.text())?;
                terminal::print(&format!("          {:<12}{}", "report", report.display()))?;
            }
            if let Some(expected) = self.answer.expect {
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
        let record = self.record.ended(conclusion.totals.runs, exit);
        self.directory.write_json("run.json", &record)?;
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

fn event_of<'a, E: Experiment>(plan: &E, ended: &'a Ended) -> Event<'a> {
    let (seed, workload) = (ended.run.seed, plan.workload().name);
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
