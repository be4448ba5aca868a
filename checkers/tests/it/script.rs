//! Histories as text: a line an event, `PROCESS KIND FUNCTION [key=KEY] [VALUE]`, keys and values in JSON.

use tribunal_checkers::{Answer, CheckRequest, Verdict, check_history};
use tribunal_histories::{BuildOptions, EventRecord, History, Kind, Process, Value};

/// The history of a script.
pub(crate) fn history(script: &str) -> History {
    let lines = script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    History::from_records(lines.map(event), BuildOptions::default()).unwrap()
}

fn event(line: &str) -> EventRecord {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default();
    let process = Process::Client(word().parse().unwrap());
    let kind = Kind::from_name(word()).unwrap();
    let function = word();
    let rest = word();
    let (key, value) = match rest.strip_prefix("key=") {
        Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
        None => ("", rest),
    };
    EventRecord::new(process, kind, function, json(key), json(value))
}

/// A value from JSON; nothing is nil.
pub(crate) fn json(text: &str) -> Value {
    match text {
        "" => Value::Nil,
        _ => serde_json::from_str(text).unwrap(),
    }
}

/// The verdict of a checker on a script.
pub(crate) fn judge(checker: &str, initial: &str, script: &str) -> Verdict {
    let request = CheckRequest::new(checker).with_initial(json(initial));
    check_history(&history(script), &request, &|| false).unwrap()
}

/// Asserts the answer of a checker on a script.
#[track_caller]
pub(crate) fn expect(answer: Answer, checker: &str, initial: &str, script: &str) {
    let verdict = judge(checker, initial, script);
    assert_eq!(
        verdict.answer(),
        answer,
        "{checker}: {:?}",
        verdict.sentences
    );
}
