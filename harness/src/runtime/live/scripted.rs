//! A script in place of clocks and the network: the steps of a trace, taken by real processes beside `World`.
//!
//! Every packet that a node sends comes here and waits until the script delivers it; timers fire when the script says so;
//! writes reach the write-ahead log when it says so; a crash is `kill -9`. After every step the node that moved must show
//! what `World` shows, the same packets must be on their way, and clients must have seen the same; at the end, the log
//! files must hold what `World`'s disks hold.
//!
//! What a real process cannot do is refused beforehand ([`ScriptError::CannotProduce`]): a log that is only ever appended
//! to loses its last writes and no others, so a crash cannot lose writes out of order, tear one in the middle, or
//! exchange the disk; and processes begin with empty disks.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tribunal_histories::{EventRecord, NodeId, Observation};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::world::{Observer, Setup, SyncMode, World};
use tribunal_protocols::{Address, Input, Loss, Node, Step};

use super::LiveError;
use super::cluster::{ClusterOptions, LiveCluster};
use super::frame::{Frame, FrameReader};
use super::node_process::LOG_FILE;
use super::puppet::{Given, Order, Turned};
use super::wal::WriteAheadLog;
use crate::runtime::scene::Scene;

/// How long a node may take for a step.
const STEP: Duration = Duration::from_secs(10);

/// A script cannot be played, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A real process cannot be made to do that.
    #[error("{} cannot be produced with real processes: {why}; use `--runtime madsim`", step_named(*step, name))]
    CannotProduce {
        /// Which step, from 1; 0 for the start.
        step: usize,
        /// Its name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// A node does not follow orders.
    #[error("{node} did not do its part of step {step}, `{name}`: {why}; see {}", stderr.display())]
    Silent {
        /// Which.
        node: NodeId,
        /// Which step, from 1; 0 for the start.
        step: usize,
        /// Its name.
        name: String,
        /// What went wrong.
        why: String,
        /// Where the node's standard error went.
        stderr: PathBuf,
    },
    /// The cluster.
    #[error(transparent)]
    Live(#[from] LiveError),
}

fn step_named(step: usize, name: &str) -> String {
    match step {
        0 => name.to_owned(),
        _ => format!("step {step}, `{name}`,"),
    }
}

/// What came of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Played {
    /// How many steps were taken.
    pub steps: usize,
    /// How many times a node showed what it shows in `World`.
    pub views: usize,
    /// How many events clients saw, the same ones in both.
    pub events: usize,
    /// How many log files were compared with `World`'s disks.
    pub disks: usize,
    /// Where the processes first did otherwise, if they did.
    pub parting: Option<String>,
}

/// What clients saw.
#[derive(Debug, Default)]
struct Seen(Vec<EventRecord>);

impl Observer for Seen {
    fn observe(&mut self, _: &Observation<'_>) {}

    fn client_event(&mut self, event: EventRecord) {
        self.0.push(event);
    }

    fn note(&mut self, _: &'static str) {}
}

/// Whether real processes can take these steps.
///
/// # Errors
/// The first that they cannot.
pub fn check<N: Node>(setup: &Setup<N>, steps: &[Step<N>]) -> Result<(), ScriptError> {
    if !setup.disks.is_empty() {
        return Err(ScriptError::CannotProduce {
            step: 0,
            name: "a start with disks that hold something".to_owned(),
            why: "processes begin with empty logs",
        });
    }
    for (place, step) in steps.iter().enumerate() {
        let (Step::Crash { loss, .. } | Step::CrashDuring { loss, .. }) = step else {
            continue;
        };
        let why = match loss {
            Loss::All | Loss::Last(_) => continue,
            Loss::Torn(_) => "a torn record has a wrong checksum, and is cut off whole",
            Loss::Some(_) => "a log that is appended to loses its last writes, and no others",
            Loss::Disk => "a process that is killed keeps its disk",
        };
        return Err(ScriptError::CannotProduce {
            step: place + 1,
            name: step.to_string(),
            why,
        });
    }
    Ok(())
}

/// Has a cluster of processes take these steps, and compares them with `World` at every step.
///
/// # Errors
/// Steps that real processes cannot take; processes that cannot be started, or do not answer.
pub fn run<N: Node>(
    mut options: ClusterOptions,
    setup: &Setup<N>,
    steps: &[Step<N>],
) -> Result<Played, ScriptError> {
    check(setup, steps)?;
    options.scripted = true;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LiveError::while_doing("cannot start an event loop"))?;
    runtime.block_on(async {
        let mut stage = Stage::raise(options, setup).await?;
        let played = stage.play(steps).await;
        let mut played = played?;
        stage.strike(&mut played).await?;
        Ok(played)
    })
}

/// The strings of one process.
#[derive(Debug)]
struct Strings {
    orders: OwnedWriteHalf,
    reports: FrameReader<OwnedReadHalf>,
}

/// Processes, and the world beside them.
struct Stage<N: Node> {
    cluster: LiveCluster,
    /// By node; `None` while it is down.
    strings: Vec<Option<Strings>>,
    /// What each node last showed.
    shown: Vec<String>,
    /// How many of each node's writes are not on its disk.
    unsynced: Vec<usize>,
    scene: Scene<N>,
    seen: Seen,
    sync: SyncMode,
    world: World<N>,
    world_seen: Seen,
    /// The step at hand, from 1, and its name.
    step: (usize, String),
}

impl<N: Node> Stage<N> {
    async fn raise(options: ClusterOptions, setup: &Setup<N>) -> Result<Self, ScriptError> {
        let nodes = setup.config.nodes();
        let mut world_seen = Seen::default();
        let mut stage = Self {
            cluster: LiveCluster::start(options).await?,
            strings: (0..nodes).map(|_| None).collect(),
            shown: vec![String::new(); nodes],
            unsynced: vec![0; nodes],
            scene: Scene::new(nodes),
            seen: Seen::default(),
            sync: setup.sync,
            world: setup.start(&mut world_seen),
            world_seen,
            step: (0, "the start".to_owned()),
        };
        for node in NodeId::all(nodes) {
            stage.take_strings(node).await?;
        }
        Ok(stage)
    }

