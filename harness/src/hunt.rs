//! Hunting planted bugs: the tool is believed because it catches them.
//!
//! Each bug names the ways in which it is expected to be found. A hunt tries one of them, within the bug's own budget
//! ([`Hunt`](tribunal_protocols::bugs::Hunt)), and counts only what the registry says the bug breaks: another
//! violation is not a find. What all hunts together found is the mutation score.

use std::time::Duration;

use tribunal_checkers::{Answer, Limits};
use tribunal_histories::Trace;
use tribunal_protocols::bugs::{Bug, FoundBy};
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::scenario::{SCENARIOS, Scenario};

use crate::cli::exit::Failure;
use crate::cli::explore::planted;
use crate::engine::{PlanError, engine};
use crate::explore::ExploreError;
use crate::judge::{LINEARIZABILITY, LIVENESS, Outcomes, takes_time};
use crate::plan::{Driver, Plan};
use crate::scenario;
use crate::spread::{self, Row};
use crate::workload::Entry;

/// The ways that this build can try, in the order in which they are listed.
pub const WAYS: &[FoundBy] = &[
    FoundBy::Simulation,
    FoundBy::Exploration,
    FoundBy::History,
    FoundBy::Liveness,
    FoundBy::Statistics,
    FoundBy::Scenario,
];

/// Why a bug could not be hunted.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// The simulation cannot be run.
    #[error(transparent)]
    Simulation(#[from] PlanError),
    /// The command line does not take the flags of the exploration.
    #[error("its exploration: {0}")]
    Flags(Failure),
    /// The exploration cannot be run.
    #[error("its exploration: {0}")]
    Exploration(ExploreError),
}

/// A bug that was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Find {
    /// Where: a seed or a scenario.
    pub at: String,
    /// What it violated.
    pub violated: String,
    /// How many steps it took.
    pub steps: usize,
    /// How many of them are needed.
    pub shrunk: Option<usize>,
    /// What the exploration was that found it, if it was one.
    pub search: Option<Searched>,
}

/// What a search was that found a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Searched {
    /// The moves of the counterexample; a move may be many steps.
    pub moves: usize,
    /// Distinct states that were visited until then.
    pub distinct: usize,
    /// States that were made, the same ones again included: as many moves were tried.
    pub generated: usize,
    /// The time of processors that it took, in milliseconds.
    pub cpu_ms: u64,
}

/// What came of looking for a bug in one way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Attempt {
    /// The way.
    pub way: FoundBy,
    /// The budget, in words: `100 seeds`.
    pub budget: String,
    /// What was found; nothing, if the bug was missed.
    pub found: Option<Find>,
    /// What came up instead, if something did that the registry does not say.
    pub instead: Option<String>,
}

/// The plan of a bug's hunt by simulation.
///
/// # Errors
/// A hunt that cannot be run: the bug's registry entry is wrong.
///
/// # Panics
/// If the entry names a workload or nemesis that does not exist; a test rules it out.
pub fn plan(protocol: &'static Protocol, bug: &Bug) -> Result<Plan, PlanError> {
    let hunt = bug.hunt;
    let engine = engine(protocol);
    let workload = match hunt.workload {
        "" => engine.workloads()[0],
        named => named,
    };
    let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let plan = Plan {
        nodes: hunt.nodes,
        bugs: protocol.bugs_named([bug.id]).expect("it is its own bug"),
        set: hunt.set.iter().map(field).collect(),
        nemesis: hunt.nemesis.parse().expect("the hunt's nemesis is one"),
        driver: Driver::Plain,
        ..Plan::usual(
            protocol,
            Entry::find(workload).expect("the hunt's workload is one"),
        )
    };
    engine.check(&plan)?;
    Ok(plan)
}

