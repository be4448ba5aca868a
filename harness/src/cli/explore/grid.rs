//! The grid: all recommended searches, one after another, a line each.

use tribunal_protocols::registry::PROTOCOLS;

use super::flags::Args;
use super::{Searched, protocol_of};
use crate::cli::exit::Exit;
use crate::cli::list::MessageFormat;
use crate::cli::quantity::grouped;
use crate::cli::{artefacts, show};
use crate::engine::engine;
use crate::report::terminal;

/// Runs the recommended searches of a protocol, or of all.
pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut watcher = args.watcher()?;
    let protocols = match &*args.protocol {
        "all" => PROTOCOLS.iter().collect(),
        name => vec![protocol_of(name)?],
    };
    let mut worst = Exit::NothingRan;
    for protocol in protocols {
        for row in engine(protocol).grid() {
            let args = args.with_row(protocol.name, row)?;
            let searched = Searched::of(&args, protocol, &mut watcher)?;
            if let Some(trace) = &searched.explored.counterexample {
                artefacts::trace(&args.output, trace)?;
            }
            match args.message_format {
                MessageFormat::Json => {
                    let mut line = searched.json(protocol);
                    line["row"] = row.name.into();
                    terminal::print(&line.to_string())?;
                }
                MessageFormat::Human => show(&line(protocol.name, row.name, &searched))?,
            }
            worst = worse(worst, searched.exit());
            if watcher.is_interrupted() {
                return Ok(Exit::Interrupted);
            }
        }
    }
    Ok(worst)
}

/// `VALID    paxos/4-ballots   123,456 distinct   …`
fn line(protocol: &str, row: &str, searched: &Searched) -> String {
    let progress = &searched.explored.progress;
    let answer = match searched.exit() {
        Exit::Valid => "VALID",
        Exit::Invalid => "INVALID",
        _ => "UNKNOWN",
    };
    format!(
        "{answer:8} {:32} {:>12} distinct {:>13} generated  depth {:>3}  {:>6.1} s of processors  {:>6} MiB",
        format!("{protocol}/{row}"),
        grouped(progress.distinct as u64),
        grouped(progress.generated as u64),
        progress.depth,
        searched.cpu.as_secs_f64(),
        searched.peak_bytes >> 20,
    )
}

/// The worse of two ends: Invalid, then Unknown, then Valid, then that nothing ran.
fn worse(one: Exit, other: Exit) -> Exit {
    let order = |exit| match exit {
        Exit::Invalid => 3,
        Exit::Unknown => 2,
        Exit::Valid => 1,
        _ => 0,
    };
    if order(other) > order(one) {
        other
    } else {
        one
    }
}
