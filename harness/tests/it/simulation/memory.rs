//! A campaign is many runs in one process: none may leave anything behind.

use tribunal::plan::{Driver, Plan};
use tribunal::workload::Options;

use super::{plan, run};

const RUNS: u64 = 2_000;
/// What a run may leave on average, in bytes. One task that is never freed is several kilobytes.
const LEFT_MAX: u64 = 512;
/// Set where the test is the only one in its process.
const ALONE: &str = "TRIBUNAL_TEST_ALONE";

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .expect("the kernel tells the size of a process");
    let resident = pages
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    resident.expect("the second number is the resident pages") * 4_096
}

/// Other tests of this process would be measured with it, so it runs itself in a process of its own.
#[test]
fn runs_leave_no_memory_behind() {
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().expect("this program has a file");
        let name = "simulation::memory::runs_leave_no_memory_behind";
        let status = std::process::Command::new(this)
            .args([name, "--exact"])
            .env(ALONE, "1")
            .status();
        assert!(status.expect("this program starts").success());
        return;
    }
    let plan = Plan {
        options: Options {
            operations: 10,
            time_limit_us: 100_000,
            ..Options::default()
        },
        ..plan("register", Driver::Madsim)
    };
    let runs = |seeds: std::ops::Range<u64>| seeds.for_each(|seed| drop(run(&plan, seed)));
    runs(0..RUNS / 10);
    let before = resident_bytes();
    runs(RUNS / 10..RUNS);
    let left = resident_bytes().saturating_sub(before);
    assert!(left < LEFT_MAX * RUNS, "{RUNS} runs left {left} bytes");
}
