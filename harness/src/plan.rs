//! What is to be run: everything that, with a seed, determines a run (of real processes: what there is to determine).

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tribunal_checkers::Limits;
use tribunal_protocols::contract::{Configuration, with_fields};
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::{Bugs, Durable, Node};

use crate::draw::{Domain, Draw};
use crate::nemesis::{Capability, MissingCapability, Nemesis, Pace, Selection};
use crate::runtime::live;
use crate::runtime::sim::{Choice, Settings};
use crate::workload;

/// How the simulator chooses what happens next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Each seed draws one of the others.
    #[default]
    Swarm,
    /// By latency: realistic timing.
    Latency,
    /// Any packet that is on its way may be next.
    Random,
    /// By the priorities of PCT.
    Pct,
}

/// Names of [`Schedule`] with their reference texts.
pub const SCHEDULES: &[(&str, &str)] = &[
    (
        "swarm",
        "each seed draws one of the others: half of them by latency",
    ),
    (
        "latency",
        "packets arrive after their latency: realistic timing",
    ),
    (
        "random",
        "any packet on its way may arrive next, each as likely: finds bugs of pure ordering",
    ),
    (
        "pct",
        "links have priorities that change at random moments (PCT, ASPLOS 2010): finds orderings that starve a link",
    ),
];

/// The text names no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no schedule `{0}`; there are swarm, latency, random, pct")]
pub struct NotASchedule(pub String);

impl FromStr for Schedule {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Self, NotASchedule> {
        match text {
            "swarm" => Ok(Self::Swarm),
            "latency" => Ok(Self::Latency),
            "random" => Ok(Self::Random),
            "pct" => Ok(Self::Pct),
            _ => Err(NotASchedule(text.to_owned())),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Swarm => "swarm",
            Self::Latency => "latency",
            Self::Random => "random",
            Self::Pct => "pct",
        })
    }
}

/// What drives a simulated cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The madsim runtime: the default, and the host loop that live processes run.
    Madsim,
    /// The plain loop: faster, and the same steps.
    Plain,
    /// Real processes on this machine. They do not replay, and are judged by what clients saw alone.
    Live,
}

/// How a live cluster runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// For how long there are operations and faults.
    pub time: Duration,
    /// Where the processes keep their files; each seed has a folder in it.
    pub directory: PathBuf,
}

/// Everything that, with a seed, determines a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The protocol.
    pub protocol: &'static Protocol,
    /// How many nodes.
    pub nodes: usize,
    /// The planted bugs that are on.
    pub bugs: Bugs,
    /// Fields of the protocol's configuration that have a value of their own, whatever the swarm draws: a field's
    /// name, and its value as JSON.
    pub set: Vec<(String, String)>,
    /// What clients do.
    pub workload: &'static workload::Entry,
    /// How much of it.
    pub options: workload::Options,
    /// What goes wrong.
    pub nemesis: Selection,
    /// What happens next.
    pub schedule: Schedule,
    /// Whether the cluster properties are judged; without them, what clients see decides.
    pub properties: bool,
    /// What drives the cluster.
    pub driver: Driver,
    /// How, if it is live.
    pub live: Live,
    /// A bound on the events of a run.
    pub events_max: u64,
    /// Within how many of the longest election timeouts the cluster must answer when all faults are healed.
    pub liveness_timeouts: u64,
    /// How far the checker of histories may search.
    pub limits: Limits,
}

/// Real processes take tenths of a second to start and elect: faults last as long, and longer.
const LIVE_PACE: Pace = Pace {
    calm_us: (300_000, 1_500_000),
    fault_us: (300_000, 1_500_000),
};

/// The usual bound on the events of a run.
pub const EVENTS_MAX: u64 = 300_000;

/// Within how many of the longest election timeouts a healed cluster must answer.
pub const LIVENESS_TIMEOUTS: u64 = tribunal_checkers::explore::PATIENCES;

