//! `tribunal-openraft`: the command line of Tribunal, with openraft beside our protocols.
//!
//! openraft is asynchronous, so a cluster of it is a simulated system of its own: `runtime` puts its tasks on madsim,
//! `network` and `storage` are its links and disks, `world` is what they share, `system` the cluster that clients and a
//! nemesis are let loose on, `engine` what runs a seed.
//!
//! Entropy: tasks, timers and random numbers are madsim's, links and disks draw by key, and the clock that tokio's
//! instants read is madsim's too, so a seed gives the same run; `simulate` makes one run in twenty a second time and
//! compares.

mod config;
mod disk;
mod engine;
mod network;
mod runtime;
mod storage;
mod system;
mod types;
mod world;

use std::panic::catch_unwind;
use std::process::ExitCode;

use tribunal::cli::exit::Exit;
use tribunal::command::program_is;
use tribunal::engine::{Brought, bring};
use tribunal_checkers::properties::{PropertyInfo, raft};
use tribunal_protocols::registry::Protocol;

/// The properties of Raft that openraft shows enough of itself for. A term with its leader's name counts as a term: in this
/// release a term may have several leaders.
const PROPERTIES: &[&PropertyInfo] = &[
    &raft::election_safety::INFO,
    &raft::log_matching::INFO,
    &raft::leader_completeness::INFO,
    &raft::state_machine_safety::INFO,
    &raft::commit_durable::INFO,
    &raft::quorum_log::INFO,
    &raft::same_state::INFO,
];

static PROTOCOL: Protocol = Protocol {
    name: engine::NAME,
    about: "openraft, with its tasks on madsim, and our network, disks and service.",
    bugs: config::MISUSES,
    probes: &[],
};

fn main() -> ExitCode {
    program_is(env!("CARGO_BIN_NAME"));
    bring(&[Brought {
        protocol: &PROTOCOL,
        engine: &engine::Openraft,
        properties: PROPERTIES,
    }]);
    // The panic has been reported when it comes here.
    catch_unwind(tribunal::cli::main).unwrap_or_else(|_| Exit::Internal.into())
}
