//! The meanings that tools disagree about: each by its flag, by its default, and told where it mattered.

use std::fs;

use crate::program::{Ended, run};

/// Judges a text, in a file of that name, by a model.
fn check(name: &str, text: &str, model: &str, arguments: &[&str]) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    run(&[&["check", path, "--model", model], arguments].concat())
}

/// The file is valid or not, and this line says what mattered; nothing did without one.
#[track_caller]
fn judged(ended: &Ended, code: i32, line: Option<&str>) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let flags = [
        "initial",
        "nil-read",
        "failed-cas",
        "equal-times",
        "process-reuse",
    ];
    let is_meaning = |line: &&str| {
        flags
            .iter()
            .any(|flag| line.contains(&format!("(--{flag} ")))
    };
    let told: Vec<_> = ended.stdout.lines().filter(is_meaning).collect();
    let told: Vec<_> = told.iter().map(|line| line.trim()).collect();
    assert_eq!(told, line.into_iter().collect::<Vec<_>>(), "{ended:?}");
}

const NIL_READ: &str = r#"{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
{"process":0,"type":"invoke","f":"read","value":null}
{"process":0,"type":"ok","f":"read","value":null}
"#;

const NIL_READ_OF_KNOSSOS: &str = "{:process 0, :type :invoke, :f :write, :value 1}
{:process 0, :type :ok, :f :write, :value 1}
{:process 0, :type :invoke, :f :read, :value nil}
{:process 0, :type :ok, :f :read, :value nil}
";

#[test]
fn a_read_of_nil_means_what_its_format_means() {
    let absent = "1 nil read: the object was absent (--nil-read absent)";
    let anything = "1 nil read: nobody knows what was read (--nil-read unconstrained)";
    let unconstrained = ["--nil-read", "unconstrained"];
    let native = |arguments: &[&str]| check("h.jsonl", NIL_READ, "register", arguments);
    judged(&native(&[]), 1, Some(absent));
    judged(&native(&unconstrained), 0, Some(anything));
    let knossos =
        |model: &str, arguments: &[&str]| check("h.edn", NIL_READ_OF_KNOSSOS, model, arguments);
    judged(&knossos("register", &[]), 0, Some(anything));
    judged(&knossos("cas-register", &[]), 0, Some(anything));
    judged(
        &knossos("register", &["--nil-read", "absent"]),
        1,
        Some(absent),
    );
    // Knossos has no key-value store; those who have take it that the key was absent.
    judged(&knossos("kv", &[]), 1, Some(absent));
    let follow = knossos("register", &["--follow", "--follow-idle", "300ms"]);
    assert_eq!(follow.code, Some(0), "{follow:?}");
    let follow = native(&["--follow", "--follow-idle", "300ms"]);
    assert_eq!(follow.code, Some(1), "{follow:?}");
}

#[test]
fn a_failed_compare_and_set_has_seen_something_if_one_says_so() {
    let text = r#"{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
{"process":0,"type":"invoke","f":"cas","value":[1,2]}
{"process":0,"type":"fail","f":"cas","value":[1,2]}
"#;
    let ended = check("h.jsonl", text, "cas-register", &[]);
    let nothing = "1 failed compare-and-set: nothing happened, and nothing was seen (--failed-cas did-not-happen)";
    judged(&ended, 0, Some(nothing));
    let observed = ["--failed-cas", "observed-other"];
    let ended = check("h.jsonl", text, "cas-register", &observed);
    let other = "1 failed compare-and-set: another value was seen (--failed-cas observed-other)";
    judged(&ended, 1, Some(other));
    // A model without a compare-and-set that can fail has no choice to tell of.
    let plain = text.replace("cas", "write");
    judged(&check("h.jsonl", &plain, "register", &observed), 0, None);
}