/// Looks for a bug in one way; `None` if this build cannot, or the bug is not expected to be found so.
///
/// # Errors
/// A hunt that cannot be run: the bug's registry entry is wrong.
pub fn hunt(
    protocol: &'static Protocol,
    bug: &'static Bug,
    way: FoundBy,
    shrink: bool,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Attempt>, HuntError> {
    match way {
        FoundBy::Simulation | FoundBy::History | FoundBy::Liveness
            if bug.found_by.contains(&way) =>
        {
            Ok(Some(by_simulation(protocol, bug, way, shrink, stop)?))
        }
        FoundBy::Statistics if bug.found_by.contains(&way) => {
            Ok(Some(by_statistics(protocol, bug)))
        }
        FoundBy::Exploration => by_exploration(protocol, bug, stop),
        FoundBy::Scenario => Ok(by_scenario(protocol, bug)),
        _ => Ok(None),
    }
}

/// The scenarios that have this bug on, and are violated.
pub fn scenarios_of(
    protocol: &Protocol,
    bug: &Bug,
) -> impl Iterator<Item = &'static Scenario<'static>> {
    let (name, id) = (protocol.name, bug.id);
    SCENARIOS.iter().filter(move |scenario| {
        scenario.protocol == name
            && scenario.verdict.starts_with("invalid")
            && scenario.bugs().any(|on| on == id)
    })
}

fn by_simulation(
    protocol: &'static Protocol,
    bug: &'static Bug,
    way: FoundBy,
    shrink: bool,
    stop: &dyn Fn() -> bool,
) -> Result<Attempt, PlanError> {
    let plan = Plan {
        properties: way != FoundBy::History,
        ..plan(protocol, bug)?
    };
    let counts = |violated: &str| {
        bug.breaks.contains(&violated)
            && match way {
                FoundBy::Simulation => violated != LIVENESS && violated != LINEARIZABILITY,
                FoundBy::Liveness => violated == LIVENESS,
                _ => violated != LIVENESS,
            }
    };
    let mut attempt = Attempt {
        way,
        budget: format!("{} seeds", bug.hunt.seeds),
        found: None,
        instead: None,
    };
    for seed in 0..bug.hunt.seeds {
        if stop() {
            break;
        }
        let outcomes = engine(protocol).run(&plan, seed, false, stop);
        if outcomes.verdict.answer() != Answer::Invalid {
            continue;
        }
        if counts(&outcomes.violated) {
            attempt.found = Some(find(protocol, &plan, &outcomes, shrink, stop));
            break;
        }
        let instead = format!("{} at seed {seed}", outcomes.violated);
        attempt.instead.get_or_insert(instead);
    }
    Ok(attempt)
}

/// Runs a failing seed again, with its trace.
fn find(
    protocol: &'static Protocol,
    plan: &Plan,
    outcomes: &Outcomes,
    shrink: bool,
    stop: &dyn Fn() -> bool,
) -> Find {
    let engine = engine(protocol);
    let again = engine.run(plan, outcomes.seed, true, stop);
    let steps = again.trace.as_ref().map_or(0, |trace| trace.end.steps);
    // Liveness takes time, which a trace does not have: there is nothing to take away.
    let shrinks = shrink && !takes_time(&outcomes.violated);
    let shrunk = again
        .trace
        .filter(|_| shrinks)
        .and_then(|trace| engine.shrink(&trace, plan.limits, stop).ok());
    Find {
        at: format!("seed {}", outcomes.seed),
        violated: outcomes.violated.clone(),
        steps,
        shrunk: shrunk.map(|shrunk| shrunk.to),
        search: None,
    }
}

/// How often a search is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Longer than that no processor searches for a planted bug.
const CPU_MAX: Duration = Duration::from_secs(60);

/// Explores with the flags of the bug's registry entry. What is found counts only if its trace replays.
fn by_exploration(
    protocol: &'static Protocol,
    bug: &'static Bug,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Attempt>, HuntError> {
    let inquiry = planted::inquiry(protocol, bug).map_err(HuntError::Flags)?;
    let Some(inquiry) = inquiry else {
        return Ok(None);
    };
    let explored = engine(protocol)
        .explore(&inquiry, &mut |progress| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the search has threads of its own; this one only looks on"
            )]
            std::thread::sleep(TICK);
            let ended = stop() || progress.cpu >= CPU_MAX;
            ended.then(|| "the time is up".to_owned())
        })
        .map_err(HuntError::Exploration)?;
    let progress = explored.progress;
    let mut attempt = Attempt {
        way: FoundBy::Exploration,
        budget: format!("{} states", progress.distinct),
        found: None,
        instead: None,
    };
    let (Some(trace), Some(violated)) = (&explored.counterexample, &explored.violated) else {
        return Ok(Some(attempt));
    };
    let moves = explored.moves.unwrap_or_default();
    if bug.breaks.contains(&&**violated) && replays(protocol, trace) {
        attempt.found = Some(Find {
            at: format!("move {moves}"),
            violated: violated.clone(),
            steps: trace.end.steps,
            shrunk: None,
            search: Some(Searched {
                moves,
                distinct: progress.distinct,
                generated: progress.generated,
                cpu_ms: u64::try_from(progress.cpu.as_millis()).unwrap_or(u64::MAX),
            }),
        });
    } else {
        attempt.instead = Some(format!("{violated} at move {moves}"));
    }
    Ok(Some(attempt))
}

