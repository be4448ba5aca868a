//! The file that describes a subject: what its keys mean, and what is wrong with it, with the line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::document::Reader;
use super::template::{self, Kind};
use super::words::{REGISTRY, Words};
use crate::nemesis::Pace;

/// A subject that a file describes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, for people: the file's, if it has none.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The folder in which the file is.
    pub here: PathBuf,
    /// How many nodes there are unless somebody wants another number.
    pub nodes: usize,
    pub(super) ports: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) first: Vec<String>,
    pub(super) others: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) health: Health,
    pub(super) stop_signal: Signal,
    pub(super) stop_timeout: Duration,
    pub(super) setup: Option<Setup>,
    pub(super) client: Client,
    /// How long faults and the calm between them last.
    pub(super) pace: Pace,
    /// How long the system is left alone between the last fault and the reads at the end.
    pub(super) settle_us: u64,
    /// Every text with placeholders, and the line that it is in.
    pub(super) templates: Vec<(usize, Kind, String)>,
}

/// How it is known that a node serves.
#[derive(Clone, Debug)]
pub(super) struct Health {
    pub(super) check: Check,
    pub(super) timeout: Duration,
}

/// What is asked of a node.
#[derive(Clone, Debug)]
pub(super) enum Check {
    /// It accepts connections at the port of this number.
    Tcp(usize),
    /// This command ends with 0.
    Command(Vec<String>),
}

/// What is run once when every node serves.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) command: Vec<String>,
    pub(super) timeout: Duration,
}

/// The program that carries out operations.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) timeout: Duration,
    pub(super) workloads: Vec<&'static Words>,
    /// Whether a cut between nodes is one between the clients beside them, too.
    pub(super) is_cut: bool,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no such file.
    #[error("{}: {error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What TOML's reader says, with the line.
        error: toml::de::Error,
    },
    /// It says what cannot be.
    #[error("{}, line {line}: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong, and what to do.
        why: String,
    },
}

/// The most nodes that there can be.
pub const NODES_MAX: usize = 16;

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, with the line and what to do.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let document = toml::from_str(text).map_err(|error| SettingsError::Malformed {
            path: path.to_owned(),
            error,
        })?;
        Reader::new(path, text).settings(document)
    }

    /// Whether every placeholder names something, with so many nodes.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self, nodes: usize) -> Result<(), SettingsError> {
        for (line, kind, text) in &self.templates {
            template::check(text, *kind, &self.ports, nodes).map_err(|why| {
                SettingsError::Wrong {
                    path: self.path.clone(),
                    line: *line,
                    why,
                }
            })?;
        }
        Ok(())
    }

    /// What a workload's operations are for this client, if it has them.
    ///
    /// # Errors
    /// It has not, or there is no such workload.
    pub fn workload(&self, name: &str) -> Result<&'static Words, String> {
        let words = Words::find(name)?;
        let all = &self.client.workloads;
        let names: Vec<_> = all.iter().map(|words| words.entry.name).collect();
        if names.contains(&words.entry.name) {
            return Ok(words);
        }
        Err(format!(
            "the client of {} does not say that it serves `{name}`; it serves: {} (client.workloads in {})",
            self.name,
            names.join(", "),
            self.path.display()
        ))
    }

    /// The workload that is run when none is named: the client's first.
    pub fn usual_workload(&self) -> &'static Words {
        self.client
            .workloads
            .first()
            .copied()
            .unwrap_or(&REGISTRY[0])
    }

    /// How long a client waits for an answer, in microseconds.
    pub fn timeout_us(&self) -> u64 {
        u64::try_from(self.client.timeout.as_micros()).unwrap_or(u64::MAX)
    }
}

/// The ports whose names could be taken for something else.
pub(super) fn is_node_name(name: &str) -> bool {
    name.strip_prefix('n').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[node]
command = ["server", "--port", "{listen}", "--peers", "{peers}"]

[health]
tcp = "client"

[client]
command = ["{here}/client.py", "{port}"]
workloads = ["register"]
"#;

    fn error(text: &str) -> String {
        Settings::parse(Path::new("a.toml"), text)
            .unwrap_err()
            .to_string()
    }

    /// The good file with a line of it replaced.
    fn with(line: &str, other: &str) -> String {
        assert!(GOOD.contains(line), "{line}");
        GOOD.replace(line, other)
    }

    #[test]
    fn little_is_needed() {
        let settings = Settings::parse(Path::new("x/a.toml"), GOOD).unwrap();
        assert_eq!((&*settings.name, settings.nodes), ("a", 3));
        assert_eq!(settings.ports, ["client"]);
        assert_eq!(settings.timeout_us(), 5_000_000);
        assert_eq!(settings.usual_workload().entry.name, "register");
        assert!(
            settings
                .workload("set")
                .unwrap_err()
                .contains("it serves: register")
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
        let told = error(&with("tcp = ", "tpc = "));
        assert!(
            told.contains("line 6") && told.contains("unknown field `tpc`, expected one of `tcp`"),
            "{told}"
        );
        let told = error(&with("tcp = \"client\"", "tcp = \"bus\""));
        insta::assert_snapshot!(told, @"a.toml, line 6: there is no port `bus`; node.ports has: client");
        let told = error(&with("tcp = \"client\"", "timeout_ms = 1"));
        insta::assert_snapshot!(told, @r#"a.toml, line 5: [health] wants one of `tcp = "PORT"` and `command = ["PROGRAM", …]`"#);
        let told = error(&with("{peers}", "{pears}"));
        assert!(
            told.starts_with("a.toml, line 3: there is no placeholder {pears}; there are: {node}"),
            "{told}"
        );
        let told = error(&with("{port}", "{port.n9}"));
        insta::assert_snapshot!(told, @"a.toml, line 9: {port.n9} wants a node n9, and there are 3; say `nodes = 9`, or --node-count 9");
        let told = error(&with("{here}/client.py", "./client.py"));
        assert!(
            told.starts_with("a.toml, line 9: `./client.py` depends on where"),
            "{told}"
        );
        let told = error(&with("\"register\"", "\"queue\""));
        assert!(
            told.starts_with(
                "a.toml, line 10: there is no workload `queue` here; there are: register, "
            ),
            "{told}"
        );
        let told = error(&with("workloads = [\"register\"]", ""));
        assert!(
            told.contains("line 8") && told.contains("missing field `workloads`"),
            "{told}"
        );
        let told = error(&format!("{GOOD}[stop]\nsignal = \"USR9\"\n"));
        insta::assert_snapshot!(told, @"a.toml, line 12: there is no signal `USR9` here; there are: TERM, INT, QUIT, HUP, KILL");
        let told = error(&format!("{GOOD}[faults]\nlast_ms = [500, 100]\n"));
        insta::assert_snapshot!(told, @"a.toml, line 12: the shortest time comes first, and then the longest");
    }
}
