//! Generators: pure values that say which operation comes next, after jepsen-io/generator.
//!
//! A [`Generator`] is asked for an operation and answers with one, with "not now", or with "never again"
//! ([`Next`]). It learns of invocations and completions by [`Generator::update`]. It knows no clock, thread or
//! socket: time, free threads and randomness are in the [`Context`], so a clone that is given the same contexts
//! goes on identically. The [`Interpreter`] keeps the context for a driver, which is left with two calls.
//!
//! Generators combine. Each combinator is a method of [`Generator`] or a function of this module and is named
//! as in Jepsen where Jepsen has it:
//!
//! | group | combinators |
//! |---|---|
//! | leaves | [`once`], [`calls`], [`sleep`] |
//! | order | [`seq`], [`phases`], [`Generator::synchronize`], [`Generator::repeat`], [`Generator::cycle`] |
//! | choice | [`mix`], [`any`], [`flip_flop`] |
//! | bounds | [`Generator::limit`], [`Generator::process_limit`], [`Generator::time_limit`], [`Generator::until_ok`] |
//! | pace | [`Generator::stagger`], [`Generator::delay`] |
//! | placement | [`Generator::on_threads`], [`reserve`], [`Generator::each_thread`] |
//! | transformation | [`Generator::map`], [`Generator::filter`] |
//! | keys | [`independent`] |
//!
//! Unlike Jepsen's, an operation is never scheduled for a future moment: a generator that wants to wait says
//! until when, and an operation that it returns is invoked now. So asking is committing, and no operation that
//! was made is ever discarded. And faults are not operations: see [`nemesis`](crate::nemesis).

mod bounds;
mod choice;
mod context;
mod independent;
mod interpreter;
mod leaf;
mod order;
mod pace;
mod placement;
#[cfg(test)]
pub(crate) mod simulate;
mod transform;

use tribunal_histories::{Kind, Value};

pub use bounds::{Limit, ProcessLimit, TimeLimit, UntilOk};
pub use choice::{Any, FlipFlop, Mix, any, flip_flop, mix};
pub use context::{Context, Threads};
pub use independent::{Independent, independent};
pub use interpreter::Interpreter;
pub use leaf::{Calls, Once, calls, once};
pub use order::{Cycle, Repeat, Seq, Synchronize, phases, seq};
pub use pace::{Delay, Sleep, Stagger, sleep};
pub use placement::{EachThread, OnThreads, Reserve, reserve};
pub use transform::{Filter, Map};

/// What is to be done, without who does it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// The operation's name, Jepsen's `:f`.
    pub function: &'static str,
    /// The key of the object; nil where there is only one.
    pub key: Value,
    /// The arguments.
    pub value: Value,
}

impl Call {
    /// A call with a key and a value.
    pub fn new(function: &'static str, key: impl Into<Value>, value: impl Into<Value>) -> Self {
        Self {
            function,
            key: key.into(),
            value: value.into(),
        }
    }
}

/// A call that a process is to make now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Invocation {
    /// The thread that makes it: a place for one client, from 0; free when the generator was asked.
    pub thread: usize,
    /// The process that the thread is at this time.
    pub process: u32,
    /// What it calls.
    pub call: Call,
}

/// What a generator answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Invoke this now.
    Operation(Invocation),
    /// Nothing now: ask again at that time in microseconds, or after the next completion, whichever is first.
    Pending {
        /// The earliest time at which there may be an operation; `None` if only a completion can bring one.
        until_us: Option<u64>,
    },
    /// Nothing, and never again.
    Done,
}

impl Next {
    /// Pending until some operation completes.
    const BLOCKED: Self = Self::Pending { until_us: None };

    /// What one of several generators can do: the first operation, else the earliest hope, else nothing.
    fn first_of(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::Done;
        for answer in answers {
            result = match (result, answer) {
                (_, operation @ Self::Operation(_)) => return operation,
                (Self::Pending { until_us: one }, Self::Pending { until_us: other }) => {
                    let until_us = one.into_iter().chain(other).min();
                    Self::Pending { until_us }
                }
                (pending @ Self::Pending { .. }, _) => pending,
                (_, answer) => answer,
            };
        }
        result
    }
}

/// Something that happened to an operation, told to the generators.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The operation.
    pub invocation: &'a Invocation,
    /// Whether it begins, or how it ended.
    pub kind: Kind,
    /// The result of an `ok`; the arguments for every other kind.
    pub value: &'a Value,
}

