//! What runs a cluster of openraft for the command line: a seed decides everything, and a run is made again from it.
//!
//! Its trace has every message and fault as a line, to be read and compared. It cannot be taken step by step, for the
//! library's tasks decide among themselves what they do next.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tribunal::audit::drive::{self, Driven, End};
use tribunal::cross_replay::{Agreement, CrossError, Performer};
use tribunal::engine::{Engine, PlanError};
use tribunal::explore::{Exploration, ExploreError, Inquiry};
use tribunal::judge::{Judged, LIVENESS, Operations, Outcomes, history_of, holds};
use tribunal::nearest::{Nearest, Watch};
use tribunal::nemesis::{Capability, Nemesis, Pace};
use tribunal::plan::Plan;
use tribunal::replay::{Moment, ReplayError, Replayed};
use tribunal::runtime::live::node_process::{NodeArgs, NodeError};
use tribunal::shrink::Shrunk;
use tribunal_checkers::explore::Progress;
use tribunal_checkers::properties::Monitor;
use tribunal_checkers::{Limits, Verdict};
use tribunal_histories::trace::{TRACE_VERSION, TraceEnd, TraceHeader};
use tribunal_histories::{Trace, TraceLine};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::explored::Expedition;
use tribunal_protocols::scenario::{Scenario, ScenarioError, Wrong};

use crate::config::Config;
use crate::system::System;
use crate::world::World;

/// The name with the release.
pub(crate) const NAME: &str = concat!("openraft-", env!("CARGO_PKG_VERSION"));

/// What every library's service serves.
pub(crate) const WORKLOADS: &[&str] = &["register", "kv", "append"];

/// What can be done to such a cluster. A killed node always loses what it had not synced.
const CAPABILITIES: [Capability; 4] = [
    Capability::Kill,
    Capability::Packet,
    Capability::Partition,
    Capability::Pause,
];

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Openraft;

fn nemesis(plan: &Plan, seed: u64) -> Result<Nemesis, PlanError> {
    let capabilities = BTreeSet::from(CAPABILITIES);
    Ok(plan.nemesis.nemesis(&capabilities, Pace::default(), seed)?)
}

/// Why what needs steps is not to be had.
fn stepless() -> serde_json::Error {
    serde::de::Error::custom(
        "its runs are made again from their seeds, and have no steps that could be taken",
    )
}

fn no_replay<T>() -> Result<T, ReplayError> {
    Err(ReplayError::Config {
        protocol: NAME,
        source: stepless(),
    })
}

/// Everything that was written down, as a trace.
fn trace_of(
    plan: &Plan,
    config: &Config,
    seed: u64,
    lines: Vec<TraceLine>,
    end: TraceEnd,
) -> Trace {
    let config = serde_json::to_value(config).unwrap_or_default();
    let header = TraceHeader {
        tribunal: "trace".to_owned(),
        version: TRACE_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: NAME.to_owned(),
        config_digest: Trace::config_digest(&config),
        config,
        seed: Some(seed),
        command: None,
        model: Some(plan.workload.model.to_owned()),
        properties: plan.properties,
        finally: None,
    };
    Trace { header, lines, end }
}

/// Whether every operation was answered in time, and the run came to its end.
fn ending(
    plan: &Plan,
    driven: &Driven,
    unanswered: Option<&str>,
    judged: &mut Judged,
    liveness_us: u64,
) -> Verdict {
    if let Some(operation) = unanswered.filter(|_| judged.violated.is_empty()) {
        return judged.not_live(operation, liveness_us, plan.liveness_timeouts);
    }
    let why = match &driven.end {
        End::Complete | End::Broken => {
            return holds(LIVENESS, "every final read was answered in time", 1);
        }
        End::Stopped => "the run was stopped before its end".to_owned(),
        End::CannotInject(error) => error.to_string(),
        End::Impossible(why) => why.clone(),
    };
    Verdict::unknown(LIVENESS, why, vec!["what comes after it".to_owned()])
}

