//! What is printed about a failure can be done: every planted bug here is found, replayed and made small.

use crate::invocation::Place;

/// The command on the line that begins with this label.
fn printed(text: &str, label: &str) -> String {
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(label));
    let line = line.unwrap_or_else(|| panic!("no `{label}` in\n{text}"));
    line.trim()
        .strip_prefix("tribunal ")
        .expect("a command of ours")
        .to_owned()
}

/// Finds a bug, and does everything that the failure text says.
fn found_replayed_and_small(bug: &str, violated: &[&str]) {
    let place = Place::new();
    let found = place
        .run(&format!(
            "simulate --runtime plain --bugs {bug} --seeds 0..40 --expect invalid"
        ))
        .with(0);
    let text = &found.out;
    assert!(
        text.starts_with(" INVALID  ") && text.contains(&format!("planted bugs are on: {bug}")),
        "{text}"
    );
    assert!(text.contains("\n  Because "), "{text}");
    let verdict = place.json("verdict.json");
    let finding = &verdict["findings"][0];
    assert!(
        violated.contains(&finding["violated"].as_str().unwrap()),
        "{finding}"
    );
    assert_eq!(finding["replays"], true, "{finding}");
    let steps = finding["shrinking"]["to"].as_u64().expect("it was shrunk");
    assert!(steps < 100, "{bug}: {steps} steps are too many for people");

    let replayed = place.run(&printed(text, "replay ")).with(1);
    assert!(
        replayed.out.contains("the same run as recorded"),
        "{}",
        replayed.out
    );
    assert!(replayed.out.starts_with(" INVALID  "), "{}", replayed.out);
    let again = place
        .run(&format!(
            "{} --message-format json --shrink off",
            printed(text, "or ")
        ))
        .with(1);
    let digest = format!("\"digest\":{}", finding["digest"]);
    assert!(again.out.contains(&digest), "no {digest} in\n{}", again.out);
}

#[test]
fn a_stale_read_of_a_deposed_leader() {
    found_replayed_and_small("RD1", &["RI17"]);
}

#[test]
fn an_entry_of_an_old_term_committed_by_counting() {
    found_replayed_and_small("RF4", &["RI8", "RI5"]);
}

#[test]
fn a_write_acknowledged_before_its_commit() {
    found_replayed_and_small("CL5", &["linearizability"]);
}

#[test]
fn a_vote_without_a_look_at_the_log() {
    found_replayed_and_small("RF1", &["RI5"]);
}

#[test]
fn a_failure_is_told_in_the_same_words_everywhere() {
    let place = Place::new();
    let found = place
        .run("simulate --runtime plain --bugs RF1 --seeds 0..20 --nodes 3")
        .with(1);
    let finding = &place.json("verdict.json")["findings"][0];
    let directory = format!("failures/{}", finding["fingerprint"].as_str().unwrap());
    let text = place.file(&format!("{directory}/README.txt"));
    assert!(found.out.contains(text.trim_end()));
    assert!(place.file("summary.md").contains(text.trim_end()));
    assert!(place.file("index.html").contains("<h2 id="));
    assert!(
        place
            .file("events.jsonl")
            .contains(&serde_json::to_string(text.trim_end()).unwrap())
    );
    let first = text.lines().next().unwrap();
    assert!(
        place.file("junit.xml").contains(first.trim()),
        "junit.xml lacks: {first}"
    );
    let seeds = place.file(&format!("{directory}/seeds.txt"));
    assert_eq!(
        seeds.lines().count(),
        finding["seeds"].as_array().unwrap().len()
    );
    for name in [
        "trace.jsonl",
        "trace.full.jsonl",
        "history.jsonl",
        "history.edn",
        "counterexample.json",
        "replay.sh",
    ] {
        assert!(
            !place.file(&format!("{directory}/{name}")).is_empty(),
            "{name}"
        );
    }
    let script = place.latest().join(&directory).join("replay.sh");
    let mut shell = std::process::Command::new("sh");
    let status = shell
        .arg(script)
        .env("TRIBUNAL", env!("CARGO_BIN_EXE_tribunal"))
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(1));
}
