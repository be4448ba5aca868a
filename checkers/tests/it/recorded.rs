//! Recorded histories with the verdicts that are expected of them: the project's own, and those of others where
//! they are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use tribunal_checkers::{Answer, CheckRequest, Counterexample, Judgement, check_history};
use tribunal_histories::BuildOptions;
use tribunal_histories::format::load;

use crate::script::json;

/// A row of a table of expected verdicts.
struct Expected {
    path: PathBuf,
    checker: String,
    initial: String,
    answer: String,
}

/// The rows of a folder's table, whose columns are in this order: file, checker, initial value, answer.
fn table(folder: &Path, columns: [usize; 4]) -> Vec<Expected> {
    let table = fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    let row = |row: &str| {
        let cells: Vec<_> = row.split('\t').collect();
        let [file, checker, initial, answer] = columns.map(|column| cells[column]);
        Expected {
            path: folder.join(file),
            checker: checker.to_owned(),
            initial: initial.trim_matches('-').to_owned(),
            answer: answer.to_owned(),
        }
    };
    table.lines().skip(1).map(row).collect()
}

/// Judges a file; returns how many states that took.
fn judge(expected: &Expected) -> u64 {
    let file = expected.path.display();
    let history = load(&expected.path, None, BuildOptions::default())
        .unwrap()
        .history;
    let request = CheckRequest::new(&*expected.checker).with_initial(json(&expected.initial));
    let verdict = check_history(&history, &request, &|| false).unwrap();
    assert_eq!(
        verdict.answer().name(),
        expected.answer,
        "{file}: {:?}",
        verdict.sentences
    );
    if let Judgement::Invalid {
        counterexample: Counterexample::Core(core),
    } = &verdict.judgement
    {
        assert!(
            core.minimal && core.confirmed && core.earliest,
            "{file}: {core:?}"
        );
    }
    verdict.statistics.states
}

#[test]
fn our_own_histories() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../histories/corpus");
    let rows = table(&folder, [0, 1, 2, 3]);
    for checker in [
        "cas-register",
        "kv",
        "queue",
        "set",
        "counter",
        "list-append",
        "consensus",
        "multiset",
        "semaphore",
        "fenced-lock",
        "versioned-register",
        "log",
        "unordered-queue",
    ] {
        let of_checker = |answer: Answer| {
            let rows = rows.iter().filter(|row| row.checker == checker);
            rows.filter(|row| row.answer == answer.name()).count()
        };
        assert!(
            of_checker(Answer::Valid) > 0 && of_checker(Answer::Invalid) > 0,
            "{checker}"
        );
    }
    for row in &rows {
        judge(row);
    }
}

#[test]
fn the_histories_of_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    if !folder.is_dir() {
        skipped(&folder);
        return;
    }
    let ours = ["cas-register", "kv", "multi-register", "counter", "set"];
    let rows = table(&folder, [0, 2, 3, 4]);
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| ours.contains(&&*row.checker))
        .collect();
    assert!(rows.len() > 60, "{}", rows.len());
    for row in rows {
        let states = judge(row);
        assert!(states < 300_000, "{}: {states} states", row.path.display());
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn skipped(folder: &Path) {
    eprintln!("skipped: there is no {}", folder.display());
}
