//! `tribunal convert`: a history from one format into another.

use std::path::PathBuf;

use tribunal_histories::{BuildOptions, Format, ProcessReuse};

use super::check::options::{Torn, process_reuse, whole};
use super::exit::{Exit, Failure};
use super::input;
use super::output::Output;
use super::quantity::counted;
use crate::report::note;

const EXAMPLES: &str = "\
Examples:
  tribunal convert history.edn history.jsonl
  tribunal convert jepsen.log history.edn --from jepsen-log
  tribunal convert history.jsonl history.parquet
  zcat history.jsonl.gz | tribunal convert - - --to edn

The history is read and put to the rules of histories first: what `tribunal check` refuses is not converted. JSON has
neither keywords nor sets, so EDN loses them on its way through any other format. Ends with 0 when it is written, 64 if
it is not a history, 74 if it cannot be read or written.";

/// Write a history in another format
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The history; - is standard input
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The file to write; - is standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,

    /// The format of the history; without it, its content tells: see `tribunal list formats`
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,

    /// The format to write; without it, the file's name tells, or it is JSON Lines
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,

    /// Whether a process may go on after an operation of its ended in info
    #[arg(long, value_name = "allow|reject", default_value = "reject", value_parser = process_reuse())]
    process_reuse: ProcessReuse,

    /// Whether to convert the whole lines of a JSON Lines file whose last line was cut off while it was written
    #[arg(long, value_enum, default_value_t = Torn::Reject)]
    torn: Torn,

    /// Say nothing
    #[arg(short, long)]
    quiet: bool,
}

/// Converts the history.
///
/// # Errors
/// When it cannot be read or written, or is no history.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let options = BuildOptions {
        process_reuse: args.process_reuse,
    };
    let at = |failure: Failure| Failure {
        message: format!("{}: {failure}", args.input.display()),
        ..failure
    };
    let loaded = input::load(&args.input, args.from, options).map_err(at)?;
    let loaded = whole(loaded, args.torn).map_err(at)?;
    let output = Output::new(&args.output, args.to);
    output.write(|writer| {
        loaded
            .history
            .records()
            .try_for_each(|event| writer.write(&event))
    })?;
    if let Some(path) = output.file().filter(|_| !args.quiet) {
        let events = counted(loaded.history.len() as u64, "event");
        note(&format!("{events} in {}", path.display()));
    }
    Ok(Exit::Valid)
}
