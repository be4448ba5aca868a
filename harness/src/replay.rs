//! Taking a trace's steps again in `World`, by name, with the same checkers watching.

use tribunal_checkers::explore::{PATIENCES, Recovery, recovery};
use tribunal_checkers::properties::Monitor;
use tribunal_checkers::{Limits, Verdict};
use tribunal_histories::{
    Digest, EventRecord, History, LogRecord, NodeId, Role, Trace, TraceEnd, TraceHeader, TraceLine,
    View, trace::TRACE_VERSION,
};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::world::{NoSuchStep, Setup};
use tribunal_protocols::{Node, Step, World};

use crate::judge::{Judged, LIVENESS, history_of, holds};
use crate::runtime::sim::{Recorded, Witness};

/// Why a trace cannot be taken again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The header's configuration is not one of this protocol's.
    #[error("the trace's configuration does not fit {protocol}: {source}")]
    Config {
        /// The protocol.
        protocol: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A step's name means nothing here.
    #[error(
        "step {step}: {source}; the protocol has changed since the trace was written, or the trace was edited"
    )]
    Step {
        /// Which, from 1.
        step: usize,
        /// What is wrong with it.
        source: NoSuchStep,
    },
    /// A step cannot be taken here.
    #[error(
        "step {step}, `{name}`, is not enabled here; the protocol has changed since the trace was written, or the trace was edited"
    )]
    NotEnabled {
        /// Which, from 1.
        step: usize,
        /// Its name.
        name: String,
    },
}

/// A node as it shows itself after a step, owned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glimpse {
    /// Whether it runs.
    pub up: bool,
    /// What it is doing.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// Its vote.
    pub voted_for: Option<NodeId>,
    /// The index of its last entry.
    pub last_index: u64,
    /// That entry, and with it the whole log.
    pub last: LogRecord,
    /// Its commit index.
    pub commit_index: u64,
}

impl Glimpse {
    fn of(view: &View<'_>, up: bool) -> Self {
        Self {
            up,
            role: view.role,
            term: view.term,
            voted_for: view.voted_for,
            last_index: view.log.last_index(),
            last: view.log.last(),
            commit_index: view.commit_index,
        }
    }
}

/// What a step came to.
#[derive(Debug)]
pub struct Moment<'a> {
    /// Which step, from 1.
    pub step: usize,
    /// Its name.
    pub name: &'a str,
    /// The nodes before it.
    pub before: &'a [Glimpse],
    /// The nodes after it.
    pub after: &'a [Glimpse],
    /// What clients saw in it.
    pub events: &'a [EventRecord],
    /// What it violated, as a sentence; a step can be the first to violate something only once.
    pub violation: Option<&'a str>,
}

/// A trace, taken again.
#[derive(Debug)]
pub struct Replayed {
    /// A digest of the steps.
    pub digest: Digest,
    /// What clients saw.
    pub history: History,
    /// What the checkers say.
    pub verdict: Verdict,
    /// What is violated; empty if nothing is.
    pub violated: String,
    /// Whether clients saw what the trace says they saw, and the digest is the trace's.
    pub faithful: bool,
}

/// A world and its witness, as a replay moves them.
pub(crate) struct Stage<N: Node> {
    pub(crate) world: World<N>,
    pub(crate) witness: Witness,
    pub(crate) digest: Digest,
}

impl<N: Node> Stage<N> {
    /// A cluster at its start, and a witness who judges the cluster properties, if they are to be judged.
    pub(crate) fn new(setup: &Setup<N>, properties: bool) -> Self {
        let mut witness = Witness::of(N::NAME, properties);
        let world = setup.start(&mut witness);
        Self {
            world,
            witness,
            digest: Digest::default(),
        }
    }

    /// Takes a step if it is enabled, and says whether it was.
    pub(crate) fn take(&mut self, step: &Step<N>) -> bool {
        let taken = self.world.take(step, &mut self.witness).is_ok();
        if taken {
            self.digest = step.fold(self.digest);
        }
        taken
    }

    /// Takes the step of that name, which is this one of a trace, from 1.
    pub(crate) fn take_named(&mut self, step: usize, name: &str) -> Result<Step<N>, ReplayError> {
        let found = self.world.find(name);
        let found = found.map_err(|source| ReplayError::Step { step, source })?;
        match self.take(&found) {
            true => Ok(found),
            false => Err(ReplayError::NotEnabled {
                step,
                name: name.to_owned(),
            }),
        }
    }

    /// Takes a step as [`Stage::take`] does, and writes it down with what clients saw in it.
    pub(crate) fn record(&mut self, step: &Step<N>, lines: &mut Vec<TraceLine>) -> bool {
        let seen = self.witness.events.len();
        let taken = self.take(step);
        if taken {
            lines.push(TraceLine::Step(step.to_string()));
            let events = self.witness.events[seen..].iter().cloned();
            lines.extend(events.map(TraceLine::Event));
        }
        taken
    }

