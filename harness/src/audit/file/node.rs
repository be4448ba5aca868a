//! A node: its process comes and goes, and is asked whether it serves.

#![expect(
    clippy::disallowed_methods,
    reason = "the patience that we have with a node that is to serve is real time"
)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tribunal_histories::NodeId;

use super::owner::{Owner, Processes};
use super::program::{Start, end_of, kill};

/// How often a node is asked whether it serves.
const ASKED_EVERY: Duration = Duration::from_millis(30);

/// How it is known that a node serves, ready to be asked.
#[derive(Clone, Debug)]
pub(super) enum Asking {
    /// It accepts connections at this port.
    Tcp(u16),
    /// This command ends with 0.
    Command(Start),
}

/// Whether a node serves, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It is being asked.
    Unknown,
    /// It does.
    Serves,
    /// It did not in time: why.
    No(String),
}

/// A node's place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: NodeId,
    start: Start,
    asking: Asking,
    patience: Duration,
    processes: Processes,
    running: Option<Running>,
    pub(super) is_paused: bool,
}

#[derive(Debug)]
struct Running {
    child: Child,
    health: Arc<Mutex<Health>>,
    is_over: Arc<AtomicBool>,
}

impl Node {
    pub(super) fn new(
        id: NodeId,
        start: Start,
        asking: Asking,
        patience: Duration,
        processes: Processes,
    ) -> Self {
        Self {
            id,
            start,
            asking,
            patience,
            processes,
            running: None,
            is_paused: false,
        }
    }

    /// Where what it writes goes.
    pub(super) fn log(&self) -> &PathBuf {
        &self.start.log
    }

    /// Starts its process, and begins to ask whether it serves. Nothing happens if it is up.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn start(&mut self) -> Result<(), String> {
        if self.running.is_some() {
            return Ok(());
        }
        let spawned = self.spawn();
        self.running = Some(spawned.map_err(|error| self.start.cannot(&error))?);
        Ok(())
    }

    fn spawn(&self) -> io::Result<Running> {
        std::fs::create_dir_all(&self.start.folder)?;
        let child = self.start.command()?.spawn()?;
        self.processes.began(child.id(), Owner::Node(self.id));
        let running = Running {
            child,
            health: Arc::new(Mutex::new(Health::Unknown)),
            is_over: Arc::default(),
        };
        self.ask(&running)?;
        Ok(running)
    }

    fn ask(&self, running: &Running) -> io::Result<()> {
        let (asking, patience) = (self.asking.clone(), self.patience);
        let (health, is_over) = (running.health.clone(), running.is_over.clone());
        std::thread::Builder::new()
            .name(format!("health of {}", self.id))
            .spawn(move || ask(&asking, patience, &health, &is_over))?;
        Ok(())
    }

    /// A node that did not serve in time, perhaps for the faults that there were, is asked once more.
    ///
    /// # Errors
    /// Why it cannot be asked.
    pub(super) fn ask_again(&self) -> Result<(), String> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        if !matches!(*lock(&running.health), Health::No(_)) {
            return Ok(());
        }
        *lock(&running.health) = Health::Unknown;
        self.ask(running).map_err(|error| error.to_string())
    }

    /// Whether its process runs, paused or not.
    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Whether it serves; nothing if it is down.
    pub(super) fn health(&self) -> Option<Health> {
        let running = self.running.as_ref()?;
        Some(lock(&running.health).clone())
    }

    /// How its process ended, if it did though nobody killed it. It is down then.
    pub(super) fn has_ended(&mut self) -> Option<ExitStatus> {
        let running = self.running.as_mut()?;
        let status = running.child.try_wait().ok().flatten()?;
        self.kill();
        Some(status)
    }

    /// Kills its process and everything that it has started. Nothing happens if it is down.
    pub(super) fn kill(&mut self) {
        self.is_paused = false;
        let Some(mut running) = self.running.take() else {
            return;
        };
        running.is_over.store(true, Ordering::Relaxed);
        // Children first: when their parent is gone they are nobody's.
        self.processes.signal(self.id, Signal::KILL);
        kill(&mut running.child);
        self.processes.ended(running.child.id());
    }

    /// Stops its processes where they are.
    pub(super) fn pause(&mut self) {
        if self.is_up() {
            self.is_paused = true;
            self.processes.signal(self.id, Signal::STOP);
        }
    }

    /// Lets them go on.
    pub(super) fn resume(&mut self) {
        self.is_paused = false;
        self.processes.signal(self.id, Signal::CONT);
    }

    /// Asks its process to end, and kills it if it has not in time.
    pub(super) fn stop(&mut self, signal: Signal, timeout: Duration) {
        if let Some(running) = &mut self.running {
            self.processes.signal(self.id, Signal::CONT);
            self.processes.signal(self.id, signal);
            end_of(&mut running.child, timeout);
        }
        self.kill();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lock(health: &Mutex<Health>) -> std::sync::MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks a node until it serves, the patience ends, or nobody wants to know.
fn ask(asking: &Asking, patience: Duration, health: &Mutex<Health>, is_over: &AtomicBool) {
    let deadline = Instant::now() + patience;
    while !is_over.load(Ordering::Relaxed) {
        let left = deadline.saturating_duration_since(Instant::now());
        let why = match once(asking, left.max(ASKED_EVERY)) {
            Ok(()) => {
                *lock(health) = Health::Serves;
                return;
            }
            Err(why) => why,
        };
        if left.is_zero() {
            *lock(health) = Health::No(why);
            return;
        }
        std::thread::sleep(ASKED_EVERY.min(left));
    }
}

fn once(asking: &Asking, timeout: Duration) -> Result<(), String> {
    match asking {
        Asking::Tcp(port) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            let connected = TcpStream::connect_timeout(&address, timeout);
            connected
                .map(drop)
                .map_err(|error| format!("a connection to its port {port} fails: {error}"))
        }
        Asking::Command(start) => start.run(timeout),
    }
}
