//! Ports for nodes to listen on, which nobody else is given meanwhile.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many ports before the system's own we choose from.
const SPREAD: u32 = 8_000;

/// The next one to be looked at, counted from the process's own beginning.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// So many ports that are free, none of which the system gives to outgoing connections: a node that is killed finds
/// its port again.
///
/// # Errors
/// There are not so many.
pub(super) fn free(count: usize) -> io::Result<Vec<u16>> {
    let range = usable();
    let all = range.end - range.start;
    // Other runs of this program begin elsewhere.
    let begin = std::process::id().wrapping_mul(97) % all;
    let mut ports = Vec::new();
    for _ in 0..all {
        if ports.len() == count {
            break;
        }
        let place = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % all;
        let port = u16::try_from(range.start + place).unwrap_or(u16::MAX);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            ports.push(port);
        }
    }
    if ports.len() < count {
        let why = format!(
            "no {count} ports are free from {} to {}",
            range.start, range.end
        );
        return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
    }
    Ok(ports)
}

/// The ports below those of outgoing connections.
fn usable() -> Range<u32> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest = text
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok());
    let end: u32 = lowest.unwrap_or(32_768);
    match end {
        12_000.. => end - SPREAD..end,
        // Outgoing connections have nearly all: take from the upper end, and hope.
        _ => 50_000..58_000,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_are_free_and_different() {
        let mut ports = free(5).unwrap();
        ports.extend(free(5).unwrap());
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 10);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
