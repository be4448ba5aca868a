//! A node process of a protocol of one's own: how to host it live.
//!
//! The `tribunal` program can be a node of the protocols in its registry, and of no other. A cluster of another
//! protocol needs a program like this one, which understands the subcommand `node`: name it as
//! [`ClusterOptions::program`](tribunal::runtime::live::ClusterOptions::program). The protocol here is the probe of
//! the conformance suite, whose live part runs this program.

use clap::Parser;
use tribunal::runtime::live::node_process::{self, NodeArgs};

use probe::Probe;

#[path = "../tests/it/conformance/probe.rs"]
mod probe;

/// A node of a cluster of probes.
#[derive(Parser)]
enum Command {
    /// Be a node of a live cluster: started by the harness, not by people
    Node(NodeArgs),
}

fn main() -> anyhow::Result<()> {
    let Command::Node(args) = Command::parse();
    node_process::run::<Probe>(&args)?;
    Ok(())
}
