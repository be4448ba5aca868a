//! How an exploration finds a planted bug: the flags in the bug's registry entry, read as the command line reads them.

use clap::Parser;
use tribunal_protocols::bugs::Bug;
use tribunal_protocols::registry::Protocol;

use super::Args;
use crate::cli::exit::Failure;
use crate::explore::Inquiry;

/// `tribunal explore`, alone.
#[derive(Debug, Parser)]
#[command(name = "explore", no_binary_name = true)]
struct Flags {
    #[command(flatten)]
    args: Args,
}

/// The command that finds a bug, as it is typed; `None` if no exploration is known to find it.
pub(crate) fn command(protocol: &Protocol, bug: &Bug) -> Option<String> {
    let flags = bug.explored?;
    let (protocol, id) = (protocol.name, bug.id);
    Some(format!("tribunal explore {protocol} --bugs {id} {flags}"))
}

/// What is to be explored to find a bug; `None` if no exploration is known to find it.
///
/// # Errors
/// Flags that the command line would not take either: the bug's registry entry is wrong.
pub(crate) fn inquiry(protocol: &'static Protocol, bug: &Bug) -> Result<Option<Inquiry>, Failure> {
    let Some(flags) = bug.explored else {
        return Ok(None);
    };
    let words = shell_words::split(flags).map_err(Failure::usage)?;
    let before = [protocol.name, "--bugs", bug.id].map(str::to_owned);
    let flags = Flags::try_parse_from(before.into_iter().chain(words)).map_err(Failure::usage)?;
    flags.args.inquiry(protocol).map(Some)
}
