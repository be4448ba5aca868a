//! The live runtime: a cluster as real processes that talk over TCP and write real files.
//!
//! [`node_process`] is the body of a process: the host loop of [`env`](crate::runtime::env) over a socket, a
//! clock and a write-ahead log ([`wal`]). [`LiveCluster`] starts such processes, kills and pauses them, and
//! puts a [`Relay`] between them. [`Client`] asks them, and [`run`](fn@run) drives a workload against them
//! under a nemesis. What comes out is a history, for the same checkers as the simulator's.
//!
//! With a script, [`scripted`] has the processes take the steps of a trace, and compares them with `World`.
//!
//! All else here is not deterministic, and nothing here has a verdict. A run shows less than a simulated one: the
//! nodes' views stay in their processes, so only the clients' history can be judged; clocks run as they do; and a
//! killed process loses nothing that it had handed to the operating system, so that a forgotten `fsync` is for
//! the simulator to find.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place where time is real: see clippy.toml"
)]

mod client;
mod cluster;
pub mod frame;
mod inject;
pub mod node_process;
mod outlet;
mod puppet;
mod relay;
mod run;
pub mod scripted;
mod surroundings;
pub mod wal;

use std::io;
use std::path::PathBuf;

use tribunal_histories::NodeId;

use crate::nemesis::Fault;

pub use client::{Answer, Client, Patience};
pub use cluster::{ClusterOptions, Fallen, LiveCluster, Notes};
pub use inject::capabilities;
pub use relay::{LinkEnds, Relay, Traffic};
pub use run::{LiveEnd, LiveOptions, LiveRun, run};

/// A live run cannot begin, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A node did not start.
    #[error("{node} ended or fell silent before it listened; see {}", stderr.display())]
    NotReady {
        /// Which.
        node: NodeId,
        /// Where its standard error went.
        stderr: PathBuf,
    },
    /// The protocol's configuration has no form in JSON.
    #[error("the configuration of {protocol} cannot be written for its nodes: {source}")]
    Config {
        /// The protocol.
        protocol: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The nemesis wants something that can only be simulated.
    #[error("cannot {fault} in a live run; simulate it, or choose another nemesis")]
    CannotInject {
        /// What it wants.
        fault: Fault,
    },
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl LiveError {
    /// Gives an I/O error its context.
    fn while_doing(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
