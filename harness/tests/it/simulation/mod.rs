//! Simulated runs: deterministic, replayable, sound on the correct protocol, and sharp on planted bugs.

mod bugs;
mod determinism;
mod gossip;
mod membership;
#[cfg(madsim)]
mod memory;
mod multi_paxos;
#[cfg(madsim)]
mod scripted;
mod sound_protocols;
mod soundness;

use std::sync::Mutex;

use tribunal::engine::engine;
use tribunal::judge::Outcomes;
use tribunal::plan::{Driver, Plan};
use tribunal::workload::Entry;
use tribunal_protocols::registry::Protocol;

const WORKLOADS: [&str; 3] = ["register", "kv", "append"];

fn raft() -> &'static Protocol {
    Protocol::named("raft").expect("Raft is registered")
}

/// A plan for correct Raft with five nodes under `swarm`.
fn plan(workload: &str, driver: Driver) -> Plan {
    Plan {
        driver,
        ..Plan::usual(
            raft(),
            Entry::find(workload).expect("the workload is registered"),
        )
    }
}

fn run(plan: &Plan, seed: u64) -> Outcomes {
    engine(plan.protocol).run(plan, seed, false, &|| false)
}

/// Does something for every item on two threads; the results are in the items' order.
pub(super) fn on_two_threads<T: Copy + Send + Sync, R: Send>(
    items: &[T],
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let results: Mutex<Vec<(usize, R)>> = Mutex::default();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (work, results) = (&work, &results);
            scope.spawn(move || {
                for (place, item) in items
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| place % 2 == half)
                {
                    let result = work(*item);
                    results.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
