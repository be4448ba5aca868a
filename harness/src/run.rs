//! One simulated run: a seed of a plan, from the first boot to the verdict.

use tribunal_checkers::Verdict;
use tribunal_checkers::properties::Monitor;
use tribunal_protocols::Node;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::world::{Setup, SyncMode};

use crate::judge::{Judged, LIVENESS, Operations, Outcomes, history_of, holds};
use crate::plan::{Driver, Plan};
use crate::replay;
use crate::runtime::sim::{Clients, Cluster, End, Faults, Remains, Witness, plain};

/// Runs a seed of a plan.
///
/// # Panics
/// If the plan selects a nemesis that such a cluster cannot have: a plan is checked before it is run.
pub fn run<N: Node>(plan: &Plan, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
    let config: N::Config = plan.config(seed).expect("the plan was checked");
    let settings = plan.settings(seed, config.patience_us());
    let workload = plan.workload.workload(&plan.workload_options());
    let nemesis = plan.nemesis::<N>(seed).expect("the plan was checked");
    let clients = Clients::new(
        workload.generator,
        workload.final_generator,
        plan.options.concurrency,
        seed,
    );
    let witness = Witness::of(N::NAME, plan.properties);
    let mut cluster = Cluster::<N>::new(config, settings, clients, Faults::of(nemesis), record)
        .watched_by(witness);
    let end;
    if plan.driver == Driver::Plain {
        end = plain::run(&mut cluster, stop);
    } else {
        (cluster, end) = on_madsim(cluster, seed, stop);
    }
    judge(plan, seed, cluster, end, stop)
}

#[cfg(madsim)]
fn on_madsim<N: Node>(
    cluster: Cluster<N>,
    seed: u64,
    stop: &dyn Fn() -> bool,
) -> (Cluster<N>, End) {
    crate::runtime::sim::madsim::run(cluster, seed, stop)
}

/// A build without madsim has the plain loop only; the command line says so before it comes to this.
#[cfg(not(madsim))]
fn on_madsim<N: Node>(
    mut cluster: Cluster<N>,
    _seed: u64,
    stop: &dyn Fn() -> bool,
) -> (Cluster<N>, End) {
    let end = plain::run(&mut cluster, stop);
    (cluster, end)
}

fn judge<N: Node>(
    plan: &Plan,
    seed: u64,
    cluster: Cluster<N>,
    end: End,
    stop: &dyn Fn() -> bool,
) -> Outcomes {
    let (config, digest, simulated_us) =
        (cluster.config(), cluster.digest(), cluster.now_ns() / 1_000);
    let liveness_us = cluster.liveness_us();
    let Remains {
        witness,
        tally,
        recorded,
        unanswered,
        faults,
    } = cluster.into_remains();
    let history = history_of(witness.events);
    let mut judged = Judged::of(
        witness.monitor.as_ref(),
        &history,
        plan.workload.model,
        plan.limits,
        stop,
    );
    let live = match (end, unanswered) {
        (End::Complete, Some(operation)) => {
            judged.not_live(&operation, liveness_us, plan.liveness_timeouts)
        }
        (End::Complete | End::Violation, _) => {
            holds(LIVENESS, "every final read was answered in time", 1)
        }
        (End::EventsMax, _) => Verdict::unknown(
            LIVENESS,
            format!(
                "the run was stopped at its bound of {} events",
                plan.events_max
            ),
            vec!["what comes after it".into()],
        ),
        (End::Stopped, _) => Verdict::unknown(
            LIVENESS,
            "the run was stopped before its end",
            vec!["what comes after it".into()],
        ),
    };
    judged.parts.push(live);
    let mut probes = witness.probes;
    for probe in plan.workload.probes {
        *probes.entry(probe.name).or_default() += u64::from(probe.seen_in(&history));
    }
    let exercised = witness.monitor.iter().flat_map(Monitor::exercised);
    let trace = recorded.map(|recorded| {
        let setup = Setup::<N>::fresh(N::Config::clone(&config), SyncMode::Explicit);
        let header = replay::header(&setup, Some(seed), plan.workload.model, plan.properties);
        replay::trace_of(header, recorded, digest, &judged)
    });
    Outcomes {
        seed,
        digest,
        operations: Operations::of(&history),
        history,
        exercised: exercised
            .map(|exercise| (exercise.property, exercise.count))
            .collect(),
        violated: judged.violated,
        verdict: Verdict::merge("run", judged.parts),
        tally,
        faults,
        probes,
        simulated_us,
        trace,
    }
}
