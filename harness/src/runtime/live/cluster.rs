//! A cluster of real processes on this machine, with the relay between them: what a nemesis lays hands on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tribunal_histories::NodeId;
use tribunal_protocols::Node;
use tribunal_protocols::contract::Configuration;

use super::LiveError;
use super::node_process::{NodeArgs, Report};
use super::relay::Relay;

/// How long a process may take until it listens.
const READY: Duration = Duration::from_secs(10);

/// What a cluster is started with.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// The program that has the subcommand `node`: this one, as a rule
    /// ([`current_exe`](std::env::current_exe)).
    pub program: PathBuf,
    /// The protocol, by its name in the registry.
    pub protocol: String,
    /// Its configuration, in JSON.
    pub config: String,
    /// How many nodes there are.
    pub nodes: usize,
    /// What timers and disturbances of the network are drawn from.
    pub seed: u64,
    /// Where each node gets a directory for its data, and a file for what it writes to its standard error.
    pub directory: PathBuf,
    /// Whether the nodes do nothing of their own accord: see [`scripted`](super::scripted).
    pub scripted: bool,
}

/// A node that ended though nobody killed it: it panicked, or its disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// Which.
    pub node: NodeId,
    /// How its process ended.
    pub status: ExitStatus,
}

/// How often each probe of the protocol was hit, all nodes together.
pub type Notes = BTreeMap<String, u64>;

/// What the nodes reported so far.
#[derive(Debug, Default)]
struct Heard {
    leaders: BTreeSet<NodeId>,
    notes: Notes,
}

/// A running process.
#[derive(Debug)]
struct Running {
    child: Child,
    /// Open as long as the process is to run.
    _alive: ChildStdin,
    paused: bool,
}

/// A node's place: its process comes and goes.
#[derive(Debug)]
struct Place {
    running: Option<Running>,
    /// How often it was started.
    starts: u64,
}

/// A cluster of real processes. Dropped, it kills them all.
#[derive(Debug)]
pub struct LiveCluster {
    options: ClusterOptions,
    relay: Relay,
    places: Vec<Place>,
    /// By node, where clients reach it; `None` while it is down.
    addresses: watch::Sender<Vec<Option<SocketAddr>>>,
    heard: Arc<Mutex<Heard>>,
    /// What reads the nodes' reports.
    listeners: JoinSet<()>,
    fallen: Vec<Fallen>,
}

impl ClusterOptions {
    /// A cluster of this protocol, whose processes are this program.
    ///
    /// # Errors
    /// If the configuration has no form in JSON, or this program cannot be found any more.
    pub fn of<N: Node>(
        config: &N::Config,
        seed: u64,
        directory: PathBuf,
    ) -> Result<Self, LiveError> {
        Ok(Self {
            program: std::env::current_exe()
                .map_err(LiveError::while_doing("cannot find this program"))?,
            protocol: N::NAME.into(),
            config: serde_json::to_string(config).map_err(|source| LiveError::Config {
                protocol: N::NAME,
                source,
            })?,
            nodes: config.nodes(),
            seed,
            directory,
            scripted: false,
        })
    }
}

impl LiveCluster {
    /// Starts the relay and every node, and waits until all of them listen. Call it within a tokio runtime.
    ///
    /// # Errors
    /// If a process cannot be started or does not listen in time.
    pub async fn start(options: ClusterOptions) -> Result<Self, LiveError> {
        std::fs::create_dir_all(&options.directory).map_err(LiveError::while_doing(
            "cannot make the directory of the cluster",
        ))?;
        let relay = Relay::start(options.nodes, options.seed)
            .await
            .map_err(LiveError::while_doing("cannot start the relay"))?;
        let mut cluster = Self {
            relay,
            places: NodeId::all(options.nodes)
                .map(|_| Place {
                    running: None,
                    starts: 0,
                })
                .collect(),
            addresses: watch::Sender::new(vec![None; options.nodes]),
            heard: Arc::default(),
            listeners: JoinSet::new(),
            fallen: Vec::new(),
            options,
        };
        for node in NodeId::all(cluster.places.len()) {
            cluster.restart(node).await?;
        }
        Ok(cluster)
    }

