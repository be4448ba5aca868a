//! One run: a seed of a plan, from the first boot to the verdict.

use std::collections::BTreeMap;

use tribunal_checkers::properties::{Monitor, Violation};
use tribunal_checkers::verdict::{Counterexample, Evidence, Judgement, Statistics};
use tribunal_checkers::{Answer, CheckRequest, Limits, Verdict, check_history};
use tribunal_histories::{BuildOptions, Digest, EventRecord, History, Outcome, Trace};
use tribunal_protocols::Node;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::world::{Setup, SyncMode};

use crate::live_run;
use crate::plan::{Driver, Plan};
use crate::replay;
use crate::runtime::sim::{Clients, Cluster, End, Faults, Remains, Tally, Witness, plain};

/// The name under which a violated liveness bound is reported.
pub const LIVENESS: &str = "liveness";
/// The name under which a history that is not linearizable is reported.
pub const LINEARIZABILITY: &str = "linearizability";

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
#[derive(Debug)]
pub struct Outcomes {
    /// Names the run.
    pub seed: u64,
    /// A digest of every step.
    pub digest: Digest,
    /// The worst that any checker says.
    pub verdict: Verdict,
    /// What is violated: a property's id, [`LINEARIZABILITY`] or [`LIVENESS`]; empty if nothing is.
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

/// Runs a seed of a plan.
///
/// # Panics
/// If the plan selects a nemesis that such a cluster cannot have: a plan is checked before it is run.
pub fn run<N: Node>(plan: &Plan, seed: u64, record: bool, stop: &dyn Fn() -> bool) -> Outcomes {
    if plan.driver == Driver::Live {
        return live_run::run::<N>(plan, seed, stop);
    }
    let config: N::Config = plan.config(seed);
    let settings = plan.settings(seed, config.election_timeout_us());
    let workload = plan.workload.workload(&plan.options);
    let nemesis = plan.nemesis(seed).expect("the plan was checked");
    let clients = Clients::new(
        workload.generator,
        workload.final_generator,
        plan.options.concurrency,
        seed,
    );
    let witness = Monitor::of(N::NAME).map_or_else(Witness::default, Witness::with);
    let mut cluster = Cluster::<N>::new(config, settings, clients, Faults::of(nemesis), record)
        .watched_by(witness);
    let end;
    if plan.driver == Driver::Plain {
        end = plain::run(&mut cluster, stop);
    } else {
        (cluster, end) = on_madsim(cluster, seed, stop);
    }
    judge(plan, seed, cluster, end, stop)
}

#[cfg(madsim)]
fn on_madsim<N: Node>(
    cluster: Cluster<N>,
    seed: u64,
    stop: &dyn Fn() -> bool,
) -> (Cluster<N>, End) {
    crate::runtime::sim::madsim::run(cluster, seed, stop)
}

/// A build without madsim has the plain loop only; the command line says so before it comes to this.
#[cfg(not(madsim))]
fn on_madsim<N: Node>(
    mut cluster: Cluster<N>,
    _seed: u64,
    stop: &dyn Fn() -> bool,
) -> (Cluster<N>, End) {
    let end = plain::run(&mut cluster, stop);
    (cluster, end)
}

fn judge<N: Node>(
    plan: &Plan,
    seed: u64,
    cluster: Cluster<N>,
    end: End,
    stop: &dyn Fn() -> bool,
) -> Outcomes {
    let (config, digest, simulated_us) =
        (cluster.config(), cluster.digest(), cluster.now_ns() / 1_000);
    let liveness_us = cluster.liveness_us();
    let Remains {
        witness,
        tally,
        recorded,
        unanswered,
        faults,
    } = cluster.into_remains();
    let history = history_of(witness.events);
    let mut judged = Judged::of(
        witness.monitor.as_ref(),
        &history,
        plan.workload.model,
        plan.limits,
        stop,
    );
    let live = match (end, unanswered) {
        (End::Complete, Some(operation)) => {
            judged.not_live(&operation, liveness_us, plan.liveness_timeouts)
        }
        (End::Complete | End::Violation, _) => {
            holds(LIVENESS, "every final read was answered in time", 1)
        }
        (End::EventsMax, _) => Verdict::unknown(
            LIVENESS,
            format!(
                "the run was stopped at its bound of {} events",
                plan.events_max
            ),
            vec!["what comes after it".into()],
        ),
        (End::Stopped, _) => Verdict::unknown(
            LIVENESS,
            "the run was stopped before its end",
            vec!["what comes after it".into()],
        ),
    };
    judged.parts.push(live);
    let mut probes = witness.probes;
    for probe in plan.workload.probes {
        *probes.entry(probe.name).or_default() += u64::from(probe.seen_in(&history));
    }
    let exercised = witness.monitor.iter().flat_map(Monitor::exercised);
    let trace = recorded.map(|recorded| {
        let setup = Setup::<N>::fresh(N::Config::clone(&config), SyncMode::Explicit);
        let header = replay::header(&setup, Some(seed), plan.workload.model);
        replay::trace_of(header, recorded, digest, &judged)
    });
    Outcomes {
        seed,
        digest,
        operations: Operations::of(&history),
        history,
        exercised: exercised
            .map(|exercise| (exercise.property, exercise.count))
            .collect(),
        violated: judged.violated,
        verdict: Verdict::merge("run", judged.parts),
        tally,
        faults,
        probes,
        simulated_us,
        trace,
    }
}

/// The history of these events.
///
/// # Panics
/// If they break a rule of histories, which would be a bug of the runtime that wrote them.
pub fn history_of(events: Vec<EventRecord>) -> History {
    History::from_records(events, BuildOptions::default())
        .expect("a runtime writes histories by the rules")
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
            violated = LINEARIZABILITY.to_owned();
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

    fn not_live(&mut self, operation: &str, liveness_us: u64, timeouts: u64) -> Verdict {
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

/// A verdict of so many observations, all of them good.
pub(crate) fn holds(checker: &str, sentence: &str, count: u64) -> Verdict {
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