/// A pure value that says which operation comes next. See the [module](self) for the contract.
pub trait Generator: CloneBoxed + Send {
    /// The next operation, by a thread that is free in the context. The operation will be invoked.
    ///
    /// An answer other than [`Next::Operation`] changes nothing that a later answer depends on, except that a
    /// time limit or a sleep begins when it is first asked; so the schedule does not depend on how often a
    /// generator is asked. Once done, a generator stays done.
    fn op(&mut self, context: &mut Context) -> Next;

    /// Learns that an operation was invoked or completed, in the context after it.
    fn update(&mut self, context: &mut Context, event: &Update<'_>);

    /// The generator behind a pointer, to mix it with others.
    fn boxed(self) -> Box<dyn Generator>
    where
        Self: Sized + 'static,
    {
        Box::new(self)
    }

    /// At most `count` operations. Jepsen's `limit`.
    fn limit(self, count: usize) -> Limit<Self>
    where
        Self: Sized,
    {
        Limit::new(self, count)
    }

    /// Stops when more than `count` processes have been seen: those that ended in `info` make the checker's
    /// work exponential, so there is a budget for them. Jepsen's `process-limit`.
    fn process_limit(self, count: usize) -> ProcessLimit<Self>
    where
        Self: Sized,
    {
        ProcessLimit::new(self, count)
    }

    /// Stops that long after it was first asked. Jepsen's `time-limit`.
    fn time_limit(self, duration_us: u64) -> TimeLimit<Self>
    where
        Self: Sized,
    {
        TimeLimit::new(self, duration_us)
    }

    /// Stops when one of its operations ended in `ok`. Jepsen's `until-ok`.
    fn until_ok(self) -> UntilOk<Self>
    where
        Self: Sized,
    {
        UntilOk::new(self)
    }

    /// Waits until every thread is free before the first operation. Jepsen's `synchronize`.
    fn synchronize(self) -> Synchronize<Self>
    where
        Self: Sized,
    {
        Synchronize::new(self)
    }

    /// The first operation of the generator again and again, for ever. Jepsen's `repeat`.
    fn repeat(self) -> Repeat<Self>
    where
        Self: Sized,
    {
        Repeat::new(self)
    }

    /// The generator from its beginning whenever it is done, for ever. Jepsen's `cycle`.
    fn cycle(self) -> Cycle<Self>
    where
        Self: Sized + Clone,
    {
        Cycle::new(self)
    }

    /// Random gaps between operations, all threads together: uniform from 0 to twice the mean. Jepsen's
    /// `stagger`.
    fn stagger(self, mean_us: u64) -> Stagger<Self>
    where
        Self: Sized,
    {
        Stagger::new(self, mean_us)
    }

    /// The same gap between any two operations, all threads together. Jepsen's `delay`.
    fn delay(self, gap_us: u64) -> Delay<Self>
    where
        Self: Sized,
    {
        Delay::new(self, gap_us)
    }

    /// Only these threads take part. Jepsen's `on-threads`.
    fn on_threads(self, threads: Threads) -> OnThreads<Self>
    where
        Self: Sized,
    {
        OnThreads::new(self, threads)
    }

    /// Each thread has its own copy. Jepsen's `each-thread`.
    fn each_thread(self) -> EachThread<Self>
    where
        Self: Sized,
    {
        EachThread::new(self)
    }

    /// Every call rewritten. Jepsen's `map`.
    fn map<F: FnMut(Call) -> Call>(self, rewrite: F) -> Map<Self, F>
    where
        Self: Sized,
    {
        Map::new(self, rewrite)
    }

    /// Only the calls that pass; the others are never made. Jepsen's `filter`. The generator must go on to
    /// bring calls that pass, or to an end.
    fn filter<F: FnMut(&Call) -> bool>(self, pass: F) -> Filter<Self, F>
    where
        Self: Sized,
    {
        Filter::new(self, pass)
    }
}

/// Cloning behind a pointer; every generator that is `Clone` has it.
pub trait CloneBoxed {
    /// A copy that goes on identically.
    fn clone_boxed(&self) -> Box<dyn Generator>;
}

impl<G: Generator + Clone + 'static> CloneBoxed for G {
    fn clone_boxed(&self) -> Box<dyn Generator> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Generator> {
    fn clone(&self) -> Self {
        (**self).clone_boxed()
    }
}

impl Generator for Box<dyn Generator> {
    fn op(&mut self, context: &mut Context) -> Next {
        (**self).op(context)
    }

    fn update(&mut self, context: &mut Context, event: &Update<'_>) {
        (**self).update(context, event);
    }
}
