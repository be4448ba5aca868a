//! From a failing run of somebody's program to a finding: its steps are taken again, made fewer, and told.

use std::path::{Path, PathBuf};

use tribunal_checkers::Answer;

use super::misbehaviour::PROTOCOL;
use super::plan::Plan;
use super::run::run;
use super::script::{SUBJECT, replay, story};
use super::shrink::shrink;
use crate::command;
use crate::experiment::{Experiment, Pace, Second};
use crate::investigate::{Case, Effort, Investigation};
use crate::judge::Outcomes;
use crate::nemesis::Selection;
use crate::report::{Finding, RunRecord, Shrinking, fingerprint};
use crate::workload;

impl Experiment for Plan {
    const IS_OURS: bool = false;

    fn subject(&self) -> &'static str {
        SUBJECT
    }

    fn workload(&self) -> &'static workload::Entry {
        &self.dialogue.workload
    }

    fn pace(&self) -> Pace {
        match self.is_wall_clock {
            true => Pace::RealTime,
            false => Pace::Simulated,
        }
    }

    fn is_fair_weather(&self) -> bool {
        matches!(self.nemesis, Selection::None)
    }

    fn run(&self, seed: u64, _record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
        let outcomes = run(self, seed, stop);
        if outcomes.verdict.answer() == Answer::Invalid && !self.is_wall_clock {
            self.kept.keep(outcomes.clone());
        }
        outcomes
    }

    fn second(&self, seed: u64, every: u64) -> Option<Second<Self>> {
        let is_twice = every > 0 && seed.is_multiple_of(every) && !self.is_wall_clock;
        is_twice.then(|| Second {
            experiment: self.clone(),
            on_other_runtime: false,
        })
    }

    fn investigate(case: Case<'_, Self>, stop: &dyn Fn() -> bool) -> anyhow::Result<Investigation> {
        let Case { plan, seed, .. } = case;
        let kept = plan.kept.take(seed);
        let outcomes = kept.unwrap_or_else(|| run(plan, seed, &|| false));
        let mut full = outcomes
            .trace
            .clone()
            .expect("runs in virtual time are recorded");
        full.header.command = Some(plan.command(seed));
        let folder = plan.directory.join("replay");
        let replayed = replay(&full, folder.clone(), plan.limits)?;
        let is_faithful = replayed.parted.is_none();
        let mut shrunk = None;
        // What is wrong with the number of answers is so of the whole run only.
        if case.shrink != Effort::Off && is_faithful && replayed.verdict.answer() == Answer::Invalid
        {
            shrunk = Some(shrink(&full, folder.clone(), plan.limits, stop)?);
        }
        let trace = shrunk
            .as_ref()
            .map_or(&full, |shrunk| &shrunk.trace)
            .clone();
        let retold = replay(&trace, folder.clone(), plan.limits)?;
        let _ = std::fs::remove_dir_all(&folder);
        let verdict = match retold.verdict.answer() {
            Answer::Invalid => &retold.verdict,
            _ => &outcomes.verdict,
        };
        let mut finding = plan.finding(&outcomes, &verdict.sentences, case.seeds);
        if let Some(parted) = replayed.parted {
            finding.because.push(format!(
                "The program is not deterministic: with the same messages in the same order it did something else in {parted}."
            ));
        }
        finding.shrinking = shrunk.map(|shrunk| Shrinking {
            from: shrunk.from,
            to: shrunk.to,
            tried: shrunk.tried,
            minimal: shrunk.minimal,
        });
        finding.replays = Some(retold.parted.is_none() && is_faithful);
        finding.table = story(&trace)?;
        finding.record = RunRecord::Trace(case.trace.to_owned());
        finding.replay_command = is_faithful.then(|| command::of_trace(case.trace));
        Ok(Investigation {
            finding,
            outcomes,
            full,
            trace,
        })
    }

    fn unrecorded(&self, outcomes: &Outcomes, history: &Path) -> Finding {
        let model = self.dialogue.workload.model;
        Finding {
            record: RunRecord::History(history.to_owned()),
            replay_command: (outcomes.violated != PROTOCOL)
                .then(|| command::of_history(history, model)),
            ..self.finding(outcomes, &outcomes.verdict.sentences, &[outcomes.seed])
        }
    }

    fn command(&self, seed: u64) -> String {
        command::of_audit(self, seed)
    }
}

impl Plan {
    /// Where the standard error of a seed's nodes is, if there is any.
    fn stderr_of(&self, seed: u64) -> Option<PathBuf> {
        let folder = self.directory.join(seed.to_string());
        folder.exists().then_some(folder)
    }

    /// What there is to tell of a failing run, without its steps.
    fn finding(&self, outcomes: &Outcomes, sentences: &[String], seeds: &[u64]) -> Finding {
        let mut sentences = sentences.iter().cloned();
        Finding {
            fingerprint: fingerprint(SUBJECT, &outcomes.violated),
            protocol: SUBJECT,
            is_ours: false,
            bugs: Vec::new(),
            violated: outcomes.violated.clone(),
            headline: sentences.next().unwrap_or_default(),
            because: sentences.collect(),
            seed: outcomes.seed,
            digest: outcomes.digest,
            seeds: seeds.to_vec(),
            shrinking: None,
            smaller: None,
            stderr: self.stderr_of(outcomes.seed),
            replays: None,
            table: Vec::new(),
            record: RunRecord::History(self.directory.clone()),
            replay_command: None,
            seed_command: self.command(outcomes.seed),
        }
    }
}
