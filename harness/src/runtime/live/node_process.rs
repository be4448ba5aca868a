//! The body of a node's process: `tribunal node …`, started by a [`LiveCluster`](super::LiveCluster).
//!
//! The process listens on a TCP port for its peers and for clients, tells on its standard output what happens
//! ([`Report`], a JSON value a line), and ends when its standard input is closed: no node survives the process
//! that started it.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tribunal_histories::NodeId;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::{Disk, Node};

use super::frame::FrameReader;
use super::outlet::Outlet;
use super::puppet;
use super::surroundings::{Arrival, LogThread, Surroundings, Timers};
use super::wal::{WalError, WriteAheadLog};
use crate::runtime::env::host;

/// The name of the write-ahead log in a node's data directory.
pub const LOG_FILE: &str = "wal";

/// How many packets wait for the node before its connections do.
const INBOX: usize = 1024;

/// What a node is told when it starts: the arguments of `tribunal node`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct NodeArgs {
    /// The protocol that it runs, by its name in the registry.
    #[arg(long)]
    pub protocol: String,
    /// Which node of the cluster it is: `n1`, `n2`, …
    #[arg(long)]
    pub id: NodeId,
    /// Where it listens for peers and clients; with port 0 the system picks one, and the node reports it.
    #[arg(long)]
    pub listen: SocketAddr,
    /// Where it reaches each node of the cluster, in order; its own is not used.
    #[arg(long, value_delimiter = ',')]
    pub peers: Vec<SocketAddr>,
    /// The directory of its files.
    #[arg(long)]
    pub data: PathBuf,
    /// The protocol's configuration, in JSON.
    #[arg(long)]
    pub cluster_config: String,
    /// What the durations of its timers are drawn from.
    #[arg(long)]
    pub seed: u64,
    /// How often it was started before; it draws other durations each time.
    #[arg(long)]
    pub incarnation: u64,
    /// It does nothing of its own accord: whoever connects says what arrives, which timer fires, and when writes reach
    /// the disk.
    #[arg(long)]
    pub scripted: bool,
}

impl NodeArgs {
    /// The command line that says the same, behind `tribunal node`.
    pub fn to_command_line(&self) -> Vec<OsString> {
        let peers: Vec<_> = self.peers.iter().map(ToString::to_string).collect();
        let flags: [(&str, OsString); 8] = [
            ("--protocol", self.protocol.clone().into()),
            ("--id", self.id.to_string().into()),
            ("--listen", self.listen.to_string().into()),
            ("--peers", peers.join(",").into()),
            ("--data", self.data.clone().into()),
            ("--cluster-config", self.cluster_config.clone().into()),
            ("--seed", self.seed.to_string().into()),
            ("--incarnation", self.incarnation.to_string().into()),
        ];
        let words = flags.map(|(flag, value)| [flag.into(), value]);
        let scripted = self.scripted.then(|| "--scripted".into());
        words.into_iter().flatten().chain(scripted).collect()
    }
}

/// What a node tells the process that started it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// It has recovered its state and listens here.
    Listening(SocketAddr),
    /// It leads from now on, or no longer.
    Leads(bool),
    /// A probe was hit.
    Note(String),
}

impl Report {
    /// Tells whoever started this process.
    pub(super) fn tell(&self) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        io::stdout().lock().write_all(&line)
    }
}

