//! Whether many runs in one process leave anything behind: the resident size every 10,000 runs on madsim.
//!
//! `cargo bench -p tribunal --bench memory` makes 100,000 short runs of Raft under `swarm`.

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use tribunal::plan::Plan;
use tribunal::run;
use tribunal::workload::{Entry, Options};
use tribunal_protocols::raft::Raft;
use tribunal_protocols::registry::Protocol;

const RUNS: u64 = 100_000;
const PRINTED_EVERY: u64 = 10_000;

/// The resident size of this process in kilobytes, as the kernel tells it.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

fn main() {
    let plan = Plan {
        options: Options {
            operations: 30,
            time_limit_us: 300_000,
            ..Options::default()
        },
        ..Plan::usual(
            Protocol::named("raft").expect("Raft is registered"),
            Entry::find("register").expect("the workload is registered"),
        )
    };
    println!("{:>8} {:>12}", "runs", "resident kB");
    for seed in 0..RUNS {
        drop(run::run::<Raft>(&plan, seed, false, &|| false));
        if (seed + 1) % PRINTED_EVERY == 0 || seed + 1 == PRINTED_EVERY / 10 {
            println!("{:>8} {:>12}", seed + 1, resident_kb());
        }
    }
}
