//! The command line: parses, calls the library, shows what came of it, and returns an exit code.
//!
//! Standard output is the answer, standard error the progress. One file a subcommand.

mod artefacts;
pub mod audit;
pub mod bugs;
pub mod catalogue;
pub mod check;
pub mod convert;
pub mod doctor;
pub mod exit;
pub mod explore;
pub mod generate;
mod input;
mod interrupt;
pub mod list;
mod output;
mod panics;
mod paragraph;
mod plan;
mod profile;
pub(crate) mod quantity;
pub mod reference;
pub mod replay;
mod session;
pub mod shrink;
pub mod simulate;
pub mod spread;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::engine::engine;
use crate::report::terminal;
use crate::runtime::live::node_process::NodeArgs;
use tribunal_protocols::registry::Protocol;

use exit::{EXIT_CODES, Exit, Failure};
use profile::Resolved;

/// Tests whether a distributed system keeps its promises: simulate, check, replay, shrink.
#[derive(Debug, Parser)]
#[command(name = "tribunal", version, after_help = EXIT_CODES)]
struct Cli {
    /// When to colour the answer; NO_COLOR and CLICOLOR_FORCE are heeded
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,

    /// Take defaults from this profile of the configuration file
    #[arg(long, global = true, value_name = "NAME", env = "TRIBUNAL_PROFILE")]
    profile: Option<String>,

    /// The configuration file [default: tribunal.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "TRIBUNAL_CONFIG")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Simulate(simulate::Args),
    Audit(audit::Args),
    Check(check::Args),
    Convert(convert::Args),
    Generate(generate::Args),
    Replay(replay::Args),
    Shrink(shrink::Args),
    Explore(explore::Args),
    Bugs(bugs::Args),
    Spread(spread::Args),
    List(list::Args),
    Doctor(doctor::Args),
    /// A node of a live cluster: started by the harness, not by people
    #[command(hide = true)]
    Node(NodeArgs),
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OnOff {
    On,
    Off,
}

/// Why there is no command to run.
enum NoCommand {
    /// The arguments are wrong, or ask for help.
    Arguments(clap::Error),
    /// The configuration is wrong.
    Configuration(Failure),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    panics::report();
    let ended = match parse() {
        Ok((cli, resolved)) => {
            paint(cli.color);
            match &cli.command {
                Command::Simulate(args) => simulate::run(args, &resolved),
                Command::Audit(args) => audit::run(args, &resolved),
                Command::Check(args) => check::run(args),
                Command::Convert(args) => convert::run(args),
                Command::Generate(args) => generate::run(args),
                Command::Replay(args) => replay::run(args, &resolved),
                Command::Shrink(args) => shrink::run(args),
                Command::Explore(args) => explore::run(args),
                Command::Bugs(args) => bugs::run(args),
                Command::Spread(args) => spread::run(args),
                Command::List(args) => list::run(args),
                Command::Doctor(args) => doctor::run(args),
                Command::Node(args) => node(args),
            }
        }
        Err(NoCommand::Configuration(failure)) => Err(failure.into()),
        Err(NoCommand::Arguments(error)) => {
            // Where there is nobody to read it, it need not be written.
            let _ = error.print();
            Ok(if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Valid
            })
        }
    };
    ended.unwrap_or_else(|error| failed(&error)).into()
}

/// Is a node of a live cluster until its standard input closes.
fn node(args: &NodeArgs) -> anyhow::Result<Exit> {
    let unknown = || Failure::usage(format!("there is no protocol `{}`", args.protocol));
    let protocol = Protocol::named(&args.protocol).ok_or_else(unknown)?;
    engine(protocol)
        .be_node(args)
        .map_err(Failure::unavailable)?;
    Ok(Exit::Valid)
}

/// Parses the arguments twice: they name the profile that gives the defaults of all others.
fn parse() -> Result<(Cli, Resolved), NoCommand> {
    let matches = Cli::command()
        .try_get_matches()
        .map_err(NoCommand::Arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(NoCommand::Arguments)?;
    let profile = profile::load(cli.config.as_deref(), cli.profile.as_deref())
        .map_err(NoCommand::Configuration)?;
    let command = profile
        .defaults_of(Cli::command())
        .map_err(NoCommand::Configuration)?;
    let matches = command.try_get_matches().map_err(NoCommand::Arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(NoCommand::Arguments)?;
    Ok((cli, Resolved::of(&matches, &profile)))
}

fn paint(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Says what went wrong, and how the tool ends.
fn failed(error: &anyhow::Error) -> Exit {
    let io = error.downcast_ref::<io::Error>();
    if io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe) {
        // The reader has seen enough: `tribunal list bugs | head`.
        return Exit::Valid;
    }
    crate::report::note(&format!("error: {error:#}"));
    match error.downcast_ref::<Failure>() {
        Some(failure) => failure.exit,
        None if io.is_some() => Exit::Io,
        None => {
            panics::ask_for_report(&format!("{error:#}"));
            Exit::Internal
        }
    }
}

/// Shows a text whose first word is the answer.
fn show(text: &str) -> io::Result<()> {
    terminal::print(&terminal::coloured(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subcommand_takes_a_global_flag_for_its_own() {
        Cli::command().debug_assert();
        // A global flag that a subcommand has too is silently that one.
        let globals = ["color", "profile", "config"];
        let bare = Cli::command();
        for subcommand in bare.get_subcommands() {
            let taken = |id: &&str| subcommand.get_arguments().any(|own| own.get_id() == *id);
            let taken: Vec<_> = globals.iter().filter(|id| taken(id)).collect();
            assert!(taken.is_empty(), "{}: {taken:?}", subcommand.get_name());
        }
    }
}
