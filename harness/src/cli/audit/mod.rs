//! `tribunal audit`: a workload against a system that somebody else wrote, under many seeds, with faults.

mod file;
mod maelstrom;

use std::time::Duration;

use super::exit::{EXIT_CODES, Exit};
use super::profile::Resolved;
use super::quantity;

/// Run a workload against a system that somebody else wrote, with faults, and judge what clients saw
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    subject: SubjectArgs,
}

#[derive(Debug, clap::Subcommand)]
enum SubjectArgs {
    Maelstrom(Box<maelstrom::Args>),
    File(Box<file::Args>),
}

/// Runs an audit.
///
/// # Errors
/// Wrong arguments; a program that cannot be started; files or standard output that cannot be written.
pub(crate) fn run(args: &Args, resolved: &Resolved) -> anyhow::Result<Exit> {
    match &args.subject {
        SubjectArgs::Maelstrom(args) => args.run(resolved),
        SubjectArgs::File(args) => args.run(resolved),
    }
}

fn after_help(examples: &str) -> String {
    format!("{examples}\n\n{EXIT_CODES}")
}

/// Where nodes have their folders, and what they write is kept, in the directory of the run.
const NODES: &str = "nodes";

/// A number of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concurrency {
    All(usize),
    EachNode(usize),
}

fn concurrency(text: &str) -> Result<Concurrency, String> {
    let (digits, of): (&str, fn(usize) -> Concurrency) = match text.strip_suffix('n') {
        Some(digits) => (digits, Concurrency::EachNode),
        None => (text, Concurrency::All),
    };
    match digits.parse() {
        Ok(0) => Err("at least one is needed".to_owned()),
        Ok(count) => Ok(of(count)),
        Err(_) => Err("a number, or a number and an n: so many for each node".to_owned()),
    }
}

/// A duration; a number alone is one of seconds, as in Maelstrom.
fn seconds(text: &str) -> Result<Duration, quantity::NotAQuantity> {
    text.parse()
        .map(Duration::from_secs)
        .or_else(|_| quantity::duration(text))
}

/// A duration; a number alone is one of milliseconds, as in Maelstrom.
fn milliseconds(text: &str) -> Result<Duration, quantity::NotAQuantity> {
    text.parse()
        .map(Duration::from_millis)
        .or_else(|_| quantity::duration(text))
}

impl Concurrency {
    /// How many clients that is, with so many nodes.
    fn of(self, nodes: usize) -> usize {
        match self {
            Self::All(count) => count,
            Self::EachNode(count) => count * nodes,
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_maelstrom_reads_them() {
        assert_eq!(concurrency("2n"), Ok(Concurrency::EachNode(2)));
        assert_eq!(concurrency("7"), Ok(Concurrency::All(7)));
        assert!(concurrency("0n").is_err() && concurrency("n").is_err());
        assert_eq!(seconds("30"), Ok(Duration::from_secs(30)));
        assert_eq!(seconds("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(milliseconds("30"), Ok(Duration::from_millis(30)));
        assert!(milliseconds("soon").is_err());
    }
}
