//! Taking the steps of a trace again: the same programs, the same messages in the same order.
//!
//! Programs have no clock here, so nothing but the steps decides. If a program says something else than it said when
//! the trace was written, it is not deterministic, and the place where it parted is told.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tribunal_checkers::verdict::Judgement;
use tribunal_checkers::{Answer, Limits, Verdict};
use tribunal_histories::trace::TRACE_VERSION;
use tribunal_histories::{Digest, EventRecord, History, Trace, TraceEnd, TraceHeader, TraceLine};

use super::misbehaviour::PROTOCOL;
use super::pinned::Pinned;
use super::process::Patience;
use super::step::Step;
use super::topology::Topology;
use super::workload::{Cluster, Dialogue, UnknownDialogue};
use super::world::{Setup, World};
use crate::judge::{Judged, history_of};

/// The subject's name in traces and fingerprints.
pub const SUBJECT: &str = "maelstrom";

/// What a trace says of what it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    command: Vec<String>,
    workload: String,
    nodes: usize,
    concurrency: usize,
    topology: Topology,
}

/// Why a trace cannot be taken again.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The header is not one of an audit.
    #[error("the trace's configuration is not that of an audit: {0}")]
    Config(#[from] serde_json::Error),
    /// The workload is not one of this build.
    #[error(transparent)]
    Workload(#[from] UnknownDialogue),
    /// A step's name means nothing here.
    #[error(
        "step {step}, `{name}`, means nothing here; the trace was edited, or another version wrote it"
    )]
    Step {
        /// Which, from 1.
        step: usize,
        /// Its name.
        name: String,
    },
    /// The program cannot be started.
    #[error("{0}")]
    Start(String),
}

/// A trace, taken again.
#[derive(Debug)]
pub struct Replayed {
    /// What clients saw.
    pub history: History,
    /// What the checkers say.
    pub verdict: Verdict,
    /// What is violated; empty if nothing is.
    pub violated: String,
    /// A digest of the steps and events.
    pub digest: Digest,
    /// Where the programs did something else; nothing if it was the same run.
    pub parted: Option<String>,
}

/// The header of a trace of such a world.
pub(super) fn header(setup: &Setup) -> TraceHeader {
    let config = Config {
        command: setup.command.clone(),
        workload: setup.dialogue.workload.name.to_owned(),
        nodes: setup.cluster.nodes,
        concurrency: setup.concurrency,
        topology: setup.cluster.topology,
    };
    let config = serde_json::to_value(config).unwrap_or_default();
    TraceHeader {
        tribunal: "trace".to_owned(),
        version: TRACE_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: SUBJECT.to_owned(),
        config_digest: Trace::config_digest(&config),
        config,
        seed: Some(setup.seed),
        command: None,
        model: Some(setup.dialogue.workload.model.to_owned()),
        properties: false,
        finally: None,
    }
}

/// A trace of these lines.
pub(super) fn trace_of(
    header: TraceHeader,
    lines: Vec<TraceLine>,
    digest: Digest,
    judged: &Judged,
) -> Trace {
    let is_step = |line: &&TraceLine| matches!(line, TraceLine::Step(_));
    let end = TraceEnd {
        digest,
        verdict: judged.answer().name().to_owned(),
        violated: judged.violated.clone(),
        steps: lines.iter().filter(is_step).count(),
    };
    Trace { header, lines, end }
}

/// The world that a trace begins in, and its steps. Nodes have their folders in `folder`.
pub(super) fn setup_of(trace: &Trace, folder: PathBuf) -> Result<(Setup, Vec<Step>), ScriptError> {
    let config: Config = serde_json::from_value(trace.header.config.clone())?;
    let setup = Setup {
        dialogue: Dialogue::find(&config.workload)?,
        command: config.command,
        cluster: Cluster {
            nodes: config.nodes,
            topology: config.topology,
        },
        concurrency: config.concurrency,
        seed: trace.header.seed.unwrap_or_default(),
        patience: Patience::default(),
        folder,
        is_virtual: true,
    };
    let functions = setup.dialogue.functions();
    let step = |(place, name): (usize, &str)| {
        Step::parse(name, config.nodes, functions).ok_or_else(|| ScriptError::Step {
            step: place + 1,
            name: name.to_owned(),
        })
    };
    let steps = trace
        .steps()
        .enumerate()
        .map(step)
        .collect::<Result<_, _>>()?;
    Ok((setup, steps))
}

