//! The conclusion of a sweep: the answer, why it is not better, and what it rests on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tribunal_checkers::Answer;

use super::terminal::word;
use crate::cli::exit::Exit;
use crate::cli::quantity::{counted, grouped};
use crate::experiment::{Experiment, Pace};
use crate::judge::{LINEARIZABILITY, violated_by};
use crate::sweep::{Finish, Sweep};
use crate::totals::Totals;

/// From so many runs on, a probe that no run hit, or a property that none put to the test, makes the answer Unknown.
pub const PROBES_FROM_RUNS: u64 = 50;

/// See the [module](self).
#[derive(Clone, Debug, Serialize)]
pub struct Conclusion {
    /// The answer.
    pub answer: Answer,
    /// Whether a seed gave two different runs.
    pub nondeterministic: bool,
    /// Whether this tool, and no planted bug, panicked.
    pub internal: bool,
    /// Why the answer is not better.
    pub reasons: Vec<String>,
    /// Why the sweep is over.
    pub finish: Finish,
    /// What ran, in words.
    pub what: String,
    /// What the clients' histories were judged by, where that is not linearizability.
    pub plain_checkers: Vec<&'static str>,
    /// Whether the nodes are those of our own protocols.
    pub is_ours: bool,
    /// Whether real processes ran: their time is real, and they show no views to properties.
    pub live: bool,
    /// The planted bugs that are on, by id.
    pub bugs: Vec<&'static str>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Everything added up.
    pub totals: Totals,
}

impl Conclusion {
    /// Concludes from a sweep over these plans, of which `asked` runs were wanted, if a number of them was.
    pub fn of<E: Experiment>(plans: &[E], what: String, sweep: Sweep, asked: Option<u64>) -> Self {
        let Sweep {
            totals,
            finish,
            elapsed,
        } = sweep;
        let bugs = plans.first().map_or_else(Vec::new, E::bugs);
        let mut reasons = unseen(plans, &totals);
        if let Some(asked) = asked.filter(|asked| finish != Finish::Found && totals.runs < *asked) {
            reasons.push(format!(
                "{} of {} were not run: {}",
                grouped(asked - totals.runs),
                counted(asked, "run"),
                if finish == Finish::Budget {
                    "the budget was used up"
                } else {
                    "interrupted"
                }
            ));
        }
        for (why, runs) in &totals.undecided {
            let first = runs.first().map_or(0, |run| run.seed);
            reasons.push(format!(
                "{why} ({}, first seed {first})",
                counted(runs.len() as u64, "run")
            ));
        }
        for (message, runs) in &totals.panics {
            let first = runs.first().map_or(0, |run| run.seed);
            let runs = counted(runs.len() as u64, "run");
            reasons.push(format!("panicked: {message} ({runs}, first seed {first})"));
        }
        if !totals.differing.is_empty() {
            let seeds: Vec<_> = totals
                .differing
                .iter()
                .map(|run| run.seed.to_string())
                .collect();
            reasons.push(format!(
                "two runs of the same seed differ: {}",
                seeds.join(", ")
            ));
        }
        let answer = match totals.answer() {
            Answer::Valid if !reasons.is_empty() => Answer::Unknown,
            answer => answer,
        };
        Self {
            answer,
            nondeterministic: !totals.differing.is_empty(),
            internal: !totals.panics.is_empty() && bugs.is_empty(),
            reasons,
            finish,
            what,
            plain_checkers: plain_checkers(plans),
            is_ours: E::IS_OURS,
            live: plans.iter().any(|plan| plan.pace() == Pace::RealTime),
            bugs,
            elapsed_ms: milliseconds(elapsed),
            totals,
        }
    }

    /// The exit code that this deserves, before `--expect` and `--fail-on`.
    pub fn exit(&self) -> Exit {
        match self.answer {
            _ if self.finish == Finish::Interrupted => Exit::Interrupted,
            _ if self.totals.runs == 0 && self.finish == Finish::Complete => Exit::NothingRan,
            Answer::Invalid => Exit::Invalid,
            _ if self.nondeterministic => Exit::Nondeterministic,
            _ if self.internal => Exit::Internal,
            answer => answer.into(),
        }
    }