    async fn play(&mut self, steps: &[Step<N>]) -> Result<Played, ScriptError> {
        let mut played = Played::default();
        for node in NodeId::all(self.strings.len()) {
            played.parting = played.parting.or_else(|| self.parting(Some(node)));
            played.views += 1;
        }
        for (place, step) in steps.iter().enumerate() {
            if played.parting.is_some() {
                return Ok(played);
            }
            self.step = (place + 1, step.to_string());
            let possible = self.take(step).await?;
            let in_world = self.world.take(step, &mut self.world_seen).is_ok();
            let (number, name) = &self.step;
            if !possible || !in_world {
                let who = if possible { "World" } else { "the processes" };
                played.parting = Some(format!("step {number}, `{name}`: {who} cannot take it"));
                return Ok(played);
            }
            played.parting = self.parting(step.node());
            played.steps += 1;
            played.views += usize::from(step.node().is_some());
            played.events = self.seen.0.len();
        }
        Ok(played)
    }

    /// Takes a step; whether it is possible.
    async fn take(&mut self, step: &Step<N>) -> Result<bool, ScriptError> {
        match step {
            Step::Deliver(packet) if matches!(packet.to, Address::Client(_)) => {
                Ok(self.scene.outside(step, &mut self.seen).is_some())
            }
            Step::Deliver(_) | Step::Fire { .. } => {
                let Some((node, input)) = self.scene.input(step) else {
                    return Ok(false);
                };
                let possible = self.give(node, input, None).await?;
                if possible {
                    self.sync_at_once(node).await?;
                }
                Ok(possible)
            }
            Step::CrashDuring {
                step,
                effects,
                loss,
            } => {
                let Some((node, input)) = self.scene.input(step) else {
                    return Ok(false);
                };
                let effects = usize::from(*effects);
                let possible = self.give(node, input, Some(effects)).await?;
                Ok(possible && self.kill(node, *loss).await?)
            }
            Step::Sync { node, writes } => self.order(*node, &Order::Sync((*writes).into())).await,
            Step::Crash { node, loss } => self.kill(*node, *loss).await,
            Step::Restart { node } => {
                if self.strings[node.index()].is_some() {
                    return Ok(false);
                }
                self.cluster.restart(*node).await?;
                self.take_strings(*node).await?;
                Ok(true)
            }
            other => Ok(self.scene.outside(other, &mut self.seen).is_some()),
        }
    }

    async fn give(
        &mut self,
        node: NodeId,
        input: Input<N>,
        effects: Option<usize>,
    ) -> Result<bool, ScriptError> {
        let Some(given) = Given::of(node, input) else {
            return Ok(false);
        };
        let order = match effects {
            None => Order::Take(given),
            Some(effects) => Order::TakeInPart(given, effects),
        };
        self.order(node, &order).await
    }

    /// Where writes reach disks at once, they do.
    async fn sync_at_once(&mut self, node: NodeId) -> Result<(), ScriptError> {
        while self.sync == SyncMode::Immediate && self.unsynced[node.index()] > 0 {
            let writes = self.unsynced[node.index()];
            self.order(node, &Order::Sync(writes)).await?;
        }
        Ok(())
    }

    /// Kills a process, whose log holds by then what the crash is to leave.
    async fn kill(&mut self, node: NodeId, loss: Loss) -> Result<bool, ScriptError> {
        let place = node.index();
        if self.strings[place].is_none() {
            return Ok(false);
        }
        let lost = match loss {
            Loss::Last(count) => usize::from(count),
            _ => usize::MAX,
        };
        let kept = self.unsynced[place].saturating_sub(lost);
        if kept > 0 {
            self.send(node, &Order::Keep(kept)).await?;
            self.hear(node).await?;
        }
        self.cluster.kill(node).await?;
        self.strings[place] = None;
        self.unsynced[place] = 0;
        self.scene.crash(node);
        Ok(true)
    }

