//! `tribunal audit file`: a subject that a file describes passes under every fault, its broken forms fail, and what is
//! wrong with the file, the nodes or the client is told.

use std::path::Path;

use crate::invocation::{Ended, Place};

/// The tiny store of the examples, which cargo puts beside the program under test.
fn subject() -> String {
    let tribunal = Path::new(env!("CARGO_BIN_EXE_tribunal"));
    let example = tribunal.with_file_name("examples").join("subject");
    assert!(
        example.exists(),
        "{} is missing: build it with `cargo build -p tribunal --profile test --example subject`",
        example.display()
    );
    example.display().to_string()
}

/// A file for it, with a fault of its nodes and one of its client.
fn file(node: &str, client: &str) -> String {
    let subject = subject();
    format!(
        r#"name = "tiny"

[node]
command = ["{subject}", "node", "{{listen}}"]
first = ["me", "{node}"]
others = ["{{port.n1}}", "{node}"]

[health]
tcp = "client"
timeout_ms = 3000

[client]
command = ["{subject}", "client", "{{port}}", "{client}"]
timeout_ms = 1000
workloads = ["register", "kv"]

[faults]
calm_ms = [100, 300]
last_ms = [200, 600]
settle_ms = 100
"#
    )
}

/// Audits the subject of a file.
fn audit(place: &Place, file: &str, flags: &str) -> Ended {
    std::fs::write(place.path().join("subject.toml"), file).expect("a folder of our own");
    place.run(&format!("audit file subject.toml {flags}"))
}

#[test]
fn a_correct_store_passes_under_every_fault() {
    let place = Place::new();
    let flags = "--nemesis all --time-limit 4 --workload register,kv";
    let ended = audit(&place, &file("", ""), flags).with(0);
    for part in [
        "   VALID  linearizable",
        "kill ",
        "packet ",
        "partition ",
        "pause ",
        "tiny (subject.toml), 3 nodes, workload register,kv, nemesis all, real time",
        "real time does not replay",
    ] {
        assert!(ended.out.contains(part), "no `{part}` in\n{}", ended.out);
    }
    assert!(place.file("live/0/history.jsonl").contains("\"partition\""));
}

/// A broken form of the store fails, with this explanation.
fn fails(fault: &str, nemesis: &str) {
    let place = Place::new();
    let flags =
        format!("--nemesis {nemesis} --time-limit 3 --rate 100 --seeds 0..5 --expect invalid");
    let found = audit(&place, &file(fault, ""), &flags).with(0);
    for part in [
        " INVALID  not linearizable",
        "  Because ",
        "Time was real: another run of the seed",
        "another  tribunal audit file subject.toml --workload register",
    ] {
        assert!(found.out.contains(part), "no `{part}` in\n{}", found.out);
    }
    let finding = &place.json("verdict.json")["findings"][0];
    let command = finding["replay_command"]
        .as_str()
        .expect("its history can be judged again");
    let command = command
        .strip_prefix("tribunal ")
        .expect("a command of ours");
    place.run(command).with(1);
}

#[test]
fn a_store_that_forgets_is_found_when_it_is_killed() {
    fails("forgets", "kill");
}

#[test]
fn a_node_that_answers_itself_is_found_without_faults() {
    fails("answers-itself", "none");
}

#[test]
fn what_cannot_be_started_is_unavailable_and_shows_what_it_wrote() {
    let told = |node: &str, client: &str, parts: &[&str]| {
        let short = file(node, client).replace("timeout_ms = 3000", "timeout_ms = 300");
        let ended = audit(&Place::new(), &short, "").with(69);
        for part in parts {
            assert!(ended.err.contains(part), "no `{part}` in\n{}", ended.err);
        }
    };
    told(
        "ends-at-start",
        "",
        &[
            " ended before it served (exit status: 3)",
            "    panic: I cannot begin",
        ],
    );
    told(
        "never-serves",
        "",
        &[
            " does not serve: after 300 ms a connection to its port",
            "    still thinking",
        ],
    );
    told(
        "",
        "speaks-rubbish",
        &[
            "the client wrote a line that is no result: The value is 3, I think.",
            "It had been told {\"f\":\"read\"}. A result is a line such as {\"type\":\"ok\",\"value\":3}",
            "    warning: I am not sure about JSON",
        ],
    );
    told(
        "",
        "ends",
        &[
            "clients end before they have answered anything (exit status: 4)",
            "    panic: I have no idea",
        ],
    );
    let missing = file("", "").replace(&subject(), "no-such-program");
    let ended = audit(&Place::new(), &missing, "").with(69);
    assert!(
        ended
            .err
            .contains("`no-such-program` cannot be started: No such file"),
        "{}",
        ended.err
    );
}

#[test]
fn a_node_that_ends_by_itself_is_a_finding() {
    let ended = audit(
        &Place::new(),
        &file("ends", ""),
        "--nemesis none --time-limit 3",
    )
    .with(1);
    for part in [
        "n1 ended by itself (exit status: 7)",
        "Because nobody had killed it",
        "    panic: twenty is enough",
        "Property: processes.",
    ] {
        assert!(ended.out.contains(part), "no `{part}` in\n{}", ended.out);
    }
}

#[test]
fn what_is_wrong_with_the_file_or_the_flags_is_told() {
    let place = Place::new();
    let told = |file: &str, flags: &str, part: &str| {
        let ended = audit(&place, file, flags).with(64);
        assert!(ended.err.contains(part), "no `{part}` in\n{}", ended.err);
    };
    let good = file("", "");
    told(
        &good.replace("timeout_ms = 1000", "timeout = 1"),
        "",
        "unknown field `timeout`, expected one of",
    );
    told(
        &good.replace("{listen}", "{lisen}"),
        "",
        "subject.toml, line 4: there is no placeholder {lisen}",
    );
    told(
        &good,
        "--workload set",
        "it serves: register, kv (client.workloads in subject.toml)",
    );
    told(
        &good,
        "--nemesis clock",
        "nemesis `clock` must be able to skew clocks",
    );
    told(
        &good.replace("{port.n1}", "{port.n5}"),
        "",
        "line 6: {port.n5} wants a node n5, and there are 3",
    );
}
