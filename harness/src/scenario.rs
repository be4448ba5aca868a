//! Scenarios as traces: what a scenario tells is judged like any run, replays and shrinks like any run.

use std::borrow::Cow;
use std::path::PathBuf;

use tribunal_checkers::Limits;
use tribunal_histories::Trace;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::scenario::{NotAScenario, Scenario, ScenarioError, Staged, play};

use crate::engine::engine;
use crate::judge::{Judged, history_of};
use crate::replay::{Stage, finish, header};

/// Why a scenario cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// A line of it cannot be done, or an expectation is not met.
    #[error(transparent)]
    Line(#[from] ScenarioError),
    /// The text is none.
    #[error(transparent)]
    NotAScenario(#[from] NotAScenario),
    /// No protocol has the name that the scenario gives.
    #[error("there is no protocol `{0}`; see `tribunal list protocols`")]
    Protocol(String),
    /// It is not one that comes with the tool, and there is no such file.
    #[error(
        "`{}` is neither a scenario (see `tribunal list scenarios`) nor a file that can be read: {source}",
        path.display()
    )]
    Unreadable {
        /// What was asked for.
        path: PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
}

/// The text of the scenario that has this id or name, or else is in the file of this name.
///
/// # Errors
/// [`TellError::Unreadable`] when there is neither.
pub fn text_of(which: &str) -> Result<Cow<'static, str>, TellError> {
    match Scenario::named(which) {
        Some(scenario) => Ok(Cow::Borrowed(scenario.text)),
        None => std::fs::read_to_string(which)
            .map(Cow::Owned)
            .map_err(|source| TellError::Unreadable {
                path: which.into(),
                source,
            }),
    }
}

/// Tells a scenario, of whatever protocol, and judges it: its trace, which replays.
///
/// # Errors
/// When it is about no protocol, cannot be told, or an expectation is not met. A verdict that differs from the one
/// that the scenario expects is no error here: it stands in the trace's end.
pub fn trace_of(scenario: &Scenario<'_>, limits: Limits) -> Result<Trace, TellError> {
    let protocol = Protocol::named(scenario.protocol)
        .ok_or_else(|| TellError::Protocol(scenario.protocol.to_owned()))?;
    Ok(engine(protocol).tell(scenario, limits)?)
}

/// Tells a scenario of a protocol, and judges it.
pub(crate) fn tell<N: Staged>(
    scenario: &Scenario<'_>,
    limits: Limits,
) -> Result<Trace, ScenarioError> {
    let play = play::<N>(scenario)?;
    let mut stage = Stage::new(&play.setup, true);
    let mut lines = Vec::new();
    for step in &play.steps {
        let taken = stage.record(step, &mut lines);
        assert!(taken, "{step} was taken once, in an equal world");
    }
    let history = history_of(stage.witness.events);
    let monitor = stage.witness.monitor.as_ref();
    let judged = Judged::of(monitor, &history, N::MODEL, limits, &|| false);
    let header = header(&play.setup, None, N::MODEL, true);
    Ok(finish(header, lines, stage.digest, &judged))
}

#[cfg(test)]
mod tests {
    use tribunal_protocols::scenario::SCENARIOS;

    use super::*;

    fn verdict(answer: &str, violated: &str) -> String {
        format!("{answer} {violated}").trim_end().to_owned()
    }

    #[test]
    fn every_scenario_gets_its_verdict_and_replays() {
        for scenario in SCENARIOS {
            let trace = trace_of(scenario, Limits::default())
                .unwrap_or_else(|error| panic!("{}: {error}", scenario.id));
            let told = verdict(&trace.end.verdict, &trace.end.violated);
            assert_eq!(told, scenario.verdict, "{}", scenario.id);

            // As a file, too.
            let mut bytes = Vec::new();
            trace.write(&mut bytes).unwrap();
            let read = Trace::read(&bytes[..]).unwrap();
            let protocol = Protocol::named(&read.header.protocol).unwrap();
            let mut steps = 0;
            let replayed = engine(protocol)
                .replay(&read, Limits::default(), &mut |_| steps += 1)
                .unwrap_or_else(|error| panic!("{}: {error}", scenario.id));
            assert!(replayed.faithful, "{}", scenario.id);
            assert_eq!(steps, trace.end.steps);
            let again = verdict(replayed.verdict.answer().name(), &replayed.violated);
            assert_eq!(again, scenario.verdict, "{}", scenario.id);
        }
    }

    #[test]
    fn a_scenario_that_fails_shrinks() {
        for scenario in SCENARIOS
            .iter()
            .filter(|scenario| scenario.verdict.starts_with("invalid"))
        {
            let trace = trace_of(scenario, Limits::default()).unwrap();
            let protocol = Protocol::named(scenario.protocol).unwrap();
            let shrunk = engine(protocol)
                .shrink(&trace, Limits::default(), &|| false)
                .unwrap();
            assert!(
                shrunk.minimal && shrunk.to <= shrunk.from,
                "{}",
                scenario.id
            );
            assert_eq!(shrunk.trace.end.violated, trace.end.violated);
        }
    }

    #[test]
    fn scenarios_are_found_by_id_name_and_path() {
        let by_id = text_of("s-r6").unwrap();
        assert_eq!(by_id, text_of("partition").unwrap());
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../protocols/scenarios/raft/partition.txt"
        );
        assert_eq!(by_id, text_of(path).unwrap());
        assert!(matches!(
            text_of("S-R99"),
            Err(TellError::Unreadable { .. })
        ));
    }
}