    fn title(&self) -> String {
        let word = match (self.answer, self.nondeterministic) {
            (Answer::Unknown, true) => "NONDETERMINISTIC",
            (answer, _) => word(answer),
        };
        let held = match self.answer {
            Answer::Valid => {
                let histories = match &self.plain_checkers[..] {
                    [] => "linearizable".to_owned(),
                    checkers => format!("histories pass {}", checkers.join(", ")),
                };
                match self.totals.exercised.len() {
                    _ if !self.is_ours => histories,
                    0 => format!("{histories} and live"),
                    some => format!("{histories} and live, {some} cluster properties hold"),
                }
            }
            Answer::Unknown => self
                .reasons
                .first()
                .cloned()
                .unwrap_or_else(|| "nothing ran".to_owned()),
            Answer::Invalid => format!(
                "{} in {} of {}",
                counted(self.totals.failures.len() as u64, "distinct failure"),
                grouped(self.totals.failing()),
                counted(self.totals.runs, "run"),
            ),
        };
        let seconds = self.elapsed_ms as f64 / 1e3;
        let rate = self.totals.runs as f64 / seconds.max(1e-3);
        let seeds = counted(self.totals.runs, "seed");
        if self.live {
            return format!("{word:>8}  {held}   {seeds}   {seconds:.1} s");
        }
        format!("{word:>8}  {held}   {seeds}   {seconds:.1} s   {rate:.0} seeds/s")
    }

    /// The whole text; its first line is the answer.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title()];
        let mut fact = |label: &str, text: String| {
            for (place, line) in wrapped(&text).into_iter().enumerate() {
                let label = if place == 0 { label } else { "" };
                lines.push(format!("          {label:<12}{line}"));
            }
        };
        fact("ran", self.what.clone());
        if !self.bugs.is_empty() {
            fact("BUGS ON", format!("planted: {}", self.bugs.join(", ")));
        }
        let more = if self.answer == Answer::Unknown { 1 } else { 0 };
        for reason in self.reasons.iter().skip(more) {
            fact("also", reason.clone());
        }
        let totals = &self.totals;
        let operations = totals.operations;
        fact(
            "ops",
            format!(
                "{}   ok {}   fail {}   info {}",
                grouped(operations.total()),
                grouped(operations.ok),
                grouped(operations.fail),
                grouped(operations.info)
            ),
        );
        fact("faults", faults(totals));
        fact("probes", probes(totals));
        if self.is_ours {
            fact("noted", listed(&totals.notes));
        }
        if let Some((run, sentences)) = self.totals.example.as_ref().filter(|_| !self.is_ours) {
            for sentence in sentences {
                fact("for example", format!("seed {}: {sentence}", run.seed));
            }
        }
        if !self.is_ours && self.live {
            fact("determinism", "none: real time does not replay".to_owned());
        } else if !self.is_ours {
            fact("determinism", determinism(totals, false));
        } else if self.live {
            fact(
                "properties",
                "none: real processes show no views".to_owned(),
            );
            fact(
                "determinism",
                "none: real processes do not replay".to_owned(),
            );
        } else {
            fact("properties", listed(&totals.exercised));
            fact("determinism", determinism(totals, true));
        }
        fact("messages", messages(totals, self.elapsed_ms, self.live));
        lines.join("\n")
    }

    /// Only the answer.
    pub fn first_line(&self) -> String {
        self.title()
    }
}

/// The checkers of these plans' histories that ask for less than an order of all operations.
fn plain_checkers<E: Experiment>(plans: &[E]) -> Vec<&'static str> {
    let models = plans.iter().map(|plan| plan.workload().model);
    let mut plain: Vec<_> = models
        .filter(|model| violated_by(model) != LINEARIZABILITY)
        .collect();
    plain.dedup();
    plain
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What should have been seen and was not, when so many runs that one may expect it.
fn unseen<E: Experiment>(plans: &[E], totals: &Totals) -> Vec<String> {
    if totals.runs < PROBES_FROM_RUNS * plans.len() as u64 {
        return Vec::new();
    }
    let unmet = totals.probes.iter().filter(|(_, runs)| **runs == 0);
    let mut reasons: Vec<_> = unmet
        .map(|(asked, _)| {
            format!(
                "no run of {} hit the probe “{}”",
                asked.workload, asked.probe
            )
        })
        .collect();
    let simulated = plans.iter().find(|plan| plan.pace() == Pace::Simulated);
    for info in simulated.map_or(&[][..], |plan| plan.properties()) {
        if totals
            .exercised
            .get(info.id)
            .is_none_or(|count| *count == 0)
        {
            reasons.push(format!(
                "no run put {} ({}) to the test",
                info.id, info.name
            ));
        }
    }
    reasons
}