    /// The relay between the nodes.
    pub fn relay(&self) -> &Relay {
        &self.relay
    }

    /// By node, where clients reach it, now and later; `None` while it is down.
    pub fn addresses(&self) -> watch::Receiver<Vec<Option<SocketAddr>>> {
        self.addresses.subscribe()
    }

    /// How many nodes it has, up or not.
    pub fn nodes(&self) -> usize {
        self.places.len()
    }

    /// The nodes that believe they lead, as far as they have reported it.
    pub fn leaders(&self) -> Vec<NodeId> {
        lock(&self.heard).leaders.iter().copied().collect()
    }

    /// The nodes that are up: those that are paused, too.
    pub fn up(&self) -> BTreeSet<NodeId> {
        self.those(|_| true)
    }

    /// The nodes that are paused.
    pub fn paused(&self) -> BTreeSet<NodeId> {
        self.those(|running| running.paused)
    }

    fn those(&self, which: impl Fn(&Running) -> bool) -> BTreeSet<NodeId> {
        NodeId::all(self.places.len())
            .filter(|node| {
                self.places[node.index()]
                    .running
                    .as_ref()
                    .is_some_and(&which)
            })
            .collect()
    }

    /// Kills a node's process, as `kill -9` does, and waits until it is gone. Nothing happens if it is down.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(&mut self, node: NodeId) -> Result<(), LiveError> {
        if let Some(mut running) = self.places[node.index()].running.take() {
            self.relay.node_listens(node, None);
            self.addresses.send_modify(|all| all[node.index()] = None);
            running
                .child
                .kill()
                .await
                .map_err(LiveError::while_doing("cannot kill a node"))?;
        }
        Ok(())
    }

    /// Starts a node that is down, from its data, and waits until it listens. Nothing happens if it is up.
    ///
    /// # Errors
    /// If its process cannot be started or does not listen in time.
    pub async fn restart(&mut self, node: NodeId) -> Result<(), LiveError> {
        if self.places[node.index()].running.is_some() {
            return Ok(());
        }
        let (running, reports) = self.spawn(node)?;
        self.places[node.index()].running = Some(running);
        self.places[node.index()].starts += 1;
        let (ready, is_ready) = oneshot::channel();
        self.listeners
            .spawn(listen(node, reports, ready, self.heard.clone()));
        let Ok(Ok(address)) = tokio::time::timeout(READY, is_ready).await else {
            self.kill(node).await?;
            return Err(LiveError::NotReady {
                node,
                stderr: self.stderr_file(node),
            });
        };
        if !self.options.scripted {
            // A puppet's strings go to the first that connects, and the relay connects at once.
            self.relay.node_listens(node, Some(address));
        }
        self.addresses
            .send_modify(|all| all[node.index()] = Some(address));
        Ok(())
    }

    /// Stops a node's process where it is (SIGSTOP). Nothing happens if it is down.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn pause(&mut self, node: NodeId) -> Result<(), LiveError> {
        self.signal(node, Signal::STOP, true)
    }

    /// Lets a paused node go on (SIGCONT). Nothing happens if it is down.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn resume(&mut self, node: NodeId) -> Result<(), LiveError> {
        self.signal(node, Signal::CONT, false)
    }

    fn signal(&mut self, node: NodeId, signal: Signal, paused: bool) -> Result<(), LiveError> {
        let Some(running) = &mut self.places[node.index()].running else {
            return Ok(());
        };
        let number = running.child.id().map(u32::cast_signed);
        // Without a number it has ended already, by itself: `bury` will find it.
        if let Some(process) = number.and_then(Pid::from_raw) {
            kill_process(process, signal)
                .map_err(|error| LiveError::while_doing("cannot signal a node")(error.into()))?;
            running.paused = paused;
        }
        Ok(())
    }

    /// Looks for nodes that ended by themselves; from then on they are down.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn bury(&mut self) -> Result<(), LiveError> {
        for node in self.up() {
            let running = self.places[node.index()].running.as_mut();
            let ended = running.map_or(Ok(None), |running| running.child.try_wait());
            if let Some(status) =
                ended.map_err(LiveError::while_doing("cannot look after a node"))?
            {
                self.fallen.push(Fallen { node, status });
                self.kill(node).await?;
            }
        }
        Ok(())
    }

    /// The number of a node's process, for a debugger or a trace of its system calls; `None` while it is down.
    pub fn process_id(&self, node: NodeId) -> Option<u32> {
        self.places[node.index()].running.as_ref()?.child.id()
    }

    /// The nodes that ended by themselves, as far as [`bury`](Self::bury) has found them.
    pub fn fallen(&self) -> &[Fallen] {
        &self.fallen
    }

    /// How often the nodes hit each probe so far.
    pub fn notes(&self) -> Notes {
        lock(&self.heard).notes.clone()
    }

    /// Where a node keeps its files.
    pub fn data_directory(&self, node: NodeId) -> PathBuf {
        self.options.directory.join(node.to_string())
    }

    /// Where a node's standard error goes.
    pub fn stderr_file(&self, node: NodeId) -> PathBuf {
        self.options.directory.join(format!("{node}.stderr"))
    }

    /// Kills all nodes and hears what they still had to report: how often they hit each probe.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn stop(mut self) -> Result<Notes, LiveError> {
        for node in self.up() {
            self.kill(node).await?;
        }
        while self.listeners.join_next().await.is_some() {}
        Ok(self.notes())
    }

    fn spawn(&self, node: NodeId) -> Result<(Running, ChildStdout), LiveError> {
        let failed = LiveError::while_doing("cannot start a node's process");
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let args = NodeArgs {
            protocol: self.options.protocol.clone(),
            id: node,
            listen: nowhere,
            peers: NodeId::all(self.places.len())
                .map(|peer| self.relay.entry(node, peer).unwrap_or(nowhere))
                .collect(),
            data: self.data_directory(node),
            cluster_config: self.options.config.clone(),
            seed: self.options.seed,
            incarnation: self.places[node.index()].starts,
            scripted: self.options.scripted,
        };
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(self.stderr_file(node))
            .map_err(&failed)?;
        let mut child = Command::new(&self.options.program)
            .arg("node")
            .args(args.to_command_line())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            // Ctrl-C is for us: we end the nodes. And a stopped process whose group has lost its parent is
            // hung up by the kernel, so that not even a paused node survives us.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(&failed)?;
        let (Some(alive), Some(reports)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        let running = Running {
            child,
            _alive: alive,
            paused: false,
        };
        Ok((running, reports))
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hears a node's reports until its process ends.
async fn listen(
    node: NodeId,
    reports: ChildStdout,
    ready: oneshot::Sender<SocketAddr>,
    heard: Arc<Mutex<Heard>>,
) {
    let (mut lines, mut ready) = (BufReader::new(reports).lines(), Some(ready));
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Report::Listening(address)) => {
                if let Some(ready) = ready.take() {
                    // Nobody waits any more: the node was too slow.
                    let _late = ready.send(address);
                }
            }
            Ok(Report::Leads(true)) => drop(lock(&heard).leaders.insert(node)),
            Ok(Report::Leads(false)) => drop(lock(&heard).leaders.remove(&node)),
            Ok(Report::Note(probe)) => *lock(&heard).notes.entry(probe).or_default() += 1,
            // A line that a kill cut off.
            Err(_) => {}
        }
    }
    lock(&heard).leaders.remove(&node);
}
