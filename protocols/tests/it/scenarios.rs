//! Golden scenarios: every text says what comes of its commands.
//!
//! `UPDATE_GOLDEN=1 cargo test -p tribunal-protocols scenarios` rewrites the texts. Read the difference before you
//! commit it: a scenario changes because a protocol does, and you must know why.

use std::fs;
use std::path::Path;

use tribunal_protocols::gossip::Gossip;
use tribunal_protocols::membership::Membership;
use tribunal_protocols::multi_paxos::MultiPaxos;
use tribunal_protocols::paxos::Paxos;
use tribunal_protocols::primary_backup::PrimaryBackup;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::scenario::{SCENARIOS, Scenario, ScenarioError, play};
use tribunal_protocols::two_phase_commit::TwoPhaseCommit;
use tribunal_protocols::zab::Zab;

fn told(scenario: &Scenario<'_>) -> Result<String, ScenarioError> {
    match scenario.protocol {
        "paxos" => play::<Paxos>(scenario).map(|play| play.text),
        "membership" => play::<Membership>(scenario).map(|play| play.text),
        "raft" => play::<Raft>(scenario).map(|play| play.text),
        "gossip" => play::<Gossip>(scenario).map(|play| play.text),
        "multi_paxos" => play::<MultiPaxos>(scenario).map(|play| play.text),
        "primary_backup" => play::<PrimaryBackup>(scenario).map(|play| play.text),
        "two_phase_commit" => play::<TwoPhaseCommit>(scenario).map(|play| play.text),
        "zab" => play::<Zab>(scenario).map(|play| play.text),
        other => panic!("{}: no protocol is called {other}", scenario.id),
    }
}

#[test]
fn every_scenario_goes_as_its_text_says() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files = 0;
    for folder in fs::read_dir(&root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let scenario = Scenario::parse(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let told =
                told(&scenario).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str(), Some(scenario.name));
            assert!(
                SCENARIOS.iter().any(|known| known.name == scenario.name),
                "{} is not in the list of scenarios",
                path.display()
            );
            if update && told != text {
                fs::write(&path, told).unwrap();
            } else {
                assert_eq!(
                    told,
                    text,
                    "{}: UPDATE_GOLDEN=1 rewrites it",
                    path.display()
                );
            }
            files += 1;
        }
    }
    assert_eq!(files, SCENARIOS.len());
}

/// What is wrong with a scenario of these commands: its line, and why.
fn wrong(cluster: &str, commands: &str) -> String {
    let text = format!("# S-1 test: a test\n# Verdict: valid\ncluster {cluster}\n{commands}\n");
    let scenario = Scenario::parse(&text).unwrap();
    play::<Raft>(&scenario).unwrap_err().to_string()
}

#[test]
fn an_expectation_that_is_not_met_says_what_is() {
    assert_eq!(
        wrong("raft nodes=3", "expect n2 leader in term 1"),
        "line 4, `expect n2 leader in term 1`: it is not so: n2 follower t0 log empty"
    );
    let told = wrong(
        "raft nodes=3",
        "elect n1\nsettle\ninvoke c0→n1 #1 write x 5\nsettle\nexpect value x = 6 at n1",
    );
    assert!(told.ends_with("it is not so: x = 5 at n1"), "{told}");
    let told = wrong("raft nodes=3", "partition n1 | n2 n3\nelect n1");
    assert!(
        told.ends_with("it is not so: n1 pre-candidate t0 log empty"),
        "{told}"
    );
    let told = wrong("raft nodes=3", "expect c0 ok");
    assert!(
        told.ends_with("it is not so: c0 has done nothing"),
        "{told}"
    );
    let told = wrong("raft nodes=2", "disk n1 term 1 log 1\nexpect logs equal");
    assert!(
        told.ends_with("it is not so: n1 follower t1 log 1; n2 follower t0 log empty"),
        "{told}"
    );
}

#[test]
fn a_line_that_cannot_be_done_says_why() {
    let plain = "raft nodes=3 pre_vote=false";
    for (commands, why) in [
        ("dance", "`dance` is not the name of a step"),
        ("restart n1", "the step is not enabled here"),
        ("crash n4", "`crash n4` is not the name of a step"),
        (
            "settle n7",
            "not understood; it is written `… n1 n2 n3, nodes of this cluster`",
        ),
        (
            "partition n1 n2",
            "not understood; it is written `partition n1 n2 | n3 n4 n5`",
        ),
        (
            "fire n1 election\ndeliver n1→n2 Append",
            "no such packet can arrive; on that way are: n1→n2 RequestVote t1 log 0@0",
        ),
        (
            "fire n1 election\nfire n1 election\ndeliver n1→n2 RequestVote",
            "several packets begin so: n1→n2 RequestVote t1 log 0@0; n1→n2 RequestVote t2 log 0@0",
        ),
    ] {
        let told = wrong(plain, commands);
        assert!(told.ends_with(why), "{told}");
    }
}

#[test]
fn a_cluster_that_cannot_be_is_refused() {
    for (cluster, why) in [
        (
            "raft nodes=0",
            "not a cluster: it needs nodes=N, N from 1 to 64",
        ),
        (
            "raft nodes=3 sync=never",
            "not a cluster: sync is immediate or explicit",
        ),
        (
            "raft nodes=3 bugs=RF999",
            "raft has no planted bug `RF999`; see `tribunal list bugs`",
        ),
        ("zab nodes=3", "not a cluster: `zab` is not raft"),
    ] {
        let told = wrong(cluster, "");
        assert!(told.ends_with(why), "{told}");
    }
    assert!(wrong("raft nodes=3 prevote=true", "").contains("unknown field `prevote`"));
    for disk in [
        "n4 term 1 log 1",
        "n1 term 1 log 2",
        "n1 term 3 log 2 1",
        "n1 log 1",
    ] {
        let told = wrong("raft nodes=3", &format!("disk {disk}"));
        assert!(
            told.ends_with("not what a disk of a node of this cluster can hold in raft"),
            "{told}"
        );
    }
}

#[test]
fn a_crash_loses_what_was_not_synced() {
    let text = "# S-1 test: a test\n# Verdict: valid\ncluster raft nodes=3 sync=explicit pre_vote=false\n\
                elect n1\nsettle\nexpect n1 leader\ninvoke c0→n1 #1 write x 5\ndeliver c0→n1\nshow\ncrash n1\nshow\n";
    let play = play::<Raft>(&Scenario::parse(text).unwrap()).unwrap();
    assert!(
        play.text
            .contains("n1 leader t1 vote n1 log 1 1 commit 1 unsynced 1"),
        "{}",
        play.text
    );
    assert!(
        play.text.contains("n1 down t1 vote n1 log 1\n"),
        "{}",
        play.text
    );
}
