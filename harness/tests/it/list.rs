//! `tribunal list`, and the reference page that has the same.

use std::path::Path;

use tribunal::cli::catalogue::SECTIONS;
use tribunal::cli::reference;

use crate::program::run;

fn json_lines(arguments: &[&str]) -> Vec<serde_json::Value> {
    let ended = run(&[&["list"], arguments, &["--message-format", "json"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_kind_is_listed_for_people_and_for_programs() {
    for section in SECTIONS {
        let entries = section.entries();
        let ended = run(&["list", section.name]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let lines = json_lines(&[section.name]);
        assert_eq!(lines.len(), entries.len());
        for (entry, line) in entries.iter().zip(lines) {
            assert!(ended.stdout.lines().any(|line| line == entry.title()));
            assert_eq!(line["name"], entry.name);
            assert_eq!(line["kind"], section.name);
        }
    }
}

#[test]
fn everything_is_listed_at_once() {
    let all: usize = SECTIONS.iter().map(|section| section.entries().len()).sum();
    assert_eq!(json_lines(&[]).len(), all);
}

#[test]
fn a_planted_bug_says_what_it_breaks_and_where_it_was_seen() {
    let bugs = json_lines(&["bugs"]);
    let bug = bugs.iter().find(|bug| bug["id"] == "RF4").unwrap();
    assert_eq!(bug["name"], "old-term-committed-by-counting");
    assert_eq!(bug["breaks"], serde_json::json!(["RI5", "RI8"]));
    for fact in ["protocol", "minimum", "source", "found_by"] {
        assert!(bug[fact][0].is_string(), "{fact} of {bug}");
    }
}

#[test]
fn checkers_are_models() {
    assert_eq!(
        run(&["list", "checkers"]).stdout,
        run(&["list", "models"]).stdout
    );
}

#[test]
fn a_kind_that_does_not_exist_is_a_mistake_of_usage() {
    let ended = run(&["list", "bug"]);
    assert_eq!(ended.code, Some(64));
    assert!(ended.stderr.contains("'bugs'"), "{}", ended.stderr);
}

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
    let page = reference::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference.md is out of date: run UPDATE_DOCS=1 cargo test -p tribunal reference"
    );
}
