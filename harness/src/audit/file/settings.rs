//! The file that describes a subject: what its keys mean, and what is wrong with it, with the line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use serde::Deserialize;
use toml::Spanned;

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
    templates: Vec<(usize, Kind, String)>,
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

/// Texts, each with its place.
type Texts = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Option<String>,
    nodes: Option<Spanned<usize>>,
    node: NodeTable,
    health: Spanned<HealthTable>,
    #[serde(default)]
    stop: StopTable,
    setup: Option<SetupTable>,
    client: ClientTable,
    #[serde(default)]
    faults: FaultsTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeTable {
    command: Spanned<Texts>,
    #[serde(default)]
    first: Texts,
    #[serde(default)]
    others: Texts,
    #[serde(default)]
    environment: BTreeMap<String, Spanned<String>>,
    ports: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthTable {
    tcp: Option<Spanned<String>>,
    command: Option<Spanned<Texts>>,
    timeout_ms: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopTable {
    signal: Option<Spanned<String>>,
    timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupTable {
    command: Spanned<Texts>,
    timeout_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientTable {
    command: Spanned<Texts>,
    #[serde(default)]
    environment: BTreeMap<String, Spanned<String>>,
    timeout_ms: Option<Spanned<u64>>,
    workloads: Spanned<Texts>,
    cut: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsTable {
    calm_ms: Option<Spanned<[u64; 2]>>,
    last_ms: Option<Spanned<[u64; 2]>>,
    settle_ms: Option<u64>,
}

/// The signals that a node may be asked to end with.
const SIGNALS: [(&str, Signal); 5] = [
    ("TERM", Signal::TERM),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("HUP", Signal::HUP),
    ("KILL", Signal::KILL),
];

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
        let document: Document =
            toml::from_str(text).map_err(|error| SettingsError::Malformed {
                path: path.to_owned(),
                error,
            })?;
        let mut reader = Reader {
            path,
            text,
            templates: Vec::new(),
        };
        reader.settings(document)
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
        self.client.workloads.first().copied().unwrap_or(&REGISTRY[0])
    }

    /// How long a client waits for an answer, in microseconds.
    pub fn timeout_us(&self) -> u64 {
        u64::try_from(self.client.timeout.as_micros()).unwrap_or(u64::MAX)
    }
}

/// A file while it is read.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    templates: Vec<(usize, Kind, String)>,
}

impl Reader<'_> {
    fn settings(&mut self, mut document: Document) -> Result<Settings, SettingsError> {
        let nodes = match &document.nodes {
            None => 3,
            Some(count) if (1..=NODES_MAX).contains(count.get_ref()) => *count.get_ref(),
            Some(count) => {
                let why = format!("nodes is from 1 to {NODES_MAX}");
                return Err(self.wrong(count, why));
            }
        };
        let ports = self.ports(document.node.ports.take())?;
        let health = self.health(document.health, &ports)?;
        let (stop_signal, stop_timeout) = self.stop(&document.stop)?;
        let node = document.node;
        let setup = match document.setup {
            None => None,
            Some(table) => Some(Setup {
                command: self.command(table.command, Kind::Setup)?,
                timeout: self.timeout(table.timeout_ms, 10_000)?,
            }),
        };
        let usual = (300, 1_500);
        let pace = Pace {
            calm_us: self.between(document.faults.calm_ms, usual)?,
            fault_us: self.between(document.faults.last_ms, usual)?,
        };
        let absolute = std::path::absolute(self.path).unwrap_or_else(|_| self.path.to_owned());
        let settings = Settings {
            name: document.name.unwrap_or_else(|| {
                let stem = self.path.file_stem().unwrap_or_default();
                stem.to_string_lossy().into_owned()
            }),
            path: self.path.to_owned(),
            here: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
            nodes,
            command: self.command(node.command, Kind::Node)?,
            first: self.texts(node.first, Kind::Node),
            others: self.texts(node.others, Kind::Node),
            environment: self.environment(node.environment, Kind::Node),
            ports,
            health,
            stop_signal,
            stop_timeout,
            setup,
            client: self.client(document.client)?,
            pace,
            settle_us: document.faults.settle_ms.unwrap_or(1_000) * 1_000,
            templates: std::mem::take(&mut self.templates),
        };
        settings.check(nodes)?;
        Ok(settings)
    }

    fn ports(&self, ports: Option<Texts>) -> Result<Vec<String>, SettingsError> {
        let Some(ports) = ports else {
            return Ok(vec!["client".to_owned()]);
        };
        let mut names: Vec<String> = Vec::new();
        for port in ports {
            let name = port.get_ref();
            let is_word = !name.is_empty()
                && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            if !is_word || names.contains(name) {
                let why = format!(
                    "a port's name is a word of small letters, each once: `{name}` is not"
                );
                return Err(self.wrong(&port, why));
            }
            names.push(port.into_inner());
        }
        Ok(names)
    }

    fn health(
        &mut self,
        table: Spanned<HealthTable>,
        ports: &[String],
    ) -> Result<Health, SettingsError> {
        let span = table.span();
        let HealthTable {
            tcp,
            command,
            timeout_ms,
        } = table.into_inner();
        let check = match (tcp, command) {
            (Some(tcp), None) => {
                let named = |name: &String| name == tcp.get_ref();
                Check::Tcp(ports.iter().position(named).ok_or_else(|| {
                    let why = format!(
                        "there is no port `{}`; node.ports has: {}",
                        tcp.get_ref(),
                        ports.join(", ")
                    );
                    self.wrong(&tcp, why)
                })?)
            }
            (None, Some(command)) => Check::Command(self.command(command, Kind::Node)?),
            _ => {
                return Err(SettingsError::Wrong {
                    path: self.path.to_owned(),
                    line: self.line(span.start),
                    why: "[health] wants one of `tcp = \"PORT\"` and `command = [\"PROGRAM\", …]`".to_owned(),
                });
            }
        };
        Ok(Health {
            check,
            timeout: self.timeout(timeout_ms, 10_000)?,
        })
    }

    fn stop(&self, table: &StopTable) -> Result<(Signal, Duration), SettingsError> {
        let timeout = Duration::from_millis(table.timeout_ms.unwrap_or(2_000));
        let Some(signal) = &table.signal else {
            return Ok((Signal::TERM, timeout));
        };
        let short = signal.get_ref().trim_start_matches("SIG");
        match SIGNALS.iter().find(|(name, _)| *name == short) {
            Some((_, signal)) => Ok((*signal, timeout)),
            None => {
                let names = SIGNALS.map(|(name, _)| name).join(", ");
                let why = format!("there is no signal `{}` here; there are: {names}", signal.get_ref());
                Err(self.wrong(signal, why))
            }
        }
    }

    fn client(&mut self, table: ClientTable) -> Result<Client, SettingsError> {
        let mut workloads = Vec::new();
        for name in table.workloads.get_ref() {
            let words = Words::find(name.get_ref()).map_err(|why| self.wrong(name, why))?;
            workloads.push(words);
        }
        if workloads.is_empty() {
            let why = "a client serves at least one workload".to_owned();
            return Err(self.wrong(&table.workloads, why));
        }
        Ok(Client {
            command: self.command(table.command, Kind::Client)?,
            environment: self.environment(table.environment, Kind::Client),
            timeout: self.timeout(table.timeout_ms, 5_000)?,
            workloads,
            is_cut: table.cut.unwrap_or(true),
        })
    }

    /// A command: a program that `PATH` has, or a path that does not depend on where we are.
    fn command(
        &mut self,
        command: Spanned<Texts>,
        kind: Kind,
    ) -> Result<Vec<String>, SettingsError> {
        let Some(program) = command.get_ref().first() else {
            let why = "a command has at least the name of a program".to_owned();
            return Err(self.wrong(&command, why));
        };
        let name = program.get_ref();
        if name.contains('/') && !name.starts_with(['/', '{']) {
            let why = format!("`{name}` depends on where tribunal is started: write `{{here}}/{name}`, which is beside this file, or a whole path");
            return Err(self.wrong(program, why));
        }
        Ok(self.texts(command.into_inner(), kind))
    }

    fn texts(&mut self, texts: Texts, kind: Kind) -> Vec<String> {
        texts.into_iter().map(|text| self.template(text, kind)).collect()
    }

    fn environment(
        &mut self,
        variables: BTreeMap<String, Spanned<String>>,
        kind: Kind,
    ) -> BTreeMap<String, String> {
        let set = |(name, value)| (name, self.template(value, kind));
        variables.into_iter().map(set).collect()
    }

    fn template(&mut self, text: Spanned<String>, kind: Kind) -> String {
        let line = self.line(text.span().start);
        let text = text.into_inner();
        self.templates.push((line, kind, text.clone()));
        text
    }

    fn timeout(&self, given_ms: Option<Spanned<u64>>, usual_ms: u64) -> Result<Duration, SettingsError> {
        match given_ms {
            None => Ok(Duration::from_millis(usual_ms)),
            Some(given) if *given.get_ref() > 0 => Ok(Duration::from_millis(given.into_inner())),
            Some(given) => Err(self.wrong(&given, "nothing is done in 0 ms".to_owned())),
        }
    }

    fn between(
        &self,
        given_ms: Option<Spanned<[u64; 2]>>,
        usual_ms: (u64, u64),
    ) -> Result<(u64, u64), SettingsError> {
        let (shortest, longest) = match &given_ms {
            None => usual_ms,
            Some(given) => (given.get_ref()[0], given.get_ref()[1]),
        };
        match &given_ms {
            Some(given) if shortest > longest || longest == 0 => {
                Err(self.wrong(given, "the shortest time comes first, and then the longest".to_owned()))
            }
            _ => Ok((shortest * 1_000, longest * 1_000)),
        }
    }

    fn wrong<T>(&self, place: &Spanned<T>, why: String) -> SettingsError {
        SettingsError::Wrong {
            path: self.path.to_owned(),
            line: self.line(place.span().start),
            why,
        }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes()[..offset.min(self.text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
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
        Settings::parse(Path::new("a.toml"), text).unwrap_err().to_string()
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
        assert!(settings.workload("set").unwrap_err().contains("it serves: register"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
        let told = error(&with("tcp = ", "tpc = "));
        assert!(told.contains("line 6") && told.contains("unknown field `tpc`, expected one of `tcp`"), "{told}");
        let told = error(&with("tcp = \"client\"", "tcp = \"bus\""));
        insta::assert_snapshot!(told, @"a.toml, line 6: there is no port `bus`; node.ports has: client");
        let told = error(&with("tcp = \"client\"", "timeout_ms = 1"));
        insta::assert_snapshot!(told, @r#"a.toml, line 5: [health] wants one of `tcp = "PORT"` and `command = ["PROGRAM", …]`"#);
        let told = error(&with("{peers}", "{pears}"));
        assert!(told.starts_with("a.toml, line 3: there is no placeholder {pears}; there are: {node}"), "{told}");
        let told = error(&with("{port}", "{port.n9}"));
        insta::assert_snapshot!(told, @"a.toml, line 9: {port.n9} wants a node n9, and there are 3; say `nodes = 9`, or --node-count 9");
        let told = error(&with("{here}/client.py", "./client.py"));
        assert!(told.starts_with("a.toml, line 9: `./client.py` depends on where"), "{told}");
        let told = error(&with("\"register\"", "\"queue\""));
        assert!(told.starts_with("a.toml, line 10: there is no workload `queue` here; there are: register, "), "{told}");
        let told = error(&with("workloads = [\"register\"]", ""));
        assert!(told.contains("line 8") && told.contains("missing field `workloads`"), "{told}");
        let told = error(&format!("{GOOD}[stop]\nsignal = \"USR9\"\n"));
        insta::assert_snapshot!(told, @"a.toml, line 12: there is no signal `USR9` here; there are: TERM, INT, QUIT, HUP, KILL");
        let told = error(&format!("{GOOD}[faults]\nlast_ms = [500, 100]\n"));
        insta::assert_snapshot!(told, @"a.toml, line 12: the shortest time comes first, and then the longest");
    }
}
