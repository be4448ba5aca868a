//! `tribunal generate` and `tribunal convert`: what is written is what was asked for, in every format.

use std::fs;
use std::path::Path;

use tribunal_histories::format::{CannotWrite, load};
use tribunal_histories::{BuildOptions, EventRecord, Format, synthetic};

use crate::program::{Ended, run};

fn done(arguments: &[&str]) -> Ended {
    let ended = run(arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended
}

/// The events of a file, without the lines they stand on.
fn events(path: &Path) -> Vec<EventRecord> {
    let loaded = load(path, None, BuildOptions::default()).unwrap();
    loaded.history.records().collect()
}

#[test]
fn histories_of_every_model_are_judged_as_they_were_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.jsonl");
    let path = path.to_str().unwrap();
    for model in synthetic::registry() {
        for (invalid, code) in [("none", 0), ("early", 1), ("late", 1)] {
            for (crashed, keys) in [("0", "1"), ("3", "2")] {
                let shape = ["--ops", "300", "--concurrency", "4", "--crashed", crashed];
                let what = [
                    "--invalid",
                    invalid,
                    "--keys",
                    keys,
                    "--unique",
                    "--seed",
                    "5",
                ];
                let place = ["generate", "--model", model.name, "-o", path, "--quiet"];
                done(&[&place[..], &shape, &what].concat());
                let ended = run(&["check", path, "--model", model.name, "--quiet"]);
                assert_eq!(ended.code, Some(code), "{} {what:?}: {ended:?}", model.name);
            }
        }
    }
}

#[test]
fn the_arguments_alone_decide_the_history() {
    let generate =
        |seed: &str| done(&["generate", "--model", "cas", "--ops", "50", "--seed", seed]);
    let first = generate("1");
    assert_eq!(first.stdout, generate("0x1").stdout);
    assert_ne!(first.stdout, generate("2").stdout);
    assert_eq!(first.stdout.lines().count(), 1 + 2 * 50);
    assert!(first.stderr.is_empty(), "{}", first.stderr);
}

#[test]
fn a_history_goes_through_every_format_and_stays_what_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let first = file("first.jsonl");
    let crashed = ["--crashed", "5", "--keys", "3", "-q", "-o", &text(&first)];
    done(
        &[
            &["generate", "--model", "list-append", "--ops", "200"][..],
            &crashed,
        ]
        .concat(),
    );
    let expected = events(&first);
    assert_eq!(expected.len(), 400);
    let written = Format::ALL.into_iter().filter(|format| {
        let writer = format.writer(Vec::new());
        !matches!(
            writer,
            Err(CannotWrite::OnlyRead(_) | CannotWrite::NotBuilt(_))
        )
    });
    let written: Vec<_> = written.collect();
    assert!(written.len() >= 2, "{written:?}");
    for format in written {
        let there = file(&format!("there.{}", format.info().extensions[0]));
        let back = file(&format!("back-from-{format}.jsonl"));
        done(&["convert", &text(&first), &text(&there), "-q"]);
        assert_eq!(
            load(&there, None, BuildOptions::default()).unwrap().format,
            format
        );
        assert_eq!(events(&there), expected, "{format}");
        done(&["convert", &text(&there), &text(&back), "-q"]);
        assert_eq!(
            fs::read(&back).unwrap(),
            fs::read(&first).unwrap(),
            "{format}"
        );
    }
}

#[test]
fn what_cannot_be_converted_is_said() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../histories/corpus");
    let file = |name: &str| corpus.join(name).to_str().unwrap().to_owned();
    let torn = run(&["convert", &file("cas-register-torn.jsonl"), "-"]);
    assert_eq!(torn.code, Some(64));
    assert!(torn.stderr.contains("--torn allow"), "{}", torn.stderr);
    done(&[
        "convert",
        &file("cas-register-torn.jsonl"),
        "-",
        "--torn",
        "allow",
    ]);
    let only_read = run(&[
        "convert",
        &file("set-recovered.json"),
        "-",
        "--to",
        "jepsen-json",
    ]);
    assert_eq!(only_read.code, Some(64));
    assert!(
        only_read.stderr.contains("is read and not written"),
        "{}",
        only_read.stderr
    );
    let absent = run(&["convert", "no such file", "-"]);
    assert_eq!(absent.code, Some(74), "{absent:?}");
    if !cfg!(feature = "columnar") {
        let lacking = run(&[
            "convert",
            &file("set-recovered.json"),
            "-",
            "--to",
            "parquet",
        ]);
        assert_eq!(lacking.code, Some(64));
        assert!(
            lacking.stderr.contains("--features columnar"),
            "{}",
            lacking.stderr
        );
    }
}
