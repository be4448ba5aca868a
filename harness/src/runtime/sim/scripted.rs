//! A script in place of chance: steps taken elsewhere, by the explorer or by `World`, on the nodes that madsim runs.
//!
//! The script says what arrives, fires and crashes, and in which order; the nodes run in the same host loop, under
//! the same runtime, as in any simulation. What they show, and what clients see, must be what `World` showed when
//! it took the same steps.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tribunal_histories::{Cause, Kind, NodeId, Observation};
use tribunal_protocols::contract::{ClientId, Configuration};
use tribunal_protocols::world::{Body, DisksOf, Observer, Packet, PacketOf, client_event};
use tribunal_protocols::{Address, Disk, Durable, Effect, Host, Input, Loss, Node, Reply, Step};

use super::cluster::{Directive, End};
use super::madsim::{Director, direct};
use crate::runtime::env::Turn;

/// The step of a script could not be taken: the nodes did otherwise than where the script comes from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be taken here: the cluster is not where the script was written")]
pub struct OffScript(pub String);

/// Takes a script's steps with fresh nodes under madsim, where writes reach disks when the script says so, and
/// shows everything to an observer, which is given back.
///
/// # Errors
/// The first step that could not be taken.
pub fn run<N: Node, O: Observer + Send + 'static>(
    config: N::Config,
    script: impl IntoIterator<Item = Step<N>>,
    observer: O,
) -> Result<O, OffScript> {
    let nodes = config.nodes();
    let scripted = Scripted {
        config: Arc::new(config),
        script: script.into_iter().collect(),
        directives: NodeId::all(nodes).map(Directive::Boot).collect(),
        disks: vec![Disk::default(); nodes],
        timers: vec![BTreeMap::new(); nodes],
        network: BTreeMap::new(),
        calls: BTreeMap::new(),
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
    script: VecDeque<Step<N>>,
    /// What comes before the script goes on.
    directives: VecDeque<Directive<N>>,
    disks: Vec<Disk<N>>,
    timers: Vec<BTreeMap<N::Timer, u64>>,
    network: BTreeMap<PacketOf<N>, u16>,
    /// Operations in flight.
    calls: BTreeMap<ClientId, (u32, N::Request)>,
    /// The node that has the turn dies at its end, with this loss.
    dying: Option<Loss>,
    refused: Option<Step<N>>,
    observer: O,
}

impl<N: Node, O: Observer> Scripted<N, O> {
    fn put(&mut self, packet: PacketOf<N>) {
        *self.network.entry(packet).or_default() += 1;
    }

    fn take(&mut self, packet: &PacketOf<N>) -> Option<()> {
        let count = self.network.get_mut(packet)?;
        *count -= 1;
        if *count == 0 {
            self.network.remove(packet);
        }
        Some(())
    }

    /// What a step gives a node, if the step is possible here.
    fn input(&mut self, step: &Step<N>) -> Option<(NodeId, Input<N>)> {
        match step {
            Step::Fire {
                node,
                timer,
                choice,
            } => {
                let choices = self.timers[node.index()].remove(timer)?;
                let (timer, choice) = (*timer, *choice);
                (choice < choices).then_some((*node, Input::Timer { timer, choice }))
            }
            Step::Deliver(packet) => {
                self.take(packet)?;
                match (packet.from, packet.to, packet.body.clone()) {
                    (Address::Node(from), Address::Node(to), Body::Message(message)) => {
                        Some((to, Input::Message { from, message }))
                    }
                    (
                        Address::Client(client),
                        Address::Node(to),
                        Body::Request { sequence, request },
                    ) => Some((
                        to,
                        Input::Request {
                            client,
                            sequence,
                            request,
                        },
                    )),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Lets a step begin; `None` if it is not possible here. What it means for a node is then the next directive.
    fn begin(&mut self, step: &Step<N>) -> Option<()> {
        let directive = match step {
            Step::Invoke {
                client,
                sequence,
                to,
                request,
            } => {
                self.calls.insert(*client, (*sequence, request.clone()));
                let event = client_event(*client, request, Kind::Invoke, None);
                self.observer.client_event(event);
                return self.send_request(*client, *to);
            }
            Step::Resend { client, to } => return self.send_request(*client, *to),
            Step::GiveUp { client } => {
                let (_, request) = self.calls.remove(client)?;
                let event = client_event(*client, &request, Kind::Info, None);
                self.observer.client_event(event);
                return Some(());
            }
            Step::Deliver(packet) if matches!(packet.to, Address::Client(_)) => {
                return self.respond(packet);
            }
            Step::Duplicate(packet) => {
                *self.network.get_mut(packet)? += 1;
                return Some(());
            }
            Step::Deliver(_) | Step::Fire { .. } => {
                let (node, input) = self.input(step)?;
                Directive::Turn(node, Turn::Input(input))
            }
            Step::CrashDuring {
                step,
                effects,
                loss,
            } => {
                let (node, input) = self.input(step)?;
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
            // What a cut stops, the script does not deliver.
            Step::Cut { .. } | Step::Heal | Step::Remark(_) => return Some(()),
        };
        self.directives.push_back(directive);
        Some(())
    }

    fn send_request(&mut self, client: ClientId, to: NodeId) -> Option<()> {
        let (sequence, request) = self.calls.get(&client)?.clone();
        self.put(Packet {
            from: Address::Client(client),
            to: Address::Node(to),
            body: Body::Request { sequence, request },
        });
        Some(())
    }

    fn respond(&mut self, packet: &PacketOf<N>) -> Option<()> {
        self.take(packet)?;
        let (Address::Client(client), Body::Response { sequence, response }) =
            (packet.to, &packet.body)
        else {
            return None;
        };
        let Some((_, request)) = self.calls.get(&client).filter(|call| call.0 == *sequence) else {
            return Some(());
        };
        let (kind, result) = match N::reply(request, response) {
            Reply::Ok(value) => (Kind::Ok, value),
            Reply::Fail(error) => (Kind::Fail, error),
            Reply::Elsewhere(_) => return Some(()),
        };
        let event = client_event(client, request, kind, Some(result));
        self.observer.client_event(event);
        self.calls.remove(&client);
        Some(())
    }

    fn crash(&mut self, node: NodeId, loss: Loss) {
        self.timers[node.index()].clear();
        let end = Address::Node(node);
        self.network
            .retain(|packet, _| packet.from != end || packet.to != end);
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
                    self.put(Packet {
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
                    self.put(Packet {
                        from: Address::Node(node),
                        to: Address::Client(client),
                        body: Body::Response { sequence, response },
                    });
                }
                Effect::SetTimer { timer, choices, .. } => {
                    self.timers[node.index()].insert(timer, choices);
                }
                Effect::CancelTimer(timer) => {
                    self.timers[node.index()].remove(&timer);
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
        if let Some(loss) = self.dying.take() {
            self.crash(node, loss);
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
