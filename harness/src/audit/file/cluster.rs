//! A subject of a file while it runs: nodes, the relay before them, and clients.

#![expect(
    clippy::disallowed_methods,
    reason = "what is audited here runs in real time"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tribunal_histories::{Kind, NodeId, Value};

use super::client::{ClientProcess, Heard, Said};
use super::node::{Asking, Health, Node};
use super::owner::{Owner, Processes};
use super::ports;
use super::program::{Start, end_of_log};
use super::relay::{Relay, Traffic};
use super::settings::{Check, Settings};
use super::template::{self, Scene};
use super::trouble::{Trouble, What};
use super::words::{Words, is_read, request};
use crate::audit::subject::Completion;
use crate::audit::{Cut, Disturb, Kill, Ledger, Pause, Subject};
use crate::generator::{Call, Invocation};
use crate::nemesis::{Grudge, PacketRates};

/// How often it is looked after nodes, and whether the run is to stop.
const TICK: Duration = Duration::from_millis(20);

/// So many clients may end without an answer before anybody has answered anything.
const BARREN_MAX: usize = 5;

/// What a run begins with.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub(super) settings: Arc<Settings>,
    pub(super) words: &'static Words,
    pub(super) nodes: usize,
    pub(super) concurrency: usize,
    pub(super) seed: u64,
    /// Where nodes have their folders, and what programs write is kept.
    pub(super) folder: PathBuf,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Cluster {
    begin: Begin,
    processes: Processes,
    /// By node and port, where it listens.
    listen: Vec<Vec<u16>>,
    relay: Relay,
    nodes: Vec<Node>,
    /// By thread.
    clients: Vec<Option<ClientProcess>>,
    /// By thread, what its client was told and has not answered: which process, and what.
    in_flight: Vec<Option<(u32, Call)>>,
    hear: Sender<Heard>,
    heard: Receiver<Heard>,
    /// How many clients were started.
    started: u64,
    /// How many of them ended without an answer, if none has ever answered.
    barren: Option<usize>,
    start: Instant,
    pub(super) ledger: Ledger,
    pub(super) trouble: Option<Trouble>,
}

