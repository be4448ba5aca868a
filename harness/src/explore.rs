//! Exploring a protocol by name, and the counterexample as a trace that replays.

use serde::Serialize;
use tribunal_checkers::explore::{
    Budget, Cut, Explored, Limits, NotAnOperation, Progress, Question, Strategy, explore,
};
use tribunal_histories::Trace;
use tribunal_protocols::Bugs;
use tribunal_protocols::contract::{Configuration, with_fields};
use tribunal_protocols::scenario::Staged;
use tribunal_protocols::world::{Setup, SyncMode};

use crate::judge::{Judged, history_of};
use crate::replay::{Stage, finish, header};

/// What is to be explored, of whatever protocol.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// How many nodes.
    pub nodes: usize,
    /// The planted bugs that are on.
    pub bugs: Bugs,
    /// Fields of the configuration, and their values as JSON.
    pub set: Vec<(String, String)>,
    /// When writes reach disks: at once, or in steps of their own.
    pub sync: SyncMode,
    /// What clients do and what goes wrong.
    pub budget: Budget,
    /// Where the search ends though there is more.
    pub limits: Limits,
    /// In which order states are visited.
    pub strategy: Strategy,
    /// How many threads search.
    pub threads: usize,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Exploration {
    /// How far the search came.
    pub progress: Progress,
    /// Why it did not see everything, if it did not.
    pub cut: Option<Cut>,
    /// The chance that two different states were taken for one.
    pub collision_chance: f64,
    /// By kind of step, how often one was taken.
    pub steps: Vec<(&'static str, u64)>,
    /// Probes that were hit.
    pub probes: Vec<&'static str>,
    /// Properties that were put to the test.
    pub tested: Vec<&'static str>,
    /// The way to what is violated, if something is.
    #[serde(skip)]
    pub counterexample: Option<Trace>,
}

/// Why nothing was explored.
#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    /// A field that the configuration does not have, or a value that it cannot have.
    #[error("the configuration cannot be set so: {0}")]
    Field(serde_json::Error),
    /// An operation that the protocol does not have.
    #[error(transparent)]
    Operation(#[from] NotAnOperation),
}

/// Explores a protocol.
pub(crate) fn inquire<N: Staged>(
    inquiry: &Inquiry,
    watch: &mut dyn FnMut(&Progress) -> Option<String>,
) -> Result<Exploration, ExploreError> {
    let fields = inquiry.set.iter();
    let config = with_fields(
        &N::Config::of(inquiry.nodes),
        fields.map(|(name, value)| (&**name, &**value)),
    )
    .map_err(ExploreError::Field)?
    .with_bugs(inquiry.bugs);
    let setup = Setup::<N>::fresh(config, inquiry.sync);
    let question = Question {
        setup: setup.clone(),
        budget: inquiry.budget.clone(),
        limits: inquiry.limits,
        strategy: inquiry.strategy,
        threads: inquiry.threads,
        model: N::MODEL.to_owned(),
    };
    let explored = explore(question, watch)?;
    let collision_chance = explored.collision_chance();
    let counterexample = trace_of(&setup, &explored);
    Ok(Exploration {
        progress: explored.progress,
        cut: explored.cut,
        collision_chance,
        steps: explored.steps,
        probes: explored.probes,
        tested: explored.tested,
        counterexample,
    })
}

/// The counterexample's steps, taken once more and written down.
fn trace_of<N: Staged>(setup: &Setup<N>, explored: &Explored<N>) -> Option<Trace> {
    let (steps, _) = explored.counterexample.as_ref()?;
    let mut stage = Stage::new(setup, true);
    let mut lines = Vec::new();
    for step in steps {
        let taken = stage.record(step, &mut lines);
        assert!(taken, "{step} was taken once, in an equal world");
    }
    let history = history_of(stage.witness.events);
    let monitor = stage.witness.monitor.as_ref();
    let limits = tribunal_checkers::Limits::default();
    let judged = Judged::of(monitor, &history, N::MODEL, limits, &|| false);
    let header = header(setup, None, N::MODEL, true);
    Some(finish(header, lines, stage.digest, &judged))
}
