//! What a sweep runs: a cluster of our own protocols, or a system that somebody else wrote.
//!
//! Everything that, with a seed, determines a run is a value of a type of its own ([`Plan`](crate::plan::Plan) for our
//! protocols); sweeps, totals, conclusions and the command line know it by this trait.

use std::path::Path;

use tribunal_checkers::properties::PropertyInfo;

use crate::investigate::{Case, Investigation, Parting};
use crate::judge::Outcomes;
use crate::report::Finding;
use crate::workload;

/// How an experiment's runs come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The seed decides everything, and time is simulated: a run can be made again, and its steps taken again.
    Simulated,
    /// Real processes in real time: another run of the seed is another run.
    RealTime,
}

/// Everything that, with a seed, determines a run.
pub trait Experiment: Clone + Send + Sync {
    /// Whether the nodes are those of our own protocols: then their properties and their liveness are judged, and a run
    /// that is not the same twice is a bug of this tool.
    const IS_OURS: bool;

    /// What runs: the name of a protocol or of a kind of system.
    fn subject(&self) -> &'static str;

    /// What clients do.
    fn workload(&self) -> &'static workload::Entry;

    /// How runs come about.
    fn pace(&self) -> Pace;

    /// Whether there are no faults, so that what needs faults is not to be seen.
    fn is_fair_weather(&self) -> bool;

    /// The ids of the planted bugs that are on.
    fn bugs(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The cluster properties that are judged.
    fn properties(&self) -> &'static [&'static PropertyInfo] {
        &[]
    }

    /// Runs a seed; with `record`, the outcomes have a trace.
    fn run(&self, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes;

    /// What a seed is run with a second time when every `every`-th is, if this one is: the same, or something that
    /// must give the same.
    fn second(&self, seed: u64, every: u64) -> Option<Second<Self>>;

    /// Finds out about a run that fails. `stop` ends the shrinking.
    ///
    /// # Errors
    /// When the run cannot be made or taken again.
    fn investigate(case: Case<'_, Self>, stop: &dyn Fn() -> bool) -> anyhow::Result<Investigation>;

    /// Makes two runs of a seed, and finds where they part.
    fn parting(&self, second: &Self, seed: u64) -> Parting {
        Parting::of(
            seed,
            &self.run(seed, true, &|| false),
            &second.run(seed, true, &|| false),
        )
    }

    /// What there is to tell of a failing run in real time, whose history is kept.
    fn unrecorded(&self, outcomes: &Outcomes, history: &Path) -> Finding;

    /// The command that makes the run of a seed again.
    fn command(&self, seed: u64) -> String;
}

/// What a seed is run with a second time.
#[derive(Clone, Debug)]
pub struct Second<E> {
    /// The experiment.
    pub experiment: E,
    /// Whether another runtime drives it.
    pub on_other_runtime: bool,
}
