//! The command line: parses, calls the library, shows what came of it, and returns an exit code.
//!
//! Standard output is the answer, standard error the progress. One file a subcommand.

pub mod catalogue;
pub mod check;
pub mod doctor;
pub mod exit;
mod interrupt;
pub mod list;
mod paragraph;
mod quantity;
pub mod reference;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{EXIT_CODES, Exit, Failure};

/// Tests whether a distributed system keeps its promises: simulate, check, replay, shrink.
#[derive(Parser)]
#[command(name = "tribunal", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Doctor(doctor::Args),
    List(list::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where there is nobody to read it, it need not be written.
            let _ = error.print();
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Valid
            };
            return exit.into();
        }
    };
    let ended = match &cli.command {
        Command::Check(args) => check::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::List(args) => list::run(args),
    };
    ended.unwrap_or_else(|error| failed(&error)).into()
}

/// Says what went wrong, and how the tool ends.
fn failed(error: &anyhow::Error) -> Exit {
    let io = error.downcast_ref::<io::Error>();
    if io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe) {
        // The reader has seen enough: `tribunal list bugs | head`.
        return Exit::Valid;
    }
    let _ = writeln!(anstream::stderr(), "error: {error:#}");
    match error.downcast_ref::<Failure>() {
        Some(failure) => failure.exit,
        None if io.is_some() => Exit::Io,
        None => Exit::Internal,
    }
}
