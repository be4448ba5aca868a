//! Protocols behind one type: what the command line and campaigns need of any of them.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::OnceLock;

use tribunal_checkers::Limits;
use tribunal_checkers::explore::Progress;
use tribunal_checkers::properties::{self, PropertyInfo};
use tribunal_histories::Trace;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::explored::{Expedition, Explored};
use tribunal_protocols::gossip::Gossip;
use tribunal_protocols::membership::Membership;
use tribunal_protocols::multi_paxos::MultiPaxos;
use tribunal_protocols::paxos::Paxos;
use tribunal_protocols::primary_backup::PrimaryBackup;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::registry::{self, Protocol};
use tribunal_protocols::scenario::{Scenario, ScenarioError};
use tribunal_protocols::two_phase_commit::TwoPhaseCommit;
use tribunal_protocols::zab::Zab;

use crate::cross_replay::{self, Agreement, CrossError, Performer};
use crate::explore::{self, Exploration, ExploreError, Inquiry};
use crate::judge::Outcomes;
use crate::nearest::{self, Nearest, Watch};
use crate::nemesis::MissingCapability;
use crate::plan::{Driver, Plan};
use crate::replay::{self, Moment, ReplayError, Replayed};
use crate::runtime::live::node_process::{self, NodeArgs, NodeError};
use crate::scenario;
use crate::shrink::{self, Shrunk};
use crate::{live_run, run};

/// What can be done with a protocol, whichever it is.
pub trait Engine: Sync + fmt::Debug {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The workloads whose operations it serves; the first is its usual one.
    fn workloads(&self) -> &'static [&'static str];

    /// Whether a plan can be run.
    ///
    /// # Errors
    /// Why not: what is [set](Plan::set) is wrong, the protocol does not serve the workload, or a fault is not to be
    /// had.
    fn check(&self, plan: &Plan) -> Result<(), PlanError>;

    /// Runs a seed; with `record`, the outcomes have a trace.
    fn run(&self, plan: &Plan, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes;

    /// Is a process of a live cluster, until it is told to end.
    ///
    /// # Errors
    /// When it cannot listen, or cannot use its files.
    fn be_node(&self, args: &NodeArgs) -> Result<(), NodeError>;

    /// Whether the steps of a trace can be taken again in [`World`](tribunal_protocols::World); otherwise a run is made
    /// again from its seed only.
    fn takes_steps(&self) -> bool {
        true
    }

    /// Takes a trace's steps again.
    ///
    /// # Errors
    /// When the trace does not fit this build's protocol.
    fn replay(
        &self,
        trace: &Trace,
        limits: Limits,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Replayed, ReplayError>;

    /// Takes a trace's steps in `World` and elsewhere, and compares.
    ///
    /// # Errors
    /// When the trace does not fit this build's protocol, or the steps cannot be taken there at all.
    fn cross_replay(&self, trace: &Trace, performer: &Performer) -> Result<Agreement, CrossError>;

    /// Tells a scenario of this protocol, and judges it.
    ///
    /// # Errors
    /// The first line of the scenario that cannot be done, or whose expectation is not met.
    fn tell(&self, scenario: &Scenario<'_>, limits: Limits) -> Result<Trace, ScenarioError>;

    /// Visits every state of a small cluster within bounds. `watch` is shown the progress, and ends the search when it
    /// gives a reason.
    ///
    /// # Errors
    /// What is set or asked of clients is wrong.
    fn explore(
        &self,
        inquiry: &Inquiry,
        watch: &mut dyn FnMut(&Progress) -> Option<String>,
    ) -> Result<Exploration, ExploreError>;

    /// The searches that are recommended, the usual one first.
    fn grid(&self) -> &'static [Expedition];

    /// Shows the states of a small cluster to a browser, on demand, until the process ends.
    ///
    /// # Errors
    /// What is set or asked of clients is wrong.
    fn serve(&self, inquiry: &Inquiry, address: SocketAddr) -> Result<(), ExploreError>;

    /// Makes a failing trace small.
    ///
    /// # Errors
    /// When the trace does not fit this build's protocol.
    fn shrink(
        &self,
        trace: &Trace,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Result<Shrunk, ReplayError>;

    /// Searches the neighbourhood of a failing trace for a shorter one, up to so many states a reach.
    ///
    /// # Errors
    /// When the trace does not fit this build's protocol.
    fn nearest(
        &self,
        trace: &Trace,
        limits: Limits,
        states: Option<usize>,
        watch: Watch<'_>,
    ) -> Result<Nearest, ReplayError>;
}

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A field that the configuration does not have, or a value that it cannot have.
    #[error("the configuration of {protocol} cannot be set so: {source}")]
    Field {
        /// The protocol.
        protocol: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A cluster so configured cannot be right.
    #[error("a cluster of {protocol} so configured cannot be right: {why}")]
    Objection {
        /// The protocol.
        protocol: &'static str,
        /// Why.
        why: String,
    },
    /// The protocol does not have the operations.
    #[error("{protocol} does not serve the workload `{workload}`; it serves: {}", served.join(", "))]
    Workload {
        /// The protocol.
        protocol: &'static str,
        /// The workload.
        workload: &'static str,
        /// Those that it serves.
        served: &'static [&'static str],
    },
    /// A fault that such a cluster cannot have.
    #[error(transparent)]
    Nemesis(#[from] MissingCapability),
}

/// The engine of a protocol, and the workloads that it serves.
pub struct Of<N> {
    workloads: &'static [&'static str],
    protocol: PhantomData<fn() -> N>,
}

/// The engine of a protocol that serves these workloads.
pub const fn serving<N>(workloads: &'static [&'static str]) -> Of<N> {
    Of {
        workloads,
        protocol: PhantomData,
    }
}

impl<N: Explored> fmt::Debug for Of<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Of").field(&N::NAME).finish()
    }
}

