//! Telling a scenario: line by line, each command becomes steps of a world, and what comes of them is written down.

use tribunal_histories::{EventRecord, Kind, NodeId};

use super::{Scenario, Staged, expect, setup, show};
use crate::contract::{Configuration, Node};
use crate::world::{NoSuchStep, NotEnabled, Setup, Step, World};

/// A scenario, told.
#[derive(Debug)]
pub struct Play<N: Node> {
    /// What the cluster started from.
    pub setup: Setup<N>,
    /// Every step, in order: taken from the setup they lead to the same end.
    pub steps: Vec<Step<N>>,
    /// The text, with what came of its commands below them.
    pub text: String,
}

/// A command that cannot be done, or an expectation that is not met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{command}`: {wrong}")]
pub struct ScenarioError {
    /// Where, from 1.
    pub line: usize,
    /// The line.
    pub command: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong with a line of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Several packets have a text that begins so.
    #[error("several packets begin so: {}", .0.join("; "))]
    Ambiguous(Vec<String>),
    /// The line describes no cluster of this protocol.
    #[error("not a cluster: {0}")]
    Cluster(String),
    /// The line describes no disk.
    #[error("not what a disk of a node of this cluster can hold in {0}")]
    Disk(&'static str),
    /// The cluster does not come to rest.
    #[error("still not settled after {0} steps")]
    NotSettled(usize),
    /// The step is one, but not now.
    #[error(transparent)]
    NotEnabled(#[from] NotEnabled),
    /// No packet has a text that begins so.
    #[error("no such packet can arrive; on that way are: {}", .0.join("; "))]
    NoPacket(Vec<String>),
    /// The words are not what the command takes.
    #[error("not understood; it is written `{0}`")]
    NotUnderstood(&'static str),
    /// It is neither a step nor a command.
    #[error(transparent)]
    Step(#[from] NoSuchStep),
    /// An expectation is not met.
    #[error("it is not so: {0}")]
    Unmet(String),
}

/// Tells a scenario.
///
/// # Errors
/// The first line that cannot be done, or whose expectation is not met.
pub fn play<N: Staged>(scenario: &Scenario<'_>) -> Result<Play<N>, ScenarioError> {
    let lines: Vec<_> = scenario
        .text
        .lines()
        .filter(|line| !line.starts_with('>'))
        .collect();
    let setup = setup_of(&lines)?;
    let mut stage = Stage::<N> {
        world: setup.start(&mut ()),
        steps: Vec::new(),
        events: Vec::new(),
        shown: Vec::new(),
    };
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        text.push_str(line);
        text.push('\n');
        if is_prose(line) || is_setup(line) {
            continue;
        }
        stage.command(line).map_err(at(place, line))?;
        for shown in stage.shown.drain(..) {
            text.push_str("> ");
            text.push_str(&shown);
            text.push('\n');
        }
    }
    Ok(Play {
        setup,
        steps: stage.steps,
        text,
    })
}

fn is_prose(line: &str) -> bool {
    line.starts_with('#') || line.trim().is_empty()
}

fn is_setup(line: &str) -> bool {
    line.starts_with("cluster ") || line.starts_with("disk ")
}

fn at(place: usize, line: &str) -> impl FnOnce(Wrong) -> ScenarioError {
    let (line, command) = (place + 1, line.to_owned());
    move |wrong| ScenarioError {
        line,
        command,
        wrong,
    }
}

/// The cluster and its disks, which stand before everything that happens.
fn setup_of<N: Staged>(lines: &[&str]) -> Result<Setup<N>, ScenarioError> {
    let mut setup = None;
    for (place, line) in lines.iter().enumerate() {
        match (line.split_once(' '), &mut setup) {
            (Some(("cluster", words)), None) => {
                setup = Some(setup::cluster(words).map_err(at(place, line))?);
            }
            (Some(("disk", words)), Some(setup)) => {
                setup::disk(words, setup).map_err(at(place, line))?;
            }
            _ => {}
        }
    }
    let missing = Wrong::NotUnderstood("cluster PROTOCOL nodes=N …");
    setup.ok_or_else(|| at(0, "")(missing))
}

/// A world on which a scenario is played.
pub(super) struct Stage<N: Node> {
    pub(super) world: World<N>,
    steps: Vec<Step<N>>,
    pub(super) events: Vec<EventRecord>,
    /// What came of the present command.
    pub(super) shown: Vec<String>,
}

impl<N: Staged> Stage<N> {
    fn command(&mut self, command: &str) -> Result<(), Wrong> {
        let (verb, words) = command.split_once(' ').unwrap_or((command, ""));
        match verb {
            "campaign" => self.campaign(words).map(drop),
            "deliver" => self.deliver(words),
            "elect" => self.elect(words),
            "expect" => expect::check(self, words),
            "partition" => self.partition(words),
            "settle" => self.settle(words),
            "show" => {
                self.show();
                Ok(())
            }
            _ => self
                .world
                .find(command)
                .map_err(Wrong::from)
                .and_then(|step| self.take(&step)),
        }?;
        // A command that is the name of its step need not be said twice.
        if self.shown.first().is_some_and(|first| first == command) {
            self.shown.remove(0);
        }
        Ok(())
    }

    /// Takes a step, and shows it with the node and the client that it changed.
    pub(super) fn take(&mut self, step: &Step<N>) -> Result<(), Wrong> {
        let node = step.node();
        let line = |world: &World<N>| node.map(|node| show::node(world, node));
        let (before, seen) = (line(&self.world), self.events.len());
        self.world.take(step, &mut self.events)?;
        self.steps.push(step.clone());
        self.shown.push(step.to_string());
        let after = line(&self.world).filter(|after| before.as_ref() != Some(after));
        let completed = self.events[seen..]
            .iter()
            .filter(|event| event.kind != Kind::Invoke)
            .map(show::event);
        let changed = after.into_iter().chain(completed);
        self.shown.extend(changed.map(|line| format!("  {line}")));
        Ok(())
    }

    pub(super) fn all_nodes(&self) -> Vec<NodeId> {
        NodeId::all(self.world.config().nodes()).collect()
    }

    /// The latest event of every client that did something, by client.
    pub(super) fn latest(&self) -> impl Iterator<Item = &EventRecord> {
        let mut latest: Vec<_> = self.events.iter().rev().collect();
        latest.sort_by_key(|event| event.process);
        latest.dedup_by_key(|event| event.process);
        latest.into_iter()
    }
}