/// A node's process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its configuration is not one of this protocol.
    #[error("the configuration is not one of {protocol}: {source}")]
    Config {
        /// The protocol.
        protocol: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The peers are not those of the configuration.
    #[error(
        "{given} peers are given for a cluster of {nodes} nodes; give an address for each node"
    )]
    Peers {
        /// How many addresses were given.
        given: usize,
        /// The size of the cluster.
        nodes: usize,
    },
    /// Its write-ahead log cannot be used.
    #[error(transparent)]
    Log(#[from] WalError),
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// Gives an I/O error its context.
pub(super) fn while_doing(doing: &'static str) -> impl Fn(io::Error) -> NodeError {
    move |source| NodeError::Io { doing, source }
}

/// Runs a node until standard input is closed. This is the whole of a process: call it once, from `main`.
///
/// # Errors
/// If the node cannot start, or its disk fails.
pub fn run<N: Node>(args: &NodeArgs) -> Result<(), NodeError> {
    let config: N::Config =
        serde_json::from_str(&args.cluster_config).map_err(|source| NodeError::Config {
            protocol: N::NAME,
            source,
        })?;
    if args.peers.len() != config.nodes() {
        return Err(NodeError::Peers {
            given: args.peers.len(),
            nodes: config.nodes(),
        });
    }
    std::fs::create_dir_all(&args.data).map_err(while_doing("cannot make the data directory"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(while_doing("cannot start the node's event loop"))?;
    runtime.block_on(serve::<N>(args, config))
}

async fn serve<N: Node>(args: &NodeArgs, config: N::Config) -> Result<(), NodeError> {
    let parent = watch_parent();
    let (log, recovered) = WriteAheadLog::open::<N::Durable>(&args.data.join(LOG_FILE))?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(while_doing("cannot listen for peers and clients"))?;
    let address = listener
        .local_addr()
        .map_err(while_doing("cannot tell where the node listens"))?;
    let (inbox, arrivals) = mpsc::channel(INBOX);
    if args.scripted {
        tell_where(address, recovered.cut_bytes)?;
        let durable = recovered.durable;
        return puppet::run::<N>(args.id, config, durable, log, listener, parent).await;
    }
    tokio::spawn(accept::<N>(listener, inbox));
    let peer = |(node, address): (NodeId, &SocketAddr)| {
        (node != args.id).then(|| Outlet::to(watch::channel(Some(*address)).1))
    };
    let mut surroundings = Surroundings::<N> {
        me: args.id,
        disk: Disk::holding(recovered.durable),
        log: LogThread::start(log),
        peers: NodeId::all(args.peers.len())
            .zip(&args.peers)
            .map(peer)
            .collect(),
        arrivals,
        timers: Timers::new(args.seed, args.id, args.incarnation),
        loopback: VecDeque::new(),
        clients: BTreeMap::new(),
        leads: false,
        parent,
        failure: None,
    };
    tell_where(address, recovered.cut_bytes)?;
    host(args.id, Arc::new(config), &mut surroundings).await;
    match surroundings.failure {
        None => Ok(()),
        Some(error) => Err(while_doing("the node stopped")(error)),
    }
}

/// Reports what recovery came to, and where the node listens.
fn tell_where(address: SocketAddr, cut_bytes: usize) -> Result<(), NodeError> {
    if cut_bytes > 0 {
        Report::Note("a torn write was cut off the log".into())
            .tell()
            .map_err(while_doing("cannot report a torn write"))?;
    }
    Report::Listening(address)
        .tell()
        .map_err(while_doing("cannot report where the node listens"))
}

/// Closed when standard input is: whoever started this process wants it to end, or has ended.
fn watch_parent() -> mpsc::Receiver<()> {
    let (alive, parent) = mpsc::channel(1);
    // A thread, and not a task: a runtime that shuts down would wait for the task's read, for ever.
    std::thread::spawn(move || {
        let mut ignored = [0; 64];
        while matches!(io::stdin().read(&mut ignored), Ok(1..)) {}
        drop(alive);
    });
    parent
}

async fn accept<N: Node>(listener: TcpListener, inbox: mpsc::Sender<Arrival<N>>) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => drop(tokio::spawn(receive(connection, inbox.clone()))),
            // The caller went away, or there are too many connections: the next attempt may succeed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Hands over the packets of one connection, until it ends or holds something else.
async fn receive<N: Node>(connection: TcpStream, inbox: mpsc::Sender<Arrival<N>>) {
    if connection.set_nodelay(true).is_err() {
        return;
    }
    let (from, to) = connection.into_split();
    let (mut frames, back) = (FrameReader::new(from), Outlet::over(to));
    while let Ok(Some(frame)) = frames.next().await {
        let back = back.clone();
        let arrival = match frame.read() {
            Ok(packet) => Arrival { packet, back },
            Err(error) => {
                // Kept in the run's directory; if it cannot be written, nothing better can be done with it.
                let _unheard = writeln!(io::stderr(), "a connection was closed: {error}");
                return;
            }
        };
        if inbox.send(arrival).await.is_err() {
            return;
        }
    }
}