impl Engine for Openraft {
    fn name(&self) -> &'static str {
        NAME
    }

    fn workloads(&self) -> &'static [&'static str] {
        WORKLOADS
    }

    fn check(&self, plan: &Plan) -> Result<(), PlanError> {
        plan.config::<Config>(0)
            .map_err(|source| PlanError::Field {
                protocol: NAME,
                source,
            })?;
        if !WORKLOADS.contains(&plan.workload.name) {
            return Err(PlanError::Workload {
                protocol: NAME,
                workload: plan.workload.name,
                served: WORKLOADS,
            });
        }
        nemesis(plan, 0).map(drop)
    }

    fn run(&self, plan: &Plan, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
        let config: Config = plan.config(seed).expect("the plan was checked");
        let monitor = Monitor::of(NAME).filter(|_| plan.properties);
        let workload = plan.workload.workload(&plan.workload_options());
        let patience_us = config.patience_us();
        let liveness_us = plan.liveness_timeouts * patience_us;
        let options = drive::Options {
            generator: workload.generator,
            final_generator: workload.final_generator,
            concurrency: plan.options.concurrency,
            seed,
            nemesis: nemesis(plan, seed).expect("the plan was checked"),
            timeout_us: 5 * patience_us,
        };
        let world = World::new(config.clone(), seed, monitor, record);
        let mut system = System::start(world, liveness_us);
        let driven = drive::drive(&mut system, options, stop);
        let unanswered = system.unanswered();
        let (world, simulated_us) = system.end();
        let mut world = world.lock();
        let history = history_of(world.ledger.events().to_vec());
        let monitor = world.monitor.as_ref();
        let mut judged = Judged::of(monitor, &history, plan.workload.model, plan.limits, stop);
        let ending = ending(
            plan,
            &driven,
            unanswered.as_deref(),
            &mut judged,
            liveness_us,
        );
        judged.parts.push(ending);
        let probes = plan.workload.probes.iter();
        let exercised = monitor.iter().flat_map(|monitor| monitor.exercised());
        let exercised = exercised
            .map(|exercise| (exercise.property, exercise.count))
            .collect();
        let ledger = std::mem::take(&mut world.ledger);
        let digest = ledger.digest();
        let end = TraceEnd {
            digest,
            verdict: judged.answer().name().to_owned(),
            violated: judged.violated.clone(),
            steps: ledger.steps(),
        };
        let lines = ledger.into_parts().1;
        Outcomes {
            seed,
            digest,
            operations: Operations::of(&history),
            probes: probes
                .map(|probe| (probe.name, u64::from(probe.seen_in(&history))))
                .collect(),
            history,
            exercised,
            tally: world.tally.clone(),
            faults: driven.faults,
            simulated_us,
            trace: lines.map(|lines| trace_of(plan, &config, seed, lines, end)),
            violated: judged.violated,
            verdict: Verdict::merge("run", judged.parts),
        }
    }

    fn be_node(&self, _args: &NodeArgs) -> Result<(), NodeError> {
        Err(NodeError::Config {
            protocol: NAME,
            source: stepless(),
        })
    }

    fn takes_steps(&self) -> bool {
        false
    }

    fn replay(
        &self,
        _trace: &Trace,
        _limits: Limits,
        _watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Replayed, ReplayError> {
        no_replay()
    }

    fn cross_replay(
        &self,
        _trace: &Trace,
        _performer: &Performer,
    ) -> Result<Agreement, CrossError> {
        Ok(no_replay()?)
    }

    fn tell(&self, scenario: &Scenario<'_>, _limits: Limits) -> Result<Trace, ScenarioError> {
        Err(ScenarioError {
            line: 1,
            command: scenario.id.to_owned(),
            wrong: Wrong::Cluster(stepless().to_string()),
        })
    }

    fn explore(
        &self,
        _inquiry: &Inquiry,
        _watch: &mut dyn FnMut(&Progress) -> Option<String>,
    ) -> Result<Exploration, ExploreError> {
        Err(ExploreError::Field(stepless()))
    }

    fn grid(&self) -> &'static [Expedition] {
        &[]
    }

    fn serve(&self, _inquiry: &Inquiry, _address: SocketAddr) -> Result<(), ExploreError> {
        Err(ExploreError::Field(stepless()))
    }

    fn shrink(
        &self,
        _trace: &Trace,
        _limits: Limits,
        _stop: &dyn Fn() -> bool,
    ) -> Result<Shrunk, ReplayError> {
        no_replay()
    }

    fn nearest(
        &self,
        _trace: &Trace,
        _limits: Limits,
        _states: Option<usize>,
        _watch: Watch<'_>,
    ) -> Result<Nearest, ReplayError> {
        no_replay()
    }
}
