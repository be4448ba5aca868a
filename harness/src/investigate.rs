//! From a failing seed to a finding: the run is recorded, replayed, made smaller, and told as a story.

use std::path::Path;

use tribunal_checkers::properties::{PropertyInfo, properties_for};
use tribunal_checkers::{Answer, Verdict};
use tribunal_histories::{Digest, Trace};

use crate::command;
use crate::engine::{Engine, engine};
use crate::experiment::{Experiment, Pace, Second};
use crate::judge::{Outcomes, takes_time};
use crate::nearest::{STATES_MAX, shorten, until};
use crate::nemesis::Selection;
use crate::plan::{Driver, Plan};
use crate::replay::{ReplayError, Replayed};
use crate::report::{Finding, Row, RunRecord, Shrinking, SmallerRun, fingerprint, heading, listed};
use crate::shrink::Shrunk;
use crate::smaller::{Smaller, smaller};
use crate::workload;

/// A failing run with everything that a report needs.
#[derive(Debug)]
pub struct Investigation {
    /// What is told of it.
    pub finding: Finding,
    /// The run.
    pub outcomes: Outcomes,
    /// The run's trace, as found.
    pub full: Trace,
    /// The trace that is shown: the smallest that was found.
    pub trace: Trace,
}

/// What an investigation is about.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a, E> {
    /// The plan of the run.
    pub plan: &'a E,
    /// The first seed that fails.
    pub seed: u64,
    /// All seeds that do.
    pub seeds: &'a [u64],
    /// Where the trace will be.
    pub trace: &'a Path,
    /// Whether to make the trace smaller.
    pub shrink: Effort,
}

/// What is done to make a trace smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Effort {
    /// Nothing
    Off,
    /// Steps are taken out
    On,
    /// After that, the neighbourhood of what is left is searched for the shortest trace
    Search,
}

/// The longest trace that is told whole where steps cannot be taken again.
const LINES_MAX: usize = 60;

/// Investigates a failing run. `stop` ends the shrinking.
///
/// # Errors
/// When the run's own trace cannot be taken again, which would be a bug of this tool.
///
/// # Panics
/// If a recorded run has no trace, which would be one too.
pub fn investigate(
    case: Case<'_, Plan>,
    stop: &dyn Fn() -> bool,
) -> Result<Investigation, ReplayError> {
    let Case { plan, seed, .. } = case;
    let engine = engine(plan.protocol);
    let seed_command = command::of_seed(plan, seed);
    let outcomes = engine.run(plan, seed, true, &|| false);
    let mut full = outcomes.trace.clone().expect("the run was recorded");
    full.header.command = Some(seed_command.clone());
    let is_timeless = engine.takes_steps() && !takes_time(&outcomes.violated);
    let faithful = engine.takes_steps() && engine.replay(&full, plan.limits, &mut |_| {})?.faithful;
    let shrunk = match case.shrink {
        _ if !is_timeless || !faithful => None,
        Effort::Off => None,
        Effort::On => Some(engine.shrink(&full, plan.limits, stop)?),
        Effort::Search => Some(shortened(engine, &full, plan, stop)?),
    };
    let smaller = match case.shrink {
        Effort::On | Effort::Search if !engine.takes_steps() => smaller(plan, &outcomes, stop)
            .map(|smaller| smaller_run(engine, &smaller, full.end.steps)),
        _ => None,
    };
    let shown = shrunk.as_ref().map(|shrunk| &shrunk.trace);
    let shown = smaller.as_ref().map(|(_, trace, _)| trace).or(shown);
    let trace = shown.unwrap_or(&full).clone();
    let (replayed, mut table) = told(plan, &trace, is_timeless)?;
    if smaller.is_some() && trace.lines.len() <= LINES_MAX {
        table = listed(&trace);
    }
    // The story is about the trace that is shown, so its sentences are too.
    let verdict = match (&replayed, &smaller) {
        (Some(replayed), _) if replayed.verdict.answer() == Answer::Invalid => &replayed.verdict,
        (_, Some((_, _, verdict))) => verdict,
        _ => &outcomes.verdict,
    };
    let (headline, because) = verdict.sentences.split_first().map_or_else(
        || (outcomes.violated.clone(), Vec::new()),
        |(headline, because)| (headline.clone(), because.to_vec()),
    );
    let finding = Finding {
        fingerprint: fingerprint(plan.protocol.name, &outcomes.violated),
        protocol: plan.protocol.name,
        is_ours: true,
        bugs: plan.bugs(),
        violated: outcomes.violated.clone(),
        headline,
        because,
        seed,
        digest: outcomes.digest,
        seeds: case.seeds.to_vec(),
        shrinking: shrunk.as_ref().map(shrinking),
        smaller: smaller.map(|(run, _, _)| run),
        stderr: None,
        replays: is_timeless
            .then_some(faithful && replayed.is_some_and(|replayed| replayed.faithful)),
        table,
        record: RunRecord::Trace(case.trace.to_owned()),
        replay_command: is_timeless.then(|| command::of_trace(case.trace)),
        seed_command,
    };
    Ok(Investigation {
        finding,
        outcomes,
        full,
        trace,
    })
}

