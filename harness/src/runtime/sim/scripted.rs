//! A script in place of chance: steps taken elsewhere, by the explorer or by `World`, on the nodes that madsim runs.
//!
//! The script says what arrives, fires and crashes, and in which order; the nodes run in the same host loop, under
//! the same runtime, as in any simulation. What they show, and what clients see, must be what `World` showed when
//! it took the same steps.

use std::collections::VecDeque;
use std::sync::Arc;

use tribunal_histories::{Cause, NodeId, Observation};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::world::{Body, DisksOf, Observer, Packet, Setup, SyncMode};
use tribunal_protocols::{Address, Disk, Durable, Effect, Host, Loss, Node, Step};

use super::cluster::{Directive, End};
use super::madsim::{Director, direct};
use crate::runtime::env::Turn;
use crate::runtime::scene::Scene;

/// The step of a script could not be taken: the nodes did otherwise than where the script comes from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be taken here: the cluster is not where the script was written")]
pub struct OffScript(pub String);

/// Takes a script's steps with nodes under madsim, and shows everything to an observer, which is given back.
///
/// # Errors
/// The first step that could not be taken.
pub fn run<N: Node, O: Observer + Send + 'static>(
    setup: &Setup<N>,
    script: impl IntoIterator<Item = Step<N>>,
    observer: O,
) -> Result<O, OffScript> {
    let nodes = setup.config.nodes();
    let mut disks: Vec<_> = setup.disks.iter().cloned().map(Disk::holding).collect();
    disks.resize(nodes, Disk::default());
    let scripted = Scripted {
        config: Arc::new(setup.config.clone()),
        sync: setup.sync,
        script: script.into_iter().collect(),
        directives: NodeId::all(nodes).map(Directive::Boot).collect(),
        disks,
        scene: Scene::new(nodes),
        dying: None,
        refused: None,
        observer,
    };
    let (scripted, _) = direct(scripted, nodes, 0, &|| false);
    match scripted.refused {
        Some(step) => Err(OffScript(step.to_string())),
        None => Ok(scripted.observer),
    }
}

struct Scripted<N: Node, O> {
    config: Arc<N::Config>,
    sync: SyncMode,
    script: VecDeque<Step<N>>,
    /// What comes before the script goes on.
    directives: VecDeque<Directive<N>>,
    disks: Vec<Disk<N>>,
    scene: Scene<N>,
    /// The node that has the turn dies at its end, with this loss.
    dying: Option<Loss>,
    refused: Option<Step<N>>,
    observer: O,
}

impl<N: Node, O: Observer> Scripted<N, O> {
    /// Lets a step begin; `None` if it is not possible here. What it means for a node is then the next directive.
    fn begin(&mut self, step: &Step<N>) -> Option<()> {
        let directive = match step {
            Step::Deliver(packet) if matches!(packet.to, Address::Client(_)) => {
                return self.scene.outside(step, &mut self.observer);
            }
            Step::Deliver(_) | Step::Fire { .. } => {
                let (node, input) = self.scene.input(step)?;
                Directive::Turn(node, Turn::Input(input))
            }
            Step::CrashDuring {
                step,
                effects,
                loss,
            } => {
                let (node, input) = self.scene.input(step)?;
                self.dying = Some(*loss);
                let effects = usize::from(*effects);
                Directive::Turn(node, Turn::CutShort { input, effects })
            }
            Step::Sync { node, writes } => Directive::Turn(*node, Turn::Synced((*writes).into())),
            Step::Crash { node, loss } => {
                self.crash(*node, *loss);
                return Some(());
            }
            Step::Restart { node } => Directive::Boot(*node),
            other => return self.scene.outside(other, &mut self.observer),
        };
        self.directives.push_back(directive);
        Some(())
    }

    fn crash(&mut self, node: NodeId, loss: Loss) {
        self.scene.crash(node);
        self.disks[node.index()].crash(loss);
        self.directives.push_back(Directive::Kill(node));
        self.observer.observe(&Observation {
            node,
            cause: Cause::Crash,
            view: self.disks[node.index()].synced().view(),
            sent: &[],
            logs: &DisksOf(&self.disks),
        });
    }
}

impl<N: Node, O: Observer + Send + 'static> Director<N> for Scripted<N, O> {
    fn config(&self) -> Arc<N::Config> {
        self.config.clone()
    }

    /// A script has no time.
    fn now_ns(&self) -> u64 {
        0
    }

    fn disk(&mut self, node: NodeId) -> &mut Disk<N> {
        &mut self.disks[node.index()]
    }

    fn perform(&mut self, host: &Host<N>, cause: Cause, effects: &mut Vec<Effect<N>>) {
        let node = host.me();
        let mut sent = Vec::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { to, message } => {
                    sent.push(N::message_view(to, &message));
                    self.scene.put(Packet {
                        from: Address::Node(node),
                        to: Address::Node(to),
                        body: Body::Message(message),
                    });
                }
                Effect::Reply {
                    client,
                    sequence,
                    response,
                } => {
                    sent.extend(N::answer_view(node, client, sequence, &response));
                    self.scene.put(Packet {
                        from: Address::Node(node),
                        to: Address::Client(client),
                        body: Body::Response { sequence, response },
                    });
                }
                Effect::SetTimer { timer, choices, .. } => {
                    self.scene.timers(node).insert(timer, choices);
                }
                Effect::CancelTimer(timer) => {
                    self.scene.timers(node).remove(&timer);
                }
                Effect::Note(probe) => self.observer.note(probe),
                Effect::Write(_) => unreachable!("the disk's queue keeps writes"),
            }
        }
        self.observer.observe(&Observation {
            node,
            cause,
            view: host.view(&self.disks[node.index()]),
            sent: &sent,
            logs: &DisksOf(&self.disks),
        });
        let writes = self.disks[node.index()].unsynced_count();
        if let Some(loss) = self.dying.take() {
            self.crash(node, loss);
        } else if self.sync == SyncMode::Immediate && writes > 0 {
            let synced = Directive::Turn(node, Turn::Synced(writes));
            self.directives.push_front(synced);
        }
    }

    fn next(&mut self) -> Directive<N> {
        loop {
            if let Some(directive) = self.directives.pop_front() {
                return directive;
            }
            let Some(step) = self.script.pop_front() else {
                return Directive::Done(End::Complete);
            };
            if self.begin(&step).is_none() {
                self.refused = Some(step);
                return Directive::Done(End::Stopped);
            }
        }
    }

    fn stop(&mut self) {
        self.script.clear();
    }
}
