//! `tribunal check --follow`: pipes that end, files that grow, and what is found in them.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::process::{Child, Stdio};

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

fn following(path: &str, arguments: &[&str]) -> Child {
    let follow = ["check", path, "--model", "register", "--follow"];
    tribunal(&[&follow[..], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ended(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

/// What comes of a text through a pipe that stays open or is closed.
fn piped(text: &str, arguments: &[&str]) -> Ended {
    let mut child = following("-", arguments);
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(text.as_bytes()).unwrap();
    drop(pipe);
    ended(child)
}

#[test]
fn a_pipe_is_judged_when_it_ends() {
    let valid = piped(&[WRITE, READ_1].concat(), &[]);
    assert_eq!(valid.code, Some(0), "{valid:?}");
    assert!(
        valid.stdout.starts_with("VALID    -: linearizable"),
        "{valid:?}"
    );
    let invalid = piped(&[WRITE, READ_2].concat(), &[]);
    assert_eq!(invalid.code, Some(1), "{invalid:?}");
    let sentence =
        "not linearizable: when read → 2 (process 1) returned in line 4, no order was left";
    assert!(invalid.stdout.contains(sentence), "{invalid:?}");
    let json = piped(&[WRITE, READ_2].concat(), &["--message-format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&line["tribunal"], &line["answer"]),
        (&"follow".into(), &"invalid".into())
    );
    assert_eq!(line["violation"]["line"], 4);
}

#[test]
fn a_violation_ends_it_though_the_pipe_stays_open() {
    let mut child = following("-", &["-q"]);
    let mut pipe = child.stdin.take().unwrap();
    // An operation stays in flight, and nothing more comes.
    let open = r#"{"process":7,"type":"invoke","f":"write","value":7}"#;
    write!(pipe, "{open}\n{WRITE}{READ_2}").unwrap();
    let ended = ended(child);
    drop(pipe);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn a_file_is_followed_while_it_grows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("growing.jsonl");
    fs::write(&path, WRITE).unwrap();
    let page = directory.path().join("page.html");
    let html = ["--html", page.to_str().unwrap(), "-q"];
    let child = following(path.to_str().unwrap(), &html);
    let append = |text: &str| {
        let file: Result<File, _> = OpenOptions::new().append(true).open(&path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    append(READ_1);
    // A line that comes in two parts is one line.
    let (first, second) = READ_2.split_at(55);
    append(first);
    append(second);
    let ended = ended(child);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    // Judged again up to there, with the evidence that a whole file gets.
    assert!(
        ended.stdout.contains("not linearizable: read → 2"),
        "{ended:?}"
    );
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .contains("\"impossible\":true")
    );
}

#[test]
fn it_ends_when_nothing_comes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("growing.jsonl");
    fs::write(&path, [WRITE, READ_1].concat()).unwrap();
    let ended = ended(following(
        path.to_str().unwrap(),
        &["--follow-idle", "300ms"],
    ));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("VALID"), "{ended:?}");
}

#[test]
fn a_long_history_is_followed_to_where_it_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.jsonl");
    let path = path.to_str().unwrap();
    let shape = [
        "--ops",
        "20000",
        "--keys",
        "20",
        "--model",
        "kv",
        "--crashed",
        "10",
    ];
    let make = ["generate", "--invalid", "late", "-q", "-o", path];
    assert_eq!(run(&[&make[..], &shape].concat()).code, Some(0));
    let ended = run(&["check", path, "--model", "kv", "--follow", "-q"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("not linearizable (key"), "{ended:?}");
}

#[test]
fn what_cannot_be_followed_is_said() {
    let broken = piped(&[WRITE, "{\n"].concat(), &[]);
    assert_eq!(broken.code, Some(64), "{broken:?}");
    assert!(broken.stderr.contains("line 3"), "{broken:?}");
    let twice = piped(&WRITE.replace("\"ok\"", "\"invoke\""), &[]);
    assert_eq!(twice.code, Some(64), "{twice:?}");
    assert!(
        twice.stderr.contains("line 2: process 0 invokes"),
        "{twice:?}"
    );
    let whole = run(&["check", "-", "--model", "set", "--follow"]);
    assert_eq!(whole.code, Some(64), "{whole:?}");
    assert!(
        whole.stderr.contains("judges whole histories only"),
        "{whole:?}"
    );
    let two = run(&["check", "a", "b", "--model", "kv", "--follow"]);
    assert_eq!(two.code, Some(64), "{two:?}");
}