    /// Judges whether the cluster answers this operation if nothing goes wrong from here on.
    pub(crate) fn heal(&self, operation: &str, judged: &mut Judged) -> Verdict {
        let Ok(request) = operation.parse::<N::Request>() else {
            let why = format!(
                "{} does not understand the operation `{operation}`",
                N::NAME
            );
            return Verdict::unknown(LIVENESS, why, vec![LIVENESS.to_owned()]);
        };
        match recovery(&self.world, &request) {
            Recovery::Answered { .. } => holds(
                LIVENESS,
                "the cluster answers when all faults have ended",
                1,
            ),
            Recovery::Silent { for_us } => {
                judged.not_live(&format!("`{operation}`"), for_us, PATIENCES)
            }
            Recovery::Endless => {
                let why = "the healed cluster did too much to see it to an end";
                Verdict::unknown(LIVENESS, why, vec![LIVENESS.to_owned()])
            }
        }
    }

    fn glimpses(&self) -> Vec<Glimpse> {
        let nodes = NodeId::all(self.world.config().nodes());
        nodes
            .map(|node| Glimpse::of(&self.world.view(node), self.world.node(node).is_some()))
            .collect()
    }
}

/// What the cluster of a trace with this header starts from.
pub(crate) fn setup_of<N: Node>(header: &TraceHeader) -> Result<Setup<N>, ReplayError> {
    serde_json::from_value(header.config.clone()).map_err(|source| ReplayError::Config {
        protocol: N::NAME,
        source,
    })
}

/// The header of a trace of such a cluster.
pub(crate) fn header<N: Node>(
    setup: &Setup<N>,
    seed: Option<u64>,
    model: &str,
    properties: bool,
) -> TraceHeader {
    let config = serde_json::to_value(setup).unwrap_or_default();
    TraceHeader {
        tribunal: "trace".to_owned(),
        version: TRACE_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: N::NAME.to_owned(),
        config_digest: Trace::config_digest(&config),
        config,
        seed,
        command: None,
        model: Some(model.to_owned()),
        properties,
        finally: None,
    }
}

/// A run of the simulator as a trace.
pub(crate) fn trace_of<N: Node>(
    header: TraceHeader,
    recorded: Vec<Recorded<N>>,
    digest: Digest,
    judged: &Judged,
) -> Trace {
    let lines: Vec<_> = recorded
        .into_iter()
        .map(|line| match line {
            Recorded::Step(_, step) => TraceLine::Step(step.to_string()),
            Recorded::Event(event) => TraceLine::Event(event),
        })
        .collect();
    finish(header, lines, digest, judged)
}

pub(crate) fn finish(
    header: TraceHeader,
    lines: Vec<TraceLine>,
    digest: Digest,
    judged: &Judged,
) -> Trace {
    let steps = lines
        .iter()
        .filter(|line| matches!(line, TraceLine::Step(_)))
        .count();
    let verdict = judged.answer().name().to_owned();
    Trace {
        header,
        lines,
        end: TraceEnd {
            digest,
            verdict,
            violated: judged.violated.clone(),
            steps,
        },
    }
}

/// Takes a trace's steps again, and shows each to `watch`.
///
/// # Errors
/// When the trace does not fit this build's protocol.
pub fn replay<N: Node>(
    trace: &Trace,
    limits: Limits,
    watch: &mut dyn FnMut(&Moment<'_>),
) -> Result<Replayed, ReplayError> {
    let mut stage = Stage::<N>::new(&setup_of(&trace.header)?, trace.header.properties);
    let mut before = stage.glimpses();
    for (place, name) in trace.steps().enumerate() {
        let number = place + 1;
        let (seen, broken) = (stage.witness.events.len(), stage.witness.has_seen_enough());
        stage.take_named(number, name)?;
        let after = stage.glimpses();
        let violation = stage
            .witness
            .monitor
            .as_ref()
            .and_then(Monitor::violation)
            .filter(|_| !broken);
        watch(&Moment {
            step: number,
            name,
            before: &before,
            after: &after,
            events: &stage.witness.events[seen..],
            violation: violation.map(|violation| violation.sentence.as_str()),
        });
        before = after;
    }
    let timeless = |event: &EventRecord| EventRecord {
        time_ns: None,
        ..event.clone()
    };
    let same_events = trace
        .events()
        .map(timeless)
        .eq(stage.witness.events.iter().cloned());
    let history = history_of(std::mem::take(&mut stage.witness.events));
    let model = trace.header.model.as_deref().unwrap_or_default();
    let monitor = stage.witness.monitor.as_ref();
    let mut judged = Judged::of(monitor, &history, model, limits, &|| false);
    let digest = stage.digest;
    if let Some(operation) = &trace.header.finally {
        let live = stage.heal(operation, &mut judged);
        judged.parts.push(live);
    } else if trace.end.violated == LIVENESS && judged.violated.is_empty() {
        judged.not_replayable();
    }
    Ok(Replayed {
        digest,
        history,
        faithful: same_events && digest == trace.end.digest,
        verdict: Verdict::merge("run", judged.parts),
        violated: judged.violated,
    })
}
