//! Nodes of Maelstrom's protocol in Rust: starting points for one's own, and bad examples for the auditor to find.
//!
//! `cargo build --example maelstrom`, then
//! `tribunal audit maelstrom --workload echo -- target/debug/examples/maelstrom echo`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a node speaks on standard output, and complains on standard error"
)]

mod broken;
mod correct;
mod misbehaving;
mod node;

use std::process::ExitCode;

use node::Node;

/// A program by its name.
type Program = (&'static str, fn(Node));

const PROGRAMS: &[&[Program]] = &[correct::PROGRAMS, broken::PROGRAMS, misbehaving::PROGRAMS];

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let all = || PROGRAMS.iter().copied().flatten();
    let Some((_, program)) = all().find(|(known, _)| *known == name) else {
        let names: Vec<_> = all().map(|(name, _)| *name).collect();
        eprintln!(
            "usage: maelstrom PROGRAM, which is one of: {}",
            names.join(", ")
        );
        return ExitCode::FAILURE;
    };
    program(Node::default());
    ExitCode::SUCCESS
}
