//! Judging a run: what every runtime's outcomes hold, and how verdicts of checkers become one.

use std::collections::BTreeMap;

use tribunal_checkers::properties::{Monitor, Violation};
use tribunal_checkers::verdict::{Counterexample, Evidence, Judgement, Statistics};
use tribunal_checkers::{
    Answer, CheckRequest, CheckerEntry, Limits, Verdict, check_history, registry,
};
use tribunal_histories::{BuildOptions, Digest, EventRecord, History, Outcome, Trace};

use crate::runtime::sim::Tally;

/// The name under which a violated liveness bound is reported.
pub const LIVENESS: &str = tribunal_checkers::explore::NOT_LIVE;
/// The name under which a history that is not linearizable is reported; see [`violated_by`].
pub const LINEARIZABILITY: &str = tribunal_checkers::explore::WRONG_HISTORY;

/// Operations by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Operations {
    /// They happened.
    pub ok: u64,
    /// They did not.
    pub fail: u64,
    /// Nobody knows.
    pub info: u64,
}

impl Operations {
    /// All of them.
    pub fn total(self) -> u64 {
        self.ok + self.fail + self.info
    }

    /// Those of a history.
    pub fn of(history: &History) -> Self {
        history
            .operations()
            .fold(Self::default(), |mut count, operation| {
                match operation.outcome {
                    Outcome::Ok => count.ok += 1,
                    Outcome::Fail => count.fail += 1,
                    Outcome::Info => count.info += 1,
                }
                count
            })
    }
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcomes {
    /// Names the run.
    pub seed: u64,
    /// A digest of every step.
    pub digest: Digest,
    /// The worst that any checker says.
    pub verdict: Verdict,
    /// What is violated: a property's id, what [`violated_by`] says, or [`LIVENESS`]; empty if nothing is.
    pub violated: String,
    /// What clients saw.
    pub history: History,
    /// Clients' operations by outcome.
    pub operations: Operations,
    /// Packets, events and losses.
    pub tally: Tally,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Probes, of the protocol and of the workload, and how often each was hit.
    pub probes: BTreeMap<&'static str, u64>,
    /// How often each cluster property was put to the test.
    pub exercised: BTreeMap<&'static str, u64>,
    /// Simulated time, in microseconds.
    pub simulated_us: u64,
    /// Every step and client event, if they were kept.
    pub trace: Option<Trace>,
}

/// The history of these events.
///
/// # Panics
/// If they break a rule of histories, which would be a bug of the runtime that wrote them.
pub fn history_of(events: Vec<EventRecord>) -> History {
    History::from_records(events, BuildOptions::default())
        .expect("a runtime writes histories by the rules")
}

/// Whether what is violated takes time to see: without the time, which a trace of steps does not have, leaving steps
/// out would explain nothing.
pub fn takes_time(violated: &str) -> bool {
    violated == LIVENESS || CheckerEntry::named(violated).is_some_and(CheckerEntry::takes_time)
}

/// The verdicts about a run, as they come in.
#[derive(Debug)]
pub struct Judged {
    /// One a checker.
    pub parts: Vec<Verdict>,
    /// The first thing that is violated.
    pub violated: String,
}

impl Judged {
    /// Judges the cluster properties, and the clients' history by a model.
    pub fn of(
        monitor: Option<&Monitor>,
        history: &History,
        model: &str,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Self {
        let mut violated = String::new();
        let mut parts = Vec::new();
        if let Some(monitor) = monitor {
            if let Some(violation) = monitor.violation() {
                violated = violation.property.to_owned();
                parts.push(broken(violation, monitor.observations()));
            } else {
                parts.push(holds(
                    "properties",
                    "every cluster property holds",
                    monitor.observations(),
                ));
            }
        }
        let request = CheckRequest {
            limits,
            ..CheckRequest::new(model)
        };
        let verdict = check_history(history, &request, stop).unwrap_or_else(|error| {
            Verdict::unknown(model, error.to_string(), vec!["the whole history".into()])
        });
        if verdict.answer() == Answer::Invalid && violated.is_empty() {
            violated = violated_by(model).to_owned();
        }
        parts.push(verdict);
        Self { parts, violated }
    }

    /// The worst of the verdicts.
    pub fn answer(&self) -> Answer {
        self.parts
            .iter()
            .map(Verdict::answer)
            .max()
            .unwrap_or(Answer::Unknown)
    }

    /// What was violated takes time to see, and steps have none.
    pub(crate) fn not_replayable(&mut self) {
        let why = "liveness is measured in time, which a trace of steps does not have; run the seed again to see it";
        self.parts
            .push(Verdict::unknown(LIVENESS, why, vec![LIVENESS.to_owned()]));
    }

    /// A healed cluster did not answer this operation within so many microseconds, so many election timeouts.
    pub fn not_live(&mut self, operation: &str, liveness_us: u64, timeouts: u64) -> Verdict {
        if self.violated.is_empty() {
            self.violated = LIVENESS.to_owned();
        }
        let sentences = vec![
            "not live: the cluster did not answer after all faults had ended".to_owned(),
            format!(
                "Because all nodes were up and connected for {} ms ({timeouts} of the longest election timeouts) \
                 without a fault, {operation} had to be answered; it was not.",
                liveness_us / 1_000
            ),
        ];
        let counterexample = Counterexample::Cluster {
            step: 0,
            nodes: Vec::new(),
        };
        Verdict::new(LIVENESS, Judgement::Invalid { counterexample }, sentences)
    }
}

/// What a history violates that a checker finds wrong: [`LINEARIZABILITY`], or what a plain checker is named after.
pub fn violated_by(checker: &str) -> &str {
    let is_named = |entry: &&CheckerEntry| entry.name == checker;
    match registry().iter().find(is_named) {
        Some(entry) if !entry.is_linearizability => checker,
        _ => LINEARIZABILITY,
    }
}

/// A verdict of so many observations, all of them good.
pub fn holds(checker: &str, sentence: &str, count: u64) -> Verdict {
    let evidence = Evidence::Observations {
        count: usize::try_from(count).unwrap_or(usize::MAX),
    };
    let statistics = Statistics {
        states: count,
        ..Statistics::default()
    };
    Verdict::new(
        checker,
        Judgement::Valid { evidence },
        vec![sentence.to_owned()],
    )
    .with_statistics(statistics)
}

fn broken(violation: &Violation, observations: u64) -> Verdict {
    let sentences = vec![
        format!("{} ({}) is violated", violation.name, violation.property),
        violation.sentence.clone(),
    ];
    let counterexample = Counterexample::Cluster {
        step: observations,
        nodes: Vec::new(),
    };
    let statistics = Statistics {
        states: observations,
        ..Statistics::default()
    };
    Verdict::new(
        violation.property,
        Judgement::Invalid { counterexample },
        sentences,
    )
    .with_statistics(statistics)
}
