//! The scanners against the readers: the same events, lines and errors for every text, however it is cut.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::block::BlockBuilder;
use super::pipeline::Pipeline;
use super::{CHUNK_BYTES, Read};
use crate::builder::{BuildOptions, HistoryBuilder};
use crate::event::EventRecord;
use crate::format::{Format, LoadError, ReadError, Truncation};

/// What a text comes to: its events with their lines, or the words of the error.
type Outcome = Result<(Vec<EventRecord>, Read), String>;

fn outcome(builder: HistoryBuilder, read: Result<Read, LoadError>) -> Outcome {
    let history = builder.finish();
    read.map(|read| (history.records().collect(), read))
        .map_err(|error| error.to_string())
}

/// By the scanner, in chunks of so many bytes.
fn scanned(format: Format, text: &[u8], chunk_bytes: usize) -> Outcome {
    let mut builder = HistoryBuilder::new(BuildOptions::default());
    let read = Pipeline::new(&mut builder, chunk_bytes).run(format, text);
    outcome(builder, read)
}

/// By the reader alone.
fn read(format: Format, text: &[u8]) -> Outcome {
    let mut builder = HistoryBuilder::new(BuildOptions::default());
    let mut read = Read::default();
    let mut all = || {
        for event in format.read(text) {
            match event {
                Ok(event) => {
                    let line = u32::try_from(event.line).unwrap();
                    builder.push(event)?;
                    read.lines.push(line);
                }
                Err(ReadError::TornLine { line, events }) => {
                    read.truncated = Some(Truncation { line, events });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    };
    let ended = all();
    outcome(builder, ended.map(|()| read))
}

/// Puts a text to both, in chunks of several sizes.
fn compare(format: Format, text: &[u8]) {
    let expected = read(format, text);
    for chunk_bytes in [1, 60, 200, CHUNK_BYTES] {
        let found = scanned(format, text, chunk_bytes);
        assert_eq!(
            found,
            expected,
            "{format}, chunks of {chunk_bytes}: {}",
            String::from_utf8_lossy(text)
        );
    }
}

fn compare_both(text: &[u8]) {
    compare(Format::Jsonl, text);
    compare(Format::Edn, text);
}

/// Whether the scanner takes an event without the reader's help.
fn is_usual(format: Format, text: &str) -> bool {
    let (text, mut builder) = (text.as_bytes(), BlockBuilder::new(text.len()));
    let scanned = match format {
        Format::Jsonl => super::jsonl::event(text, &mut builder),
        _ => super::edn::event(text, &mut builder),
    };
    scanned.is_some_and(|(fields, _)| builder.push(&fields, 0).is_some())
}

/// Spellings of values in JSON, most of them usual, some wrong.
const JSON_VALUES: &[&str] = &[
    "0",
    "7",
    "-12",
    "123456789012345678",
    "1234567890123456789",
    "99999999999999999999",
    "-0",
    "01",
    "1.5",
    "1e3",
    "1e999",
    "null",
    "true",
    "false",
    "nul",
    "\"x\"",
    "\"\"",
    "\"é\"",
    "\"a\\nb\"",
    "\"a\tb\"",
    "\"",
    "[]",
    "[1, 2]",
    "[1,[2,\"]\"]]",
    "[1,}",
    "{\"a\":1}",
    "{\"a\":{\"b\":[null]}}",
    "[1 2]",
    "{\"a\":1,\"a\":2}",
    "[\"\\u00e9\"]",
    "-",
    "+1",
    "",
    "NaN",
    "1 2",
    "\"nemesis\"",
    "\"\u{7f}\"",
];

/// Spellings of values in EDN.
const EDN_VALUES: &[&str] = &[
    "0",
    "7",
    "-12",
    "+3",
    "007",
    "-0",
    "3N",
    "1234567890123456789012",
    "1.50",
    "1.5M",
    "-1/3",
    "1x",
    "nil",
    "true",
    "false",
    "nilly",
    "\"x\"",
    "\"é\"",
    "\"a\\nb\"",
    "\"two\nlines\"",
    "\"",
    "[]",
    "[1 2]",
    "(1, 2)",
    "[1 2)",
    "#{2 1}",
    "{:a 1}",
    "{:a}",
    ":timeout",
    ":a/b",
    ":",
    "some.symbol",
    "[:r 1 nil]",
    "[[:append 1 2] [:r 1 [1]]]",
    "[1 ; x\n 2]",
    "#_ 1 2",
    "\\a",
    "[\\] 1]",
    "#inst \"2024\"",
    "-",
    "",
    "[\"]\" 1]",
    "##Inf",
    ":nemesis",
    "a\\b",
    "1#",
    "[1\n 2]",
];

/// A text of lines that are events more or less: fields from these, in any order, with any separators.
fn text_of(
    names: &'static [&'static str],
    values: &'static [&'static str],
    punctuation: [&'static [&'static str]; 4],
) -> impl Strategy<Value = String> {
    let [opens, colons, commas, closes] = punctuation;
    let often = |first: &'static str, all: &'static [&'static str]| prop_oneof![12 => Just(first), 1 => prop::sample::select(all)];
    let field = (
        prop::sample::select(names),
        often(colons[0], colons),
        prop_oneof![
            3 => prop::sample::select(&["0", "1", "2", "17"][..]),
            2 => prop::sample::select(values),
        ],
        often(commas[0], commas),
    )
        .prop_map(|(name, colon, value, comma)| format!("{name}{colon}{value}{comma}"));
    let usual = move |kind: &'static str| {
        (
            0..3_u32,
            often(commas[0], commas),
            prop::sample::select(values),
        )
            .prop_map(move |(process, comma, value)| {
                let value = if kind == "invoke" { "1" } else { value };
                let fields = [
                    format!("{}{}{process}", names[0], colons[0]),
                    names[1].replace("KIND", kind),
                    format!("{}{}{value}", names[2], colons[0]),
                ];
                fields.join(comma)
            })
    };
    let fields = prop_oneof![
        4 => usual("invoke"),
        4 => usual("ok"),
        1 => usual("info"),
        2 => prop::collection::vec(field, 0..6).prop_map(|fields| fields.concat()),
    ];
    let event = (often(opens[0], opens), fields, often(closes[0], closes))
        .prop_map(|(open, fields, close)| format!("{open}{fields}{close}"));
    prop::collection::vec(event, 0..12).prop_map(|events| events.concat())
}

