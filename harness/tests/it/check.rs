//! `tribunal check`: verdicts, errors and exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::program::{Ended, run, tribunal};

const WRITE: &str = r#"{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
"#;
const READ_1: &str = r#"{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":1}
"#;
const READ_2: &str = r#"{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":2}
"#;

/// A directory with one file.
struct Sample {
    _directory: TempDir,
    path: PathBuf,
}

impl Sample {
    fn new(content: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history");
        fs::write(&path, content).unwrap();
        Self {
            _directory: directory,
            path,
        }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn check(&self, arguments: &[&str]) -> Ended {
        run(&[&["check", self.path(), "--model", "register"], arguments].concat())
    }
}

/// The file is refused with this code and a message that says this, and there is no verdict.
fn refused(content: impl AsRef<[u8]>, arguments: &[&str], code: i32, says: &str) {
    let ended = Sample::new(content).check(arguments);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.stdout.is_empty(), "a verdict: {}", ended.stdout);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
}

#[test]
fn what_is_not_a_history_gets_an_error_and_no_verdict() {
    refused("", &[], 64, "history: ");
    refused("\n\n", &["--from", "jsonl"], 64, "not one whole event");
    let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
    refused(&binary, &[], 64, "history: ");
    refused(&binary, &["--from", "jsonl"], 64, "line 1");
    refused(
        "Dear Sir or Madam,\nplease find attached\n",
        &[],
        64,
        "history: ",
    );
}

#[test]
fn what_breaks_a_rule_gets_an_error_that_names_the_line() {
    let twice = format!("{WRITE}{}", WRITE.lines().nth(1).unwrap().to_owned() + "\n");
    refused(
        twice,
        &[],
        64,
        "line 3: process 0 completes `write` (ok) with no operation in flight",
    );
    let misfit = format!("{WRITE}{}", READ_1.replace("read", "enqueue"));
    refused(misfit, &[], 64, "line 3: event 3: process 1's `enqueue`");
}

