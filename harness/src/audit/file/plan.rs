//! What is to be run against a subject of a file, and what a failing run is told as.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tribunal_checkers::Limits;

use super::cluster::{Begin, Cluster};
use super::run::{run, try_it};
use super::settings::Settings;
use super::trouble::PROCESSES;
use super::words::Words;
use crate::audit::Availability;
use crate::command;
use crate::experiment::{Experiment, Pace, Second};
use crate::investigate::{Case, Investigation};
use crate::judge::Outcomes;
use crate::nemesis::{Capability, MissingCapability, Nemesis, Selection};
use crate::report::{Finding, RunRecord, fingerprint};
use crate::workload;

/// What can be done to the processes of a subject.
pub const CAPABILITIES: [Capability; 4] = [
    Capability::Kill,
    Capability::Packet,
    Capability::Partition,
    Capability::Pause,
];

/// The name of the kind of system.
pub const SUBJECT: &str = "file";

/// Everything that, with a seed, makes a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The subject.
    pub settings: Arc<Settings>,
    /// What clients do.
    pub words: &'static Words,
    /// How many nodes.
    pub nodes: usize,
    /// How much clients do.
    pub options: workload::Options,
    /// What goes wrong.
    pub nemesis: Selection,
    /// Which part of all operations must succeed, if that is asked.
    pub availability: Option<Availability>,
    /// Where nodes have their folders, and what programs write is kept; each seed has a folder in it.
    pub directory: PathBuf,
    /// How far the checker of histories may search.
    pub limits: Limits,
}

impl Plan {
    /// The nemesis of a seed.
    ///
    /// # Errors
    /// A family was selected that processes cannot be hit by.
    pub fn nemesis(&self, seed: u64) -> Result<Nemesis, MissingCapability> {
        self.nemesis
            .nemesis(&BTreeSet::from(CAPABILITIES), self.settings.pace, seed)
    }

    /// Starts all nodes and one client, which is told one operation: whether there is anything to audit.
    ///
    /// # Errors
    /// Why there is not.
    pub fn try_to_start(&self, stop: &dyn Fn() -> bool) -> Result<(), String> {
        try_it(self, stop).map_err(|trouble| trouble.text())
    }

    pub(super) fn cluster(
        &self,
        seed: u64,
        name: &str,
        concurrency: usize,
    ) -> Result<Cluster, super::trouble::Trouble> {
        Cluster::new(Begin {
            settings: self.settings.clone(),
            words: self.words,
            nodes: self.nodes,
            concurrency,
            seed,
            folder: self.directory.join(name),
        })
    }

    /// Where what a seed's programs wrote is, if they wrote anything.
    fn logs_of(&self, seed: u64) -> Option<PathBuf> {
        let folder = self.directory.join(seed.to_string());
        folder.exists().then_some(folder)
    }
}

impl Experiment for Plan {
    const IS_OURS: bool = false;

    fn subject(&self) -> &'static str {
        SUBJECT
    }

    fn workload(&self) -> &'static workload::Entry {
        &self.words.entry
    }

    fn pace(&self) -> Pace {
        Pace::RealTime
    }

    fn is_fair_weather(&self) -> bool {
        matches!(self.nemesis, Selection::None)
    }

    fn run(&self, seed: u64, _record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
        run(self, seed, stop)
    }

    fn second(&self, _seed: u64, _every: u64) -> Option<Second<Self>> {
        None
    }

    fn investigate(_: Case<'_, Self>, _: &dyn Fn() -> bool) -> anyhow::Result<Investigation> {
        anyhow::bail!("a run of real processes has no steps that could be taken again")
    }

    fn unrecorded(&self, outcomes: &Outcomes, history: &Path) -> Finding {
        let mut sentences = outcomes.verdict.sentences.iter().cloned();
        let headline = sentences.next().unwrap_or_default();
        let mut because: Vec<_> = sentences.collect();
        because.push(
            "Time was real: another run of the seed has the same operations and faults in mind, and may end otherwise."
                .to_owned(),
        );
        Finding {
            fingerprint: fingerprint(SUBJECT, &outcomes.violated),
            protocol: SUBJECT,
            is_ours: false,
            bugs: Vec::new(),
            violated: outcomes.violated.clone(),
            headline,
            because,
            seed: outcomes.seed,
            digest: outcomes.digest,
            seeds: vec![outcomes.seed],
            shrinking: None,
            smaller: None,
            stderr: self.logs_of(outcomes.seed),
            replays: None,
            table: Vec::new(),
            record: RunRecord::History(history.to_owned()),
            replay_command: (outcomes.violated != PROCESSES)
                .then(|| command::of_history(history, self.words.entry.model)),
            seed_command: self.command(outcomes.seed),
        }
    }

    fn command(&self, seed: u64) -> String {
        command::of_file_audit(self, seed)
    }
}
