//! `tribunal generate`: synthetic histories, valid or invalid by construction.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use tribunal_histories::{Format, Kind, Synthesis, SyntheticModel, synthetic};

use super::exit::Exit;
use super::interrupt;
use super::output::Output;
use super::plan::seed;
use super::quantity::{counted, grouped};
use crate::report::{Ticker, note};

const EXAMPLES: &str = "\
Examples:
  tribunal generate --model register --unique --ops 1000000 -o register.jsonl
  tribunal generate --model cas --concurrency 10 --crashed 20 --invalid late -o wrong.edn
  tribunal generate --model kv --keys 1000 --seed 7 | tribunal check - --model kv

A simulation of a linearizable object: so many clients are always busy, an operation takes from 1 to 2,000 µs and takes
effect at some moment in between. A crashed operation ends in info, and half of those take effect, perhaps much later.
An invalid history has one wrong result, which no order of the operations explains. The same arguments always give the
same history. Ends with 0 when it is written, 74 if that failed.";

/// Write a synthetic history, valid or invalid by construction
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The kind of object; `tribunal check --model` judges the history by the same name
    #[arg(short, long, value_name = "MODEL", default_value = "register", value_parser = model())]
    model: SyntheticModel,

    /// How many operations are invoked
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=2_000_000_000))]
    ops: u64,

    /// How many clients are busy at any time
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,

    /// How many objects there are; with more than one, every event has a key
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    keys: u32,

    /// Write or insert every value once only, instead of the numbers from 0 to 4
    #[arg(long)]
    unique: bool,

    /// How many operations crash: they end in info
    #[arg(long, value_name = "N", default_value_t = 0)]
    crashed: u64,

    /// Where a result is wrong: after a twentieth of the operations, after nineteen, or nowhere
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Invalid::None)]
    invalid: Invalid,

    /// Names the history among all that are like it
    #[arg(long, value_name = "S", default_value = "0", value_parser = seed)]
    seed: u64,

    /// The file to write; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// The format to write; without it, the file's name tells, or it is JSON Lines: see `tribunal list formats`
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,

    /// No progress
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Invalid {
    Early,
    Late,
    None,
}

/// A parser of the names of synthetic models.
fn model() -> impl TypedValueParser<Value = SyntheticModel> {
    let names = synthetic::registry()
        .iter()
        .map(|model| PossibleValue::new(model.name).aliases(model.aliases));
    PossibleValuesParser::new(names)
        .try_map(|name| SyntheticModel::named(&name).ok_or("no such model"))
}

/// Writes the history.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let synthesis = args.synthesis();
    let output = Output::new(&args.output, args.to);
    let interrupted = interrupt::listen()?;
    let mut progress = Ticker::new(args.quiet);
    let mut begun = 0;
    output.write(|writer| {
        for event in synthesis.events() {
            if event.kind == Kind::Invoke {
                begun += 1;
                if is_time_to_look(begun) {
                    progress.tick(&format!("{} of {}", grouped(begun), grouped(args.ops)));
                    if interrupted.load(Ordering::Relaxed) {
                        break;
                    }
                }
            }
            writer.write(&event)?;
        }
        Ok(())
    })?;
    progress.finish();
    if stopped(&interrupted, begun, args.ops) {
        note(&format!(
            "interrupted: only the first {} were written, and what was to be wrong may be missing",
            counted(begun, "operation")
        ));
        return Ok(Exit::Interrupted);
    }
    if let Some(path) = output.file().filter(|_| !args.quiet) {
        note(&format!(
            "{} of {}, {}, in {}",
            counted(begun, "operation"),
            args.model.name,
            if synthesis.invalid.is_some() {
                "invalid"
            } else {
                "valid"
            },
            path.display()
        ));
    }
    Ok(Exit::Valid)
}

/// Whether to show progress and to listen to Ctrl-C after so many operations.
fn is_time_to_look(operations: u64) -> bool {
    const EVERY: u64 = 1 << 14;
    operations.is_multiple_of(EVERY)
}

fn stopped(interrupted: &AtomicBool, begun: u64, wanted: u64) -> bool {
    interrupted.load(Ordering::Relaxed) && begun < wanted
}

impl Args {
    fn synthesis(&self) -> Synthesis {
        Synthesis {
            concurrency: self.concurrency,
            keys: self.keys,
            unique: self.unique,
            crashed: self.crashed,
            invalid: match self.invalid {
                Invalid::Early => Some(synthetic::Invalid::Early),
                Invalid::Late => Some(synthetic::Invalid::Late),
                Invalid::None => None,
            },
            seed: self.seed,
            ..Synthesis::new(self.model, self.ops)
        }
    }
}
