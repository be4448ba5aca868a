//! Whose processes are whose: those that we started, what they have started, and what carries their mark.
//!
//! So a node is killed with whatever it has started, and the relay knows who is at the other end of a connection: the
//! kernel names the socket (`/proc/net/tcp`), and the process that has it open is somebody's. Children are known by
//! their parents and their process group; daemons, which leave both, by a variable of their environment, unless they
//! write over it, as programs do that change their title.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use tribunal_histories::NodeId;

/// The variable that has the mark.
pub(super) const VARIABLE: &str = "TRIBUNAL_PROCESS";

/// Who a process belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It is a node, or part of one.
    Node(NodeId),
    /// It is a client beside this node.
    Client(NodeId),
}

/// The processes of one run.
#[derive(Clone, Debug)]
pub(super) struct Processes {
    run: String,
    /// Those that we started ourselves.
    known: Arc<Mutex<BTreeMap<u32, Owner>>>,
}

static RUNS: AtomicU64 = AtomicU64::new(0);

impl Processes {
    /// None yet.
    pub(super) fn new() -> Self {
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        Self {
            run: format!("{}-{number}", std::process::id()),
            known: Arc::default(),
        }
    }

    /// What a process of this owner carries in its environment.
    pub(super) fn mark(&self, owner: Owner) -> String {
        match owner {
            Owner::Node(node) => format!("{}/{node}", self.run),
            Owner::Client(node) => format!("{}/client/{node}", self.run),
        }
    }

    /// A process was started.
    pub(super) fn began(&self, process: u32, owner: Owner) {
        self.lock().insert(process, owner);
    }

    /// It has ended.
    pub(super) fn ended(&self, process: u32) {
        self.lock().remove(&process);
    }

    /// Sends a signal to every process that belongs to a node, wherever it has hidden itself.
    pub(super) fn signal(&self, node: NodeId, signal: Signal) {
        for (process, owner) in self.all() {
            let process = Pid::from_raw(process.cast_signed());
            if let Some(process) = process.filter(|_| owner == Owner::Node(node)) {
                // One that has ended meanwhile needs no signal.
                let _ = kill_process(process, signal);
            }
        }
    }

    /// Who is at the other end of a connection between these addresses; nobody, if it is none of ours.
    pub(super) fn at_the_end_of(&self, theirs: SocketAddrV4, ours: SocketAddrV4) -> Option<Owner> {
        let socket = format!("socket:[{}]", inode_of(theirs, ours)?);
        let known = self.lock().clone();
        let has_it = |(process, _): &(u32, Owner)| has_open(*process, &socket);
        let found = known.into_iter().find(has_it);
        let found = found.or_else(|| self.all().into_iter().find(has_it));
        found.map(|(_, owner)| owner)
    }

    /// All processes that belong to somebody.
    fn all(&self) -> Vec<(u32, Owner)> {
        let known = self.lock().clone();
        let places: BTreeMap<u32, Place> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|process| Some((process, Place::of(process)?)))
            .collect();
        let owner_of = |process: u32| {
            let mut ancestor = process;
            while let Some(place) = places.get(&ancestor) {
                if let Some(owner) = known.get(&ancestor).or_else(|| known.get(&place.group)) {
                    return Some(*owner);
                }
                ancestor = place.parent;
            }
            self.owner_in(&mark_of(process)?)
        };
        places
            .keys()
            .filter_map(|process| Some((*process, owner_of(*process)?)))
            .collect()
    }

    /// Whose mark it is.
    fn owner_in(&self, mark: &str) -> Option<Owner> {
        let place = mark.strip_prefix(&self.run)?.strip_prefix('/')?;
        let (owner, node): (fn(NodeId) -> Owner, _) = match place.strip_prefix("client/") {
            Some(node) => (Owner::Client, node),
            None => (Owner::Node, place),
        };
        node.parse().ok().map(owner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Owner>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a process is among others.
struct Place {
    parent: u32,
    group: u32,
}

impl Place {
    fn of(process: u32) -> Option<Self> {
        let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name stands in brackets, and may have any letter in it. After it: state, parent, group.
        let (_, after) = line.rsplit_once(')')?;
        let mut fields = after.split_ascii_whitespace().skip(1);
        Some(Self {
            parent: fields.next()?.parse().ok()?,
            group: fields.next()?.parse().ok()?,
        })
    }
}

fn mark_of(process: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    let is_mark = |variable: &&[u8]| {
        variable
            .strip_prefix(VARIABLE.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"="))
    };
    let variable = environment.split(|byte| *byte == 0).find(is_mark)?;
    Some(String::from_utf8_lossy(&variable[VARIABLE.len() + 1..]).into_owned())
}

fn has_open(process: u32, socket: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| target.as_os_str() == socket)
}

/// The number of the socket that is connected from one address to another.
fn inode_of(from: SocketAddrV4, to: SocketAddrV4) -> Option<u64> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let (from, to) = (in_proc(from), in_proc(to));
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next() == Some(&from) && fields.next() == Some(&to);
        // After the addresses: state, queues, timer, retransmissions, user, timeout, inode.
        let inode = fields.nth(6)?.parse().ok()?;
        (is_it && inode != 0).then_some(inode)
    })
}

/// An address as `/proc/net/tcp` writes it: in the byte order of the machine.
fn in_proc(address: SocketAddrV4) -> String {
    let bytes: [u8; 4] = Ipv4Addr::octets(address.ip());
    format!("{:08X}:{:04X}", u32::from_ne_bytes(bytes), address.port())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;

    use super::*;

    #[test]
    fn the_process_at_the_end_of_a_connection_is_known() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let std::net::SocketAddr::V4(here) = listener.local_addr().unwrap() else {
            panic!("we asked for an address of version 4");
        };
        let _stream = TcpStream::connect(here).unwrap();
        let (_, std::net::SocketAddr::V4(theirs)) = listener.accept().unwrap() else {
            panic!("a peer has an address of the same version");
        };
        let processes = Processes::new();
        assert_eq!(processes.at_the_end_of(theirs, here), None);
        processes.began(std::process::id(), Owner::Client(NodeId(2)));
        assert_eq!(
            processes.at_the_end_of(theirs, here),
            Some(Owner::Client(NodeId(2)))
        );
        processes.ended(std::process::id());
        assert_eq!(processes.at_the_end_of(theirs, here), None);
    }

    #[test]
    fn children_belong_to_whom_their_parents_belong_to_and_daemons_to_whose_mark_they_carry() {
        let processes = Processes::new();
        let node = Owner::Node(NodeId(0));
        let is_nodes = |process: u32| processes.all().contains(&(process, node));
        let mut child = Command::new("sleep")
            .arg("60")
            .env(VARIABLE, "another")
            .spawn()
            .unwrap();
        let mut daemon = Command::new("sleep")
            .arg("60")
            .env(VARIABLE, processes.mark(node))
            .spawn()
            .unwrap();
        // A program has its environment when it has begun.
        while !is_nodes(daemon.id()) {
            std::thread::yield_now();
        }
        assert!(!is_nodes(child.id()));
        processes.began(std::process::id(), node);
        assert!(is_nodes(child.id()));
        processes.ended(std::process::id());
        processes.signal(NodeId(1), Signal::KILL);
        processes.signal(NodeId(0), Signal::KILL);
        assert!(!daemon.wait().unwrap().success());
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
