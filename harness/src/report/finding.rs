//! A finding: what is wrong, where, why, and how to see it again. Everybody who tells of it shows its text.

use std::path::PathBuf;

use serde::Serialize;
use tribunal_histories::Digest;

use crate::smaller::SEEDS;

/// How a trace was made smaller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shrinking {
    /// How many steps there were.
    pub from: usize,
    /// How many are left.
    pub to: usize,
    /// How many candidates were tried.
    pub tried: usize,
    /// Whether no single step can be left out any more.
    pub minimal: bool,
}

/// A smaller run that fails for the same reason, where steps cannot be taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmallerRun {
    /// How many steps the first run has.
    pub from: usize,
    /// How many this one has.
    pub to: usize,
    /// How big it is, in words.
    pub size: String,
    /// Its seed.
    pub seed: u64,
    /// How many runs were tried.
    pub tried: usize,
    /// Whether nothing that was tried can be less any more.
    pub minimal: bool,
    /// The command that makes it.
    pub command: String,
}

impl SmallerRun {
    fn told(&self) -> String {
        let Self {
            from,
            to,
            size,
            seed,
            tried,
            minimal,
            ..
        } = self;
        let bound = if *minimal {
            format!("with less of one of these, none of {SEEDS} seeds fails")
        } else {
            "stopped at its bound".to_owned()
        };
        format!(
            "          a smaller run fails so too, and is told here: {from} → {to} steps, {size}, seed {seed}\n          \
             {tried} runs tried; {bound}"
        )
    }
}

/// Something that is wrong, as the first run that shows it has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Names the kind of failure: the same for all runs that violate the same thing.
    pub fingerprint: String,
    /// The protocol, or the kind of system.
    pub protocol: &'static str,
    /// Whether its nodes are those of our own protocols.
    pub is_ours: bool,
    /// The ids of the planted bugs that are on.
    pub bugs: Vec<&'static str>,
    /// What is violated: a property's id, `linearizability` or a plain checker's name, or `liveness`.
    pub violated: String,
    /// What happened, in a sentence.
    pub headline: String,
    /// Why it is wrong: the first begins with "Because".
    pub because: Vec<String>,
    /// The first seed that shows it.
    pub seed: u64,
    /// The digest of that run's steps.
    pub digest: Digest,
    /// All seeds that show it.
    pub seeds: Vec<u64>,
    /// How the trace was made smaller; nothing if it was not.
    pub shrinking: Option<Shrinking>,
    /// A smaller run that fails so, if one was looked for and found. Sentences, steps and trace are then that run's.
    pub smaller: Option<SmallerRun>,
    /// Where the nodes' standard error is, if they wrote any.
    pub stderr: Option<PathBuf>,
    /// Whether taking the steps again gave the same run; nothing for what steps do not show (liveness).
    pub replays: Option<bool>,
    /// The steps, as lines of a table, with its heading.
    pub table: Vec<String>,
    /// What is left of the run.
    pub record: RunRecord,
    /// The command that shows the failure again from the record, if one does.
    pub replay_command: Option<String>,
    /// The command that makes the run again from its seed, or, with real processes, another such run.
    pub seed_command: String,
}

/// What is left of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunRecord {
    /// Its steps.
    Trace(PathBuf),
    /// What clients saw: real processes have no steps that could be taken again.
    History(PathBuf),
}

/// The longest table that a text has: the end of the story is what matters.
const TABLE_ROWS_MAX: usize = 60;

/// The name of a kind of failure.
pub fn fingerprint(protocol: &str, violated: &str) -> String {
    let digest = Digest::default().then(protocol).then(violated).to_string();
    digest[..6].to_owned()
}

impl Finding {
    /// The whole text: what happened, where, why it is wrong, and how to see it again.
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            " INVALID  {}   seed {}, fingerprint {}",
            self.headline, self.seed, self.fingerprint
        )];
        if !self.bugs.is_empty() {
            lines.push(format!(
                "          planted bugs are on: {}",
                self.bugs.join(", ")
            ));
        }
        if let Some(shrinking) = &self.shrinking {
            let Shrinking {
                from,
                to,
                tried,
                minimal,
            } = shrinking;
            let bound = if *minimal {
                "no step can be left out"
            } else {
                "stopped at its bound"
            };
            lines.push(format!(
                "          shrunk {from} → {to} steps, {tried} tried; {bound}"
            ));
        }
        lines.extend(self.smaller.as_ref().map(SmallerRun::told));
        lines.push(String::new());
        lines.extend(self.table_lines());
        lines.extend(self.because.iter().map(|sentence| format!("  {sentence}")));
        lines.push(format!("  Property: {}.", self.violated));
        lines.push(String::new());
        lines.extend(self.how_to_see_it());
        lines.join("\n")
    }

    fn table_lines(&self) -> Vec<String> {
        let Some((heading, rows)) = self.table.split_first() else {
            return Vec::new();
        };
        let mut lines = vec![heading.clone()];
        let skipped = rows.len().saturating_sub(TABLE_ROWS_MAX);
        if skipped > 0 {
            lines.push(format!(
                "        … {skipped} steps before; `replay -v` shows them"
            ));
        }
        lines.extend_from_slice(&rows[skipped..]);
        lines.push(String::new());
        lines
    }

    fn how_to_see_it(&self) -> Vec<String> {
        let again = match &self.record {
            RunRecord::Trace(_) => "or     ",
            RunRecord::History(_) => "another",
        };
        let mut lines = vec![match &self.record {
            RunRecord::Trace(path) => format!("  trace    {}", path.display()),
            RunRecord::History(path) => format!("  history  {}", path.display()),
        }];
        if let Some(folder) = &self.stderr {
            lines.push(format!("  stderr   {}", folder.display()));
        }
        if self.replays == Some(false) {
            let why = match self.is_ours {
                true => "a bug of this tool, please report it",
                false => "the program is not deterministic",
            };
            lines.push(format!(
                "           taking its steps again did NOT give the same run: {why}"
            ));
        }
        match &self.replay_command {
            Some(command) => {
                lines.push(format!("  replay   {command}"));
                lines.push(format!("  {again}  {}", self.seed_command));
            }
            None => lines.push(format!("  again    {}", self.seed_command)),
        }
        if let Some(smaller) = &self.smaller {
            lines.push(format!("  smaller  {}", smaller.command));
        }
        lines
    }
}
