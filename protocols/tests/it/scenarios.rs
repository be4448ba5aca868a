//! Golden scenarios: every text says what comes of its commands.
//!
//! `UPDATE_GOLDEN=1 cargo test -p tribunal-protocols scenarios` rewrites the texts. Read the difference before you
//! commit it: a scenario changes because a protocol does, and you must know why.

use std::fs;
use std::path::Path;

use tribunal_protocols::raft::Raft;
use tribunal_protocols::scenario::{SCENARIOS, Scenario, ScenarioError, play};

fn told(scenario: &Scenario<'_>) -> Result<String, ScenarioError> {
    match scenario.protocol {
        "raft" => play::<Raft>(scenario).map(|play| play.text),
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
            let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let told = told(&scenario).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str(), Some(scenario.name));
            assert!(
                SCENARIOS.iter().any(|known| known.name == scenario.name),
                "{} is not in the list of scenarios",
                path.display()
            );
            if update && told != text {
                fs::write(&path, told).unwrap();
            } else {
                assert_eq!(told, text, "{}: UPDATE_GOLDEN=1 rewrites it", path.display());
            }
            files += 1;
        }
    }
    assert_eq!(files, SCENARIOS.len());
}