/// Whether a trace's steps can be taken again, and are found wrong for the same reason.
fn replays(protocol: &Protocol, trace: &Trace) -> bool {
    let again = engine(protocol).replay(trace, Limits::default(), &mut |_| ());
    again.is_ok_and(|again| {
        let same = again.violated == trace.end.violated;
        same && again.faithful && again.verdict.answer() == Answer::Invalid
    })
}

/// Statistics are about gossip, the one protocol here that promises something only of many runs.
fn by_statistics(protocol: &'static Protocol, bug: &'static Bug) -> Attempt {
    let bugs = protocol.bugs_named([bug.id]).expect("it is its own bug");
    let row = spread::hunt_by_statistics(bugs);
    let counts = |row: &Row| bug.breaks.contains(&row.property);
    let find = |row: &Row| Find {
        at: format!("{}, {} nodes", row.name, row.nodes),
        violated: row.property.to_owned(),
        steps: 0,
        shrunk: None,
        search: None,
    };
    Attempt {
        way: FoundBy::Statistics,
        budget: "6,600 trials".to_owned(),
        found: row.as_ref().filter(|row| counts(row)).map(find),
        instead: row
            .filter(|row| !counts(row))
            .map(|row| format!("{} by {}", row.property, row.name)),
    }
}

fn by_scenario(protocol: &'static Protocol, bug: &'static Bug) -> Option<Attempt> {
    let mut attempt = None;
    for scenario in scenarios_of(protocol, bug) {
        let attempt = attempt.get_or_insert(Attempt {
            way: FoundBy::Scenario,
            budget: "its scenarios".to_owned(),
            found: None,
            instead: None,
        });
        match scenario::trace_of(scenario, Limits::default()) {
            Ok(trace) if bug.breaks.contains(&&*trace.end.violated) => {
                attempt.found = Some(Find {
                    at: scenario.id.to_owned(),
                    violated: trace.end.violated,
                    steps: trace.end.steps,
                    shrunk: None,
                    search: None,
                });
                return Some(attempt.clone());
            }
            Ok(trace) => {
                attempt.instead = Some(format!("{} in {}", trace.end.violated, scenario.id));
            }
            Err(error) => attempt.instead = Some(format!("{}: {error}", scenario.id)),
        }
    }
    attempt
}

#[cfg(test)]
mod tests {
    use tribunal_protocols::registry::PROTOCOLS;

    use super::*;

    #[test]
    fn every_hunt_can_be_run_and_every_bug_has_a_way_to_be_found() {
        for protocol in PROTOCOLS {
            for bug in protocol.bugs {
                plan(protocol, bug).unwrap_or_else(|error| panic!("{}: {error}", bug.id));
                let ways = bug.found_by.iter().filter(|way| WAYS.contains(way));
                let scenarios = scenarios_of(protocol, bug).count();
                assert!(ways.count() + scenarios > 0, "{} cannot be found", bug.id);
                let says = bug.found_by.contains(&FoundBy::Scenario);
                assert!(!says || scenarios > 0, "{} has no scenario", bug.id);
                planted::inquiry(protocol, bug)
                    .unwrap_or_else(|error| panic!("{}: {error}", bug.id));
                let says = bug.found_by.contains(&FoundBy::Exploration);
                assert_eq!(
                    says,
                    bug.explored.is_some(),
                    "{}: how is it explored?",
                    bug.id
                );
            }
        }
    }
}
