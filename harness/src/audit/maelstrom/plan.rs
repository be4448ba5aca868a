//! What is to be run against somebody's program: everything that, with a seed, determines a run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tribunal_checkers::Limits;

use super::network::Latency;
use super::process::Patience;
use super::topology::Topology;
use super::workload::{Cluster, Dialogue};
use super::world::Setup;
use crate::audit::Availability;
use crate::judge::Outcomes;
use crate::nemesis::{Capability, MissingCapability, Nemesis, Pace, Selection};
use crate::workload;

/// What can be done to such programs. A killed process loses nothing that it had handed to the operating system.
pub const CAPABILITIES: [Capability; 4] = [
    Capability::Kill,
    Capability::Packet,
    Capability::Partition,
    Capability::Pause,
];

/// Programs take tenths of a second to start, in real time, and so much of our time otherwise: faults are not as dense
/// as for our own protocols.
const PACE: Pace = Pace {
    calm_us: (300_000, 1_500_000),
    fault_us: (300_000, 1_500_000),
};

/// The first run of each kind of failure, kept until it is investigated: a program that is not deterministic may never
/// show it again.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Vec<Outcomes>>);

impl Kept {
    /// Keeps a failing run, unless one of an earlier seed fails alike.
    pub(super) fn keep(&self, outcomes: Outcomes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept
            .iter_mut()
            .find(|other| other.violated == outcomes.violated)
        {
            Some(other) if other.seed > outcomes.seed => *other = outcomes,
            Some(_) => {}
            None => kept.push(outcomes),
        }
    }

    /// The run that was kept of this seed and failure.
    pub(super) fn take(&self, seed: u64) -> Option<Outcomes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|outcomes| outcomes.seed == seed)?;
        Some(kept.swap_remove(place))
    }
}

/// Everything that, with a seed, determines a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program of a node, and its arguments.
    pub command: Vec<String>,
    /// How many nodes.
    pub nodes: usize,
    /// What clients say.
    pub dialogue: &'static Dialogue,
    /// How much of it.
    pub options: workload::Options,
    /// How long clients wait for answers, in microseconds.
    pub timeout_us: u64,
    /// What goes wrong.
    pub nemesis: Selection,
    /// How long messages take.
    pub latency: Latency,
    /// Which neighbours nodes are told.
    pub topology: Topology,
    /// Which part of all operations must succeed, if that is asked.
    pub availability: Option<Availability>,
    /// Whether time is real.
    pub is_wall_clock: bool,
    /// How long we wait for nodes.
    pub patience: Patience,
    /// Where nodes have their folders and their standard error is kept; each seed has a folder in it.
    pub directory: PathBuf,
    /// A bound on the steps of a run.
    pub events_max: u64,
    /// How far the checker of histories may search.
    pub limits: Limits,
    pub(super) kept: Arc<Kept>,
}

impl Plan {
    /// Five nodes under the swarm, in virtual time.
    pub fn usual(command: Vec<String>, dialogue: &'static Dialogue) -> Self {
        let latency = Latency {
            mean_us: 10_000,
            distribution: super::Distribution::Exponential,
        };
        Self {
            command,
            nodes: 5,
            dialogue,
            options: workload::Options::default(),
            timeout_us: timeout_us(dialogue, latency),
            nemesis: Selection::Swarm,
            latency,
            topology: Topology::Grid,
            availability: None,
            is_wall_clock: false,
            patience: Patience::default(),
            directory: PathBuf::new(),
            events_max: 300_000,
            limits: Limits::default(),
            kept: Arc::default(),
        }
    }

    /// The nemesis of a seed.
    ///
    /// # Errors
    /// A family was selected that programs cannot be hit by.
    pub fn nemesis(&self, seed: u64) -> Result<Nemesis, MissingCapability> {
        self.nemesis
            .nemesis(&BTreeSet::from(CAPABILITIES), PACE, seed)
    }

    /// What a run begins with.
    pub(super) fn setup(&self, seed: u64) -> Setup {
        Setup {
            command: self.command.clone(),
            dialogue: self.dialogue,
            cluster: Cluster {
                nodes: self.nodes,
                topology: self.topology,
            },
            concurrency: self.options.concurrency,
            seed,
            patience: self.patience,
            folder: self.directory.join(seed.to_string()),
            is_virtual: !self.is_wall_clock,
        }
    }

    /// Starts one node and gives it `init`: whether the program can be started at all.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn try_to_start(&self) -> Result<(), String> {
        let setup = Setup {
            folder: self.directory.join("start"),
            ..self.setup(0)
        };
        let mut cluster = super::cluster::Cluster::new(
            setup,
            self.latency,
            self.events_max,
            super::run::clock(self),
            false,
        );
        cluster.world.clear().map_err(|error| error.to_string())?;
        cluster.start_one(&|| false);
        let failure = cluster.world.failure().map(str::to_owned);
        let _ = std::fs::remove_dir_all(&cluster.world.setup.folder);
        failure.map_or(Ok(()), Err)
    }
}

/// How long clients wait: as in Maelstrom, five seconds; for `lin-kv` ten latencies, and no less than a second.
pub fn timeout_us(dialogue: &Dialogue, latency: Latency) -> u64 {
    match dialogue.workload.name {
        "lin-kv" => (10 * latency.mean_us).max(1_000_000),
        _ => 5_000_000,
    }
}