#[test]
fn events_of_one_time_are_ordered_or_not() {
    let text = r#"{"time":1,"process":0,"type":"invoke","f":"write","value":1}
{"time":5,"process":0,"type":"ok","f":"write","value":1}
{"time":5,"process":1,"type":"invoke","f":"read","value":null}
{"time":9,"process":1,"type":"ok","f":"read","value":0}
"#;
    let zero = ["--initial", "0", "--message-format", "json"];
    let answer = |arguments: &[&str]| {
        let ended = check("h.jsonl", text, "register", &[&zero, arguments].concat());
        let line: serde_json::Value =
            serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
        (line["answer"].clone(), line["meanings"][1].clone())
    };
    let mattered =
        |value: &str| serde_json::json!({"option": "equal-times", "value": value, "count": 1});
    assert_eq!(answer(&[]), ("invalid".into(), mattered("by-line")));
    assert_eq!(
        answer(&["--equal-times", "concurrent"]),
        ("valid".into(), mattered("concurrent"))
    );
    let follow = ["--equal-times", "concurrent", "--follow"];
    let ended = check("h.jsonl", text, "register", &follow);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.stderr.contains("leave --follow away"), "{ended:?}");
}

#[test]
fn a_process_that_goes_on_after_info_is_an_error_or_told() {
    let text = r#"{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"info","f":"write","value":1}
{"process":0,"type":"invoke","f":"read","value":null}
{"process":0,"type":"ok","f":"read","value":null}
{"process":0,"type":"invoke","f":"read","value":null}
{"process":0,"type":"ok","f":"read","value":1}
"#;
    assert_eq!(check("h.jsonl", text, "register", &[]).code, Some(64));
    let allowed = ["--process-reuse", "allow", "--nil-read", "absent"];
    let ended = check("h.jsonl", text, "register", &allowed);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = "2 process reuses: what had ended in info may still happen (--process-reuse allow)";
    assert!(ended.stdout.contains(told), "{ended:?}");
}

#[test]
fn the_first_value_is_told_where_one_was_given() {
    let text = NIL_READ.replace("null", "1");
    let first = "first value: 0 (--initial 0)";
    judged(
        &check("h.jsonl", &text, "register", &["--initial", "0"]),
        0,
        Some(first),
    );
    judged(&check("h.jsonl", &text, "register", &[]), 0, None);
}

#[test]
fn objects_are_told_apart_as_one_says() {
    let tuples = "{:process 0, :type :invoke, :f :write, :value [7 1]}
{:process 0, :type :ok, :f :write, :value [7 1]}
{:process 0, :type :invoke, :f :read, :value [8 nil]}
{:process 0, :type :ok, :f :read, :value [8 0]}
";
    let code = |name: &str, text: &str, arguments: &[&str]| {
        let zero = ["--initial", "0"];
        check(name, text, "register", &[&zero, arguments].concat()).code
    };
    assert_eq!(code("h.edn", tuples, &[]), Some(1));
    let by_tuple = ["--partition-by", "tuple"];
    assert_eq!(code("h.edn", tuples, &by_tuple), Some(0));
    let idle = [
        "--partition-by",
        "tuple",
        "--follow",
        "--follow-idle",
        "300ms",
    ];
    assert_eq!(code("h.edn", tuples, &idle), Some(0));
    let wrong = tuples.replace("[8 0]", "[8 1]");
    assert_eq!(code("h.edn", &wrong, &by_tuple), Some(1));
    assert_eq!(code("h.edn", &wrong, &idle), Some(1));

    let tables = r#"{"process":0,"type":"invoke","f":"write","table":"a","key":1,"value":1}
{"process":0,"type":"ok","f":"write","table":"a","key":1,"value":1}
{"process":0,"type":"invoke","f":"read","table":"b","key":1,"value":null}
{"process":0,"type":"ok","f":"read","table":"b","key":1,"value":0}
"#;
    assert_eq!(code("h.jsonl", tables, &[]), Some(1));
    assert_eq!(
        code("h.jsonl", tables, &["--partition-by", "table"]),
        Some(0)
    );
    let two_keys = tables.replacen("\"key\":1", "\"key\":2", 2);
    assert_eq!(code("h.jsonl", &two_keys, &[]), Some(0));
    assert_eq!(
        code("h.jsonl", &two_keys, &["--partition-by", "none"]),
        Some(1)
    );
    let ended = check("h.jsonl", tables, "register", &["--partition-by", "shelf"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    let says = "line 1: `write` of 1 has no field `shelf` to partition by";
    assert!(ended.stderr.contains(says), "{ended:?}");
}
