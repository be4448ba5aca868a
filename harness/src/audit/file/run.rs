//! One run of a seed: nodes are started, clients and a nemesis let loose, and what clients saw is judged.

use std::fs;
use std::path::Path;

use tribunal_checkers::{Answer, Verdict};
use tribunal_histories::History;

use super::cluster::Cluster;
use super::plan::Plan;
use super::trouble::{PROCESSES, Trouble};
use crate::audit::Subject;
use crate::audit::drive::{self, Driven};
use crate::audit::ending::{AVAILABILITY, available, ending};
use crate::generator::{Generator, Invocation, phases, sleep};
use crate::judge::{Judged, LINEARIZABILITY, LIVENESS, Operations, Outcomes, history_of, holds};
use crate::runtime::sim::Tally;

/// How long a client waits at the end before it tries again to read, in microseconds.
const FINAL_GAP_US: u64 = 20_000;

/// Starts all nodes and a client, which is told one operation.
pub(super) fn try_it(plan: &Plan, stop: &dyn Fn() -> bool) -> Result<(), Trouble> {
    let mut cluster = plan.cluster(0, "start", 1)?;
    cluster.start(stop);
    if cluster.trouble.is_none() && !stop() {
        cluster.call(&Invocation {
            thread: 0,
            process: 0,
            call: plan.words.trial(),
        });
        let deadline_us = cluster.now_us() + plan.settings.timeout_us();
        while !stop()
            && cluster.trouble.is_none()
            && cluster.now_us() < deadline_us
            && cluster.advance(Some(deadline_us)).is_empty()
        {}
    }
    cluster.stop();
    let folder = plan.directory.join("start");
    if let Some(trouble) = cluster.trouble.take() {
        return Err(trouble);
    }
    drop(cluster);
    // What cannot be removed does no harm.
    let _ = fs::remove_dir_all(folder);
    Ok(())
}

/// Runs a seed of a plan.
pub(super) fn run(plan: &Plan, seed: u64, stop: &dyn Fn() -> bool) -> Outcomes {
    let mut cluster = match plan.cluster(seed, &seed.to_string(), plan.options.concurrency) {
        Ok(cluster) => cluster,
        Err(trouble) => return not_begun(plan, seed, &trouble),
    };
    cluster.start(stop);
    let workload = plan.words.entry.workload(&plan.options);
    let settle = sleep(plan.settings.settle_us);
    let reads = workload.final_generator.delay(FINAL_GAP_US);
    let options = drive::Options {
        generator: workload.generator,
        final_generator: phases([settle.boxed(), reads.boxed()]).boxed(),
        concurrency: plan.options.concurrency,
        seed,
        nemesis: plan.nemesis(seed).expect("the plan was checked"),
        timeout_us: plan.settings.timeout_us(),
    };
    let driven = drive::drive(&mut cluster, options, stop);
    cluster.stop();
    outcomes(plan, seed, &mut cluster, driven, stop)
}

fn outcomes(
    plan: &Plan,
    seed: u64,
    cluster: &mut Cluster,
    driven: Driven,
    stop: &dyn Fn() -> bool,
) -> Outcomes {
    let model = plan.words.entry.model;
    let traffic = cluster.traffic();
    let simulated_us = cluster.ledger.now_ns.unwrap_or_default() / 1_000;
    let events = std::mem::take(&mut cluster.ledger).into_parts().0;
    let history = history_of(events);
    let mut judged = Judged::of(None, &history, model, plan.limits, stop);
    let ending = match &cluster.trouble {
        Some(trouble) => trouble.verdict(),
        None => ending(&driven),
    };
    if ending.answer() != Answer::Valid && judged.violated != LINEARIZABILITY {
        // What a run that was cut short lacks at the end is not lost.
        judged.parts.retain(|part| part.answer() != Answer::Invalid);
        judged.violated = match ending.answer() {
            Answer::Invalid => PROCESSES.to_owned(),
            _ => String::new(),
        };
    }
    if ending.answer() == Answer::Valid {
        // What is first is the example of what was seen.
        judged.parts.push(ending);
        judged.parts.push(answered_at_the_end(&history, &driven));
    } else {
        judged.parts.insert(0, ending);
    }
    if let Some(availability) = plan.availability.filter(|_| judged.violated.is_empty()) {
        let verdict = available(availability, &history);
        if verdict.answer() == Answer::Invalid {
            judged.violated = AVAILABILITY.to_owned();
        }
        judged.parts.push(verdict);
    }
    let verdict = Verdict::merge("run", judged.parts);
    let is_evidence = verdict.answer() != Answer::Valid;
    tidy(&plan.directory.join(seed.to_string()), is_evidence);
    let probes = plan.words.entry.probes.iter();
    Outcomes {
        seed,
        digest: Default::default(),
        operations: Operations::of(&history),
        violated: judged.violated,
        verdict,
        tally: Tally {
            packets: traffic.pieces,
            packets_between_nodes: traffic.between_nodes,
            packets_lost: traffic.lost,
            ..Tally::default()
        },
        faults: driven.faults,
        probes: probes
            .map(|probe| (probe.name, u64::from(probe.seen_in(&history))))
            .collect(),
        exercised: Default::default(),
        simulated_us,
        history,
        trace: None,
    }
}

fn not_begun(plan: &Plan, seed: u64, trouble: &Trouble) -> Outcomes {
    let probes = plan.words.entry.probes.iter();
    Outcomes {
        seed,
        digest: Default::default(),
        operations: Operations::default(),
        violated: String::new(),
        verdict: trouble.verdict(),
        tally: Tally::default(),
        faults: Default::default(),
        probes: probes.map(|probe| (probe.name, 0)).collect(),
        exercised: Default::default(),
        simulated_us: 0,
        history: History::default(),
        trace: None,
    }
}

/// When everything is healed, somebody must be answered. By the wall clock that is no proof of anything.
fn answered_at_the_end(history: &History, driven: &Driven) -> Verdict {
    let is_answered = driven.healed_after.is_some_and(|events| {
        history
            .operations()
            .any(|operation| operation.invoked >= events && operation.returned.is_some())
    });
    // A workload without reads at the end has no use for them.
    let is_over = driven.healed_after == Some(history.len());
    if is_answered || is_over {
        return holds(
            LIVENESS,
            "clients were answered after all faults had ended",
            1,
        );
    }
    Verdict::unknown(
        LIVENESS,
        "no read at the end was answered",
        vec!["whether the system recovers".to_owned()],
    )
}

/// Takes away empty files, and, unless they are evidence, the data of nodes.
fn tidy(folder: &Path, is_evidence: bool) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        // What cannot be removed does no harm.
        if path.is_dir() && !is_evidence {
            let _ = fs::remove_dir_all(&path);
        } else if path
            .metadata()
            .is_ok_and(|file| file.is_file() && file.len() == 0)
        {
            let _ = fs::remove_file(&path);
        }
    }
    let _ = fs::remove_dir(folder);
}
