//! The commands that make a run again, as they are printed: what is printed can be executed.

use std::path::Path;
use std::sync::OnceLock;

use crate::audit::{file, maelstrom};
use crate::plan::{Driver, Plan};
use crate::totals::driver_name;
use crate::workload;

/// The name of the program, if it is not `tribunal`.
static PROGRAM: OnceLock<&'static str> = OnceLock::new();

/// Says that the program has another name than `tribunal`, as one does that brings protocols along. The first to say so
/// is heard.
pub fn program_is(name: &'static str) {
    // Whoever said so before has named the program.
    let _ = PROGRAM.set(name);
}

fn program() -> &'static str {
    PROGRAM.get().copied().unwrap_or("tribunal")
}

/// The command that takes a trace's steps again.
pub fn of_trace(path: &Path) -> String {
    format!(
        "{} replay {}",
        program(),
        quoted(&path.display().to_string())
    )
}

/// The command that judges a history again.
pub fn of_history(path: &Path, model: &str) -> String {
    format!(
        "{} check {} --model {model}",
        program(),
        quoted(&path.display().to_string())
    )
}

/// The command that makes the run of a seed again. It names everything that determines the run, so that neither
/// the environment nor a profile can change it.
pub fn of_seed(plan: &Plan, seed: u64) -> String {
    let workload::Options {
        operations,
        concurrency,
        keys,
        rate_per_s,
        ..
    } = plan.options;
    let mut parts = vec![
        format!("{} simulate --protocol {}", program(), plan.protocol.name),
        format!("--nodes {}", plan.nodes),
        format!("--workload {}", plan.workload.name),
        format!("--nemesis {}", plan.nemesis),
        format!("--schedule {}", plan.schedule),
        format!("--runtime {}", driver_name(plan.driver)),
        format!("--concurrency {concurrency} --keys {keys} --rate {rate_per_s}"),
        format!("--events-max {}", plan.events_max),
    ];
    if plan.driver == Driver::Live {
        parts.push(format!("--live-time {}ms", plan.live.time.as_millis()));
    } else {
        parts.push(format!("--ops {operations}"));
    }
    let bugs: Vec<_> = plan.protocol.bugs_in(plan.bugs).map(|bug| bug.id).collect();
    if !bugs.is_empty() {
        parts.push(format!("--bugs {}", bugs.join(",")));
    }
    let set = plan.set.iter();
    parts.extend(set.map(|(name, value)| format!("--set {}", quoted(&format!("{name}={value}")))));
    if !plan.properties {
        parts.push("--properties off".to_owned());
    }
    parts.push(format!("--seed {seed}"));
    parts.join(" ")
}

/// The command that audits somebody's program again with a seed.
pub fn of_audit(plan: &maelstrom::Plan, seed: u64) -> String {
    let workload::Options {
        operations,
        concurrency,
        keys,
        rate_per_s,
        time_limit_us,
        ..
    } = plan.options;
    let mut parts = vec![
        format!(
            "tribunal audit maelstrom --workload {}",
            plan.dialogue.workload.name
        ),
        format!("--node-count {}", plan.nodes),
        format!("--nemesis {}", plan.nemesis),
        format!("--latency {}ms", plan.latency.mean_us / 1_000),
        format!("--latency-dist {}", plan.latency.distribution),
        format!("--topology {}", plan.topology),
        format!("--concurrency {concurrency} --keys {keys} --rate {rate_per_s}"),
        format!(
            "--time-limit {}ms --events-max {}",
            time_limit_us / 1_000,
            plan.events_max
        ),
        format!("--node-patience {}ms", plan.patience.node.as_millis()),
    ];
    if operations < usize::MAX {
        parts.push(format!("--ops {operations}"));
    }
    if let Some(availability) = plan.availability {
        parts.push(format!("--availability {availability}"));
    }
    if plan.is_wall_clock {
        parts.push("--wall-clock".to_owned());
    }
    let command: Vec<_> = plan.command.iter().map(|word| quoted(word)).collect();
    parts.push(format!("--seed {seed} -- {}", command.join(" ")));
    parts.join(" ")
}

/// The command that audits the subject of a file again with a seed.
pub fn of_file_audit(plan: &file::Plan, seed: u64) -> String {
    let workload::Options {
        operations,
        concurrency,
        keys,
        rate_per_s,
        time_limit_us,
        ..
    } = plan.options;
    let path = plan.settings.path.display().to_string();
    let mut parts = vec![
        format!("tribunal audit file {}", quoted(&path)),
        format!("--workload {}", plan.words.entry.name),
        format!("--node-count {}", plan.nodes),
        format!("--nemesis {}", plan.nemesis),
        format!("--concurrency {concurrency} --keys {keys} --rate {rate_per_s}"),
        format!("--time-limit {}ms", time_limit_us / 1_000),
    ];
    if operations < usize::MAX {
        parts.push(format!("--ops {operations}"));
    }
    if let Some(availability) = plan.availability {
        parts.push(format!("--availability {availability}"));
    }
    parts.push(format!("--seed {seed}"));
    parts.join(" ")
}

/// An argument as a shell wants it.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_shell() {
        assert_eq!(
            of_trace(Path::new("a/b.jsonl")),
            "tribunal replay a/b.jsonl"
        );
        assert_eq!(
            of_trace(Path::new("it's here")),
            r"tribunal replay 'it'\''s here'"
        );
    }
}
