//! Exploration: every run of a small cluster within its bounds, by stateright over [`World`](tribunal_protocols::World).
//!
//! A state is the cluster as a value, what the properties remember of the way to it, what clients saw, and how much of
//! each budget is spent; two states are one only if all of these are equal. The properties and the checkers of
//! histories are those that judge simulated runs. stateright gives the search; of its own actors, networks and
//! hashable collections nothing is used: their hashes leave out lengths, so that states are merged that differ.

mod begin;
mod bounds;
mod cost;
mod coverage;
mod moves;
mod neighbourhood;
mod offers;
mod recovery;
mod search;
mod state;

use std::str::FromStr;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use stateright::{Checker, HasDiscoveries, Model, UniformChooser};
use tribunal_protocols::Step;
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::Setup;

use crate::properties::{PropertyInfo, properties_for};
use begin::Beginning;
pub use bounds::{Asked, Budget, Grain, KINDS_MAX, Limits, Reductions, Strategy, Timeouts};
use cost::Cost;
use coverage::Coverage;
use moves::{Move, Mover, What};
pub use neighbourhood::{Neighbourhood, Reach};
pub use recovery::{PATIENCES, Recovery, recovery};
pub use search::{NOT_LIVE, WRONG_HISTORY};
use search::{NOTHING_WRONG, Search};

/// What is to be explored.
#[derive(Clone, Debug)]
pub struct Question<N: Explored> {
    /// What the cluster starts from.
    pub setup: Setup<N>,
    /// What clients do and what goes wrong.
    pub budget: Budget,
    /// What clients do and what goes wrong, if it is to be as in some run: the budget is then not looked at.
    pub neighbourhood: Option<Neighbourhood<N>>,
    /// What is left out because it makes no difference.
    pub reductions: Reductions,
    /// The properties that are judged.
    pub properties: Vec<&'static PropertyInfo>,
    /// Where the search ends though there is more.
    pub limits: Limits,
    /// In which order states are visited.
    pub strategy: Strategy,
    /// How many threads search; with one, breadth-first counterexamples are as short as can be.
    pub threads: usize,
    /// The model that clients' histories are judged by.
    pub model: String,
}

impl<N: Explored> Question<N> {
    /// Every state within a budget, the nearest first: what makes no difference is left out, and all of the protocol's
    /// properties are judged.
    pub fn of(setup: Setup<N>, budget: Budget) -> Self {
        Self {
            setup,
            budget,
            neighbourhood: None,
            reductions: Reductions::ALL,
            properties: properties_for(N::NAME).unwrap_or_default().to_vec(),
            limits: Limits::default(),
            strategy: Strategy::BreadthFirst,
            threads: 1,
            model: N::MODEL.to_owned(),
        }
    }
}

/// What cannot be explored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// An operation that the protocol does not have.
    #[error("{protocol} does not understand the operation `{operation}`")]
    Operation {
        /// The protocol.
        protocol: &'static str,
        /// What was asked.
        operation: String,
    },
    /// A step to begin with that cannot be taken.
    #[error("the search cannot begin so: {why}; what can happen there is: {enabled}")]
    Begin {
        /// Which step, and why not.
        why: String,
        /// What can be taken instead.
        enabled: String,
    },
}

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// Distinct states.
    pub distinct: usize,
    /// States made, the same ones again included.
    pub generated: usize,
    /// The longest path so far.
    pub depth: usize,
    /// Distinct states from which nothing was tried yet.
    pub frontier: usize,
    /// The time that processors have spent on it.
    #[serde(skip)]
    pub cpu: Duration,
}

/// Why a search ended before it had seen everything within its budgets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The bound of depth: so many states had further steps.
    Depth(u64),
    /// The bound of states.
    States,
    /// So many moves had no end, as nodes answered each other again and again.
    Endless(u64),
    /// Whoever watched said so, for this reason: time, memory, Ctrl-C.
    Stopped(String),
    /// Random walks are never complete.
    RandomWalks,
}