impl<N: Explored> Engine for Of<N> {
    fn name(&self) -> &'static str {
        N::NAME
    }

    fn workloads(&self) -> &'static [&'static str] {
        self.workloads
    }

    fn check(&self, plan: &Plan) -> Result<(), PlanError> {
        let protocol = N::NAME;
        let config: N::Config = plan
            .config(0)
            .map_err(|source| PlanError::Field { protocol, source })?;
        if let Some(why) = config.objection().filter(|_| plan.bugs.is_empty()) {
            return Err(PlanError::Objection { protocol, why });
        }
        if !self.workloads.contains(&plan.workload.name) {
            return Err(PlanError::Workload {
                protocol,
                workload: plan.workload.name,
                served: self.workloads,
            });
        }
        plan.nemesis::<N>(0)?;
        Ok(())
    }

    fn run(&self, plan: &Plan, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
        match plan.driver {
            Driver::Live => live_run::run::<N>(plan, seed, stop),
            Driver::Madsim | Driver::Plain => run::run::<N>(plan, seed, record, stop),
        }
    }

    fn be_node(&self, args: &NodeArgs) -> Result<(), NodeError> {
        node_process::run::<N>(args)
    }

    fn replay(
        &self,
        trace: &Trace,
        limits: Limits,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Replayed, ReplayError> {
        replay::replay::<N>(trace, limits, watch)
    }

    fn cross_replay(&self, trace: &Trace, performer: &Performer) -> Result<Agreement, CrossError> {
        cross_replay::cross_replay::<N>(trace, performer)
    }

    fn tell(&self, scenario: &Scenario<'_>, limits: Limits) -> Result<Trace, ScenarioError> {
        scenario::tell::<N>(scenario, limits)
    }

    fn explore(
        &self,
        inquiry: &Inquiry,
        watch: &mut dyn FnMut(&Progress) -> Option<String>,
    ) -> Result<Exploration, ExploreError> {
        explore::inquire::<N>(inquiry, watch)
    }

    fn grid(&self) -> &'static [Expedition] {
        N::GRID
    }

    fn serve(&self, inquiry: &Inquiry, address: SocketAddr) -> Result<(), ExploreError> {
        explore::serve::<N>(inquiry, address)
    }

    fn shrink(
        &self,
        trace: &Trace,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Result<Shrunk, ReplayError> {
        shrink::shrink::<N>(trace, limits, stop)
    }

    fn nearest(
        &self,
        trace: &Trace,
        limits: Limits,
        states: Option<usize>,
        watch: Watch<'_>,
    ) -> Result<Nearest, ReplayError> {
        nearest::nearest::<N>(trace, limits, states, watch)
    }
}

/// The engines of all protocols: a line each.
const ENGINES: &[&dyn Engine] = &[
    &serving::<Raft>(&["register", "kv", "append", "membership", "broadcast"]),
    &serving::<Paxos>(&["consensus"]),
    &serving::<MultiPaxos>(&["register", "kv", "append"]),
    &serving::<Gossip>(&["dissemination", "register"]),
    &serving::<PrimaryBackup>(&["register", "kv", "append"]),
    &serving::<TwoPhaseCommit>(&["transfers"]),
    &serving::<Membership>(&["churn"]),
    &serving::<Zab>(&["broadcast", "register", "kv", "append"]),
];

/// A protocol of another crate's, with what runs it and what judges it.
#[derive(Clone, Copy, Debug)]
pub struct Brought {
    /// What there is to know about it.
    pub protocol: &'static Protocol,
    /// What runs it.
    pub engine: &'static dyn Engine,
    /// What must hold.
    pub properties: &'static [&'static PropertyInfo],
}

/// The engines of the protocols that the program brings along.
static BROUGHT: OnceLock<Vec<&'static dyn Engine>> = OnceLock::new();

/// Makes protocols of another crate's known to everything here: the command line then has them beside our own. That can
/// be done once, before anything is run.
///
/// # Panics
/// If it was done before, or an engine and its protocol have different names.
pub fn bring(brought: &[Brought]) {
    for one in brought {
        assert_eq!(one.engine.name(), one.protocol.name, "one name");
    }
    registry::extend(brought.iter().map(|one| one.protocol).collect());
    let judged = |one: &Brought| (one.protocol.name, one.properties);
    properties::adopt(brought.iter().map(judged).collect());
    let engines = brought.iter().map(|one| one.engine).collect();
    assert!(
        BROUGHT.set(engines).is_ok(),
        "engines are brought along once"
    );
}

/// The engine of a protocol of the registry.
///
/// # Panics
/// If the protocol has no engine, which a test rules out.
pub fn engine(protocol: &Protocol) -> &'static dyn Engine {
    let brought = BROUGHT.get().into_iter().flatten();
    *ENGINES
        .iter()
        .chain(brought)
        .find(|engine| engine.name() == protocol.name)
        .expect("every protocol has an engine")
}

#[cfg(test)]
mod tests {
    use tribunal_protocols::registry::PROTOCOLS;

    use super::*;

    #[test]
    fn every_protocol_has_an_engine() {
        for protocol in PROTOCOLS {
            assert_eq!(engine(protocol).name(), protocol.name);
        }
        assert_eq!(ENGINES.len(), PROTOCOLS.len());
    }

    #[test]
    fn every_protocol_serves_workloads_that_there_are() {
        for engine in ENGINES {
            assert!(!engine.workloads().is_empty(), "{}", engine.name());
            for workload in engine.workloads() {
                assert!(crate::workload::Entry::find(workload).is_ok(), "{workload}");
            }
        }
    }
}
