//! Histories that others recorded, where they are at hand: beside the workspace, in `../shared/histories`.

use std::fs;
use std::path::{Path, PathBuf};

use tribunal_histories::format::load;
use tribunal_histories::{BuildOptions, Format, Outcome};

/// The histories of others; `None`, with a word about it, where they are absent.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    let found = folder.is_dir();
    if !found {
        eprintln_skipped(&folder);
    }
    found.then_some(folder)
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn eprintln_skipped(folder: &Path) {
    eprintln!("skipped: there is no {}", folder.display());
}

#[test]
fn every_history_loads_in_the_format_that_its_content_tells() {
    let Some(folder) = folder() else { return };
    let table = fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, format, ..] = columns[..] else {
            panic!("{row}");
        };
        let expected: Format = match format {
            "json" => Format::JepsenJson,
            other => other.parse().unwrap(),
        };
        let loaded = load(&folder.join(file), None, BuildOptions::default());
        if file.ends_with("long-fork.edn") {
            let error = loaded.unwrap_err().to_string();
            assert!(
                error.starts_with("line 1: an event must have `process`"),
                "{error}"
            );
            continue;
        }
        let loaded = loaded.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(
            (loaded.format, loaded.truncated),
            (expected, None),
            "{file}"
        );
    }
}

#[test]
fn the_same_history_in_two_formats_has_the_same_events() {
    let Some(folder) = folder() else { return };
    for name in ["elle/paper-example", "elle/rw-register", "jepsen/counter"] {
        let shapes = ["edn", "json"].map(|extension| {
            let path = folder.join(format!("{name}.{extension}"));
            let history = load(&path, None, BuildOptions::default()).unwrap().history;
            let shape = |event: tribunal_histories::EventRecord| {
                // JSON has strings where EDN has keywords.
                let text =
                    |value: &tribunal_histories::Value| value.to_string().replace([':', '"'], "");
                let (value, error) = (text(&event.value), text(&event.error));
                (
                    event.process,
                    event.kind,
                    event.time_ns,
                    event.function,
                    value,
                    error,
                )
            };
            history.records().map(shape).collect::<Vec<_>>()
        });
        assert_eq!(shapes[0], shapes[1], "{name}");
    }
}

/// A timed-out operation may have happened: its keyword is the error, and it stays open.
#[test]
fn operations_that_timed_out_in_a_log_are_open() {
    let Some(folder) = folder() else { return };
    let path = folder.join("porcupine-etcd/etcd_000.log");
    let history = load(&path, None, BuildOptions::default()).unwrap().history;
    let text = fs::read_to_string(path).unwrap();
    let open: Vec<_> = history
        .operations()
        .filter(|operation| operation.outcome == Outcome::Info)
        .collect();
    assert_eq!(open.len(), text.matches(":timed-out").count());
    assert_eq!(history.len(), text.lines().count());
    for operation in open {
        let event = history.record(history.pair(operation.invoked).unwrap());
        assert_eq!(event.error.as_name(), Some("timed-out"));
        assert!(event.value.is_nil());
    }
}
