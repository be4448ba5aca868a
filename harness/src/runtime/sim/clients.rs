//! Simulated clients: they invoke what the generator says, find the leader, try again, and give up.
//!
//! A client sends an operation again, to another node, when it hears nothing for a while or is sent elsewhere;
//! it is the same operation, by client and sequence. When it has waited long enough it gives up: nobody knows
//! whether the operation happened, so the history says `info`, never `fail`.

use tribunal_histories::{Kind, NodeId, Value};
use tribunal_protocols::contract::{ClientId, Recorded, Reply};
use tribunal_protocols::world::{Body, Packet, PacketOf, client_event};
use tribunal_protocols::{Address, Node, Step};

use super::cluster::{Cluster, End, Event};
use crate::draw::{Domain, Draw};
use crate::generator::{Generator, Interpreter, Invocation, Next};

/// Something that a client waits for. `token` is the number of the operation that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientEvent {
    /// The generator may have an operation.
    Ask,
    /// Time to try again, unless there was another attempt meanwhile.
    Retry {
        thread: usize,
        token: u64,
        attempt: u32,
    },
    /// Time to give up.
    GiveUp { thread: usize, token: u64 },
}

/// An operation in flight.
#[derive(Debug)]
struct Open<Q> {
    process: ClientId,
    sequence: u32,
    request: Q,
    token: u64,
    attempt: u32,
}

/// A place for one client after another.
#[derive(Debug)]
struct Thread<Q> {
    open: Option<Open<Q>>,
    /// The process that it was last, and how many operations that made.
    process: ClientId,
    sequence: u32,
    /// Where it was served last.
    leader: Option<NodeId>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Operations and faults.
    Main,
    /// All faults are healed; clients get the time that liveness allows.
    Final,
}

/// The clients of a cluster.
pub struct Clients<N: Node> {
    interpreter: Interpreter,
    final_generator: Option<Box<dyn Generator>>,
    threads: Vec<Thread<N::Request>>,
    seed: u64,
    tokens: u64,
    asked_at_ns: Option<u64>,
    pub(super) phase: Phase,
    /// An operation of the final phase that was not answered in time.
    pub(super) unanswered: Option<String>,
}

impl<N: Node> std::fmt::Debug for Clients<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl<N: Node> Clients<N> {
    /// Clients on `concurrency` threads: first the main generator, and, when all faults are healed, the final one.
    pub fn new(
        main: Box<dyn Generator>,
        final_generator: Box<dyn Generator>,
        concurrency: usize,
        seed: u64,
    ) -> Self {
        let thread = |_| Thread {
            open: None,
            process: 0,
            sequence: 0,
            leader: None,
        };
        Self {
            interpreter: Interpreter::new(main, concurrency, seed),
            final_generator: Some(final_generator),
            threads: (0..concurrency).map(thread).collect(),
            seed,
            tokens: 0,
            asked_at_ns: None,
            phase: Phase::Main,
            unanswered: None,
        }
    }

    fn open(&mut self, thread: usize, token: u64) -> Option<&mut Open<N::Request>> {
        self.threads[thread]
            .open
            .as_mut()
            .filter(|open| open.token == token)
    }
}

