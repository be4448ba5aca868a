//! `tribunal check --html`: the picture of a history, as a browser shows it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::run;

/// A history of 100,000 operations, and the page about it.
fn page(directory: &Path, invalid: &str, ops: &str) -> String {
    let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (history, page) = (file("history.jsonl"), file("page.html"));
    let shape = [
        "--ops",
        ops,
        "--concurrency",
        "6",
        "--crashed",
        "4",
        "--unique",
    ];
    let make = ["generate", "--invalid", invalid, "-q", "-o", &history];
    assert_eq!(run(&[&make[..], &shape].concat()).code, Some(0));
    let judge = [
        "check", &history, "--model", "register", "-q", "--html", &page,
    ];
    let code = if invalid == "none" { 0 } else { 1 };
    let ended = run(&judge);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    fs::read_to_string(page).unwrap()
}

/// The page as it is after its script has run; `None`, with a word about it, where there is no browser.
fn drawn(directory: &Path) -> Option<String> {
    let profile = directory.join("profile");
    let browser = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .args(["--window-size=1400,900", "--virtual-time-budget=3000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", directory.join("page.html").display()))
        .output();
    match browser {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
            {
                eprintln!(
                    "skipped: no browser opens the page: chromium: {error} (ci/install-chromium.sh)"
                );
            }
            None
        }
    }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_long_history_is_one_small_page_that_shows_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let page = page(directory.path(), "late", "100000");
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    // Nothing is loaded from anywhere.
    for outside in ["src=", "href=", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("not linearizable"), "no headline");
    assert!(page.contains("<p>Because "), "no explanation");
    let Some(drawn) = drawn(directory.path()) else {
        return;
    };
    assert!(
        count(&drawn, "class=\"lane-name\"") >= 6,
        "lanes: {}",
        drawn.len()
    );
    assert!(
        count(&drawn, "class=\"operation ok") >= 10,
        "{}",
        drawn.len()
    );
    assert_eq!(
        count(&drawn, " impossible"),
        1 + count(&page, " impossible")
    );
    assert!(drawn.contains("class=\"order\" d=\"M"), "no order is drawn");
    assert!(
        drawn.contains("It cannot be placed"),
        "nothing is told about it"
    );
}

#[test]
fn a_valid_history_has_its_order_drawn_through_every_operation() {
    let directory = tempfile::tempdir().unwrap();
    let page = page(directory.path(), "none", "12");
    assert!(page.contains("All 12 operations are drawn."));
    assert!(page.contains("an order that explains all"));
    let Some(drawn) = drawn(directory.path()) else {
        return;
    };
    assert_eq!(count(&drawn, "data-operation="), 12);
    // What took effect has a point; what crashed and did not has none.
    let points = count(&drawn, "class=\"point\"");
    assert!((8..=12).contains(&points), "{points} points");
    assert_eq!(count(&drawn, " impossible"), count(&page, " impossible"));
}

/// A failing run leaves the picture of its history.
#[test]
fn a_failing_run_leaves_a_picture() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let seeds = [
        "--bugs",
        "RD1",
        "--properties",
        "off",
        "--seeds",
        "0..10",
        "--shrink",
        "off",
    ];
    let ended = run(&[&["simulate", "--quiet", "--out", out][..], &seeds].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let failures = directory.path().join("latest/failures");
    let failures: Vec<_> = fs::read_dir(failures)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(!failures.is_empty());
    for failure in failures {
        let page = fs::read_to_string(failure.path().join("history.html")).unwrap();
        assert!(page.contains("not linearizable"));
        assert!(page.contains("\"impossible\":true"));
    }
}