impl Cluster {
    /// A cluster of which nothing runs yet but the relay.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn new(begin: Begin) -> Result<Self, Trouble> {
        let failed = |error: io::Error| impossible(format!("{}: {error}", begin.folder.display()));
        // What another run of the seed left is not to be found again.
        if begin.folder.exists() {
            fs::remove_dir_all(&begin.folder).map_err(failed)?;
        }
        fs::create_dir_all(&begin.folder).map_err(failed)?;
        let folder = fs::canonicalize(&begin.folder).map_err(failed)?;
        let begin = Begin { folder, ..begin };
        let settings = &begin.settings;
        let each = settings.ports.len();
        let ports =
            ports::free(each * begin.nodes).map_err(|error| impossible(error.to_string()))?;
        let listen: Vec<Vec<u16>> = match each {
            0 => vec![Vec::new(); begin.nodes],
            _ => ports.chunks(each).map(<[u16]>::to_vec).collect(),
        };
        let processes = Processes::new();
        let is_client_cut = settings.client.is_cut;
        let relay = Relay::start(&listen, &processes, is_client_cut, begin.seed)
            .map_err(|error| impossible(format!("cannot start the relay: {error}")))?;
        let (hear, heard) = channel();
        let mut cluster = Self {
            processes,
            listen,
            relay,
            nodes: Vec::new(),
            clients: (0..begin.concurrency).map(|_| None).collect(),
            in_flight: vec![None; begin.concurrency],
            hear,
            heard,
            started: 0,
            barren: Some(0),
            start: Instant::now(),
            ledger: Ledger::new(false),
            trouble: None,
            begin,
        };
        let nodes: Result<_, String> = NodeId::all(cluster.begin.nodes)
            .map(|node| cluster.node(node))
            .collect();
        cluster.nodes = nodes.map_err(impossible)?;
        Ok(cluster)
    }

    fn node(&self, node: NodeId) -> Result<Node, String> {
        let settings = &self.begin.settings;
        let data = self.data(node);
        let scene = self.scene(template::Kind::Node, node, &data);
        let mut command = scene.fill_all(&settings.command)?;
        let more = if node.index() == 0 {
            &settings.first
        } else {
            &settings.others
        };
        command.extend(scene.fill_all(more)?);
        let start = Start {
            command,
            environment: filled(&scene, &settings.environment)?,
            mark: Some(self.processes.mark(Owner::Node(node))),
            folder: data.clone(),
            log: self.log(&node.to_string()),
        };
        let asking = match &settings.health.check {
            Check::Tcp(port) => Asking::Tcp(self.listen[node.index()][*port]),
            Check::Command(command) => Asking::Command(Start {
                command: scene.fill_all(command)?,
                mark: None,
                log: self.log(&format!("{node}.health")),
                ..start.clone()
            }),
        };
        let patience = settings.health.timeout;
        Ok(Node::new(
            node,
            start,
            asking,
            patience,
            self.processes.clone(),
        ))
    }

    fn data(&self, node: NodeId) -> PathBuf {
        self.begin.folder.join(node.to_string())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.begin.folder.join(format!("{name}.log"))
    }

    fn scene<'a>(&'a self, kind: template::Kind, node: NodeId, data: &'a Path) -> Scene<'a> {
        Scene {
            kind,
            node,
            seed: self.begin.seed,
            workload: self.begin.words.entry.name,
            here: &self.begin.settings.here,
            data,
            ports: &self.begin.settings.ports,
            listen: &self.listen,
            doors: &self.relay.doors,
        }
    }

    /// Starts every node, waits until all serve, sets the system up, and starts clients.
    pub(super) fn start(&mut self, stop: &dyn Fn() -> bool) {
        for node in &mut self.nodes {
            if let Err(why) = node.start() {
                let trouble = impossible(why);
                self.trouble.get_or_insert(trouble);
                return;
            }
        }
        self.wait_until_all_serve(true, stop);
        if self.trouble.is_none() && !stop() {
            self.set_up();
        }
        for thread in 0..self.clients.len() {
            if self.trouble.is_none() && !stop() {
                self.start_client(thread);
            }
        }
        self.start = Instant::now();
    }

    fn set_up(&mut self) {
        let Some(setup) = self.begin.settings.setup.clone() else {
            return;
        };
        let folder = self.begin.folder.clone();
        let command = self
            .scene(template::Kind::Setup, NodeId(0), &folder)
            .fill_all(&setup.command);
        let log = self.log("setup");
        let start = command.map(|command| Start {
            command,
            environment: BTreeMap::new(),
            mark: None,
            folder,
            log: log.clone(),
        });
        if let Err(why) = start.and_then(|start| start.run(setup.timeout)) {
            self.trouble = Some(Trouble {
                what: What::Setup { why },
                log: end_of_log(&log),
            });
        }
    }

    /// Waits until every node serves, or one ends or does not serve in time.
    fn wait_until_all_serve(&mut self, is_first: bool, stop: &dyn Fn() -> bool) {
        let patience = self.begin.settings.health.timeout;
        loop {
            if stop() || self.trouble.is_some() {
                return;
            }
            let mut is_waiting = false;
            for node in &mut self.nodes {
                let (id, log) = (node.id, node.log().clone());
                let what = if let Some(status) = node.has_ended() {
                    let status = status.to_string();
                    match is_first {
                        true => What::DiedAtStart { node: id, status },
                        false => What::Ended { node: id, status },
                    }
                } else if let Some(Health::No(why)) = node.health() {
                    let timeout_ms = patience.as_millis();
                    What::NotHealthy {
                        node: id,
                        timeout_ms,
                        why,
                    }
                } else {
                    is_waiting |= node.health() != Some(Health::Serves);
                    continue;
                };
                self.trouble = Some(Trouble {
                    what,
                    log: end_of_log(&log),
                });
                return;
            }
            if !is_waiting {
                return;
            }
            std::thread::sleep(TICK / 2);
        }
    }

    fn start_client(&mut self, thread: usize) {
        let beside = NodeId::from_index(thread % self.begin.nodes);
        let owner = Owner::Client(beside);
        let data = self.begin.folder.clone();
        let scene = self.scene(template::Kind::Client, beside, &data);
        let settings = &self.begin.settings;
        let start = scene
            .fill_all(&settings.client.command)
            .and_then(|command| {
                Ok(Start {
                    command,
                    environment: filled(&scene, &settings.client.environment)?,
                    mark: Some(self.processes.mark(owner)),
                    folder: settings.here.clone(),
                    log: self.log(&format!("client-{}", thread + 1)),
                })
            });
        self.started += 1;
        let started = start.and_then(|start| {
            let (number, hear) = (self.started, self.hear.clone());
            ClientProcess::start(&start, thread, number, &self.processes, owner, hear)
                .map_err(|error| start.cannot(&error))
        });
        match started {
            Ok(client) => self.clients[thread] = Some(client),
            Err(why) => {
                let trouble = impossible(why);
                self.trouble.get_or_insert(trouble);
            }
        }
    }

    /// Takes what a client said; the operation that has ended by it, if one has.
    fn take(&mut self, heard: Heard) -> Option<Completion> {
        let thread = heard.thread;
        let client = self.clients[thread].as_mut()?;
        if client.number != heard.number {
            // It was given up.
            return None;
        }
        let log = client.log.clone();
        let call = self.in_flight[thread]
            .as_ref()
            .map(|(_, call)| call.clone());
        match (heard.said, call) {
            (Said::Line(line), Some(call)) => {
                match self.begin.words.completion(&call, &line) {
                    Ok((kind, value)) => {
                        client.has_answered = true;
                        self.barren = None;
                        if kind == Kind::Info {
                            // Its process is no more: a new one begins.
                            self.start_client(thread);
                        }
                        Some(self.complete(thread, kind, value))
                    }
                    Err(why) => {
                        let request = Some(request(&call));
                        self.blame(What::Rubbish { line, why, request }, &log);
                        None
                    }
                }
            }
            (Said::Line(line), None) => {
                let why = "nothing was asked".to_owned();
                self.blame(
                    What::Rubbish {
                        line,
                        why,
                        request: None,
                    },
                    &log,
                );
                None
            }
            (Said::End, call) => {
                let status = client.how_it_ended();
                self.clients[thread] = None;
                if let Some(barren) = &mut self.barren {
                    *barren += 1;
                    if *barren >= BARREN_MAX || self.clients.len() == 1 {
                        self.blame(
                            What::ClientEnds {
                                status: status.clone(),
                            },
                            &log,
                        );
                    }
                }
                let why = Value::text(&format!("the client ended ({status})"));
                call.map(|call| self.complete(thread, unanswered(&call), why))
            }
        }
    }

    fn blame(&mut self, what: What, log: &Path) {
        // What it writes about it may come a little later than the line.
        std::thread::sleep(TICK);
        self.trouble.get_or_insert(Trouble {
            what,
            log: end_of_log(log),
        });
    }

    fn complete(&mut self, thread: usize, kind: Kind, value: Value) -> Completion {
        let (process, call) = self.in_flight[thread]
            .take()
            .expect("an operation that ends was in flight");
        self.ledger().complete(process, kind, &call, &value);
        Completion {
            thread,
            kind,
            value,
        }
    }

    fn look_after_nodes(&mut self) {
        for node in &mut self.nodes {
            if let Some(status) = node.has_ended() {
                let what = What::Ended {
                    node: node.id,
                    status: status.to_string(),
                };
                let log = end_of_log(node.log());
                self.trouble.get_or_insert(Trouble { what, log });
            }
        }
    }

    /// What passed through the relay.
    pub(super) fn traffic(&self) -> Traffic {
        self.relay.traffic()
    }

    /// Ends clients, and then nodes as their file wants it.
    pub(super) fn stop(&mut self) {
        self.clients.clear();
        let settings = self.begin.settings.clone();
        for node in &mut self.nodes {
            node.stop(settings.stop_signal, settings.stop_timeout);
        }
    }
}