impl<N: Node> Cluster<N> {
    pub(super) fn client_event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Ask => self.ask(),
            ClientEvent::Retry {
                thread,
                token,
                attempt,
            } => {
                if self
                    .clients
                    .open(thread, token)
                    .is_some_and(|open| open.attempt == attempt)
                {
                    self.try_again(thread, None);
                }
            }
            ClientEvent::GiveUp { thread, token } => {
                if self.clients.open(thread, token).is_some() {
                    self.give_up(thread);
                }
            }
        }
    }

    /// Invokes what there is to invoke.
    fn ask(&mut self) {
        loop {
            match self.clients.interpreter.next(self.now_ns() / 1_000) {
                Next::Operation(invocation) => self.invoke(invocation),
                Next::Pending { until_us } => {
                    let at_ns = until_us.map(|until_us| until_us * 1_000);
                    if let Some(at_ns) = at_ns.filter(|_| self.clients.asked_at_ns != at_ns) {
                        self.clients.asked_at_ns = Some(at_ns);
                        self.agenda.push_at(
                            at_ns.max(self.now_ns() + 1),
                            Event::Client(ClientEvent::Ask),
                        );
                    }
                    return;
                }
                Next::Done if !self.clients.interpreter.is_idle() => return,
                Next::Done => match (self.clients.phase, self.clients.final_generator.take()) {
                    (Phase::Main, Some(generator)) => {
                        self.heal();
                        self.clients.phase = Phase::Final;
                        self.clients.interpreter.switch_to(generator);
                    }
                    _ => {
                        self.end = self.end.or(Some(End::Complete));
                        return;
                    }
                },
            }
        }
    }

    fn invoke(
        &mut self,
        Invocation {
            thread,
            process,
            call,
        }: Invocation,
    ) {
        let request = N::Request::from_record(call.function, &call.key, &call.value);
        let request =
            request.expect("a workload is offered only for protocols that serve its operations");
        self.clients.tokens += 1;
        let token = self.clients.tokens;
        let own = self.own_node(thread);
        let place = &mut self.clients.threads[thread];
        if place.process != process {
            (place.process, place.sequence) = (process, 0);
        }
        place.sequence += 1;
        let sequence = place.sequence;
        let asked = match request.is_local() {
            true => Some(own),
            false => place.leader,
        };
        place.open = Some(Open {
            process,
            sequence,
            request: request.clone(),
            token,
            attempt: 0,
        });
        let to = asked.unwrap_or_else(|| self.any_node(token, 0));
        self.record_event(client_event(process, &request, Kind::Invoke, None));
        self.record(Step::Invoke {
            client: process,
            sequence,
            to,
            request: request.clone(),
        });
        let body = Body::Request { sequence, request };
        self.send(Packet {
            from: Address::Client(process),
            to: Address::Node(to),
            body,
        });
        let patience_us = match self.clients.phase {
            Phase::Main => self.settings.operation_timeout_us,
            Phase::Final => self.settings.liveness_us,
        };
        self.agenda.push(
            patience_us * 1_000,
            Event::Client(ClientEvent::GiveUp { thread, token }),
        );
        self.expect_answer(thread, token, 0);
    }

    fn expect_answer(&mut self, thread: usize, token: u64, attempt: u32) {
        let event = Event::Client(ClientEvent::Retry {
            thread,
            token,
            attempt,
        });
        self.agenda.push(self.settings.retry_us * 1_000, event);
    }

    /// Sends an operation again: to the node that is said to lead, or to any.
    fn try_again(&mut self, thread: usize, leader: Option<NodeId>) {
        let own = self.own_node(thread);
        let place = &mut self.clients.threads[thread];
        let Some(open) = &mut place.open else { return };
        let asked = match open.request.is_local() {
            true => Some(own),
            false => {
                place.leader = leader;
                leader
            }
        };
        open.attempt += 1;
        let (token, attempt, client, sequence) =
            (open.token, open.attempt, open.process, open.sequence);
        let request = open.request.clone();
        let to = asked.unwrap_or_else(|| self.any_node(token, attempt));
        self.record(Step::Resend { client, to });
        let body = Body::Request { sequence, request };
        self.send(Packet {
            from: Address::Client(client),
            to: Address::Node(to),
            body,
        });
        self.expect_answer(thread, token, attempt);
    }

    /// The node that a thread asks about what that node alone knows.
    fn own_node(&self, thread: usize) -> NodeId {
        NodeId::from_index(thread % self.places.len())
    }

    fn any_node(&self, token: u64, attempt: u32) -> NodeId {
        let mut draw = Draw::keyed(self.clients.seed, Domain::Client, token, u64::from(attempt));
        NodeId::from_index(draw.index(self.places.len()))
    }

    /// An answer arrives at a client.
    pub(super) fn respond(&mut self, packet: PacketOf<N>) {
        self.tally.packets += 1;
        self.record_delivery(&packet);
        let (Address::Client(client), Address::Node(node)) = (packet.to, packet.from) else {
            return;
        };
        let Body::Response { sequence, response } = packet.body else {
            return;
        };
        let waiting = |open: &Open<N::Request>| open.process == client && open.sequence == sequence;
        let Some(thread) = self
            .clients
            .threads
            .iter()
            .position(|place| place.open.as_ref().is_some_and(waiting))
        else {
            return;
        };
        let Some(open) = &self.clients.threads[thread].open else {
            return;
        };
        match N::reply(&open.request, &response) {
            Reply::Ok(value) => self.complete(thread, Some(node), Kind::Ok, value),
            Reply::Fail(error) => self.complete(thread, Some(node), Kind::Fail, error),
            Reply::Elsewhere(Some(leader)) => self.try_again(thread, Some(leader)),
            Reply::Elsewhere(None) => {
                // Nobody leads: ask again soon, somewhere else.
                let event = ClientEvent::Retry {
                    thread,
                    token: open.token,
                    attempt: open.attempt,
                };
                self.clients.threads[thread].leader = None;
                self.agenda
                    .push(self.settings.redirect_us * 1_000, Event::Client(event));
            }
        }
    }

    fn give_up(&mut self, thread: usize) {
        if let Some(open) = &self.clients.threads[thread].open {
            let client = open.process;
            if self.clients.phase == Phase::Final && self.clients.unanswered.is_none() {
                self.clients.unanswered = Some(format!("{} of process {client}", open.request));
            }
            self.record(Step::GiveUp { client });
            self.complete(thread, None, Kind::Info, Value::Nil);
        }
    }

    fn complete(&mut self, thread: usize, node: Option<NodeId>, kind: Kind, value: Value) {
        let place = &mut self.clients.threads[thread];
        place.leader = node;
        let Some(open) = place.open.take() else {
            return;
        };
        self.record_event(client_event(
            open.process,
            &open.request,
            kind,
            Some(value.clone()),
        ));
        let now_us = self.now_ns() / 1_000;
        self.clients
            .interpreter
            .complete(now_us, thread, kind, &value);
        self.agenda.push(0, Event::Client(ClientEvent::Ask));
    }
}