/// What the simulator can do to a cluster of any protocol.
pub const SIMULATED: [Capability; 6] = [
    Capability::Clock,
    Capability::Disk,
    Capability::Kill,
    Capability::Packet,
    Capability::Partition,
    Capability::Pause,
];

impl Plan {
    /// How much of the workload, and for how many nodes.
    pub fn workload_options(&self) -> workload::Options {
        workload::Options {
            nodes: self.nodes,
            ..self.options
        }
    }

    /// Five nodes and the swarm, on the default runtime, with a bound that no ordinary run reaches.
    pub fn usual(protocol: &'static Protocol, workload: &'static workload::Entry) -> Self {
        Self {
            protocol,
            nodes: 5,
            bugs: Bugs::NONE,
            set: Vec::new(),
            workload,
            options: workload::Options::default(),
            nemesis: Selection::Swarm,
            schedule: Schedule::Swarm,
            properties: true,
            driver: Driver::Madsim,
            live: Live::default(),
            events_max: EVENTS_MAX,
            liveness_timeouts: LIVENESS_TIMEOUTS,
            limits: Limits::default(),
        }
    }

    /// The cluster's configuration under a seed. The swarm varies what must not matter, and is not asked about what
    /// is [set](Plan::set).
    ///
    /// # Errors
    /// What is wrong with a field that is set.
    pub fn config<C: Configuration + Serialize + DeserializeOwned>(
        &self,
        seed: u64,
    ) -> Result<C, serde_json::Error> {
        let config = C::of(self.nodes).with_bugs(self.bugs);
        let mut draw = Draw::keyed(seed, Domain::Swarm, 0, 2);
        let config = match self.nemesis {
            Selection::Swarm => config.varied(&mut |bound| draw.below(bound)),
            _ => config,
        };
        if self.set.is_empty() {
            return Ok(config);
        }
        let fields = self.set.iter();
        with_fields(&config, fields.map(|(name, value)| (&**name, &**value)))
    }

    /// The nemesis of a seed.
    ///
    /// # Errors
    /// A family was selected that such a cluster cannot have.
    pub fn nemesis<N: Node>(&self, seed: u64) -> Result<Nemesis, MissingCapability> {
        if self.driver == Driver::Live {
            return self.nemesis.nemesis(&live::capabilities(), LIVE_PACE, seed);
        }
        let mut capabilities = BTreeSet::from(SIMULATED);
        if N::Durable::replacing(&N::Durable::default()).is_some() {
            capabilities.insert(Capability::Wipe);
        }
        self.nemesis.nemesis(&capabilities, Pace::default(), seed)
    }

    /// The knobs of a run.
    pub fn settings(&self, seed: u64, patience_us: u64) -> Settings {
        let mut draw = Draw::keyed(seed, Domain::Swarm, 0, 3);
        let choice = match self.schedule {
            Schedule::Latency => Choice::Latency,
            Schedule::Random => Choice::Random,
            Schedule::Pct => Choice::Pct { changes: 3 },
            Schedule::Swarm => [
                Choice::Latency,
                Choice::Latency,
                Choice::Random,
                Choice::Pct { changes: 3 },
            ][draw.index(4)],
        };
        let (slowest_us, slowest_sync_us) = match self.nemesis {
            Selection::Swarm => (
                *draw.pick(&[2_000, 10_000, 40_000]),
                *draw.pick(&[100, 2_000, 20_000]),
            ),
            _ => (10_000, 2_000),
        };
        Settings {
            seed,
            choice,
            latency_us: (slowest_us / 10, slowest_us),
            sync_us: (slowest_sync_us / 10, slowest_sync_us),
            retry_us: patience_us,
            redirect_us: patience_us / 10,
            operation_timeout_us: 5 * patience_us,
            liveness_us: self.liveness_timeouts * patience_us,
            events_max: self.events_max,
        }
    }
}