fn json_text() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "\"process\"",
        "\"type\":\"KIND\",\"f\":\"read\"",
        "\"value\"",
        "\"key\"",
        "\"time\"",
        "\"error\"",
        "\"index\"",
        "\"node\"",
        "\"f\":\"write\"",
        "\"type\":\"ok\"",
        "\"type\"",
        "\"f\"",
        "\"Value\"",
    ];
    text_of(
        NAMES,
        JSON_VALUES,
        [
            &[
                "{",
                " {",
                "{ ",
                "",
                "\n",
                "{\"tribunal\":\"history\",\"version\":1}\n{",
            ],
            &[":", " : ", ": ", ""],
            &[",", ", ", " ,", "", ",,"],
            &["}\n", "}\r\n", "} \n", "}", "}}\n", "\n", "},\n"],
        ],
    )
}

fn edn_text() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        ":process",
        ":type :KIND, :f :read",
        ":value",
        ":key",
        ":time",
        ":error",
        ":index",
        ":node",
        ":f :write",
        ":type :ok",
        ":type",
        ":f",
        "\"process\"",
        "process",
    ];
    text_of(
        NAMES,
        EDN_VALUES,
        [
            &[
                "{",
                " {",
                "[{",
                "({",
                "#jepsen.history.Op{",
                "#_{",
                "; note\n{",
                "",
                "\n{",
                "#op {",
            ],
            &[" ", "  ", ", ", "", "\n"],
            &[", ", " ", ",", "", "\n "],
            &["}\n", "} ", "}", "}]\n", "}\n]", "})", "},\n", "", "}\n\n"],
        ],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_lines_are_scanned_as_they_are_read(text in json_text()) {
        compare(Format::Jsonl, text.as_bytes());
    }

    #[test]
    fn edn_is_scanned_as_it_is_read(text in edn_text()) {
        compare(Format::Edn, text.as_bytes());
    }

    #[test]
    fn damaged_texts_are_scanned_as_they_are_read(
        text in prop_oneof![json_text(), edn_text()],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = text.into_bytes();
        bytes.push(b'\n');
        for (place, byte, how) in damage {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ if bytes.len() > 1 => { bytes.remove(place); }
                _ => {}
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        compare_both(&bytes);
    }
}

#[test]
fn the_usual_shapes_need_no_reader() {
    let json = [
        r#"{"time":12,"process":0,"type":"invoke","f":"write","key":"x","value":3}"#,
        r#"{"process": 1, "type": "ok", "f": "read", "value": null, "time": 99, "index": 4}"#,
        r#"{"process":2,"type":"info","f":"cas","value":[1,2],"error":"timeout"}"#,
        r#"{"process":"nemesis","type":"info","f":"kill","value":{"n1":["a"]}}"#,
    ];
    for text in json {
        assert!(is_usual(Format::Jsonl, text), "{text}");
    }
    let edn = [
        "{:index 0, :time 12, :process 0, :type :invoke, :f :write, :value 3}",
        "{:type :ok, :f :read, :value nil, :process 1, :time 99}",
        "{:process 0, :type :info, :f :cas, :value [1 2], :error :timeout}",
        "#jepsen.history.Op{:process :nemesis, :type :info, :f :kill, :value {:n1 [\"a\"]}}",
        "{:process 0, :type :invoke, :f :put, :key \"0\", :value \"x 0 1 y\"}",
    ];
    for text in edn {
        assert!(is_usual(Format::Edn, text), "{text}");
    }
}

/// Truncated, binary, giant, deep: what is no history is the same error, and no panic.
#[test]
fn hostile_texts() {
    let event = r#"{"process":0,"type":"invoke","f":"write","value":"#;
    let edn_event = "{:process 0 :type :invoke :f :write :value ";
    let deep = [
        "[".repeat(90),
        "[".repeat(126),
        "[".repeat(100_000),
        "{\"a\":".repeat(5_000),
        "#_ ".repeat(5_000),
    ];
    let closed = [90, 98, 99, 100, 101, 125, 126, 127, 128, 300]
        .map(|depth| "[".repeat(depth) + &"]".repeat(depth));
    let giant = [
        "9".repeat(100_000),
        format!("-{}", "1".repeat(18)),
        "1".repeat(19),
        "0".repeat(50_000),
        format!("1e{}", "9".repeat(400)),
    ];
    let values = deep.iter().chain(&closed).chain(&giant);
    for value in values {
        for (begin, end) in [
            (event, "}\n"),
            (edn_event, "}\n"),
            (event, ""),
            (edn_event, ""),
        ] {
            compare_both(format!("{begin}{value}{end}{begin}{value}{end}").as_bytes());
        }
    }
    let binary: Vec<u8> = (0..=255).cycle().take(3_000).collect();
    compare_both(&binary);
    for bad in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\0", b"\x1b[31m"] {
        for begin in [event, edn_event] {
            let text = [begin.as_bytes(), b"\"", bad, b"\"}\n"].concat();
            compare_both(&text);
            let name = [
                &b"{\"process\":0,\"type\":\"ok\",\"f\":\""[..],
                bad,
                b"\"}\n",
            ]
            .concat();
            compare_both(&name);
        }
    }
}

/// The scanner's guess where a form ends is wrong here: lines within strings and comments that look like events.
#[test]
fn lines_that_look_like_events_are_no_events() {
    let event = "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :write, :value 1}\n";
    for (before, after) in [
        ("\"", "\""),
        ("#_ [", "]"),
        ("; ", ""),
        ("#_\n", ""),
        ("#tag\n", ""),
        ("[", "]"),
        ("{:a\n ", "}"),
    ] {
        let text = format!("{event}{before}{event}{after}{event}");
        compare_both(text.as_bytes());
        compare_both(text.replace("\n{", "\n {").as_bytes());
    }
}

/// Names, keys and values keep their meaning when blocks with tables of their own are put together.
#[test]
fn many_blocks_make_one_history() {
    let mut text = String::from("{\"tribunal\":\"history\",\"version\":1}\n");
    for number in 0..400 {
        let (process, name) = (number % 7, ["read", "write", "cas", "enqueue"][number % 4]);
        let value = ["null", "\"abc\"", "[1,2]", "5000000000"][number / 3 % 4];
        for kind in ["invoke", "ok"] {
            text += &format!(
                "{{\"time\":{number},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{name}\",\"key\":\"k{}\",\"value\":{value},\"error\":{}}}\n",
                number % 11,
                if number % 5 == 0 { "\"late\"" } else { "null" },
            );
        }
    }
    let (events, _) = read(Format::Jsonl, text.as_bytes()).unwrap();
    assert_eq!(events.len(), 800);
    compare(Format::Jsonl, text.as_bytes());
}

/// The files of a folder and of the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn recorded_histories_are_scanned_as_they_are_read() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = here.join("../../shared/histories");
    let mut paths = files(&here.join("corpus"));
    if shared.is_dir() {
        paths.extend(files(&shared));
    } else {
        #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
        {
            eprintln!(
                "skipped the histories of others: there is no {}",
                shared.display()
            );
        }
    }
    let mut compared = 0;
    for path in paths {
        let text = fs::read(&path).unwrap();
        let Ok(format @ (Format::Jsonl | Format::Edn)) = Format::guess(&text) else {
            continue;
        };
        let expected = read(format, &text);
        for chunk_bytes in [300, 4_000, CHUNK_BYTES] {
            assert_eq!(
                scanned(format, &text, chunk_bytes),
                expected,
                "{}",
                path.display()
            );
        }
        compared += 1;
    }
    assert!(compared >= 15, "only {compared} files");
}
