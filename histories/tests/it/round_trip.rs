//! What a writer wrote, its reader reads: the same events but for the losses that the formats document.

use proptest::prelude::*;
use tribunal_histories::format::{ReadError, edn, jsonl};
use tribunal_histories::{EventRecord, Value};

use crate::records::events;

/// A value as JSON can say it: no keywords, no sets, keys are strings.
fn in_json(value: &Value) -> Value {
    match value {
        Value::Keyword(name) => Value::Text(name.clone()),
        Value::List(items) | Value::Set(items) => Value::list(items.iter().map(in_json)),
        Value::Map(entries) => Value::map(
            entries
                .iter()
                .map(|(key, value)| (in_json(key), in_json(value))),
        ),
        other => other.clone(),
    }
}

/// A transaction as the EDN writer writes it: the names of its micro-operations are keywords.
fn with_keywords(event: &EventRecord) -> Value {
    let Value::List(steps) = &event.value else {
        return event.value.clone();
    };
    if *event.function != *"txn" {
        return event.value.clone();
    }
    Value::list(steps.iter().map(|step| {
        match step {
            Value::List(parts) => match &**parts {
                // A name that EDN cannot spell as a keyword stays a string.
                [Value::Text(name), ..] if !is_spelled(name) => step.clone(),
                [Value::Text(name), rest @ ..] => Value::list(
                    [Value::Keyword(name.clone())]
                        .into_iter()
                        .chain(rest.iter().cloned()),
                ),
                _ => step.clone(),
            },
            other => other.clone(),
        }
    }))
}

fn is_spelled(name: &str) -> bool {
    let plain =
        |character: char| character.is_alphanumeric() || ".*+!-_?$%&=<>/:#'".contains(character);
    !name.is_empty() && name.chars().all(plain)
}

fn numbered(events: Vec<EventRecord>, first_line: u64) -> Vec<EventRecord> {
    let with_line = |(event, line)| EventRecord { line, ..event };
    events
        .into_iter()
        .zip(first_line..)
        .map(with_line)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_lines(events in events()) {
        let mut writer = jsonl::Writer::new(Vec::new()).unwrap();
        for event in &events {
            writer.write(event).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').skip(1);
        for (line, event) in lines.zip(&events) {
            prop_assert_eq!(line, serde_json::to_vec(event).unwrap());
        }
        let read: Result<Vec<_>, ReadError> = jsonl::read(&bytes[..]).collect();
        let expected = events.iter().map(|event| EventRecord {
            key: in_json(&event.key),
            value: in_json(&event.value),
            error: in_json(&event.error),
            extra: in_json(&event.extra),
            ..event.clone()
        });
        prop_assert_eq!(read.unwrap(), numbered(expected.collect(), 2));
    }

    #[test]
    fn edn_maps(events in events()) {
        let mut writer = edn::Writer::new(Vec::new());
        for event in &events {
            writer.write(event).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let read: Result<Vec<_>, ReadError> = edn::read(&bytes[..]).collect();
        let expected = events.iter().map(|event| EventRecord {
            value: with_keywords(event),
            ..event.clone()
        });
        prop_assert_eq!(read.unwrap(), numbered(expected.collect(), 1));
    }

    #[test]
    fn a_native_history_that_is_cut_keeps_its_whole_lines(
        events in events(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut writer = jsonl::Writer::new(Vec::new()).unwrap();
        for event in &events {
            writer.write(event).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let cut = &bytes[..cut.index(bytes.len())];
        let newlines = cut.iter().filter(|byte| **byte == b'\n').count();
        let read: Vec<_> = jsonl::read(cut).collect();
        let whole = read.iter().filter(|event| event.is_ok()).count();
        // A line that lacks only its newline is whole too.
        prop_assert!(whole + 1 == newlines.max(1) || whole == newlines, "{whole} events of {newlines} lines");
        let torn = matches!(read.last(), Some(Err(ReadError::TornLine { .. })));
        prop_assert!(torn || read.iter().all(Result::is_ok), "{read:?}");
    }
}