/// Judges what a world has come to.
pub(super) fn judge(
    world: &World,
    history: &History,
    limits: Limits,
    stop: &dyn Fn() -> bool,
) -> Judged {
    let model = world.setup.dialogue.workload.model;
    let mut judged = Judged::of(None, history, model, limits, stop);
    if let Some(misbehaviour) = world.misbehaviour() {
        judged
            .parts
            .insert(0, misbehaviour.verdict(world.ledger.steps()));
        judged.violated = PROTOCOL.to_owned();
    } else if let Some(timer) = world.timer().filter(|_| world.setup.is_virtual) {
        judged.parts.retain(|part| part.answer() != Answer::Invalid);
        judged.violated = String::new();
        let why =
            format!("{timer}, and virtual time does not wait for it: run again with --wall-clock");
        let left = vec!["what the program does when its timers fire".to_owned()];
        judged
            .parts
            .insert(0, Verdict::unknown("virtual-time", why, left));
    }
    judged
}

/// The story of a trace: a table with its heading.
///
/// # Errors
/// When the trace does not fit this build.
pub fn story(trace: &Trace) -> Result<Vec<String>, ScriptError> {
    let (setup, _) = setup_of(trace, PathBuf::new())?;
    let functions = setup.dialogue.functions();
    Ok(super::tale::table(trace, setup.cluster.nodes, functions))
}

/// Takes a trace's steps again.
///
/// # Errors
/// When the trace does not fit this build, or the program cannot be started.
pub fn replay(trace: &Trace, folder: PathBuf, limits: Limits) -> Result<Replayed, ScriptError> {
    let (setup, steps) = setup_of(trace, folder)?;
    let _pinned = Pinned::to_one();
    let mut world = World::new(setup, false);
    let start = |error: std::io::Error| ScriptError::Start(error.to_string());
    world.clear().map_err(start)?;
    let mut parted = None;
    for (place, step) in steps.iter().enumerate() {
        if let Some(why) = differs(&world, step) {
            parted = Some(format!("step {}, `{step}`: {why}", place + 1));
            break;
        }
        world.take(step);
        if let Some(failure) = world.failure() {
            return Err(ScriptError::Start(failure.to_owned()));
        }
        if world.is_over() {
            break;
        }
    }
    let digest = world.ledger.digest();
    let same_events = trace
        .events()
        .map(timeless)
        .eq(world.ledger.events().iter().map(timeless));
    let history = history_of(world.ledger.events().to_vec());
    let judged = judge(&world, &history, limits, &|| false);
    if parted.is_none() && !(same_events && digest == trace.end.digest) {
        parted = Some("clients saw something else".to_owned());
    }
    Ok(Replayed {
        history,
        digest,
        verdict: Verdict::merge("run", judged.parts),
        violated: judged.violated,
        parted,
    })
}

/// Why a step cannot be taken as it was, if it cannot.
fn differs(world: &World, step: &Step) -> Option<String> {
    if let Step::Deliver(named) | Step::Duplicate(named) | Step::Lose(named) = step {
        let letter = world.letters().find(|letter| {
            (letter.from, letter.to, letter.ordinal) == (named.from, named.to, named.ordinal)
        });
        match letter {
            None => return Some("no such message was sent this time".to_owned()),
            Some(letter) if letter.body != named.body => {
                return Some(format!("this time the message was {}", letter.body));
            }
            Some(_) => {}
        }
    }
    (!world.is_enabled(step)).then(|| "it cannot happen this time".to_owned())
}

/// An event without its time.
fn timeless(event: &EventRecord) -> EventRecord {
    EventRecord {
        time_ns: None,
        ..event.clone()
    }
}

/// Whether a verdict is that something is wrong.
pub(super) fn is_invalid(judged: &Judged) -> bool {
    let is_invalid = |verdict: &Verdict| matches!(verdict.judgement, Judgement::Invalid { .. });
    judged.parts.iter().any(is_invalid)
}
