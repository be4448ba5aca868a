//! Whose processes are whose: every process that we start carries a mark in its environment, and so do its children.
//!
//! So a node is killed with whatever it has started, daemons too, and the relay knows who is at the other end of a
//! connection: the kernel names the socket (`/proc/net/tcp`), and the process that has it open carries the mark.

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
        let mark = self.mark(Owner::Node(node));
        for process in marked(&mark) {
            if let Some(process) = Pid::from_raw(process.cast_signed()) {
                // One that has ended meanwhile needs no signal.
                let _ = kill_process(process, signal);
            }
        }
    }

    /// Who is at the other end of a connection between these addresses; nobody, if it is none of ours.
    pub(super) fn at_the_end_of(&self, theirs: SocketAddrV4, ours: SocketAddrV4) -> Option<Owner> {
        let socket = format!("socket:[{}]", inode_of(theirs, ours)?);
        let known = self.lock().clone();
        let of_known = known
            .into_iter()
            .find(|(process, _)| has_open(*process, &socket));
        if let Some((_, owner)) = of_known {
            return Some(owner);
        }
        let prefix = format!("{}/", self.run);
        let others = marked(&prefix);
        let process = others.into_iter().find(|process| has_open(*process, &socket))?;
        let mark = mark_of(process)?;
        let place = mark.strip_prefix(&prefix)?;
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

/// The processes whose mark begins so.
fn marked(prefix: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_ours = |process: &u32| {
        let mark = mark_of(*process);
        // `n1` is not `n10`.
        mark.is_some_and(|mark| mark == prefix || (prefix.ends_with('/') && mark.starts_with(prefix)))
    };
    numbers.filter(is_ours).collect()
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
        assert_eq!(processes.at_the_end_of(theirs, here), Some(Owner::Client(NodeId(2))));
        processes.ended(std::process::id());
        assert_eq!(processes.at_the_end_of(theirs, here), None);
    }
}
