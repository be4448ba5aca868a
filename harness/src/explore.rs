//! Exploring a protocol by name, and the counterexample as a trace that replays.

use std::net::SocketAddr;

use serde::Serialize;
use tribunal_checkers::explore::{
    Budget, Cut, Limits, Progress, Question, QuestionError, Reductions, Strategy, Way, explore,
};
use tribunal_checkers::properties::{PropertyInfo, properties_for};
use tribunal_histories::Trace;
use tribunal_protocols::Bugs;
use tribunal_protocols::contract::{Configuration, with_fields};
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::{Setup, SyncMode};

use crate::judge::{Judged, LINEARIZABILITY, LIVENESS, history_of};
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
    /// What is left out because it makes no difference.
    pub reductions: Reductions,
    /// The properties that are judged, by id; `None` for all.
    pub properties: Option<Vec<String>>,
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
    /// How many clusters were healed and asked what they must answer.
    pub healed: usize,
    /// How many names for all nodes were tried for each state.
    pub renamings: usize,
    /// What is violated at the end of the way, if something is.
    pub violated: Option<String>,
    /// How many moves of the search the way to what is violated has.
    pub moves: Option<usize>,
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
    /// A property that the protocol does not have.
    #[error("{protocol} has no property `{property}`; see `tribunal list properties`")]
    Property {
        /// The protocol.
        protocol: &'static str,
        /// What was asked for.
        property: String,
    },
    /// An operation that the protocol does not have, or a step that cannot be taken at the beginning.
    #[error(transparent)]
    Question(#[from] QuestionError),
}

/// Explores a protocol.
pub(crate) fn inquire<N: Explored>(
    inquiry: &Inquiry,
    watch: &mut dyn FnMut(&Progress) -> Option<String>,
) -> Result<Exploration, ExploreError> {
    let question = question_of::<N>(inquiry)?;
    let setup = question.setup.clone();
    let explored = explore(question, watch)?;
    let collision_chance = explored.collision_chance();
    let finally = inquiry.budget.finally.as_deref();
    let mut cut = explored.cut;
    let way = explored.counterexample.as_ref().and_then(|way| {
        let trace = trace_of(&setup, way, finally);
        // Whether a cluster is stuck is for the whole one to say: the search has forgotten what is inert.
        if trace.end.violated.is_empty() {
            let violated = &way.violated;
            let why = format!(
                "it came by a violation of {violated} that its steps, taken again, do not show"
            );
            cut = Some(Cut::Stopped(why));
            return None;
        }
        Some((way, trace))
    });
    let (way, counterexample) = way.unzip();
    let moves = way.map(|way| way.moves);
    let violated = way.zip(counterexample.as_ref()).map(|(way, trace)| {
        // The search knows that clients saw something wrong; the trace, by which model.
        let of_clients = way.violated == LINEARIZABILITY;
        let violated = if of_clients {
            &trace.end.violated
        } else {
            &way.violated
        };
        violated.clone()
    });
    Ok(Exploration {
        progress: explored.progress,
        cut,
        collision_chance,
        steps: explored.steps,
        probes: explored.probes,
        tested: explored.tested,
        healed: explored.healed,
        renamings: explored.renamings,
        violated,
        moves,
        counterexample,
    })
}

/// Shows the states to a browser.
pub(crate) fn serve<N: Explored>(
    inquiry: &Inquiry,
    address: SocketAddr,
) -> Result<(), ExploreError> {
    Ok(tribunal_checkers::explore::serve(
        question_of::<N>(inquiry)?,
        address,
    )?)
}

fn question_of<N: Explored>(inquiry: &Inquiry) -> Result<Question<N>, ExploreError> {
    let fields = inquiry.set.iter();
    let config = with_fields(
        &N::Config::of(inquiry.nodes),
        fields.map(|(name, value)| (&**name, &**value)),
    )
    .map_err(ExploreError::Field)?
    .with_bugs(inquiry.bugs);
    let setup = Setup::<N>::fresh(config, inquiry.sync);
    Ok(Question {
        reductions: inquiry.reductions,
        properties: properties_of(N::NAME, inquiry.properties.as_deref())?,
        limits: inquiry.limits,
        strategy: inquiry.strategy,
        threads: inquiry.threads,
        ..Question::of(setup, inquiry.budget.clone())
    })
}

/// The properties with these ids, in any case; all of the protocol's if none are named, and all but those that are named
/// with a `-` before them.
fn properties_of(
    protocol: &'static str,
    named: Option<&[String]>,
) -> Result<Vec<&'static PropertyInfo>, ExploreError> {
    let all = properties_for(protocol).unwrap_or_default();
    let Some(named) = named else {
        return Ok(all.to_vec());
    };
    let find = |id: &str| {
        let found = all
            .iter()
            .find(|info| info.id.eq_ignore_ascii_case(id) || info.name == id);
        found.copied().ok_or_else(|| ExploreError::Property {
            protocol,
            property: id.to_owned(),
        })
    };
    let left_out = named.iter().filter_map(|id| id.strip_prefix('-'));
    let left_out: Vec<_> = left_out.map(find).collect::<Result<_, _>>()?;
    if left_out.is_empty() {
        return named.iter().map(|id| find(id)).collect();
    }
    let mut rest = all.to_vec();
    rest.retain(|info| !left_out.iter().any(|left_out| left_out.id == info.id));
    Ok(rest)
}

/// The counterexample's steps, taken once more and written down.
fn trace_of<N: Explored>(setup: &Setup<N>, way: &Way<N>, finally: Option<&str>) -> Trace {
    let mut stage = Stage::new(setup, true);
    let mut lines = Vec::new();
    for step in &way.steps {
        let taken = stage.record(step, &mut lines);
        assert!(taken, "{step} was taken once, in an equal world");
    }
    let history = history_of(std::mem::take(&mut stage.witness.events));
    let monitor = stage.witness.monitor.as_ref();
    let limits = tribunal_checkers::Limits::default();
    let mut judged = Judged::of(monitor, &history, N::MODEL, limits, &|| false);
    let mut header = header(setup, None, N::MODEL, true);
    if let Some(operation) = finally.filter(|_| way.violated == LIVENESS) {
        let live = stage.heal(operation, &mut judged);
        judged.parts.push(live);
        header.finally = Some(operation.to_owned());
    }
    finish(header, lines, stage.digest, &judged)
}
