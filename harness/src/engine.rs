//! Protocols behind one type: what the command line and campaigns need of any of them.

use std::fmt;
use std::marker::PhantomData;

use tribunal_checkers::Limits;
use tribunal_histories::Trace;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::scenario::{Scenario, ScenarioError, Staged};

use crate::judge::Outcomes;
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

    /// Runs a seed; with `record`, the outcomes have a trace.
    fn run(&self, plan: &Plan, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes;

    /// Is a process of a live cluster, until it is told to end.
    ///
    /// # Errors
    /// When it cannot listen, or cannot use its files.
    fn be_node(&self, args: &NodeArgs) -> Result<(), NodeError>;

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

    /// Tells a scenario of this protocol, and judges it.
    ///
    /// # Errors
    /// The first line of the scenario that cannot be done, or whose expectation is not met.
    fn tell(&self, scenario: &Scenario<'_>, limits: Limits) -> Result<Trace, ScenarioError>;

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
}

/// The engine of a protocol.
struct Of<N>(PhantomData<fn() -> N>);

impl<N: Staged> fmt::Debug for Of<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Of").field(&N::NAME).finish()
    }
}

impl<N: Staged> Engine for Of<N> {
    fn name(&self) -> &'static str {
        N::NAME
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

    fn tell(&self, scenario: &Scenario<'_>, limits: Limits) -> Result<Trace, ScenarioError> {
        scenario::tell::<N>(scenario, limits)
    }

    fn shrink(
        &self,
        trace: &Trace,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Result<Shrunk, ReplayError> {
        shrink::shrink::<N>(trace, limits, stop)
    }
}

/// The engines of all protocols: a line each.
const ENGINES: &[&dyn Engine] = &[&Of::<Raft>(PhantomData)];

/// The engine of a protocol of the registry.
///
/// # Panics
/// If the protocol has no engine, which a test rules out.
pub fn engine(protocol: &Protocol) -> &'static dyn Engine {
    *ENGINES
        .iter()
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
}
