//! The options of `tribunal check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use tribunal_checkers::{FailedCas, Limits, NilRead};
use tribunal_histories::{EqualTimes, Format, Loaded, PartitionBy, ProcessReuse, Value};

use crate::cli::exit::Failure;
use crate::cli::quantity;

/// Judge recorded histories.
///
/// Every file is judged by itself. The answer is VALID with evidence that was verified by separate code, INVALID with
/// the few operations that already contradict the model, or UNKNOWN with what was not searched. Searches are bounded
/// by counts, so that the same file has the same answer on every machine, unless --time-limit cuts them short.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Histories: JSON Lines, EDN, JSON, or a text log of Jepsen's; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What the history is judged by: see `tribunal list models`
    #[arg(short, long, value_parser = PossibleValuesParser::new(models()))]
    pub model: String,

    /// The value that the object, or every register or key, begins with, as JSON; absent or empty without it
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub initial: Option<Value>,

    /// The format of the files; without it, their content tells: see `tribunal list formats`
    #[arg(long, value_name = "FORMAT")]
    pub from: Option<Format>,

    /// What tells objects apart: the key of events; none for one object; tuple for values that are [key value], as with
    /// jepsen.independent; or a field of the invocation or of its value, by name
    #[arg(long, value_name = "key|none|tuple|FIELD", default_value = "key")]
    pub partition_by: PartitionBy,

    /// Whether a process may go on after an operation of its ended in info
    #[arg(long, value_name = "allow|reject", default_value = "reject", value_parser = process_reuse())]
    pub process_reuse: ProcessReuse,

    /// Whether to judge the whole lines of a JSON Lines file whose last line was cut off while it was written
    #[arg(long, value_enum, default_value_t = Torn::Reject)]
    pub torn: Torn,

    /// How a return and an invocation of the same time lie: in the order of their lines, or at once
    #[arg(
        long,
        value_name = "by-line|concurrent",
        default_value = "by-line",
        value_parser = equal_times()
    )]
    pub equal_times: EqualTimes,

    /// What a read of nil says: the object was absent, or nothing [default: absent; unconstrained with --initial, and
    /// for the registers of Knossos in EDN and JSON of Jepsen's]
    #[arg(long, value_name = "absent|unconstrained", value_parser = nil_read())]
    pub nil_read: Option<NilRead>,

    /// What a failed compare-and-set says: it did not happen, or it saw another value than it expected
    #[arg(
        long,
        value_name = "did-not-happen|observed-other",
        default_value = "did-not-happen",
        value_parser = failed_cas()
    )]
    pub failed_cas: FailedCas,

    /// The most states that the search of one key looks at
    #[arg(long, value_name = "N", default_value_t = Limits::default().states_max)]
    pub states_max: u64,

    /// About how much memory the search of one key may hold
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = quantity::bytes)]
    pub memory_max: usize,

    /// How long each file may be searched; no limit without it
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration)]
    pub time_limit: Option<Duration>,

    /// Text for people, or one line of JSON for each file and one for all of them
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,

    /// Write the verdicts with their evidence to a file, one line of JSON each; - is standard output
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,

    /// Judge the history while it grows, and stop at the first violation; ends when a pipe does, or with --follow-idle
    /// or Ctrl-C
    #[arg(long)]
    pub follow: bool,

    /// Follow no longer when nothing has come for so long
    #[arg(long, value_name = "DURATION", requires = "follow", value_parser = quantity::duration)]
    pub follow_idle: Option<Duration>,

    /// Write the picture of the history to a file: a page for a browser, which needs nothing else
    #[arg(long, value_name = "PAGE")]
    pub html: Option<PathBuf>,

    /// Show one line for each file
    #[arg(short, long)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  tribunal check history.jsonl --model cas-register
  tribunal check store/*/history.edn --model register --initial 0 --quiet
  tribunal check kv.txt --model kv --initial '\"\"' --from edn
  tribunal check history.json --model counter --message-format json | jq .verdict.judgement
  tribunal check history.jsonl --model register --html history.html
  tribunal check independent.edn --model cas-register --partition-by tuple --equal-times concurrent
  tribunal check growing.jsonl --model kv --follow --follow-idle 1m

Ends with 0 if every file is valid, 1 if one is invalid, 2 if one is unknown, 64 if one is not a history of that
model, 74 if one cannot be read.";

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// What becomes of a native history whose writer died in mid-write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Torn {
    /// Its whole lines are judged: a prefix of a history is a history.
    Allow,
    /// It is an error, as for every other file that was cut off.
    Reject,
}

/// A history with all its lines, or with those that were written whole if that is allowed.
///
/// # Errors
/// When it is torn and must not be.
pub(crate) fn whole(loaded: Loaded, torn: Torn) -> Result<Loaded, Failure> {
    match (loaded.truncated, torn) {
        (Some(truncation), Torn::Reject) => Err(Failure::usage(format_args!(
            "{truncation}: --torn allow takes these"
        ))),
        _ => Ok(loaded),
    }
}

/// The names of the checkers, with their aliases.
fn models() -> impl Iterator<Item = PossibleValue> {
    tribunal_checkers::registry()
        .iter()
        .map(|entry| PossibleValue::new(entry.name).aliases(entry.aliases))
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("not JSON: {error} (a text needs quotes within quotes: --initial '\"a\"')")
    })
}

/// A parser of values that have names; each name with its value.
fn named<T: Copy + Send + Sync + 'static>(
    values: [(&'static str, T); 2],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.map(|(name, _)| name)).try_map(move |name: String| {
        let chosen = values.iter().find(|(other, _)| *other == name);
        chosen.map(|(_, value)| *value).ok_or("no such value")
    })
}

pub(crate) fn process_reuse() -> impl TypedValueParser<Value = ProcessReuse> {
    named(PROCESS_REUSES)
}

fn equal_times() -> impl TypedValueParser<Value = EqualTimes> {
    named(EQUAL_TIMES)
}

fn nil_read() -> impl TypedValueParser<Value = NilRead> {
    named(NIL_READS)
}

fn failed_cas() -> impl TypedValueParser<Value = FailedCas> {
    named(FAILED_CAS)
}

/// The names of [`ProcessReuse`].
pub(super) const PROCESS_REUSES: [(&str, ProcessReuse); 2] = [
    ("allow", ProcessReuse::Allow),
    ("reject", ProcessReuse::Reject),
];

/// The names of [`EqualTimes`].
pub(super) const EQUAL_TIMES: [(&str, EqualTimes); 2] = [
    ("by-line", EqualTimes::ByLine),
    ("concurrent", EqualTimes::Concurrent),
];

/// The names of [`NilRead`].
pub(super) const NIL_READS: [(&str, NilRead); 2] = [
    ("absent", NilRead::Absent),
    ("unconstrained", NilRead::Unconstrained),
];

/// The names of [`FailedCas`].
pub(super) const FAILED_CAS: [(&str, FailedCas); 2] = [
    ("did-not-happen", FailedCas::DidNotHappen),
    ("observed-other", FailedCas::ObservedOther),
];

/// The name of a value in such a table.
pub(super) fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    let found = names.iter().find(|(_, other)| other == value);
    found.map_or("", |(name, _)| name)
}
