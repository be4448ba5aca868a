//! One run against somebody's program: a seed of a plan, from the first start to the verdict.

#![expect(
    clippy::disallowed_methods,
    reason = "with --wall-clock the time of a run is real"
)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use tribunal_checkers::{Answer, Verdict};
use tribunal_histories::Value;

use super::cluster::{Clock, Cluster};
use super::pinned::Pinned;
use super::plan::Plan;
use super::script::{header, judge, trace_of};
use crate::audit::drive::{self, Driven, End};
use crate::audit::ending::{AVAILABILITY, available, cut_short, ending};
use crate::generator::{Call, Generator, once, phases};
use crate::judge::{Operations, Outcomes, history_of};
use crate::runtime::sim::Tally;
use crate::workload;

/// The clock of a run that begins now.
pub(super) fn clock(plan: &Plan) -> Clock {
    match plan.is_wall_clock {
        true => Clock::Wall {
            start: Instant::now(),
        },
        false => Clock::Virtual { now_ns: 0 },
    }
}

/// Runs a seed of a plan.
pub(super) fn run(plan: &Plan, seed: u64, stop: &dyn Fn() -> bool) -> Outcomes {
    let _pinned = (!plan.is_wall_clock).then(Pinned::to_one);
    let setup = plan.setup(seed);
    let folder = setup.folder.clone();
    // The steps are kept whether or not they were asked for: a program that is not deterministic has but one chance.
    let mut cluster = Cluster::new(
        setup,
        plan.latency,
        plan.events_max,
        clock(plan),
        !plan.is_wall_clock,
    );
    let begun = cluster.world.clear();
    let mut driven = Driven::not_begun();
    if let Err(error) = begun {
        driven.end = End::Impossible(format!("cannot make {}: {error}", folder.display()));
    } else {
        cluster.start(stop);
        let workload = workload(plan);
        let options = drive::Options {
            generator: workload.generator,
            final_generator: workload.final_generator,
            concurrency: plan.options.concurrency,
            seed,
            nemesis: plan.nemesis(seed).expect("the plan was checked"),
            timeout_us: plan.timeout_us,
        };
        driven = drive::drive(&mut cluster, options, stop);
    }
    let outcomes = outcomes(plan, seed, cluster, driven, stop);
    tidy(&folder);
    outcomes
}

/// How often a client reads while nodes are given the time to tell one another.
const SETTLING_GAP_US: u64 = 1_000_000;

/// The workload, for a run of so long. While nodes are given time after the faults, clients go on reading: a program
/// without timers does nothing unless it is spoken to.
fn workload(plan: &Plan) -> workload::Workload {
    let entry = &plan.dialogue.workload;
    let workload = entry.workload(&workload::Options {
        nodes: plan.nodes,
        ..plan.options
    });
    if entry.last_read.after_us == 0 {
        return workload;
    }
    let settling = once(Call::new("read", Value::Nil, Value::Nil))
        .repeat()
        .delay(SETTLING_GAP_US)
        .each_thread()
        .time_limit(entry.last_read.after_us);
    let final_generator = phases([settling.boxed(), workload.final_generator]).boxed();
    workload::Workload {
        final_generator,
        ..workload
    }
}

fn outcomes(
    plan: &Plan,
    seed: u64,
    mut cluster: Cluster,
    driven: Driven,
    stop: &dyn Fn() -> bool,
) -> Outcomes {
    let simulated_us = cluster.now_ns() / 1_000;
    let is_out_of_events = cluster.is_out_of_events;
    let world = &mut cluster.world;
    let history = history_of(world.ledger.events().to_vec());
    let mut judged = judge(world, &history, plan.limits, stop);
    let ending = ended(plan, world.failure(), is_out_of_events, &driven);
    if ending.answer() != Answer::Valid && world.misbehaviour().is_none() {
        // What a run that was cut short lacks at the end is not lost.
        judged.parts.retain(|part| part.answer() != Answer::Invalid);
        judged.violated = String::new();
        judged.parts.insert(0, ending);
    }
    if let Some(availability) = plan.availability.filter(|_| judged.violated.is_empty()) {
        let verdict = available(availability, &history);
        if verdict.answer() == Answer::Invalid {
            judged.violated = AVAILABILITY.to_owned();
        }
        judged.parts.push(verdict);
    }
    let probes = plan.dialogue.workload.probes.iter();
    let probes = probes
        .map(|probe| (probe.name, u64::from(probe.seen_in(&history))))
        .collect();
    let (header, counts, digest) = (header(&world.setup), world.counts, world.ledger.digest());
    let lines = std::mem::take(&mut world.ledger).into_parts().1;
    Outcomes {
        seed,
        digest,
        operations: Operations::of(&history),
        history,
        trace: lines.map(|lines| trace_of(header, lines, digest, &judged)),
        violated: judged.violated,
        verdict: Verdict::merge("run", judged.parts),
        tally: Tally {
            packets: counts.delivered,
            packets_between_nodes: counts.between_nodes,
            packets_lost: counts.lost,
            packets_duplicated: counts.doubled,
            ..Tally::default()
        },
        faults: driven.faults,
        probes,
        exercised: Default::default(),
        simulated_us,
    }
}

/// Whether the run came to its end.
fn ended(plan: &Plan, failure: Option<&str>, is_out_of_events: bool, driven: &Driven) -> Verdict {
    if let Some(failure) = failure {
        return cut_short(failure.to_owned());
    }
    if is_out_of_events {
        let bound = plan.events_max;
        return cut_short(format!("the run was stopped at its bound of {bound} steps"));
    }
    ending(driven)
}

/// Takes away what nodes left in their folders, and files of standard error in which there is nothing.
fn tidy(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        // What cannot be removed does no harm.
        if path.is_dir() {
            let _ = fs::remove_dir_all(&path);
        } else if path.metadata().is_ok_and(|file| file.len() == 0) {
            let _ = fs::remove_file(&path);
        }
    }
    let _ = fs::remove_dir(folder);
}