/// What came of a search.
#[derive(Clone, Debug)]
pub struct Found<N: Explored> {
    /// How far it came.
    pub progress: Progress,
    /// Why it did not see everything; `None` if it did, or found something.
    pub cut: Option<Cut>,
    /// The way to the first bad state that was found.
    pub counterexample: Option<Way<N>>,
    /// How many names for all nodes were tried for each state: by so much symmetry can make the search smaller.
    pub renamings: usize,
    /// By kind of step, how often one was taken.
    pub steps: Vec<(&'static str, u64)>,
    /// Probes that were hit.
    pub probes: Vec<&'static str>,
    /// Properties that were put to the test.
    pub tested: Vec<&'static str>,
    /// How many clusters were healed and asked ([`Budget::finally`]).
    pub healed: usize,
}

/// The way to a bad state.
#[derive(Clone, Debug)]
pub struct Way<N: Explored> {
    /// The steps.
    pub steps: Vec<Step<N>>,
    /// How many moves they are: in a search of coarser grain, a move may be many steps.
    pub moves: usize,
    /// What is violated.
    pub violated: String,
}

impl<N: Explored> Found<N> {
    /// The chance that two different states had one fingerprint of 64 bits, so that one was not looked at: n² / 2⁶⁵.
    pub fn collision_chance(&self) -> f64 {
        let distinct = self.progress.distinct as f64;
        distinct * distinct / 2_f64.powi(65)
    }
}

/// Searches. `watch` is shown the progress again and again, and waits in between; when it gives a reason, the search
/// ends.
///
/// # Errors
/// An operation that the protocol does not understand, or a step that cannot be taken at the beginning.
pub fn explore<N: Explored>(
    question: Question<N>,
    watch: &mut dyn FnMut(&Progress) -> Option<String>,
) -> Result<Found<N>, QuestionError> {
    let (limits, strategy, threads) = (question.limits, question.strategy, question.threads);
    let builder = search_of(question)?
        .checker()
        .threads(threads.max(1))
        .finish_when(HasDiscoveries::AnyFailures);
    Ok(match strategy {
        Strategy::BreadthFirst => finish(builder.spawn_bfs(), limits, strategy, watch),
        Strategy::DepthFirst => finish(builder.spawn_dfs(), limits, strategy, watch),
        Strategy::RandomWalks { seed } => finish(
            builder.spawn_simulation(seed, UniformChooser),
            limits,
            strategy,
            watch,
        ),
    })
}

/// Serves stateright's own explorer of the states, on demand, to a browser, until the process ends.
///
/// # Errors
/// An operation that the protocol does not understand, or a step that cannot be taken at the beginning.
pub fn serve<N: Explored>(
    question: Question<N>,
    address: std::net::SocketAddr,
) -> Result<(), QuestionError> {
    search_of(question)?.checker().serve(address);
    Ok(())
}

fn search_of<N: Explored>(question: Question<N>) -> Result<Search<N>, QuestionError> {
    let request = |operation: &String| {
        N::Request::from_str(operation).map_err(|_| QuestionError::Operation {
            protocol: N::NAME,
            operation: operation.clone(),
        })
    };
    let finally = question.budget.finally.as_ref().map(request).transpose()?;
    let clients = question.budget.operations.iter();
    let requests: Vec<Vec<_>> = clients
        .map(|operations| operations.iter().map(request).collect())
        .collect::<Result<_, _>>()?;
    let near = question.neighbourhood;
    let budget = question.budget;
    let reductions = question.reductions;
    let renamings = search::renamings(
        &question.setup,
        &budget,
        &requests,
        near.as_ref(),
        reductions,
    );
    let beginning = Beginning::of(&question.setup, &budget)?;
    Ok(Search {
        mover: Mover::of(&budget, reductions),
        beginning,
        setup: question.setup,
        budget,
        limits: question.limits,
        reductions,
        requests,
        judges_history: near
            .as_ref()
            .is_none_or(|near| near.violated == WRONG_HISTORY),
        neighbourhood: near,
        renamings,
        coverage: Coverage::of(N::NAME, &question.properties),
        cost: Cost::default(),
        properties: question.properties,
        model: question.model,
        verdicts: RwLock::default(),
        finally,
        recovers: RwLock::default(),
        kinds: RwLock::default(),
        stopped: AtomicBool::new(false),
        visited: AtomicU64::new(0),
        beyond_depth: AtomicU64::new(0),
        endless: AtomicU64::new(0),
    })
}

fn finish<N: Explored>(
    checker: impl Checker<Search<N>>,
    limits: Limits,
    strategy: Strategy,
    watch: &mut dyn FnMut(&Progress) -> Option<String>,
) -> Found<N> {
    let mut cut = None;
    while !checker.is_done() {
        let so_far = measure(&checker);
        let full = limits
            .states
            .is_some_and(|states| so_far.distinct >= states);
        let reason = if full {
            Some(Cut::States)
        } else {
            watch(&so_far).map(Cut::Stopped)
        };
        if let Some(reason) = reason {
            cut = Some(reason);
            checker.model().stopped.store(true, Ordering::Relaxed);
            break;
        }
    }
    let checker = checker.join();
    let reached = measure(&checker);
    let search = checker.model();
    search.stopped.store(false, Ordering::Relaxed);
    let beyond = search.beyond_depth.load(Ordering::Relaxed);
    if beyond > 0 {
        cut = cut.or(Some(Cut::Depth(beyond)));
    }
    let endless = search.endless.load(Ordering::Relaxed);
    if endless > 0 {
        cut = cut.or(Some(Cut::Endless(endless)));
    }
    if matches!(strategy, Strategy::RandomWalks { .. }) {
        cut = cut.or(Some(Cut::RandomWalks));
    }
    let counterexample = checker.discovery(NOTHING_WRONG).map(|path| {
        let violated = path.last_state().violation.clone();
        // What is wrong with a state is told when it is made, but for this.
        let violated = violated.as_deref().unwrap_or(NOT_LIVE).to_owned();
        let moves = path.into_actions();
        Way {
            steps: steps_of(search, &moves),
            moves: moves.len(),
            violated,
        }
    });
    Found {
        progress: reached,
        cut: cut.filter(|_| counterexample.is_none()),
        counterexample,
        renamings: search.renamings.len(),
        steps: search.coverage.steps().collect(),
        probes: search.coverage.probes().collect(),
        tested: search.coverage.tested().collect(),
        healed: search.healed(),
    }
}

/// The steps of which moves consist, one after another from the start: as they are where nobody forgets what is inert,
/// for that may stand in messages.
fn steps_of<N: Explored>(search: &Search<N>, moves: &[Move<N>]) -> Vec<Step<N>> {
    let mut steps = search.beginning.steps.clone();
    let mut world = search.beginning.world.clone();
    let mut mover = search.mover;
    mover.reductions.inert = false;
    for it in moves {
        let mut it = it.clone();
        if let What::Step(step) = &mut it.what {
            *step = world.like(step);
        }
        let mut taken = |step: &Step<N>| steps.push(step.clone());
        mover
            .carry_out(&mut world, &it, &mut (), false, &mut taken)
            .expect("a path of the search was taken once, from a start that is alike");
    }
    steps
}

fn measure<N: Explored>(checker: &impl Checker<Search<N>>) -> Progress {
    let distinct = checker.unique_state_count();
    let visited = checker.model().visited.load(Ordering::Relaxed);
    Progress {
        distinct,
        generated: checker.state_count(),
        depth: checker.max_depth(),
        frontier: distinct.saturating_sub(usize::try_from(visited).unwrap_or(usize::MAX)),
        cpu: checker.model().cost.spent(),
    }
}
