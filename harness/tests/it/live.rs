//! Real processes on this machine: killed, paused and cut off, they must not lose what they acknowledged.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tribunal::nemesis::{Nemesis, Pace, Selection};
use tribunal::runtime::live::{
    ClusterOptions, LiveCluster, LiveEnd, LiveError, LiveOptions, LiveRun, Patience, capabilities,
    run,
};
use tribunal::workload::{Entry, Options, Workload};
use tribunal_checkers::{Answer, CheckRequest, Verdict, check_history};
use tribunal_histories::{NodeId, Outcome};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::raft::{Config, Raft};
use tribunal_protocols::registry::Protocol;
use tribunal_protocols::{Bugs, Node};

/// Three processes with their files in `directory`.
fn cluster(directory: &Path, bugs: Bugs) -> ClusterOptions {
    let config = Config::of(3).with_bugs(bugs);
    ClusterOptions {
        program: env!("CARGO_BIN_EXE_tribunal").into(),
        ..ClusterOptions::of::<Raft>(&config, 1, directory.to_owned()).unwrap()
    }
}

/// So many milliseconds of a workload.
fn workload(name: &str, time_ms: u64) -> Workload {
    Entry::find(name).unwrap().workload(&Options {
        operations: 5_000,
        rate_per_s: 200,
        time_limit_us: time_ms * 1_000,
        ..Options::default()
    })
}

fn faults(selection: &str, seed: u64) -> Nemesis {
    let pace = Pace {
        calm_us: (100_000, 600_000),
        fault_us: (200_000, 900_000),
    };
    let selection: Selection = selection.parse().unwrap();
    selection.nemesis(&capabilities(), pace, seed).unwrap()
}

fn options(cluster: ClusterOptions, workload: &Workload, nemesis: Nemesis) -> LiveOptions {
    LiveOptions {
        cluster,
        generator: workload.generator.clone(),
        final_generator: workload.final_generator.clone(),
        concurrency: 5,
        seed: 1,
        nemesis,
        patience: Patience::default(),
        budget: Duration::from_secs(60),
    }
}

/// Some seconds of a workload under a nemesis, and the verdict.
fn judged(name: &str, nemesis: Nemesis, bugs: Bugs) -> (Verdict, LiveRun) {
    let directory = TempDir::new().unwrap();
    let workload = workload(name, 6_000);
    let options = options(cluster(directory.path(), bugs), &workload, nemesis);
    let run = run::<Raft>(options, &|| false).unwrap();
    let request = CheckRequest::new(workload.entry.model).with_initial(workload.initial);
    let verdict = check_history(&run.history, &request, &|| false).unwrap();
    (verdict, run)
}

/// Nothing ended early, everything was brought back, and after that somebody was answered.
#[track_caller]
fn is_whole(run: &LiveRun) {
    assert!(matches!(run.end, LiveEnd::Complete), "{:?}", run.end);
    assert!(run.fallen.is_empty(), "{:?}", run.fallen);
    assert!(was_answered_at_the_end(run));
}

fn was_answered_at_the_end(run: &LiveRun) -> bool {
    let healed = run.healed.unwrap();
    let mut operations = run.history.operations();
    operations.any(|read| read.invoked >= healed && read.outcome == Outcome::Ok)
}

fn acknowledged(run: &LiveRun) -> usize {
    let operations = run.history.operations();
    operations
        .filter(|done| done.outcome == Outcome::Ok)
        .count()
}

#[test]
fn killed_and_restarted_processes_keep_what_they_acknowledged() {
    let (verdict, run) = judged("register", faults("kill", 1), Bugs::NONE);
    is_whole(&run);
    assert_eq!(verdict.answer(), Answer::Valid, "{verdict:?}");
    let kills = run.fault_counts()["kill"];
    assert!(kills >= 2, "{kills}");
    assert!(acknowledged(&run) > 50, "{}", acknowledged(&run));
    assert!(run.notes["a leader was elected"] > 1, "{:?}", run.notes);
}

#[test]
fn paused_and_cut_off_processes_stay_linearizable() {
    let (verdict, run) = judged("append", faults("all", 2), Bugs::NONE);
    is_whole(&run);
    assert_eq!(verdict.answer(), Answer::Valid, "{verdict:?}");
    assert!(run.traffic.cut > 0, "{:?}", run.traffic);
    assert!(acknowledged(&run) > 20, "{}", acknowledged(&run));
}

#[test]
fn an_answer_before_commit_is_caught() {
    let raft = Protocol::named(Raft::NAME).unwrap();
    let bugs = raft.bugs_named(["CL5"]).unwrap();
    let (verdict, run) = judged("append", faults("partition", 3), bugs);
    is_whole(&run);
    assert_eq!(verdict.answer(), Answer::Invalid);
}

#[test]
fn a_run_that_is_told_to_stop_keeps_what_was_found() {
    let directory = TempDir::new().unwrap();
    let workload = workload("register", 60_000);
    let options = options(
        cluster(directory.path(), Bugs::NONE),
        &workload,
        Nemesis::default(),
    );
    // A log of some length tells that clients were answered: then there is something to keep.
    let log = directory.path().join("n1/wal");
    let answered = || log.metadata().is_ok_and(|log| log.len() > 4_000);
    let run = run::<Raft>(options, &answered).unwrap();
    assert!(matches!(run.end, LiveEnd::Stopped), "{:?}", run.end);
    assert!(acknowledged(&run) > 0);
    assert_eq!(run.healed, None);
}

#[test]
fn a_run_out_of_time_still_ends_with_final_reads() {
    let directory = TempDir::new().unwrap();
    let workload = workload("register", 60_000);
    let options = LiveOptions {
        budget: Duration::from_secs(1),
        ..options(
            cluster(directory.path(), Bugs::NONE),
            &workload,
            faults("partition", 1),
        )
    };
    let run = run::<Raft>(options, &|| false).unwrap();
    assert!(matches!(run.end, LiveEnd::OutOfTime), "{:?}", run.end);
    assert!(was_answered_at_the_end(&run));
}

#[test]
fn a_program_that_is_no_node_is_reported() {
    let directory = TempDir::new().unwrap();
    let cluster = ClusterOptions {
        program: "true".into(),
        ..cluster(directory.path(), Bugs::NONE)
    };
    let options = options(cluster, &workload("register", 1_000), Nemesis::default());
    let refused = run::<Raft>(options, &|| false);
    assert!(matches!(refused, Err(LiveError::NotReady { .. })));
}

#[tokio::test]
async fn a_node_that_nobody_killed_is_found_and_can_be_restarted() {
    let directory = TempDir::new().unwrap();
    let mut cluster = LiveCluster::start(cluster(directory.path(), Bugs::NONE))
        .await
        .unwrap();
    let node = NodeId(1);
    let process = cluster.process_id(node).unwrap();
    let killed = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
    assert!(killed.unwrap().success());
    while cluster.fallen().is_empty() {
        cluster.bury().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(cluster.fallen()[0].node, node);
    assert!(!cluster.up().contains(&node));
    assert_eq!(cluster.addresses().borrow()[1], None);
    cluster.restart(node).await.unwrap();
    assert_eq!(cluster.up().len(), 3);
    cluster.stop().await.unwrap();
}
