//! The `tribunal` binary.

use clap::Parser;
use tribunal::runtime::live::node_process::{self, NodeArgs};
use tribunal_protocols::Node;
use tribunal_protocols::raft::Raft;

#[derive(Parser)]
enum Arguments {
    /// A node of a live cluster: started by the harness, not by people.
    #[command(hide = true)]
    Node(NodeArgs),
}

fn main() -> anyhow::Result<()> {
    let Arguments::Node(args) = Arguments::parse();
    anyhow::ensure!(
        args.protocol == Raft::NAME,
        "there is no protocol `{}`",
        args.protocol
    );
    Ok(node_process::run::<Raft>(&args)?)
}
