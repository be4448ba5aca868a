//! The bookkeeping between a generator and whoever runs its operations.

use tribunal_histories::{Kind, Value};

use super::{Context, Generator, Invocation, Next, Update};
use crate::draw::{Domain, Draw};

/// Runs a generator for a driver: knows which threads are busy, which process each is, and keys the randomness.
///
/// The driver asks [`next`](Self::next) at the start, at the time that a pending answer named, and after each
/// completion, until there is no operation to be had; it reports completions by [`complete`](Self::complete).
/// It is pure, as the generator is: no clock and no task. Named after `jepsen.generator.interpreter`.
#[derive(Clone)]
pub struct Interpreter {
    generator: Box<dyn Generator>,
    context: Context,
    seed: u64,
    /// The number of operations invoked: the key of the next one's randomness.
    invoked: u64,
    in_flight: Vec<Option<Invocation>>,
}

impl Interpreter {
    /// A generator on `concurrency` threads.
    ///
    /// # Panics
    /// Beyond [`Threads::MAX`](super::Threads::MAX) threads.
    pub fn new(generator: Box<dyn Generator>, concurrency: usize, seed: u64) -> Self {
        Self {
            generator,
            context: Context::new(concurrency, Draw::keyed(seed, Domain::Generator, 0, 0)),
            seed,
            invoked: 0,
            in_flight: vec![None; concurrency],
        }
    }

    /// Goes on with another generator on the same threads: processes keep their numbers, and operations in
    /// flight stay so.
    pub fn switch_to(&mut self, generator: Box<dyn Generator>) {
        self.generator = generator;
    }

    /// The operation in flight on a thread.
    pub fn in_flight(&self, thread: usize) -> Option<&Invocation> {
        self.in_flight.get(thread).and_then(Option::as_ref)
    }

    /// Whether no operation is in flight.
    pub fn is_idle(&self) -> bool {
        self.in_flight.iter().all(Option::is_none)
    }

    /// The operation to invoke at this time, which is then in flight.
    pub fn next(&mut self, time_us: u64) -> Next {
        self.context.time_us = time_us;
        self.context.draw = Draw::keyed(self.seed, Domain::Generator, self.invoked, 0);
        let next = self.generator.op(&mut self.context);
        if let Next::Operation(invocation) = &next {
            self.invoked += 1;
            self.context.occupy(invocation.thread);
            self.in_flight[invocation.thread] = Some(invocation.clone());
            self.generator.update(
                &mut self.context,
                &Update {
                    invocation,
                    kind: Kind::Invoke,
                    value: &invocation.call.value,
                },
            );
        }
        next
    }

    /// The operation in flight on a thread has ended in `ok` with this result, in `fail` or in `info`. The
    /// thread is free again; after `info` it is a new process.
    ///
    /// # Panics
    /// If the thread has no operation in flight: a driver that loses count must not write a history.
    pub fn complete(
        &mut self,
        time_us: u64,
        thread: usize,
        kind: Kind,
        value: &Value,
    ) -> Invocation {
        let invocation = self.in_flight[thread]
            .take()
            .expect("a completion follows its invocation, once");
        self.context.time_us = time_us;
        self.context.release(thread);
        if kind == Kind::Info {
            self.context.retire(thread);
        }
        let event = Update {
            invocation: &invocation,
            kind,
            value,
        };
        self.generator.update(&mut self.context, &event);
        invocation
    }
}
