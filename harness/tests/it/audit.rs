//! `tribunal audit maelstrom`: correct programs pass in two languages, broken ones fail and are explained, programs that
//! break the protocol are told so, and the same seed is the same run.

use std::path::{Path, PathBuf};

use crate::invocation::{Ended, Place};

/// The example programs in Rust, which cargo puts beside the program under test.
fn rust(program: &str) -> String {
    let tribunal = Path::new(env!("CARGO_BIN_EXE_tribunal"));
    let examples = tribunal.with_file_name("examples").join("maelstrom");
    assert!(
        examples.exists(),
        "{} is missing: build it with `cargo build -p tribunal --profile test --example maelstrom`",
        examples.display()
    );
    format!("{} {program}", examples.display())
}

/// The example programs in Python, if this machine has it.
#[expect(
    clippy::print_stderr,
    reason = "a test that cannot be made here says so"
)]
fn python(program: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/maelstrom/python");
    let interpreter = ["/usr/bin/python3", "/usr/local/bin/python3"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    if interpreter.is_none() {
        eprintln!("there is no Python 3 here: its examples were not audited");
    }
    interpreter.map(|interpreter| format!("{interpreter} -B {}", folder.join(program).display()))
}

/// Audits a program.
fn audit(place: &Place, flags: &str, program: &str) -> Ended {
    place.run(&format!(
        "audit maelstrom --run-limit 20m {flags} -- {program}"
    ))
}

/// A program passes under everything that the swarm has.
fn passes(workload: &str, program: &str, seeds: u32) {
    let flags =
        format!("--workload {workload} --nemesis swarm --seeds 0..{seeds} --check-determinism 3");
    let ended = audit(&Place::new(), &flags, program).with(0);
    assert!(ended.out.starts_with("   VALID  "), "{}", ended.out);
    assert!(ended.out.contains("run twice: identical"), "{}", ended.out);
}

#[test]
fn correct_programs_in_rust_pass_for_every_workload() {
    for workload in [
        "echo",
        "unique-ids",
        "broadcast",
        "g-set",
        "g-counter",
        "pn-counter",
        "lin-kv",
    ] {
        passes(workload, &rust(workload), 4);
    }
}

#[test]
fn correct_programs_in_python_pass_for_every_workload() {
    for (workload, program) in [
        ("echo", "echo.py"),
        ("unique-ids", "unique_ids.py"),
        ("broadcast", "broadcast.py"),
        ("g-set", "g_set.py"),
        ("g-counter", "counter.py"),
        ("pn-counter", "counter.py"),
        ("lin-kv", "lin_kv.py"),
    ] {
        if let Some(program) = python(program) {
            passes(workload, &program, 1);
        }
    }
}

/// A broken program fails, with this explanation, is replayed and made small; the correct one passes under the same
/// nemesis.
fn fails(workload: &str, nemesis: &str, broken: &str, because: &str) {
    let flags = format!(
        "--workload {workload} --nemesis {nemesis} --seeds 0..6 --check-determinism 0 --shrink-budget 4s"
    );
    let place = Place::new();
    let control = audit(&place, &flags, &rust(workload)).with(0);
    assert!(control.out.starts_with("   VALID  "), "{}", control.out);
    let found = audit(&place, &format!("{flags} --expect invalid"), &rust(broken)).with(0);
    assert!(found.out.starts_with(" INVALID  "), "{}", found.out);
    assert!(
        found.out.contains(because),
        "no `{because}` in\n{}",
        found.out
    );
    let finding = &place.json("verdict.json")["findings"][0];
    assert_eq!(finding["replays"], true, "{finding}");
    let shrinking = &finding["shrinking"];
    let steps = |name: &str| shrinking[name].as_u64().expect("it was shrunk");
    // How small it gets depends on how much can be tried in the time that there is.
    assert!(steps("to") <= steps("from"), "{shrinking}");
    let command = finding["replay_command"].as_str().expect("it replays");
    let command = command
        .strip_prefix("tribunal ")
        .expect("a command of ours");
    let replayed = place.run(&format!("{command} -v")).with(1);
    assert!(
        replayed.out.contains("the same run as recorded"),
        "{}",
        replayed.out
    );
    assert!(replayed.out.contains("  step  n1  n2 "), "{}", replayed.out);
}

#[test]
fn a_store_that_answers_from_local_memory_is_found() {
    fails(
        "lin-kv",
        "none",
        "kv-from-local-memory",
        "no order of the two explains both",
    );
}

#[test]
fn a_broadcast_that_forgets_under_a_partition_is_found() {
    fails(
        "broadcast",
        "partition",
        "broadcast-that-forgets",
        "had been acknowledged, or read, before this read at the end began",
    );
}

#[test]
fn identifiers_that_repeat_after_a_restart_are_found() {
    fails(
        "unique-ids",
        "kill",
        "ids-that-repeat",
        "an identifier is given once",
    );
}

#[test]
fn a_counter_that_loses_additions_is_found() {
    fails(
        "pn-counter",
        "none",
        "counter-that-loses",
        "which no choice of additions comes to",
    );
}

#[test]
fn a_set_that_duplicates_is_found() {
    fails(
        "g-set",
        "packet",
        "set-that-duplicates",
        "is in the read more than once",
    );
}

/// What is said of a program that breaks the protocol.
fn told(flags: &str, program: &str, told: &[&str]) {
    let flags =
        format!("--workload echo --nemesis none --node-count 2 --seeds 0..3 --shrink off {flags}");
    let ended = audit(&Place::new(), &flags, &rust(program)).with(1);
    for part in told.iter().chain(&["Property: maelstrom-protocol."]) {
        assert!(
            ended.out.contains(part),
            "{program}: no `{part}` in\n{}",
            ended.out
        );
    }
}

const MISBEHAVING: &[(&str, &[&str])] = &[
    (
        "writes-no-json",
        &[
            "wrote a line that is no message: Thank you for your message!",
            "expected value",
        ],
    ),
    (
        "ends",
        &[
            "ended by itself (exit status: 7)",
            "panic: I cannot go on",
            "please echo",
        ],
    ),
    ("floods", &[" floods: ", "and again"]),
    (
        "does-not-answer-init",
        &["did not answer init with init_ok", "Does the program flush"],
    ),
    ("is-an-impostor", &["sent a message as \"n9\""]),
    (
        "answers-something-else",
        &[
            "answered {\"echo\":\"please echo",
            "a echo is answered by echo_ok, or by an error",
        ],
    ),
];

#[test]
fn programs_that_break_the_protocol_are_told_so() {
    for (program, parts) in MISBEHAVING {
        told("", program, parts);
    }
    told(
        "",
        "stops-reading",
        &["stopped reading: it waits, and not for input"],
    );
}

#[test]
fn programs_that_break_the_protocol_are_told_so_by_the_wall_clock() {
    for (program, parts) in MISBEHAVING {
        told("--wall-clock --time-limit 2", program, parts);
    }
    let flags = "--wall-clock --time-limit 4 --concurrency 4n --rate 100";
    told(
        flags,
        "stops-reading",
        &["stopped reading: ", "bytes wait on its standard input"],
    );
}

#[test]
fn a_program_that_cannot_be_started_is_unavailable() {
    let place = Place::new();
    let missing = audit(&place, "--workload echo", "no-such-program").with(69);
    assert!(
        missing.err.contains("`no-such-program`: No such file"),
        "{}",
        missing.err
    );
    let ends = audit(&place, "--workload echo", "sh -c false").with(69);
    assert!(
        ends.err
            .contains("ended before it answered init (exit status: 1)"),
        "{}",
        ends.err
    );
    audit(&place, "--workload kafka", "true").with(64);
    audit(&place, "--workload echo --nemesis clock", "true").with(64);
}

#[test]
fn a_program_that_is_not_deterministic_is_told_where_it_parts() {
    let place = Place::new();
    let flags = "--workload unique-ids --nemesis none --node-count 2 --seeds 0..2 --ops 20";
    let ended = audit(&place, flags, &rust("is-not-deterministic")).with(3);
    assert!(
        ended
            .out
            .contains(" NONDETERMINISTIC  seed 0 gave two different runs; they part in line"),
        "{}",
        ended.out
    );
    let parting = place.json("parting.json");
    assert_ne!(parting["lines"][0], parting["lines"][1], "{parting}");
}

#[test]
fn a_program_that_uses_timers_is_for_the_wall_clock() {
    let place = Place::new();
    let flags = "--workload echo --nemesis none --node-count 2";
    let program = rust("uses-a-timer");
    let ended = audit(&place, &format!("{flags} --seeds 0..2 --ops 20"), &program).with(2);
    assert!(ended.out.contains("uses a timer"), "{}", ended.out);
    assert!(
        ended.out.contains("run again with --wall-clock"),
        "{}",
        ended.out
    );
    let ended = audit(
        &place,
        &format!("{flags} --wall-clock --time-limit 1"),
        &program,
    )
    .with(0);
    assert!(
        ended.out.starts_with("   VALID  histories pass echo"),
        "{}",
        ended.out
    );
}

#[test]
fn real_time_has_the_same_faults() {
    let flags = "--workload g-set --nemesis all --wall-clock --time-limit 4 --rate 40";
    let ended = audit(&Place::new(), flags, &rust("g-set")).with(0);
    for part in [
        "kill ",
        "packet ",
        "partition ",
        "pause ",
        "real time does not replay",
    ] {
        assert!(ended.out.contains(part), "no `{part}` in\n{}", ended.out);
    }
    let found = audit(
        &Place::new(),
        &format!("{flags} --expect invalid"),
        &rust("set-that-duplicates"),
    );
    assert!(found.with(0).out.contains("\n  Because "));
}

#[test]
fn standard_error_and_histories_are_kept() {
    let place = Place::new();
    let flags = "--workload echo --nemesis none --node-count 2 --seed 7 --shrink off";
    audit(&place, flags, &rust("ends")).with(1);
    let folder = place.latest().join("nodes/7");
    let kept = std::fs::read_dir(&folder).unwrap().flatten().any(|entry| {
        std::fs::read_to_string(entry.path())
            .unwrap()
            .contains("panic: I cannot go on")
    });
    assert!(kept, "nothing in {}", folder.display());
    assert!(place.file("verdict.json").contains("maelstrom-protocol"));
    assert!(place.file("history.jsonl").contains("please echo"));
    assert!(place.file("trace.jsonl").contains("start n1"));
}

#[test]
fn availability_is_judged_where_it_is_asked_for() {
    let place = Place::new();
    let flags =
        "--workload echo --nemesis packet --seeds 0..3 --time-limit 4 --check-determinism 0";
    let ended = audit(
        &place,
        &format!("{flags} --availability total"),
        &rust("echo"),
    )
    .with(1);
    assert!(ended.out.contains("operations succeeded"), "{}", ended.out);
    audit(
        &place,
        &format!("{flags} --availability 0.1"),
        &rust("echo"),
    )
    .with(0);
}
