//! A subject's file, key by key: how it is written, and what of it cannot be.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde::Deserialize;
use toml::Spanned;

use super::settings::{Check, Client, Health, NODES_MAX, Settings, SettingsError, Setup};
use super::template::Kind;
use super::words::Words;
use crate::nemesis::Pace;

/// Texts, each with its place.
type Texts = Vec<Spanned<String>>;

/// The file, as TOML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
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

/// A file while it is read.
pub(super) struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    templates: Vec<(usize, Kind, String)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self {
            path,
            text,
            templates: Vec::new(),
        }
    }

    /// What a document says.
    ///
    /// # Errors
    /// It says what cannot be.
    pub(super) fn settings(&mut self, mut document: Document) -> Result<Settings, SettingsError> {
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
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_');
            if !is_word || names.contains(name) {
                let why =
                    format!("a port's name is a word of small letters, each once: `{name}` is not");
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
                    why: "[health] wants one of `tcp = \"PORT\"` and `command = [\"PROGRAM\", …]`"
                        .to_owned(),
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
                let why = format!(
                    "there is no signal `{}` here; there are: {names}",
                    signal.get_ref()
                );
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
            let why = format!(
                "`{name}` depends on where tribunal is started: write `{{here}}/{name}`, which is beside this file, or a whole path"
            );
            return Err(self.wrong(program, why));
        }
        Ok(self.texts(command.into_inner(), kind))
    }

    fn texts(&mut self, texts: Texts, kind: Kind) -> Vec<String> {
        texts
            .into_iter()
            .map(|text| self.template(text, kind))
            .collect()
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

    fn timeout(
        &self,
        given_ms: Option<Spanned<u64>>,
        usual_ms: u64,
    ) -> Result<Duration, SettingsError> {
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
            Some(given) if shortest > longest || longest == 0 => Err(self.wrong(
                given,
                "the shortest time comes first, and then the longest".to_owned(),
            )),
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
