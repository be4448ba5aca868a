//! Real time, for programs that use timers: messages arrive when their latency is over, and nodes write when they will.
//!
//! The order of messages is the seed's as far as latencies go; what nodes do meanwhile is theirs. A node that ends,
//! floods, does not read or does not answer `init` is noticed within its patience, less than a second.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place of an audit of programs in which time is real"
)]

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tribunal_histories::NodeId;

use super::cluster::Cluster;
use super::misbehaviour::Wrong;
use super::process::{LINES_MAX, Output, Unrest};
use crate::audit::Subject;
use crate::audit::subject::Completion;

/// How often nodes are looked after when nothing happens.
const TICK: Duration = Duration::from_millis(50);

/// How a node is watched.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// Since when it has had something to read and has not read any of it, and how much.
    idle: Option<(Instant, u64)>,
    /// Since when it has had its `init`.
    started: Option<Instant>,
    /// How many lines it wrote since the second began.
    lines: usize,
    second: Option<Instant>,
}

impl Cluster {
    /// Waits until then, or until operations have ended; meanwhile takes what nodes write, and delivers what is due.
    pub(super) fn advance_by_the_wall_clock(&mut self, until_us: Option<u64>) -> Vec<Completion> {
        let until_ns = until_us.map_or(u64::MAX, |until_us| until_us.saturating_mul(1_000));
        let tick_ns = self.now_ns() + u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX);
        loop {
            self.look_after_nodes();
            let mut completions = Vec::new();
            while let Some(entry) = self.agenda.first_entry() {
                if entry.key().0 > self.now_ns() || self.is_broken() {
                    break;
                }
                if let Some((_, number)) = self.agenda.pop_first() {
                    completions.extend(self.arrive(number));
                }
            }
            let now_ns = self.now_ns();
            // The caller wants to look whether it is to stop, now and then.
            if !completions.is_empty() || self.is_broken() || now_ns >= until_ns.min(tick_ns) {
                return completions;
            }
            let next_ns = self
                .agenda
                .keys()
                .next()
                .map_or(u64::MAX, |(at_ns, _)| *at_ns);
            let wait_ns = next_ns.min(until_ns).min(tick_ns).saturating_sub(now_ns);
            self.wait(Duration::from_nanos(wait_ns));
        }
    }

    /// Takes what nodes wrote, hands over what they had no room for, and looks whether they keep to the protocol.
    fn look_after_nodes(&mut self) {
        for node in self.world.nodes() {
            let Some(process) = self.world.process(node) else {
                continue;
            };
            let mut output = Output::default();
            process.flush();
            process.read(&mut output);
            let ended = output.is_over().then(|| process.how_it_ended());
            self.world.ledger.now_ns = Some(self.now_ns());
            self.world.accept_all(node, &output);
            self.send_all();
            if let Some(ended) = ended {
                self.world.is_restless(node, ended, &output);
            }
            if !self.is_paused(node) {
                self.watch(node, &output);
            }
            if self.is_broken() {
                return;
            }
        }
    }

    fn watch(&mut self, node: NodeId, output: &Output) {
        let patience = self.world.setup.patience;
        let is_ready = self.world.is_ready(node);
        let mut watched = std::mem::take(&mut self.watched[node.index()]);
        if watched
            .second
            .is_none_or(|second| second.elapsed() > Duration::from_secs(1))
        {
            watched.second = Some(Instant::now());
            watched.lines = 0;
        }
        watched.lines += output.lines.len();
        let Some(process) = self.world.process(node) else {
            return;
        };
        let unread = process.unread_bytes();
        let wrong = if watched.lines > LINES_MAX {
            Some(Wrong::Floods {
                lines: watched.lines,
                line: output.lines.last().map_or_else(String::new, |line| {
                    String::from_utf8_lossy(line).into_owned()
                }),
            })
        } else if !is_ready {
            let since = *watched.started.get_or_insert_with(Instant::now);
            // A program that waits for input will not answer any more; one that runs may be about to.
            let is_silent = since.elapsed() > patience.node && unread == 0 && process.is_blocked();
            let is_late = since.elapsed() > patience.start;
            (is_silent || is_late).then(|| Wrong::NoInit {
                why: format!("nothing came in {} ms", since.elapsed().as_millis()),
            })
        } else {
            watched.started = None;
            match &watched.idle {
                // It reads: less is there than was.
                _ if unread == 0 => watched.idle = None,
                Some((since, before)) if unread >= *before => {
                    if since.elapsed() > patience.node && process.is_blocked() {
                        self.world
                            .is_restless(node, Unrest::DoesNotRead { bytes: unread }, output);
                    }
                }
                _ => watched.idle = Some((Instant::now(), unread)),
            }
            None
        };
        if let Some(wrong) = wrong {
            self.world.blame(node, wrong);
        }
        self.watched[node.index()] = watched;
    }

    /// Waits until a node writes something or has room for what waits for it, or for so long.
    fn wait(&mut self, at_most: Duration) {
        let nodes: Vec<_> = self.world.nodes().collect();
        let world = &self.world;
        let mut fds = Vec::new();
        for node in nodes {
            let Some(process) = world.running(node) else {
                continue;
            };
            fds.push(PollFd::from_borrowed_fd(process.stdout(), PollFlags::IN));
            if let Some(stdin) = process.waits_to_write() {
                fds.push(PollFd::from_borrowed_fd(stdin, PollFlags::OUT));
            }
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(at_most.subsec_nanos()),
        };
        // Whatever comes of it, we look again.
        let _ = poll(&mut fds, Some(&timeout));
    }
}
