//! Running the binary, in a directory of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory in which the binary is run.
pub(crate) struct Place {
    directory: TempDir,
}

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The binary with these arguments, in words, not yet started.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.path());
        command
            .env("NO_COLOR", "1")
            .env_remove("GITHUB_STEP_SUMMARY");
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        let output = self.command(arguments).output().expect("the binary runs");
        Ended::of(&output)
    }

    /// The directory of the latest run.
    pub(crate) fn latest(&self) -> PathBuf {
        self.path().join("target/tribunal/latest")
    }

    /// A file of the latest run.
    pub(crate) fn file(&self, name: &str) -> String {
        let path = self.latest().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A file of JSON of the latest run.
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.file(name)).expect(name)
    }
}

impl Ended {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The exit code must be this one.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}
