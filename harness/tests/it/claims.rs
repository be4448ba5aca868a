//! The claims of the notes: what they name exists, and the page about them is up to date.

use std::fs;

use tribunal::claims::{CLAIMS, Holds, Shown, page, planted_in};
use tribunal_checkers::properties::properties_for;
use tribunal_protocols::scenario::Scenario;

use crate::program::run;

#[test]
fn what_shows_a_claim_exists() {
    for claim in CLAIMS {
        let id = claim.id;
        assert!(!claim.shown.is_empty(), "{id}");
        for shown in claim.shown {
            match *shown {
                Shown::Scenario(name) => {
                    assert!(Scenario::named(name).is_some(), "{id}: {name}");
                }
                Shown::Bug(bug) => assert!(planted_in(bug).is_some(), "{id}: {bug}"),
                Shown::Property(protocol, property) => {
                    let known = properties_for(protocol).unwrap_or_default();
                    assert!(
                        known.iter().any(|info| info.id == property),
                        "{id}: {property}"
                    );
                }
                Shown::Command(command) => {
                    let arguments = command.strip_prefix("tribunal ").expect(id);
                    let mut arguments: Vec<_> = arguments.split_whitespace().collect();
                    arguments.push("--help");
                    let ended = run(&arguments);
                    assert_eq!(ended.code, Some(0), "{id}: {command}");
                }
                Shown::Nothing(why) => assert!(!why.is_empty(), "{id}"),
            }
        }
    }
}

#[test]
fn a_wrong_claim_has_a_counterexample_that_runs() {
    for claim in CLAIMS.iter().filter(|claim| claim.holds == Holds::Wrong) {
        let runs = |shown: &Shown| !matches!(shown, Shown::Nothing(_) | Shown::Property(..));
        assert!(claim.shown.iter().any(runs), "{}", claim.id);
    }
}

#[test]
fn ids_differ() {
    let mut ids: Vec<_> = CLAIMS.iter().map(|claim| claim.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CLAIMS.len());
}

#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/claims.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/claims.md is old: write it again with UPDATE_DOCS=1"
    );
}