/// What there is to tell of a failing run of real processes, whose history is kept.
pub fn unrecorded(plan: &Plan, outcomes: &Outcomes, history: &Path) -> Finding {
    let mut sentences = outcomes.verdict.sentences.iter().cloned();
    Finding {
        fingerprint: fingerprint(plan.protocol.name, &outcomes.violated),
        protocol: plan.protocol.name,
        is_ours: true,
        bugs: plan.bugs(),
        violated: outcomes.violated.clone(),
        headline: sentences.next().unwrap_or_default(),
        because: sentences.collect(),
        seed: outcomes.seed,
        digest: outcomes.digest,
        seeds: vec![outcomes.seed],
        shrinking: None,
        smaller: None,
        stderr: None,
        replays: None,
        table: Vec::new(),
        record: RunRecord::History(history.to_owned()),
        replay_command: Some(command::of_history(history, plan.workload.model)),
        seed_command: command::of_seed(plan, outcomes.seed),
    }
}

/// The shortest trace in the neighbourhood of what is left when steps have been taken out.
fn shortened(
    engine: &dyn Engine,
    full: &Trace,
    plan: &Plan,
    stop: &dyn Fn() -> bool,
) -> Result<Shrunk, ReplayError> {
    let (states, mut watch) = (Some(STATES_MAX), until(stop));
    let shortened = shorten(engine, full, plan.limits, states, stop, &mut watch)?;
    Ok(Shrunk {
        trace: shortened.trace,
        from: shortened.from,
        to: shortened.to,
        tried: shortened.tried,
        minimal: shortened.minimal,
    })
}

/// What is told of a smaller run, its trace and its verdict.
fn smaller_run(
    engine: &dyn Engine,
    smaller: &Smaller,
    from: usize,
) -> (SmallerRun, Trace, Verdict) {
    let Smaller {
        plan,
        seed,
        tried,
        minimal,
    } = smaller;
    let outcomes = engine.run(plan, *seed, true, &|| false);
    let command = command::of_seed(plan, *seed);
    let mut trace = outcomes.trace.expect("the run was recorded");
    trace.header.command = Some(command.clone());
    let run = SmallerRun {
        from,
        to: trace.end.steps,
        size: format!(
            "nodes {}, operations {}, concurrency {}, nemesis {}",
            plan.nodes, plan.options.operations, plan.options.concurrency, plan.nemesis
        ),
        seed: *seed,
        tried: *tried,
        minimal: *minimal,
        command,
    };
    (run, trace, outcomes.verdict)
}

