//! `tribunal spread`: statistics of gossip, right and wrong.

use tribunal::spread::hunt_by_statistics;
use tribunal_protocols::Bugs;
use tribunal_protocols::registry::Protocol;

use crate::program::run;

fn spread(arguments: &[&str]) -> crate::program::Ended {
    run(&[&["spread", "-q"], arguments].concat())
}

#[test]
fn correct_gossip_is_as_theory_has_it() {
    let ended = spread(&["--nodes", "8,16,64", "--trials", "400"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("VALID"), "{ended:?}");
}

#[test]
fn a_row_that_is_outside_says_why() {
    let only = ["--what", "anti-entropy", "--nodes", "64", "--trials", "50"];
    let ended = run(&[&["spread", "--bugs", "GD4"], &only[..]].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("Because push took 63.00 rounds in the mean"),
        "{ended:?}"
    );
    let ended = spread(&[&["--bugs", "GD3", "--expect", "invalid"], &only[..]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn statistics_find_what_no_single_run_shows() {
    let gossip = Protocol::named("gossip").unwrap();
    assert!(hunt_by_statistics(Bugs::NONE).is_none());
    for (bug, property) in [("GD3", "GI3"), ("GD4", "GI3"), ("GD5", "GI6")] {
        let row = hunt_by_statistics(gossip.bugs_named([bug]).unwrap());
        assert_eq!(row.map(|row| row.property), Some(property), "{bug}");
    }
}

#[test]
fn rows_are_for_programs_and_for_eyes() {
    let file = tempfile::tempdir().unwrap();
    let plot = file.path().join("spread.svg");
    let ended = run(&[
        "spread",
        "--nodes",
        "8..16",
        "--trials",
        "60",
        "--what",
        "anti-entropy",
        "--message-format",
        "json",
        "--plot",
        plot.to_str().unwrap(),
    ]);
    let lines: Vec<serde_json::Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 7, "{ended:?}");
    assert_eq!(lines[0]["row"]["name"], "push");
    assert_eq!(lines[0]["row"]["measured"]["trials"], 60);
    assert_eq!(lines[6]["type"], "finished");
    assert_eq!(lines[6]["cases"], 6);
    let svg = std::fs::read_to_string(plot).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.contains("push-pull"),
        "{svg}"
    );
}

#[test]
fn sizes_that_are_none_are_a_mistake_of_usage() {
    assert_eq!(spread(&["--nodes", "1"]).code, Some(64));
    assert_eq!(spread(&["--bugs", "RF1"]).code, Some(64));
}
