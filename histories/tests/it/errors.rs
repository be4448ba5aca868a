//! The words of errors: each names the line, the rule, and what to do.

use tribunal_histories::BuildOptions;
use tribunal_histories::format::read_history;

/// The error that a file gives, folded at 100 columns.
fn error_of(bytes: &[u8]) -> String {
    let loaded = read_history(bytes, None, BuildOptions::default());
    let text = loaded.expect_err("this is no history").to_string();
    let (mut folded, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        if column + word.len() > 100 {
            folded.push('\n');
            column = 0;
        } else if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
        column += word.len() + 1;
    }
    folded
}

#[test]
fn files_that_are_no_histories() {
    insta::assert_snapshot!(error_of(b""), @"the file is empty; a history has at least one event");
    insta::assert_snapshot!(
        error_of(b"\x1f\x8b\x08\x00\x00"),
        @"the file is binary, from its byte 0 on; histories are text (unpack it first if it is packed)"
    );
    insta::assert_snapshot!(error_of(b"Dear reader,\nthis is a letter.\n"), @r#"
    the file is no history in a known format: it begins with `Dear reader,`; the formats are jsonl, edn,
    jepsen-json, jepsen-log, parquet (name one with --from)
    "#);
    insta::assert_snapshot!(
        error_of(b"{\"tribunal\":\"trace\",\"version\":1}\n"),
        @"line 1: this is a trace of tribunal's, not a history; give it to `tribunal replay`"
    );
    insta::assert_snapshot!(error_of(b"{\"tribunal\":\"history\",\"version\":7}\n"), @r#"
    line 1: the history has format version 7, this build reads versions up to 1; use the build of
    tribunal that wrote it, or a later one
    "#);
    insta::assert_snapshot!(
        error_of(b"{\"tribunal\":\"history\",\"version\":1}\n"),
        @"there is not one whole event in the file; a history without events proves nothing"
    );
    insta::assert_snapshot!(error_of(b"{\"name\":\"left-pad\",\"version\":\"1.3.0\"}\n"), @r#"
    line 1: an event must have `process`; an event is, in JSON,
    {"process":0,"type":"invoke","f":"write","value":1}
    "#);
}

#[test]
fn files_that_are_cut_off() {
    insta::assert_snapshot!(error_of(b"[{:process 0, :type :invoke, :f :read}\n"), @r#"
    line 1: the file ends inside the history that begins here; it is cut off, and nothing says how much
    is missing: get the whole file
    "#);
    insta::assert_snapshot!(error_of(b"[{:process 0, :type :invoke, :f :read}\n {:process 0, :ty"), @r#"
    line 2: the file ends inside the event that begins here; it is cut off, and nothing says how much is
    missing: get the whole file
    "#);
    insta::assert_snapshot!(error_of(b"[{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"},\n{\"process\":"), @r#"
    line 2: the file ends inside the event that begins here; it is cut off, and nothing says how much is
    missing: get the whole file
    "#);
    insta::assert_snapshot!(error_of(b"INFO  jepsen.util - 0\t:invoke\t:write\t1"), @r#"
    line 1: the log ends without a newline, so that its last value may be cut off; get the whole file,
    or end it with a newline if it is whole
    "#);
}

#[test]
fn events_that_are_wrong() {
    insta::assert_snapshot!(error_of(b"[{:type :invoke, :f :read}]"), @r#"
    line 1: an event must have `process`; an event is, in JSON,
    {"process":0,"type":"invoke","f":"write","value":1}
    "#);
    insta::assert_snapshot!(error_of(b"{:process 0, :type :finished, :f :read}"), @r#"
    line 1: `type` is :finished; expected invoke, ok, fail or info; an event is, in JSON,
    {"process":0,"type":"invoke","f":"write","value":1}
    "#);
    insta::assert_snapshot!(
        error_of(b"{\"process\":0,\"type\":\"ok\",\"f\":\"read\",\"value\":}\n"),
        @"line 1: this is not JSON: expected value (name the format with --from if it is another)"
    );
    insta::assert_snapshot!(
        error_of(b"{:process 0, :type :invoke, :f :read, :value 1z}"),
        @"line 1: this is not EDN: `1z` is not a number (name the format with --from if it is another)"
    );
    let deep = [
        b"{:process 0, :type :invoke, :f :read, :value ",
        "[".repeat(500).as_bytes(),
    ]
    .concat();
    insta::assert_snapshot!(
        error_of(&deep),
        @"line 1: nested more than 127 deep; no operation's value is: is this a history?"
    );
}

#[test]
fn rules_that_are_broken() {
    let invoke = "{:process 0, :type :invoke, :f :read}\n";
    let ok = "{:process 0, :type :ok, :f :read}\n";
    insta::assert_snapshot!(error_of(format!("{invoke}{ok}{ok}").as_bytes()), @r#"
    line 3: process 0 completes `read` (ok) with no operation in flight; every ok, fail or info follows
    its invoke, once
    "#);
    insta::assert_snapshot!(error_of(format!("{invoke}{invoke}").as_bytes()), @r#"
    line 2: process 0 invokes `read` while its `read` of line 1 is in flight; a process has at most one
    operation in flight (use another process number)
    "#);
    let info = ok.replace(":ok", ":info");
    insta::assert_snapshot!(error_of(format!("{invoke}{info}{invoke}").as_bytes()), @r#"
    line 3: process 0 invokes `read` after its operation of line 2 ended in info; such a process is
    retired (allow it with --process-reuse allow)
    "#);
}