fn shrinking(shrunk: &Shrunk) -> Shrinking {
    Shrinking {
        from: shrunk.from,
        to: shrunk.to,
        tried: shrunk.tried,
        minimal: shrunk.minimal,
    }
}

/// The trace taken again, and its table; nothing where steps do not show what is wrong.
fn told(
    plan: &Plan,
    trace: &Trace,
    is_timeless: bool,
) -> Result<(Option<Replayed>, Vec<String>), ReplayError> {
    if !is_timeless {
        return Ok((None, Vec::new()));
    }
    let mut table = vec![heading(plan.nodes)];
    let replayed = engine(plan.protocol).replay(trace, plan.limits, &mut |moment| {
        table.push(Row::of(moment).to_string())
    })?;
    Ok((Some(replayed), table))
}

/// Where two runs of a seed part.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Parting {
    /// The seed.
    pub seed: u64,
    /// The digests of the two.
    pub digests: (Digest, Digest),
    /// The line of the trace in which they first differ, from 1; nothing if this time they were the same.
    pub line: Option<usize>,
    /// That line in the first run and in the second, if they have it.
    pub lines: (Option<String>, Option<String>),
}

impl Parting {
    /// Where these two recorded runs of a seed part.
    pub fn of(seed: u64, first: &Outcomes, second: &Outcomes) -> Self {
        let lines = |outcomes: &Outcomes| -> Vec<String> {
            let trace = outcomes.trace.iter().flat_map(|trace| &trace.lines);
            trace.map(|line| format!("{line:?}")).collect()
        };
        let (ours, theirs) = (lines(first), lines(second));
        let same = ours
            .iter()
            .zip(&theirs)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        let differ = same < ours.len() || same < theirs.len();
        Self {
            seed,
            digests: (first.digest, second.digest),
            line: differ.then_some(same + 1),
            lines: (ours.get(same).cloned(), theirs.get(same).cloned()),
        }
    }
}

impl Experiment for Plan {
    const IS_OURS: bool = true;

    fn subject(&self) -> &'static str {
        self.protocol.name
    }

    fn workload(&self) -> &'static workload::Entry {
        self.workload
    }

    fn pace(&self) -> Pace {
        match self.driver {
            Driver::Live => Pace::RealTime,
            Driver::Madsim | Driver::Plain => Pace::Simulated,
        }
    }

    fn is_fair_weather(&self) -> bool {
        matches!(self.nemesis, Selection::None)
    }

    fn bugs(&self) -> Vec<&'static str> {
        self.protocol.bugs_in(self.bugs).map(|bug| bug.id).collect()
    }

    fn properties(&self) -> &'static [&'static PropertyInfo] {
        properties_for(self.protocol.name).unwrap_or_default()
    }

    fn run(&self, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
        engine(self.protocol).run(self, seed, record, stop)
    }

    /// By turns the same runtime, and the other one.
    fn second(&self, seed: u64, every: u64) -> Option<Second<Self>> {
        if every == 0 || !seed.is_multiple_of(every) || self.driver == Driver::Live {
            return None;
        }
        let same = !cfg!(madsim) || (seed / every) % 2 == 1;
        let driver = match (same, self.driver) {
            (true, driver) => driver,
            (false, Driver::Madsim) => Driver::Plain,
            (false, Driver::Plain | Driver::Live) => Driver::Madsim,
        };
        Some(Second {
            on_other_runtime: driver != self.driver,
            experiment: Self {
                driver,
                ..self.clone()
            },
        })
    }

    fn investigate(case: Case<'_, Self>, stop: &dyn Fn() -> bool) -> anyhow::Result<Investigation> {
        Ok(investigate(case, stop)?)
    }

    fn unrecorded(&self, outcomes: &Outcomes, history: &Path) -> Finding {
        unrecorded(self, outcomes, history)
    }

    fn command(&self, seed: u64) -> String {
        command::of_seed(self, seed)
    }
}
