//! From a failing seed to a finding: the run is recorded, replayed, made smaller, and told as a story.

use std::path::Path;

use tribunal_checkers::Answer;
use tribunal_histories::{Digest, Trace};

use crate::command;
use crate::engine::{Engine, engine};
use crate::judge::{Outcomes, takes_time};
use crate::nearest::{STATES_MAX, shorten, until};
use crate::plan::Plan;
use crate::replay::{ReplayError, Replayed};
use crate::report::{Finding, Row, RunRecord, Shrinking, fingerprint, heading};
use crate::shrink::Shrunk;

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
pub struct Case<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
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

/// Investigates a failing run. `stop` ends the shrinking.
///
/// # Errors
/// When the run's own trace cannot be taken again, which would be a bug of this tool.
///
/// # Panics
/// If a recorded run has no trace, which would be one too.
pub fn investigate(case: Case<'_>, stop: &dyn Fn() -> bool) -> Result<Investigation, ReplayError> {
    let Case { plan, seed, .. } = case;
    let engine = engine(plan.protocol);
    let seed_command = command::of_seed(plan, seed);
    let outcomes = engine.run(plan, seed, true, &|| false);
    let mut full = outcomes.trace.clone().expect("the run was recorded");
    full.header.command = Some(seed_command.clone());
    let is_timeless = !takes_time(&outcomes.violated);
    let faithful = engine.replay(&full, plan.limits, &mut |_| {})?.faithful;
    let shrunk = match case.shrink {
        _ if !is_timeless || !faithful => None,
        Effort::Off => None,
        Effort::On => Some(engine.shrink(&full, plan.limits, stop)?),
        Effort::Search => Some(shortened(engine, &full, plan, stop)?),
    };
    let trace = shrunk
        .as_ref()
        .map_or(&full, |shrunk| &shrunk.trace)
        .clone();
    let (replayed, table) = told(plan, &trace, is_timeless)?;
    // The story is about the trace that is shown, so its sentences are too.
    let verdict = match &replayed {
        Some(replayed) if replayed.verdict.answer() == Answer::Invalid => &replayed.verdict,
        _ => &outcomes.verdict,
    };
    let (headline, because) = verdict.sentences.split_first().map_or_else(
        || (outcomes.violated.clone(), Vec::new()),
        |(headline, because)| (headline.clone(), because.to_vec()),
    );
    let finding = Finding {
        fingerprint: fingerprint(plan.protocol.name, &outcomes.violated),
        protocol: plan.protocol.name,
        bugs: plan.protocol.bugs_in(plan.bugs).map(|bug| bug.id).collect(),
        violated: outcomes.violated.clone(),
        headline,
        because,
        seed,
        digest: outcomes.digest,
        seeds: case.seeds.to_vec(),
        shrinking: shrunk.as_ref().map(shrinking),
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
        bugs: plan.protocol.bugs_in(plan.bugs).map(|bug| bug.id).collect(),
        violated: outcomes.violated.clone(),
        headline: sentences.next().unwrap_or_default(),
        because: sentences.collect(),
        seed: outcomes.seed,
        digest: outcomes.digest,
        seeds: vec![outcomes.seed],
        shrinking: None,
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

/// Records two runs of a seed, with the plan's driver and with another, and finds where they part.
pub fn parting(first: &Plan, second: &Plan, seed: u64) -> Parting {
    let recorded = |plan: &Plan| engine(plan.protocol).run(plan, seed, true, &|| false);
    let (first, second) = (recorded(first), recorded(second));
    let lines = |outcomes: &Outcomes| -> Vec<String> {
        let trace = outcomes.trace.iter().flat_map(|trace| &trace.lines);
        trace.map(|line| format!("{line:?}")).collect()
    };
    let (ours, theirs) = (lines(&first), lines(&second));
    let same = ours
        .iter()
        .zip(&theirs)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let differ = same < ours.len() || same < theirs.len();
    Parting {
        seed,
        digests: (first.digest, second.digest),
        line: differ.then_some(same + 1),
        lines: (ours.get(same).cloned(), theirs.get(same).cloned()),
    }
}
