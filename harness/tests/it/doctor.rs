//! `tribunal doctor`.

use crate::program::run;

#[test]
fn a_sound_tool_on_a_sound_machine_passes() {
    let directory = tempfile::tempdir().unwrap();
    let ended = run(&["doctor", "--out", directory.path().to_str().unwrap()]);
    let marks = |mark| {
        ended
            .stdout
            .lines()
            .filter(|line| line.starts_with(mark))
            .count()
    };
    assert_eq!(
        (ended.code, marks("✓"), marks("✗")),
        (Some(0), 8, 0),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("RD1 (seed "), "{}", ended.stdout);
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 0, "the doctor leaves nothing behind");
}

#[test]
fn a_run_directory_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let ended = run(&["doctor", "--out", path]);
    assert_eq!(ended.code, Some(74), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains(&format!("✗ run directory    cannot write to {path}"))
    );
    assert!(
        ended
            .stdout
            .contains("what to do: choose another directory with --out")
    );
}