/// How an operation ends that nobody answers: a read has no effect.
fn unanswered(call: &Call) -> Kind {
    if is_read(call) {
        Kind::Fail
    } else {
        Kind::Info
    }
}

fn impossible(why: String) -> Trouble {
    Trouble {
        what: What::Impossible { why },
        log: String::new(),
    }
}

fn filled(
    scene: &Scene<'_>,
    variables: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let fill = |(name, value): (&String, &String)| Ok((name.clone(), scene.fill(value)?));
    variables.iter().map(fill).collect()
}

impl Subject for Cluster {
    fn nodes(&self) -> usize {
        self.begin.nodes
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn up(&self) -> BTreeSet<NodeId> {
        let up = self.nodes.iter().filter(|node| node.is_up());
        up.map(|node| node.id).collect()
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.now_ns = u64::try_from(self.start.elapsed().as_nanos()).ok();
        &mut self.ledger
    }

    fn call(&mut self, invocation: &Invocation) {
        let Invocation {
            thread,
            process,
            call,
        } = invocation;
        if self.clients[*thread].is_none() {
            self.start_client(*thread);
        }
        self.in_flight[*thread] = Some((*process, call.clone()));
        self.ledger().invoke(*process, call);
        if let Some(client) = &mut self.clients[*thread] {
            client.tell(&request(call));
        }
    }

    fn give_up(&mut self, thread: usize) -> Completion {
        let call = self.in_flight[thread].as_ref().map(|(_, call)| call);
        let kind = call.map_or(Kind::Info, unanswered);
        // It may still answer: it must not be heard.
        self.start_client(thread);
        self.complete(thread, kind, Value::text("no answer in time"))
    }

    fn advance(&mut self, until_us: Option<u64>) -> Vec<Completion> {
        let tick_us = self.now_us() + u64::try_from(TICK.as_micros()).unwrap_or(u64::MAX);
        let until_us = until_us.unwrap_or(u64::MAX).min(tick_us);
        self.look_after_nodes();
        let mut completions = Vec::new();
        let left = Duration::from_micros(until_us.saturating_sub(self.now_us()));
        let first = self.heard.recv_timeout(left).ok();
        let rest: Vec<_> = self.heard.try_iter().collect();
        for heard in first.into_iter().chain(rest) {
            if self.trouble.is_none() {
                completions.extend(self.take(heard));
            }
        }
        completions
    }

    fn recover(&mut self, stop: &dyn Fn() -> bool) {
        for node in &self.nodes {
            if let Err(why) = node.ask_again() {
                let trouble = impossible(why);
                self.trouble.get_or_insert(trouble);
            }
        }
        self.wait_until_all_serve(false, stop);
    }

    fn is_broken(&self) -> bool {
        self.trouble.is_some()
    }

    fn as_kill(&mut self) -> Option<&mut dyn Kill> {
        Some(self)
    }

    fn as_pause(&mut self) -> Option<&mut dyn Pause> {
        Some(self)
    }

    fn as_cut(&mut self) -> Option<&mut dyn Cut> {
        Some(self)
    }

    fn as_disturb(&mut self) -> Option<&mut dyn Disturb> {
        Some(self)
    }
}

impl Kill for Cluster {
    fn kill(&mut self, node: NodeId) {
        self.nodes[node.index()].kill();
    }

    fn restart(&mut self, node: NodeId) {
        if let Err(why) = self.nodes[node.index()].start() {
            let trouble = impossible(why);
            self.trouble.get_or_insert(trouble);
        }
    }
}

impl Pause for Cluster {
    fn pause(&mut self, node: NodeId) {
        self.nodes[node.index()].pause();
    }

    fn resume(&mut self, node: NodeId) {
        self.nodes[node.index()].resume();
    }

    fn paused(&self) -> BTreeSet<NodeId> {
        let paused = self.nodes.iter().filter(|node| node.is_paused);
        paused.map(|node| node.id).collect()
    }
}

impl Cut for Cluster {
    fn cut(&mut self, grudge: &Grudge) {
        let links = grudge.links().map(|(at, from)| (from, at));
        self.relay.cut(links.collect());
    }
}

impl Disturb for Cluster {
    fn disturb(&mut self, rates: PacketRates) {
        self.relay.disturb(rates);
    }
}