/// What stands between the parts of a line.
const GAP: &str = "   ";
/// The longest line of parts, without its label.
const COLUMNS: usize = 96;

/// A line of parts as several lines, where it is long.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.split(GAP) {
        let columns = line.chars().count() + GAP.len() + part.chars().count();
        if !line.is_empty() && columns > COLUMNS {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push_str(GAP);
        }
        line.push_str(part);
    }
    lines.push(line);
    lines
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let mut parts: Vec<_> = counts.iter().collect();
    // RI2 before RI10: by the letters, then by the number.
    parts.sort_by_key(|(name, _)| {
        let digits = name.find(|letter: char| letter.is_ascii_digit());
        let (letters, number) = name.split_at(digits.unwrap_or(name.len()));
        (letters, number.parse::<u32>().unwrap_or_default())
    });
    let parts: Vec<_> = parts
        .iter()
        .map(|(name, count)| format!("{name} {}", grouped(**count)))
        .collect();
    parts.join(GAP)
}

/// Faults that undo others: not worth a word.
const REMEDIES: [&str; 6] = [
    "clock reset",
    "fast disk",
    "heal",
    "packet calm",
    "restart",
    "resume",
];

fn faults(totals: &Totals) -> String {
    let mut counts = totals.faults.clone();
    counts.retain(|kind, count| *count > 0 && !REMEDIES.contains(kind));
    let lost = (totals.writes_lost > 0).then_some(("unsynced writes lost", totals.writes_lost));
    let cut = (totals.steps_cut > 0).then_some(("steps cut by a crash", totals.steps_cut));
    counts.extend(lost.into_iter().chain(cut));
    listed(&counts)
}

fn probes(totals: &Totals) -> String {
    let hit = totals.probes.values().filter(|runs| **runs > 0).count();
    let rarest = totals.probes.iter().min_by_key(|(_, runs)| **runs);
    let rarest = rarest.map_or_else(String::new, |(asked, runs)| {
        format!(
            "   rarest: {}, {} ({})",
            asked.workload,
            asked.probe,
            counted(*runs, "seed")
        )
    });
    format!("{hit}/{} hit{rarest}", totals.probes.len())
}

fn determinism(totals: &Totals, is_ours: bool) -> String {
    match totals.repeated() {
        0 => "no seed was run twice".to_owned(),
        twice => format!(
            "{} run twice{}: {}",
            counted(twice, "seed"),
            match is_ours {
                true => format!(
                    ", {} of them on both runtimes",
                    grouped(totals.repeated_other)
                ),
                false => String::new(),
            },
            match totals.differing.len() {
                0 => "identical".to_owned(),
                some => format!("{some} DIFFER"),
            }
        ),
    }
}

fn messages(totals: &Totals, elapsed_ms: u64, live: bool) -> String {
    let rate = totals.packets.saturating_mul(1_000) / elapsed_ms.max(1);
    let counts = format!(
        "{} delivered, {} lost, {} duplicated; {} a second",
        grouped(totals.packets),
        grouped(totals.packets_lost),
        grouped(totals.packets_duplicated),
        grouped(rate),
    );
    let operations = totals.operations.total();
    let counts = match totals.packets_between_nodes {
        0 => counts,
        between => {
            let each = between as f64 / operations.max(1) as f64;
            format!("{counts}; {each:.1} between nodes for each operation")
        }
    };
    if live {
        return counts;
    }
    let simulated_s = totals.simulated_us as f64 / 1e6;
    format!("{counts}; {simulated_s:.0} s simulated")
}
