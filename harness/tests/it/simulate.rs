//! `tribunal simulate`: answers, exit codes, files, events.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::invocation::Place;

#[test]
fn a_correct_cluster_is_valid_and_says_what_was_tested() {
    let place = Place::new();
    let ended = place
        .run("simulate --seeds 0..60 --runtime plain --workload register,kv")
        .with(0);
    assert!(
        ended.out.starts_with("   VALID  linearizable and live"),
        "{}",
        ended.out
    );
    for part in [
        "120 seeds",
        "ops ",
        "faults ",
        "probes ",
        "RI1 ",
        "run twice",
        "identical",
        "report ",
    ] {
        assert!(ended.out.contains(part), "no `{part}` in\n{}", ended.out);
    }
    let record = place.json("run.json");
    assert_eq!(record["complete"], true);
    assert_eq!(record["runs"], 120);
    assert_eq!(record["config"]["seeds"]["origin"], "command line");
    assert_eq!(place.json("verdict.json")["conclusion"]["answer"], "valid");
    assert!(place.file("junit.xml").contains("linearizability"));
    assert!(place.file("summary.md").contains("VALID"));
    let names = std::fs::read_dir(place.latest())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let parts: Vec<_> = names
        .filter(|name| name.to_string_lossy().ends_with(".part"))
        .collect();
    assert!(parts.is_empty(), "left half-written: {parts:?}");
}

#[test]
fn both_runtimes_give_the_same_digests() {
    let place = Place::new();
    let digests = |runtime: &str| -> BTreeSet<String> {
        let flags = format!("simulate --seeds 0..6 --runtime {runtime} --message-format json");
        let ended = place.run(&flags).with(0);
        let events = ended
            .out
            .lines()
            .map(|line| serde_json::from_str(line).expect(line));
        let runs = events.filter(|event: &serde_json::Value| event["event"] == "run");
        runs.map(|event| event["digest"].as_str().unwrap().to_owned())
            .collect()
    };
    let madsim = digests("madsim");
    assert_eq!(madsim.len(), 6);
    assert_eq!(madsim, digests("plain"));
}

#[test]
fn events_are_one_json_object_a_line_and_in_the_directory_too() {
    let place = Place::new();
    let ended = place
        .run("simulate --seeds 0..3 --runtime plain --message-format json")
        .with(0);
    assert_eq!(ended.out, place.file("events.jsonl"));
    let kinds: Vec<String> = ended
        .out
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect(line)["event"].to_string()
        })
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("\"started\""));
    assert_eq!(kinds.last().map(String::as_str), Some("\"finished\""));
    assert_eq!(kinds.len(), 5);
}

#[test]
fn what_is_expected_decides_the_exit_code() {
    let place = Place::new();
    let with = |flags: &str| place.run(&format!("simulate --runtime plain --quiet {flags}"));
    with("--bugs RD1 --expect invalid --shrink off").with(0);
    with("--seeds 0..5 --expect invalid").with(1);
    with("--seeds 0..5 --expect valid").with(0);
    with("--seeds 0..5 --expect unknown").with(1);
    with("--seeds 0..2 --events-max 100").with(2);
    with("--seeds 0..2 --events-max 100 --fail-on invalid").with(0);
    with("--seeds 0..2 --events-max 100 --expect unknown").with(0);
    with("--seeds 5..5").with(4);
}

#[test]
fn wrong_arguments_are_usage_errors_and_not_unknown() {
    let place = Place::new();
    for flags in [
        "simulate --nodes many",
        "simulate --nemesis swarm,kill",
        "simulate --protocol paxos9",
        "simulate --bugs RF999",
        "simulate --seeds 0..",
        "simulate --nodes 3 --nope",
        "replay",
        "--profile ci simulate",
    ] {
        let ended = place.run(flags).with(64);
        assert!(
            ended.out.is_empty() && !ended.err.is_empty(),
            "{flags}: {}",
            ended.out
        );
    }
    let help = place.run("simulate --help").with(0);
    assert!(help.out.contains("Examples:") && help.out.contains("64   usage"));
}

#[test]
fn a_profile_gives_defaults_that_flags_override() {
    let place = Place::new();
    let toml = "[profile.ci]\nseeds = \"0..2\"\nnodes = 3\nruntime = 'plain'\n";
    std::fs::write(place.path().join("tribunal.toml"), toml).unwrap();
    place.run("simulate --profile ci --nodes 4 --quiet").with(0);
    let config = &place.json("run.json")["config"];
    assert_eq!(
        config["seeds"],
        serde_json::json!({"value": "0..2", "origin": "profile ci"})
    );
    assert_eq!(
        config["nodes"],
        serde_json::json!({"value": "4", "origin": "command line"})
    );
    assert_eq!(config["ops"]["origin"], "default");
    std::fs::write(
        place.path().join("tribunal.toml"),
        "[profile.default]\nnods = 3\n",
    )
    .unwrap();
    let ended = place.run("simulate").with(64);
    assert!(
        ended.err.contains("line 2: no command has a flag --nods"),
        "{}",
        ended.err
    );
}

#[test]
fn files_that_cannot_be_written_end_with_74() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").unwrap();
    place
        .run("simulate --seeds 0..1 --runtime plain --out file/below")
        .with(74);
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_was_found() {
    ended_by("-INT");
}

#[cfg(unix)]
#[test]
fn a_request_to_terminate_does_the_same() {
    ended_by("-TERM");
}

#[cfg(unix)]
fn ended_by(signal: &str) {
    let place = Place::new();
    let mut command =
        place.command("simulate --seeds 0.. --budget 10m --runtime plain --message-format json");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    let seen = lines.by_ref().take(5).map(Result::unwrap).count();
    assert_eq!(seen, 5);
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill")
        .args([signal, &pid])
        .status()
        .unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.last().unwrap().contains("\"finish\":\"interrupted\""));
    let record = place.json("run.json");
    assert_eq!(record["complete"], false);
    assert!(record["runs"].as_u64().unwrap() >= 4);
    assert_eq!(record["exit_code"], 130);
    assert_eq!(
        place.file("events.jsonl").lines().count(),
        seen + rest.len()
    );
}