    /// Connects to a process, which then starts its node.
    async fn take_strings(&mut self, node: NodeId) -> Result<(), ScriptError> {
        let address = self.cluster.addresses().borrow()[node.index()];
        let connected = match address {
            Some(address) => TcpStream::connect(address).await,
            None => Err(std::io::ErrorKind::NotConnected.into()),
        };
        let connection = connected.map_err(|error| self.silent(node, &error))?;
        connection
            .set_nodelay(true)
            .map_err(|error| self.silent(node, &error))?;
        let (reports, orders) = connection.into_split();
        let reports = FrameReader::new(reports);
        self.strings[node.index()] = Some(Strings { orders, reports });
        let turned = self.hear(node).await?;
        self.perform(node, turned);
        self.sync_at_once(node).await
    }

    /// Gives an order and does what comes of it; false if the node is down.
    async fn order(&mut self, node: NodeId, order: &Order<N>) -> Result<bool, ScriptError> {
        if self.strings[node.index()].is_none() {
            return Ok(false);
        }
        self.send(node, order).await?;
        let turned = self.hear(node).await?;
        self.perform(node, turned);
        Ok(true)
    }

    async fn send(&mut self, node: NodeId, order: &Order<N>) -> Result<(), ScriptError> {
        let frame = Frame::of(order).map_err(|error| self.silent(node, &error))?;
        let Some(strings) = &mut self.strings[node.index()] else {
            return Err(self.silent(node, &"it is down"));
        };
        let sent = strings.orders.write_all(frame.bytes()).await;
        sent.map_err(|error| self.silent(node, &error))
    }

    async fn hear(&mut self, node: NodeId) -> Result<Turned<N>, ScriptError> {
        let Some(strings) = &mut self.strings[node.index()] else {
            return Err(self.silent(node, &"it is down"));
        };
        let heard = match tokio::time::timeout(STEP, strings.reports.next()).await {
            Err(_) => Err("it did not answer in time".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(None)) => Err("it went away".to_owned()),
            Ok(Ok(Some(frame))) => frame.read().map_err(|error| error.to_string()),
        };
        heard.map_err(|why| self.silent(node, &why))
    }

    fn silent(&self, node: NodeId, why: &dyn std::fmt::Display) -> ScriptError {
        let (step, name) = self.step.clone();
        ScriptError::Silent {
            node,
            step,
            name,
            why: why.to_string(),
            stderr: self.cluster.stderr_file(node),
        }
    }

    fn perform(&mut self, node: NodeId, turned: Turned<N>) {
        for packet in turned.sent {
            self.scene.put(packet);
        }
        *self.scene.timers(node) = turned.timers.into_iter().collect();
        self.shown[node.index()] = turned.view;
        self.unsynced[node.index()] = turned.unsynced;
    }

    /// Where the processes are otherwise than the world, if they are: in what the node shows that moved, in the packets
    /// on their way, or in what clients saw.
    fn parting(&self, moved: Option<NodeId>) -> Option<String> {
        let (number, name) = &self.step;
        let here = format!("step {number}, `{name}`");
        if let Some(node) = moved.filter(|node| self.strings[node.index()].is_some()) {
            let (ours, theirs) = (
                format!("{:?}", self.world.view(node)),
                &self.shown[node.index()],
            );
            if ours != *theirs {
                return Some(format!(
                    "{here}: {node} shows in World\n    {ours}\n  and as a process\n    {theirs}"
                ));
            }
        }
        let network = self.world.network();
        let network = network.map(|(packet, count)| (&**packet, count));
        if !network.eq(self.scene.network()) {
            let texts = |packets: &mut dyn Iterator<Item = String>| packets.collect::<Vec<_>>();
            let ours = texts(&mut self.world.network().map(|(packet, _)| packet.to_string()));
            let theirs = texts(&mut self.scene.network().map(|(packet, _)| packet.to_string()));
            return Some(format!(
                "{here}: on their way are in World\n    {}\n  and between processes\n    {}",
                ours.join("\n    "),
                theirs.join("\n    ")
            ));
        }
        (self.world_seen.0 != self.seen.0).then(|| {
            format!(
                "{here}: clients see in World\n    {:?}\n  and of the processes\n    {:?}",
                self.world_seen.0.last(),
                self.seen.0.last()
            )
        })
    }

    /// Kills all processes, and compares their logs with the disks of the world.
    async fn strike(self, played: &mut Played) -> Result<(), ScriptError> {
        let files = NodeId::all(self.strings.len())
            .map(|node| (node, self.cluster.data_directory(node).join(LOG_FILE)));
        let files: Vec<_> = files.collect();
        self.cluster.stop().await?;
        if played.parting.is_some() {
            return Ok(());
        }
        for (node, file) in files {
            let held = WriteAheadLog::open::<N::Durable>(&file);
            let (ours, theirs) = (
                self.world.disk(node).synced(),
                held.map(|(_, held)| held.durable),
            );
            match theirs {
                Ok(theirs) if theirs == *ours => played.disks += 1,
                theirs => {
                    played.parting = Some(format!(
                        "at the end, the disk of {node} holds in World\n    {ours:?}\n  and {}\n    {theirs:?}",
                        file.display()
                    ));
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
