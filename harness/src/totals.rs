//! What many runs came to, added up: in whichever order runs are added, the sum is the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tribunal_checkers::Answer;
use tribunal_checkers::verdict::Judgement;

use crate::experiment::Experiment;
use crate::judge::Operations;
use crate::plan::Driver;
use crate::sweep::{Ended, Run};

/// A probe of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The workload.
    pub workload: &'static str,
    /// The probe.
    pub probe: &'static str,
}

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Runs that are over.
    pub runs: u64,
    /// Those that are valid.
    pub valid: u64,
    /// Clients' operations by outcome.
    pub operations: Operations,
    /// Packets that arrived.
    pub packets: u64,
    /// Packets that nodes sent one another, where they are counted apart.
    pub packets_between_nodes: u64,
    /// Packets that were lost or stopped by a cut.
    pub packets_lost: u64,
    /// Packets that arrived twice.
    pub packets_duplicated: u64,
    /// Unsynced writes that crashes lost.
    pub writes_lost: u64,
    /// Steps that a crash cut in the middle.
    pub steps_cut: u64,
    /// Simulated time, in microseconds.
    pub simulated_us: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// By probe that must be hit, in how many runs it was.
    #[serde(serialize_with = "probes_as_list")]
    pub probes: BTreeMap<Asked, u64>,
    /// By remarkable thing that the protocol notes, in how many runs it happened.
    pub notes: BTreeMap<&'static str, u64>,
    /// How often each cluster property was put to the test.
    pub exercised: BTreeMap<&'static str, u64>,
    /// The first run that is valid, and what its checkers say of it.
    #[serde(skip)]
    pub example: Option<(Run, Vec<String>)>,
    /// The runs that fail, by what they violate.
    pub failures: BTreeMap<String, BTreeSet<Run>>,
    /// The runs that were not decided, by why not.
    pub undecided: BTreeMap<String, BTreeSet<Run>>,
    /// The runs in which this tool or a node panicked, by message.
    pub panics: BTreeMap<String, BTreeSet<Run>>,
    /// Runs that were made twice with the same driver.
    pub repeated_same: u64,
    /// Runs that were made with both drivers.
    pub repeated_other: u64,
    /// The runs that were not the same the second time.
    pub differing: BTreeSet<Run>,
}

fn probes_as_list<S: serde::Serializer>(
    probes: &BTreeMap<Asked, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Line {
        workload: &'static str,
        probe: &'static str,
        runs: u64,
    }
    serializer.collect_seq(probes.iter().map(|(asked, runs)| Line {
        workload: asked.workload,
        probe: asked.probe,
        runs: *runs,
    }))
}

impl Totals {
    /// Adds a run.
    pub fn add<E: Experiment>(&mut self, plan: &E, ended: &Ended) {
        self.runs += 1;
        if let Some(repeated) = ended.repeated {
            let count = if repeated.on_other_runtime {
                &mut self.repeated_other
            } else {
                &mut self.repeated_same
            };
            *count += 1;
            if !repeated.same {
                self.differing.insert(ended.run);
            }
        }
        let outcomes = match &ended.outcomes {
            Ok(outcomes) => outcomes,
            Err(message) => {
                self.panics
                    .entry(message.clone())
                    .or_default()
                    .insert(ended.run);
                return;
            }
        };
        self.operations.ok += outcomes.operations.ok;
        self.operations.fail += outcomes.operations.fail;
        self.operations.info += outcomes.operations.info;
        self.packets += outcomes.tally.packets;
        self.packets_between_nodes += outcomes.tally.packets_between_nodes;
        self.packets_lost += outcomes.tally.packets_lost;
        self.packets_duplicated += outcomes.tally.packets_duplicated;
        self.writes_lost += outcomes.tally.writes_lost;
        self.steps_cut += outcomes.tally.steps_cut;
        self.simulated_us += outcomes.simulated_us;
        for (kind, count) in &outcomes.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (property, count) in &outcomes.exercised {
            *self.exercised.entry(property).or_default() += count;
        }
        self.add_probes(plan, &outcomes.probes);
        let group = match &outcomes.verdict.judgement {
            Judgement::Valid { .. } => {
                self.valid += 1;
                let is_first = |(first, _): &(Run, _)| *first > ended.run;
                if self.example.as_ref().is_none_or(is_first) {
                    let sentences = outcomes.verdict.sentences.clone();
                    self.example = Some((ended.run, sentences));
                }
                return;
            }
            Judgement::Invalid { .. } => self.failures.entry(outcomes.violated.clone()),
            Judgement::Unknown { why, .. } => self.undecided.entry(why.clone()),
        };
        group.or_default().insert(ended.run);
    }

    fn add_probes<E: Experiment>(&mut self, plan: &E, seen: &BTreeMap<&'static str, u64>) {
        let workload = plan.workload();
        for probe in workload.probes {
            if !(probe.needs_faults && plan.is_fair_weather()) {
                let asked = Asked {
                    workload: workload.name,
                    probe: probe.name,
                };
                self.probes.entry(asked).or_default();
            }
        }
        for (name, count) in seen {
            let hit = u64::from(*count > 0);
            let asked = Asked {
                workload: workload.name,
                probe: name,
            };
            match self.probes.get_mut(&asked) {
                Some(runs) => *runs += hit,
                None if workload.probes.iter().any(|probe| probe.name == *name) => {}
                None => *self.notes.entry(name).or_default() += hit,
            }
        }
    }

    /// What the runs come to, without what must have been seen: the worst of them.
    pub fn answer(&self) -> Answer {
        if !self.failures.is_empty() {
            Answer::Invalid
        } else if self.valid < self.runs || self.runs == 0 {
            Answer::Unknown
        } else {
            Answer::Valid
        }
    }

    /// How many different runs fail.
    pub fn failing(&self) -> u64 {
        self.failures.values().map(|runs| runs.len() as u64).sum()
    }

    /// How many runs were made twice.
    pub fn repeated(&self) -> u64 {
        self.repeated_same + self.repeated_other
    }
}

/// What drives a run, as the command line calls it.
pub fn driver_name(driver: Driver) -> &'static str {
    match driver {
        Driver::Madsim => "madsim",
        Driver::Plain => "plain",
        Driver::Live => "live",
    }
}
