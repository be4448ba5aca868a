//! One live run: a plan against real processes, from the first start to the verdict.

use tribunal_checkers::Verdict;
use tribunal_histories::Digest;
use tribunal_protocols::Node;

use crate::judge::{Judged, LIVENESS, Operations, Outcomes, holds};
use crate::plan::Plan;
use crate::runtime::live::{self, ClusterOptions, LiveEnd, LiveOptions, LiveRun, Patience};
use crate::runtime::sim::Tally;

/// The name under which it is reported that processes or the run ended before their time.
const PROCESSES: &str = "processes";

/// Runs a plan against real processes; their files and their standard error stay in the plan's directory.
///
/// # Panics
/// If the plan selects faults that only a simulated cluster can have: a plan is checked before it is run.
pub fn run<N: Node>(plan: &Plan, seed: u64, stop: &dyn Fn() -> bool) -> Outcomes {
    let config: N::Config = plan.config(seed).expect("the plan was checked");
    let workload = plan.workload.workload(&plan.workload_options());
    let directory = plan.live.directory.join(seed.to_string());
    let ran = ClusterOptions::of::<N>(&config, seed, directory).and_then(|cluster| {
        let options = LiveOptions {
            cluster,
            generator: workload.generator,
            final_generator: workload.final_generator,
            concurrency: plan.options.concurrency,
            seed,
            nemesis: plan.nemesis::<N>(seed).expect("the plan was checked"),
            patience: Patience::default(),
            budget: plan.live.time,
        };
        live::run::<N>(options, stop)
    });
    judge(plan, seed, ran.unwrap_or_else(LiveRun::not_begun), stop)
}

fn judge(plan: &Plan, seed: u64, run: LiveRun, stop: &dyn Fn() -> bool) -> Outcomes {
    let mut judged = Judged::of(None, &run.history, plan.workload.model, plan.limits, stop);
    // A cluster that did not run explains why its history is empty.
    judged.parts.insert(0, processes(&run));
    judged.parts.push(answered_at_the_end(&run));
    let known = |name: &str| {
        plan.protocol
            .probes
            .iter()
            .find(|probe| **probe == name)
            .copied()
    };
    let notes = run
        .notes
        .iter()
        .filter_map(|(name, count)| Some((known(name)?, *count)));
    let seen = plan
        .workload
        .probes
        .iter()
        .map(|probe| (probe.name, u64::from(probe.seen_in(&run.history))));
    let last = run
        .history
        .events()
        .iter()
        .filter_map(tribunal_histories::Event::time_ns)
        .max();
    Outcomes {
        seed,
        digest: Digest::default(),
        operations: Operations::of(&run.history),
        violated: judged.violated,
        verdict: Verdict::merge("run", judged.parts),
        tally: Tally {
            packets: run.traffic.passed,
            packets_lost: run.traffic.cut + run.traffic.lost,
            packets_duplicated: run.traffic.duplicated,
            ..Tally::default()
        },
        faults: run.fault_counts(),
        probes: notes.chain(seen).collect(),
        exercised: std::collections::BTreeMap::new(),
        simulated_us: last.unwrap_or_default() / 1_000,
        history: run.history,
        trace: None,
    }
}

/// Processes that ended by themselves, and runs that were cut short, are never valid.
fn processes(run: &LiveRun) -> Verdict {
    if let Some(fallen) = run.fallen.first() {
        let why = format!(
            "{} ended though nobody killed it ({}): see its standard error",
            fallen.node, fallen.status
        );
        return Verdict::unknown(PROCESSES, why, vec!["what the cluster does with it".into()]);
    }
    match &run.end {
        LiveEnd::Complete | LiveEnd::OutOfTime => holds(PROCESSES, "no process ended by itself", 1),
        LiveEnd::Stopped => Verdict::unknown(
            PROCESSES,
            "the run was stopped before its end",
            vec!["the final reads".into()],
        ),
        LiveEnd::Broken(error) => Verdict::unknown(
            PROCESSES,
            format!("the cluster could not be kept going: {error}"),
            vec!["what comes after it".into()],
        ),
    }
}

/// When everything is healed, somebody must be answered. By the wall clock that is no proof of anything.
fn answered_at_the_end(run: &LiveRun) -> Verdict {
    let answered = run.healed.is_some_and(|healed| {
        run.history
            .operations()
            .any(|operation| operation.invoked >= healed && operation.returned.is_some())
    });
    if answered {
        return holds(
            LIVENESS,
            "clients were answered after all faults had ended",
            1,
        );
    }
    Verdict::unknown(
        LIVENESS,
        "no final read was answered",
        vec!["whether the cluster recovers".into()],
    )
}