#[test]
fn what_was_cut_off_gets_an_error() {
    let edn = "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f";
    refused(edn, &[], 64, "line 2: the file ends inside the event");
    let torn = format!("{WRITE}{}", &READ_1[..20]);
    refused(&torn, &[], 64, "cut off in line 3");
    let ended = Sample::new(&torn).check(&["--torn", "allow"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let headline = ended.stdout.lines().next().unwrap();
    assert!(headline.starts_with("VALID"), "{headline}");
    assert!(headline.ends_with("[cut off in line 3: only the 2 events before it were judged]"));
    let invalid = Sample::new(format!("{WRITE}{READ_2}{}", &READ_1[..20]));
    assert_eq!(invalid.check(&["--torn", "allow"]).code, Some(1));
}

#[test]
fn what_cannot_be_read_is_another_error() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    for path in [directory.path(), &missing] {
        let ended = run(&["check", path.to_str().unwrap(), "--model", "register"]);
        assert_eq!(ended.code, Some(74), "{ended:?}");
        assert!(ended.stdout.is_empty());
    }
}

#[test]
fn questions_that_make_no_sense_are_mistakes_of_usage() {
    let sample = Sample::new(WRITE);
    let usage = |arguments: &[&str], says: &str| {
        let ended = run(&[&["check", sample.path()], arguments].concat());
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    };
    usage(&[], "--model");
    usage(&["--model", "registr"], "'register'");
    usage(
        &["--model", "register", "--initial", "a"],
        "a text needs quotes",
    );
    usage(
        &["--model", "counter", "--initial", "\"a\""],
        "counter cannot begin with \"a\"",
    );
    usage(&["--model", "register", "--time-limit", "60"], "as in 60s");
    usage(
        &["--model", "register", "--from", "csv"],
        "the formats are jsonl, edn",
    );
}

#[test]
fn the_worst_of_several_files_wins() {
    let (valid, invalid) = (Sample::new(WRITE), Sample::new(format!("{WRITE}{READ_2}")));
    let (unknown, broken) = (
        Sample::new(r#"{"process":"nemesis","type":"info","f":"start"}"#.to_owned() + "\n"),
        Sample::new(""),
    );
    let code = |samples: &[&Sample]| {
        let files: Vec<_> = samples.iter().map(|sample| sample.path()).collect();
        run(&[&["check", "--model", "register"], &files[..]].concat()).code
    };
    assert_eq!(code(&[&valid, &valid]), Some(0));
    assert_eq!(code(&[&valid, &unknown]), Some(2));
    assert_eq!(code(&[&broken, &unknown, &valid]), Some(64));
    assert_eq!(code(&[&broken, &invalid, &unknown]), Some(1));
}

#[test]
fn json_has_the_verdict_with_its_evidence() {
    let sample = Sample::new(format!("{WRITE}{READ_2}"));
    let ended = sample.check(&["--message-format", "json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines: Vec<serde_json::Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [check, summary] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (&check["tribunal"], &check["version"]),
        (&"check".into(), &1.into())
    );
    assert_eq!(check["answer"], "invalid");
    assert_eq!(check["history"]["operations"]["ok"], 2);
    let core = &check["verdict"]["judgement"]["counterexample"];
    assert_eq!(core["operations"], serde_json::json!([2]));
    assert_eq!(check["operations"][0]["function"], "read");
    assert_eq!(check["operations"][0]["invoked_line"], 3);
    assert_eq!(
        (&summary["invalid"], &summary["exit"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn json_has_errors_too() {
    let ended = Sample::new("").check(&["--message-format", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(64), ""));
    let line: serde_json::Value =
        serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["tribunal"], &line["exit"]),
        (&"error".into(), &64.into())
    );
}

#[test]
fn evidence_goes_to_a_file() {
    let sample = Sample::new(format!("{WRITE}{READ_1}"));
    let evidence = sample.path.with_file_name("evidence.json");
    let ended = sample.check(&["--quiet", "--evidence", evidence.to_str().unwrap()]);
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    let written: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&evidence).unwrap()).unwrap();
    let orders = &written["verdict"]["judgement"]["evidence"]["orders"];
    assert_eq!(orders[0]["operations"], serde_json::json!([0, 2]));
    let nowhere = sample.path.join("evidence.json");
    let ended = sample.check(&["--evidence", nowhere.to_str().unwrap()]);
    assert_eq!(ended.code, Some(74), "{ended:?}");
}

/// Many concurrent enqueues, of each value two, taken out in an order that none of theirs explains, which only all orders
/// tell.
fn hard() -> Sample {
    let mut text = String::new();
    for process in 0..24 {
        let value = process / 2;
        text += &format!(
            "{{\"process\":{process},\"type\":\"invoke\",\"f\":\"enqueue\",\"value\":{value}}}\n"
        );
    }
    for process in 0..24 {
        let value = process / 2;
        text += &format!(
            "{{\"process\":{process},\"type\":\"ok\",\"f\":\"enqueue\",\"value\":{value}}}\n"
        );
    }
    for value in (0..23).map(|number| number / 2).chain([0]) {
        text += &format!(
            "{{\"process\":0,\"type\":\"invoke\",\"f\":\"dequeue\"}}\n\
             {{\"process\":0,\"type\":\"ok\",\"f\":\"dequeue\",\"value\":{value}}}\n"
        );
    }
    Sample::new(text)
}

const HARD: [&str; 6] = [
    "--model",
    "fifo-queue",
    "--states-max",
    "1000000000000",
    "--memory-max",
    "64GiB",
];

#[test]
fn a_search_that_is_cut_short_is_unknown() {
    let sample = hard();
    let check = |arguments: &[&str]| run(&[&["check", sample.path()], arguments].concat());
    let ended = check(&["--model", "fifo-queue", "--states-max", "1000"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("the search reached its limit of 1000 states")
    );
    assert!(
        ended.stdout.contains("not searched: the object"),
        "{ended:?}"
    );
    let ended = check(&[&HARD[..], &["--time-limit", "50ms"]].concat());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stdout.contains("--time-limit was reached"),
        "{ended:?}"
    );
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_was_found() {
    let (first, hard) = (Sample::new(WRITE.replace("write", "enqueue")), hard());
    let arguments = [
        &["check", first.path(), hard.path(), first.path()],
        &HARD[..],
    ]
    .concat();
    let mut child = tribunal(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first file's answer is written before the second is searched, and by then the tool listens.
    let mut line = [0; 5];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    assert_eq!(&line, b"VALID");
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.stdout.contains("STOPPED"), "{ended:?}");
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "who runs the tests should know what was skipped"
)]
fn recorded_histories_are_judged_as_expected() {
    const MODELS: [&str; 5] = ["cas-register", "kv", "multi-register", "counter", "set"];
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    let Ok(table) = fs::read_to_string(shared.join("EXPECTED.tsv")) else {
        eprintln!("skipped: there are no shared histories beside this repository");
        return;
    };
    let mut judged = 0;
    for row in table.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [file, _format, model, initial, expected, ..] = fields[..] else {
            panic!("{row}")
        };
        if !MODELS.contains(&model) {
            continue;
        }
        let path = shared.join(file);
        let mut arguments = vec!["check", path.to_str().unwrap(), "--model", model, "--quiet"];
        if initial != "-" {
            arguments.extend(["--initial", initial]);
        }
        let code = if expected == "valid" { 0 } else { 1 };
        let ended = run(&arguments);
        assert_eq!(ended.code, Some(code), "{file}: {ended:?}");
        judged += 1;
    }
    assert!(judged > 50, "only {judged} histories were judged");
}
