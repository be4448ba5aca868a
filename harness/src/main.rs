//! The `tribunal` binary.

use clap::Parser;
use tribunal::engine::engine;
use tribunal::runtime::live::node_process::NodeArgs;
use tribunal_protocols::registry::Protocol;

#[derive(Parser)]
enum Arguments {
    /// A node of a live cluster: started by the harness, not by people.
    #[command(hide = true)]
    Node(NodeArgs),
}

fn main() -> anyhow::Result<()> {
    let Arguments::Node(args) = Arguments::parse();
    let Some(protocol) = Protocol::named(&args.protocol) else {
        anyhow::bail!("there is no protocol `{}`", args.protocol);
    };
    Ok(engine(protocol).be_node(&args)?)
}
